/**
 * How often answers change by themselves, from answers to one key that follow each other.
 *
 * Floor 4, room advice. Changes are taken to come at random (Poisson) at one rate for the route; the likeliest rate given which
 * gaps held a change and which did not. Where none did, the rate is at most three in the time seen (the rule of three).
 */
import { Groups } from './groups.ts'
import type { RouteTable } from './route-table.ts'

/** What is known of a route's changes. */
export interface Change {
  /** Pairs of answers to one key that were compared. */
  readonly pairs: number
  /** Those that differed. */
  readonly changed: number
  /** Mean time between two changes of one answer, ms; where none was seen, a lower bound; 0: nothing could be compared. */
  readonly everyMs: number
}

const ROUNDS = 60
const MIN_RATE = 1e-13
/** A change each 10 ms. */
const MAX_RATE = 0.1
const MAX_PAIRS = 50_000

/** @param keys fingerprint of each row's key */
export function measureChange(table: RouteTable, keys: Int32Array): Change {
  const [held, changed]: [number[], number[]] = [[], []]
  const groups = new Groups(table.rows)
  for (let row = 0; row < table.rows && held.length + changed.length < MAX_PAIRS; row += 1) {
    if (table.answer[row] === 0) continue
    const at = groups.find(keys[row] as number)
    const last = groups.row[at] as number
    const gapMs = last < 0 ? -1 : (table.at[row] as number) - (table.at[last] as number)
    if (gapMs >= 0) (table.answer[last] === table.answer[row] ? held : changed).push(Math.max(1, gapMs))
    groups.row[at] = row
  }
  const pairs = held.length + changed.length
  const time = held.reduce((sum, gap) => sum + gap, 0)
  if (pairs === 0) return { pairs: 0, changed: 0, everyMs: 0 }
  const everyMs = changed.length === 0 ? time / 3 : 1 / likeliestRate(changed, time)
  return { pairs, changed: changed.length, everyMs: Math.round(everyMs) }
}

/** Where the sum over changes of g·e^(-λg) / (1 - e^(-λg)) equals the time without one; it falls with λ. */
function likeliestRate(changed: readonly number[], quietMs: number): number {
  let [low, high] = [Math.log(MIN_RATE), Math.log(MAX_RATE)]
  for (let round = 0; round < ROUNDS; round += 1) {
    const middle = (low + high) / 2
    const rate = Math.exp(middle)
    const sum = changed.reduce((all, gap) => all + gap / Math.expm1(Math.min(700, rate * gap)), 0)
    if (sum > quietMs) low = middle
    else high = middle
  }
  return Math.exp((low + high) / 2)
}
