/**
 * The 32-bit name of a Redis key in the tables of coherence.
 *
 * Floor 4, room resp. FNV-1a over the key's bytes and murmur's last mixing; the same for bytes in a chunk and for
 * JavaScript strings, which count as UTF-8. About 1 ns a byte, no allocation for ASCII. Two keys of one hash share their
 * fate: a needless miss, never a wrong answer.
 */

const OFFSET = 0x811c9dc5
const PRIME = 0x01000193

/** @param end exclusive */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = OFFSET
  for (let i = start; i < end; i += 1) hash = Math.imul(hash ^ (bytes[i] as number), PRIME)
  return mix(hash)
}

/** As `hashBytes` over the text's UTF-8. */
export function hashText(text: string): number {
  let hash = OFFSET
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) {
      const bytes = Buffer.from(text)
      return hashBytes(bytes, 0, bytes.length)
    }
    hash = Math.imul(hash ^ unit, PRIME)
  }
  return mix(hash)
}

/** FNV alone leaves its low bits, which choose the place, alike for keys that differ in their last byte. */
function mix(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) | 0
}
