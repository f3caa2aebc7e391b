import fc from 'fast-check'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Format, parseFormat, readTrace } from '../../../bench/trace/formats.ts'
import { simulateMemory, simulateOptimum, simulatePolicy } from '../../../bench/trace/simulate.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trace-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function write(content: string | Uint8Array): string {
  const file = join(folder, 'trace')
  writeFileSync(file, content)
  return file
}

const CLF = (time: string, method: string, path: string, status: number): string =>
  `192.0.2.1 - - [17/May/2015:10:05:${time} +0000] "${method} ${path} HTTP/1.1" ${status} 512 "-" "agent"`

describe('trace formats', () => {
  it.each<{ format: Format; content: string | Uint8Array; ids: number[]; sizes: number[] | undefined }>([
    { format: 'int32', content: Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 9, 0, 0, 0, 7), ids: [0, 1, 0], sizes: undefined },
    { format: 'text', content: '/a\n/b\r\n/a\n', ids: [0, 1, 0], sizes: undefined },
    { format: 'csv', content: '/a,10\n/b,20\n/a,10\n', ids: [0, 1, 0], sizes: [10, 20, 10] },
    { format: 'csv', content: 'size,key\n10,/a\n20,/b\n', ids: [0, 1], sizes: [10, 20] },
    { format: 'adaptsize', content: '1 77 10\n2 5 20\n3 77 10\n', ids: [0, 1, 0], sizes: [10, 20, 10] },
    {
      format: 'tsv',
      content: 'host\ttime\tmethod\turl\tresponse\tbytes\nh\t2\tGET\t/a\t200\t5\nh\t1\tGET\t/b\t304\t0\nh\t3\tPOST\t/c\t200\t5\n',
      ids: [0, 1],
      sizes: [0, 5],
    },
    {
      format: 'clf',
      content: [CLF('09', 'GET', '/late', 200), CLF('03', 'GET', '/early', 200), CLF('04', 'GET', '/no', 404)].join('\n'),
      ids: [0, 1],
      sizes: [512, 512],
    },
  ])('reads $format, named or detected', ({ format, content, ids, sizes }) => {
    for (const named of [format, 'auto'] as const) {
      const trace = readTrace(write(content), named)
      expect(trace.format).toBe(format)
      expect([...trace.ids]).toEqual(ids)
      expect(trace.sizes === undefined ? undefined : [...trace.sizes]).toEqual(sizes)
    }
  })

  it('tells when each was asked, and by whom, where the format does', () => {
    const tsv = readTrace(
      write('host\ttime\tmethod\turl\tresponse\nh\t102\tGET\t/a\t200\ni\t100\tGET\t/b\t200\nh\t103\tGET\t/b\t200\n'),
    )
    expect([...(tsv.atMs ?? [])]).toEqual([0, 2000, 3000])
    expect([...(tsv.clients ?? [])]).toEqual([0, 1, 1])
    expect(tsv.names).toEqual(['/b', '/a'])
    const clf = readTrace(write([CLF('03', 'GET', '/a', 200), CLF('09', 'GET', '/b', 200)].join('\n')))
    expect([...(clf.atMs ?? [])]).toEqual([0, 6000])
    expect(readTrace(write('a\nb\n')).atMs).toBeUndefined()
  })

  it.each([
    ['100,/a,ann\n101.5,/b,bob\n103,/a,ann\n', [0, 1500, 3000], 2, undefined],
    ['2026-01-01T00:00:00Z,/a,10\n2026-01-01T00:00:02Z,/b,20\n', [0, 2000], undefined, [10, 20]],
    ['100,/a,ann,10\n101,/b,bob,20\n103,/b,bob,20\n', [0, 1000, 3000], 2, [10, 20, 20]],
    ['time,key\n1700000000000,a\n1700000000250,b\n', [0, 250], undefined, undefined],
    ['{"time":5,"key":"a","client":"x","size":3}\n{"time":4,"key":"b","client":"x","size":4}\n', [0, 1000], 1, [4, 3]],
    ['{"ts":1767225600.5,"url":"/a?x","bytes":1}\r\n{"ts":1767225601,"url":"/b","bytes":2}\r\n', [0, 500], undefined, [1, 2]],
    ['\ufeffkey,time\n"a,b",1\nc,2\n', [0, 1000], undefined, undefined],
  ])('reads times, clients and sizes of %j', (content, at, clients, sizes) => {
    const trace = readTrace(write(content))
    expect([...(trace.atMs ?? [])]).toEqual(at)
    expect(trace.clients === undefined ? undefined : new Set(trace.clients).size).toBe(clients)
    expect(trace.sizes === undefined ? undefined : [...trace.sizes]).toEqual(sizes)
    expect(trace.skipped).toBe(0)
  })

  it('takes ordinals for no times', () => {
    const trace = readTrace(write('1,77,10\n2,5,20\n3,77,10\n4,77,10\n'))
    expect([trace.atMs, [...trace.ids], [...(trace.sizes ?? [])]]).toEqual([undefined, [0, 1, 0, 0], [10, 20, 10, 10]])
  })

  it.each([
    ['', /it is empty/],
    ['PK\x03\x04zip', /it is a zip archive; understood are int32, tsv/],
    ['<html><p>no</p></html>', /it is markup/],
    ['[\n{"key":1}\n]', /not one object a line/],
    ['a\x00b\x00c', /no whole number of 32-bit keys/],
    ['once upon a time\nthere was a log\n', /neither requests nor keys/],
  ])('refuses %j in a sentence', (content, error) => {
    expect(() => readTrace(write(content))).toThrow(error)
  })

  it('reads access logs whole when told to', () => {
    expect(readTrace(write(CLF('01', 'POST', '/a', 500)), 'clf', true).ids.length).toBe(1)
  })

  it('unpacks gzip', () => {
    expect(readTrace(write(gzipSync('a\nb\n')), 'auto').distinct).toBe(2)
  })

  it('says what it expected when there is nothing to read or no such format', () => {
    expect(() => readTrace(write('no log at all\n'), 'clf')).toThrow(/no request found when read as clf/)
    expect(() => parseFormat('pcap')).toThrow(/known formats: auto, int32/)
  })
})

describe('trace simulation', () => {
  it('finds no policy better than the optimum, and the tier equal to its policy but for fingerprints', () => {
    const keys = fc.array(fc.nat(50), { minLength: 1, maxLength: 400 })
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 30 }), (requests, capacity) => {
        const trace = {
          ids: Int32Array.from(requests),
          distinct: 51,
          sizes: undefined,
          atMs: undefined,
          clients: undefined,
          names: [],
          format: 'text',
          skipped: 0,
        }
        const optimum = simulateOptimum(trace, capacity)
        for (const policy of ['s3-fifo', 'lru', 'sieve', 'w-tinylfu'] as const) {
          expect(simulatePolicy(trace, policy, capacity)).toBeLessThanOrEqual(optimum)
        }
        expect(simulateMemory(trace, 'lru', capacity)).toBe(simulatePolicy(trace, 'lru', capacity))
      }),
      { numRuns: 60 },
    )
  })
})
