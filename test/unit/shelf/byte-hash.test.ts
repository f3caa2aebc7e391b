import { describe, expect, it } from 'vitest'
import { ByteHash, ByteKey } from '../../../src/shelf/byte-hash.ts'

function hashOf(
  text: string,
  { seed = [1, 2], space = 0, shift = 0 }: { seed?: [number, number]; space?: number; shift?: number } = {},
): number {
  const bytes = Buffer.concat([Buffer.alloc(shift, 'z'), Buffer.from(text, 'latin1'), Buffer.from('behind')])
  const key = new ByteKey()
  key.set(bytes, shift, shift + text.length)
  key.space = space
  return new ByteHash(seed).of(key)
}

describe('byte-hash', () => {
  it('depends on the bytes alone, not on where they stand', () => {
    for (let length = 0; length < 20; length += 1) {
      const text = 'abcdefghijklmnopqrstu'.slice(0, length)
      expect(hashOf(text, { shift: 3 })).toBe(hashOf(text))
    }
  })

  it('tells every length, space, seed and bit apart', () => {
    const all = [
      ...Array.from({ length: 40 }, (_, i) => hashOf('\0'.repeat(i))),
      ...Array.from({ length: 40 }, (_, i) => hashOf('key', { space: i + 1 })),
      ...Array.from({ length: 40 }, (_, i) => hashOf('key', { seed: [i + 5, 7] })),
      ...Array.from({ length: 40 }, (_, i) => hashOf('key', { seed: [5, i + 8] })),
      ...Array.from({ length: 64 }, (_, i) =>
        hashOf(String.fromCharCode(...Array.from({ length: 8 }, (__, b) => (b === i >> 3 ? 1 << (i & 7) : 0)))),
      ),
    ]
    expect(new Set(all).size).toBe(all.length)
  })

  it('spreads keys that follow one another over all places', () => {
    const places = new Int32Array(1024)
    for (let i = 0; i < 102_400; i += 1) {
      const place = hashOf(`user:${i}`) >>> 22
      places[place] = (places[place] as number) + 1
    }
    // 100 each on average; the deviation of chance is 10.
    expect(Math.min(...places)).toBeGreaterThan(50)
    expect(Math.max(...places)).toBeLessThan(150)
  })

  it('cannot be made to collide without the seed: what collides under one does not under another', () => {
    const seen = new Map<number, string>()
    const pairs: [string, string][] = []
    for (let i = 0; i < 100_000; i += 1) {
      const hash = hashOf(`k${i}`)
      const other = seen.get(hash)
      if (other !== undefined) pairs.push([other, `k${i}`])
      seen.set(hash, `k${i}`)
    }
    expect(pairs.length).toBeLessThan(20)
    for (const [one, other] of pairs) expect(hashOf(one, { seed: [3, 4] })).not.toBe(hashOf(other, { seed: [3, 4] }))
  })
})
