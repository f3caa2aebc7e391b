/** `forecache analyze` with logs that nobody meant to be read: a report or one clear sentence, never a crash, never for long. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import type { Report } from '../../src/advice/report.ts'
import { runCli } from '../../src/cli/main.ts'
import { createRandom } from '../../src/model/random.ts'
import { captureIo } from '../support/captured-io.ts'

const directory = mkdtempSync(join(tmpdir(), 'forecache-hostile-'))
const LINES = 400
const START_S = 1_431_856_800

afterAll(() => rmSync(directory, { recursive: true }))

interface Told {
  readonly ip?: string
  readonly time?: number | string
  readonly target?: string
  readonly status?: number
}

const two = (value: number): string => String(value % 60).padStart(2, '0')

/** The second at a number, in the combined format. */
function combined(at: number, { ip = '10.0.0.1', target = `/a/${at % 9}`, status = 200, time }: Told = {}): string {
  const when = time ?? `17/May/2015:10:${two(Math.floor(at / 60))}:${two(at)} +0000`
  return `${ip} - - [${when}] "GET ${target} HTTP/1.1" ${status} 123 "-" "agent"`
}

function json(at: number, { target = `/a/${at % 9}`, status = 200, time = START_S + at }: Told = {}, more: object = {}): string {
  return JSON.stringify({ time, url: target, status, bytes: 5, ...more })
}

function lines(make: (at: number) => string): string {
  return `${Array.from({ length: LINES }, (_, at) => make(at)).join('\n')}\n`
}

function noise(bytes: number): Buffer {
  const random = createRandom(3)
  return Buffer.from(Array.from({ length: bytes }, () => Math.floor(random() * 256)))
}

/** @returns the exit code, the last line of standard error, and the report where there is one */
async function analyzed(content: string | Buffer): Promise<{ code: number; said: string; report: Report | undefined }> {
  const file = join(directory, 'some.log')
  writeFileSync(file, content)
  const io = captureIo()
  const code = await runCli(['analyze', file, '--json', '--html', join(directory, 'page.html')], io)
  const report = code === 0 ? (JSON.parse(io.outLines.join('')) as Report) : undefined
  return { code, said: io.errLines.at(-1) ?? '', report }
}

const whole = lines(combined)
const packed = gzipSync(whole)
const HUGE = 'x'.repeat(3 * 1024 * 1024)

