/**
 * What blocking commands have in common: how long they wait.
 *
 * Floor 4, room resp.
 */
import type { Call } from './embedded-call.ts'
import { REFUSED } from './embedded-errors.ts'
import { doubleOf } from './embedded-numbers.ts'

const TOO_LONG = 2 ** 63

/** The timeout in seconds that argument `i` gives. @returns ms; 0: for ever */
export function timeoutOf(call: Call, i: number): number {
  const seconds = doubleOf(call.arg(i))
  if (seconds === undefined) throw REFUSED.timeoutFloat
  const ms = Math.ceil(seconds * 1000)
  if (ms < 0 || ms >= TOO_LONG) throw REFUSED.timeoutNegative
  return ms
}
