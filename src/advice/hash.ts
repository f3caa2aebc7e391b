/**
 * Fingerprints of texts and numbers for tables that hold no texts.
 *
 * Floor 4, room advice. 32 bits, for counting and grouping and never for identity: of a million keys about a hundred share one.
 * FNV-1a with a final mix, over a part of a text, without allocation.
 */

/** @returns an int32 that is not 0, so that 0 can stand for "absent" */
export function hashText(text: string, from = 0, to: number = text.length): number {
  let h = 0x811c9dc5 | 0
  for (let i = from; i < to; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return finish(h) || 1
}

/** Two numbers to one; the order matters. */
export function mix(a: number, b: number): number {
  return finish(Math.imul(a, 0x9e3779b1) ^ Math.imul(b ^ (b >>> 15), 0x85ebca6b))
}

function finish(given: number): number {
  let h = given
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) | 0
}
