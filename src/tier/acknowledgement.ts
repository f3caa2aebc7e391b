/**
 * An acknowledgement as text, between machines that may run different releases.
 *
 * Floor 2, room tier. JSON: member, log, place, pairs of place and count. What cannot be read is no acknowledgement.
 */
import type { Acknowledgement } from './log-store.ts'

export function formatWord({ member, generation, upTo, matched }: Acknowledgement): string {
  return JSON.stringify([member, generation, upTo, matched])
}

/** Never throws. */
export function parseWord(text: string): Acknowledgement | undefined {
  try {
    const word: unknown = JSON.parse(text)
    const [member, generation, upTo, matched] = word as [string, string, number, [number, number][]]
    if (typeof member !== 'string' || typeof generation !== 'string' || !Number.isSafeInteger(upTo) || !Array.isArray(matched))
      return undefined
    const counts = matched.filter(([at, count]) => Number.isSafeInteger(at) && Number.isSafeInteger(count))
    return { member, generation, upTo, matched: counts }
  } catch {
    return undefined
  }
}