describe('a log that can be read in part gives a report of that part', () => {
  it.each<readonly [what: string, content: string | Buffer, requests: number, skipped: number]>([
    ['lines of 3 MiB among others', `${combined(0)}\n${combined(1, { target: `/${HUGE}` })}\n${HUGE}\n${combined(2)}`, 2, 2],
    ['a JSON line of 3 MiB among others', `${json(0)}\n${json(1, { target: `/${HUGE}` })}\n${json(2)}\n`, 2, 1],
    ['noise before it', Buffer.concat([noise(5000), Buffer.from(`\n${whole}`)]), LINES, Number.NaN],
    ['lines that end in CR LF', whole.replaceAll('\n', '\r\n'), LINES, 0],
    ['two formats in turn', lines((at) => (at % 2 === 0 ? combined(at) : json(at))), LINES, 0],
    ['a remark at its head', `# fields\n\n${lines(json)}`, LINES, 1],
    ['a byte order mark', `\ufeff${whole}`, LINES, 0],
    ['two gzip files one after the other', Buffer.concat([packed, packed]), LINES * 2, 0],
    ['a clock that goes back', lines((at) => combined(LINES - at)), LINES, 0],
    ['addresses of IPv6', lines((at) => combined(at, { ip: `2001:db8::${at % 5}` })), LINES, 0],
    ['addresses in brackets', lines((at) => combined(at, { ip: '[2001:db8::1]:443' })), LINES, 0],
    ['moments that are none', lines((at) => json(at, at % 4 === 0 ? { time: 1e300 } : {})), LINES * 0.75, LINES * 0.25],
    ['moments before all others', lines((at) => json(at, at % 4 === 0 ? { time: -1e15 } : {})), LINES * 0.75, LINES * 0.25],
    ['moments millennia apart', lines((at) => json(at, at % 2 === 0 ? { time: 0 } : { time: '9999-12-31T00:00:00Z' })), LINES, 0],
    ['names of every object', lines((at) => json(at, { target: '/__proto__/constructor?__proto__=1&toString=2' })), LINES, 0],
    ['percent signs that mean nothing', lines((at) => combined(at, { target: '/%zz/%/%00/%ff?%=%zz&=&&&==&a%' })), LINES, 0],
    ['sizes beyond any', lines((at) => json(at, {}, { bytes: at % 2 === 0 ? 1e18 : -5 })), LINES, 0],
    ['forty parameters in each request, all new', lines((at) => combined(at, { target: `/a?${parameters(at)}` })), LINES, 0],
    ['paths of a thousand segments', lines((at) => combined(at, { target: '/x'.repeat(at + 600) })), LINES, 0],
  ])('%s', async (_, content, requests, skipped) => {
    const { code, said, report } = await analyzed(content)

    expect(said).not.toMatch(/error|undefined|NaN/)
    expect(code).toBe(0)
    expect(report?.requests).toBe(requests)
    if (!Number.isNaN(skipped)) expect(report?.skippedLines).toBe(skipped)
    expect(JSON.stringify(report)).not.toMatch(/null|NaN/)
  })

  it('failures alone are no reason to cache anything', async () => {
    const { report } = await analyzed(lines((at) => combined(at, { status: 500 })))

    expect(report).toMatchObject({ requests: LINES, from: '2015-05-17T10:00:00.000Z', to: '2015-05-17T10:06:39.000Z' })
    expect(report?.routes[0]?.recommendation).toMatchObject({
      isCached: false,
      why: ['nothing was answered that a cache may keep'],
    })
  })
})

describe('a log that cannot be read is refused with one sentence', () => {
  it.each<readonly [what: string, content: string | Buffer, said: RegExp]>([
    ['nothing at all', '', /it is empty/],
    ['empty lines', '\n\n\r\n', /it is empty/],
    ['noise', noise(200_000), /none of its \d+ lines/],
    ['zeros', Buffer.alloc(3 * 1024 * 1024), /none of its 1 lines/],
    ['one line without an end', HUGE, /none of its 1 lines/],
    ['UTF-16', Buffer.from(whole, 'utf16le'), /none of its \d+ lines/],
    ['no times, in JSON', lines(() => '{"url":"/a","status":200}'), /none of its 400 lines is a request with its time/],
    ['no times', lines((at) => combined(at, { time: '-' })), /none of its 400 lines is a request with its time/],
    ['moments that are none', lines((at) => json(at, { time: 1e300 })), /none of its 400 lines is a request with its time/],
    ['half a gzip file', packed.subarray(0, packed.length / 2), /cannot be unpacked to its end, is it whole/],
    ['the head of a gzip file', Buffer.from([0x1f, 0x8b]), /cannot be unpacked to its end, is it whole/],
    ['gzip and noise', Buffer.concat([packed.subarray(0, 60), noise(500)]), /cannot be unpacked to its end, is it whole/],
    ['half a zstd file', zstdCompressSync(noise(9000)).subarray(0, 4000), /cannot be unpacked to its end, is it whole/],
  ])('%s', async (_, content, sentence) => {
    const { code, said } = await analyzed(content)

    expect(code).toBe(1)
    expect(said).toMatch(/^error: FC_CLI_FILE: /)
    expect(said).toMatch(sentence)
    expect(said.split('\n')).toHaveLength(1)
  })
})

function parameters(at: number): string {
  return Array.from({ length: 40 }, (_, place) => `p${at}_${place}=1`).join('&')
}
