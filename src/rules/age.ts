/**
 * Age arithmetic (RFC 9111 section 4.2.3).
 *
 * Floor 1, room rules. Pure. Ages are kept in ms from the moment the request was sent, because the engine's budgets
 * count from there: current age = offset + (now - requestedAt).
 */
import type { Fields } from '../model/fields.ts'
import { singleDate } from './dates.ts'
import { parseDeltaSeconds, trimOws } from './list.ts'

/** When a response came, and by which clock. */
export interface Arrival {
  /** `clock.wall()` when its head arrived, epoch ms. */
  readonly receivedWallMs: number
  /** From sending the request to receiving the head, ms. */
  readonly delayMs: number
}

/**
 * `Age` as received: the first member counts, an invalid one is ignored (RFC 9111 section 5.1).
 *
 * @returns whole seconds
 */
export function parseAge(fields: Fields): number {
  const line = fields.first('age')
  if (line === undefined) return 0
  const comma = line.indexOf(',')
  return parseDeltaSeconds(trimOws(comma < 0 ? line : line.slice(0, comma))) ?? 0
}

/**
 * Age the response had already when its request was sent, so to speak: with `age_value` it is exactly that, with
 * `apparent_age` it is that less the delay, which `now - requestedAt` contains.
 *
 * @returns ms, at least 0
 */
export function ageOffsetMs(fields: Fields, arrival: Arrival): number {
  const date = singleDate(fields.all('date'), arrival.receivedWallMs)
  // Date has whole seconds: compared with whole seconds, a response is never older for having been sent late in one.
  const seconds = date === undefined ? 0 : Math.floor(arrival.receivedWallMs / 1000) - date / 1000
  return Math.max(parseAge(fields) * 1000, seconds * 1000 - arrival.delayMs, 0)
}

/** The Age field's value. @param ageMs current age in ms */
export function ageSeconds(ageMs: number): string {
  return String(Math.max(0, Math.floor(ageMs / 1000)))
}
