/**
 * A digest of 32 bits, to tell whether something is what it was; never 0, which stands for nothing known.
 *
 * Floor 1, room shelf. FNV-1a with a final mix; about 1 ns a character or byte, no allocation. One change in four thousand
 * million is missed: it is for statistics, never for identity.
 */

const BASE = 0x811c9dc5 | 0
const PRIME = 0x01000193

/** @param from the mark that is gone on with, or a number that tells kinds apart */
export function markOfText(text: string, from = 0): number {
  let h = BASE ^ from
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), PRIME)
  return mixed(h)
}

/** @param from as for `markOfText` */
export function markOfBytes(bytes: Uint8Array, from = 0): number {
  let h = BASE ^ from
  for (let i = 0; i < bytes.length; i += 1) h = Math.imul(h ^ (bytes[i] as number), PRIME)
  return mixed(h)
}

function mixed(h: number): number {
  const once = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  return (once ^ (once >>> 13)) | 0 || 1
}
