/**
 * Random elements: what HRANDFIELD, SRANDMEMBER and ZRANDMEMBER have in common.
 *
 * Floor 4, room resp.
 */
import type { Random } from '../model/random.ts'
import type { Call } from './embedded-call.ts'
import { REFUSED, refuse } from './embedded-errors.ts'

const LARGE = 2 ** 62
const MOST = '9223372036854775807'
const LEAST = '-9223372036854775808'

/** The wish of a command with a count. @param word of the option that asks for values */
export function readPick(call: Call, word: string): { readonly count: number; readonly withValues: boolean } {
  const count = call.int(2)
  if (call.arg(2) === LEAST) throw refuse(`value is out of range, value must between -${MOST} and ${MOST}`)
  if (call.count > 4 || (call.count === 4 && !call.is(3, word))) throw REFUSED.syntax
  const withValues = call.count === 4
  if (withValues && (count < -LARGE || count > LARGE)) throw REFUSED.outOfRange
  return { count, withValues }
}

/** Places, each drawn anew. */
export function pickRepeated(size: number, count: number, random: Random): readonly number[] {
  return Array.from({ length: count }, () => Math.floor(random() * size))
}

/** Places, each at most once; all of them in order where all are wanted. */
export function pickDistinct(size: number, count: number, random: Random): readonly number[] {
  const places = Array.from({ length: size }, (_, i) => i)
  if (count >= size) return places
  for (let i = 0; i < count; i += 1) {
    const other = i + Math.floor(random() * (size - i))
    const kept = places[i] as number
    places[i] = places[other] as number
    places[other] = kept
  }
  return places.slice(0, count)
}
