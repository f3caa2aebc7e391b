import { brotliDecompressSync, deflateSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Coding, CODINGS, decode, encode } from '../../../src/wire/coding.ts'
import { encodeAll } from '../../../src/wire/compress.ts'
import { isCompressible, isWorthIt } from '../../../src/wire/pays.ts'
import { wordy } from '../../support/coded-origin.ts'

const UNFOLD: Record<Coding, (bytes: Uint8Array) => Buffer> = {
  gzip: gunzipSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
}
const body = Buffer.from(wordy('some words', 5000))

describe('codings', () => {
  it('are br, gzip and zstd here', () => {
    expect(CODINGS).toEqual(['br', 'gzip', 'zstd'])
  })

  it.each(CODINGS)('%s gives the same bytes every time, of their own memory, and the body back', async (coding) => {
    const [once, again] = await Promise.all([encode(body, coding), encode(Buffer.from(body), coding)])
    expect(once).toEqual(again)
    expect(once.byteLength).toBe(once.buffer.byteLength)
    expect(UNFOLD[coding](once)).toEqual(body)
  })

  it('give any body back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), fc.constantFrom(...CODINGS), async (bytes, coding) => {
        expect(Buffer.from(await decode(await encode(bytes, coding), coding, 3000))).toEqual(Buffer.from(bytes))
      }),
      { numRuns: 60 },
    )
  })

  it('give a body of many steps back', async () => {
    const large = Buffer.from(wordy('large', 1_500_000))
    for (const coding of CODINGS) expect(Buffer.compare(await decode(await encode(large, coding), coding, 2e6), large)).toBe(0)
  })

  it('unfold deflate, and hand identity back', async () => {
    expect(Buffer.from(await decode(deflateSync(body), 'deflate', 5000))).toEqual(body)
    expect(await decode(body, 'identity', 1)).toBe(body)
  })

  it.each(CODINGS)('stop unfolding %s at the limit, and refuse what is broken or cut off', async (coding) => {
    const coded = await encode(Buffer.alloc(4 * 1024 * 1024), coding)
    expect(coded.byteLength).toBeLessThan(50_000)
    await expect(decode(coded, coding, 1024 * 1024)).rejects.toThrow()
    await expect(decode(coded.subarray(0, coded.byteLength >> 1), coding, 8e6)).rejects.toThrow()
    await expect(decode(body, coding, 8e6)).rejects.toThrow()
  })
})

describe('compressing a body in every coding that pays', () => {
  it('gives them smallest first', async () => {
    const made = await encodeAll(body, 'application/json')
    const sizes = [...made.values()].map((bytes) => bytes.byteLength)
    expect([...made.keys()].sort()).toEqual(['br', 'gzip', 'zstd'])
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b))
  })

  it('gives none for small bodies, other types and what does not shrink', async () => {
    expect((await encodeAll(body.subarray(0, 1399), 'text/html')).size).toBe(0)
    expect((await encodeAll(body.subarray(0, 1399), 'text/html', { minBytes: 1399 })).size).toBe(3)
    expect((await encodeAll(body, 'image/png')).size).toBe(0)
    expect((await encodeAll(body, undefined)).size).toBe(0)
    const noise = crypto.getRandomValues(new Uint8Array(5000))
    expect((await encodeAll(noise, 'text/plain')).size).toBe(0)
  })

  it('makes only the codings it is told', async () => {
    expect([...(await encodeAll(body, 'text/css', { codings: ['gzip'] })).keys()]).toEqual(['gzip'])
  })

  it.each<[string, boolean]>([
    ['text/html; charset=utf-8', true],
    ['Application/JSON', true],
    ['application/problem+json', true],
    ['image/svg+xml', true],
    ['application/wasm', true],
    ['text/event-stream', false],
    ['image/jpeg', false],
    ['application/zip', false],
    ['application/octet-stream', false],
    ['text', false],
    ['', false],
    ['text/html, text/plain', false],
  ])('calls %j compressible: %s', (type, answer) => {
    expect(isCompressible(type)).toBe(answer)
  })

  it('takes further types, one or all of a kind', () => {
    expect([isCompressible('model/stl', ['model/*']), isCompressible('a/b', ['a/b']), isCompressible('a/bc', ['a/b'])]).toEqual([
      true,
      true,
      false,
    ])
  })

  it('asks for a tenth', () => {
    expect([isWorthIt(1000, 900), isWorthIt(1000, 901)]).toEqual([true, false])
  })
})
