/**
 * The named outcomes of a lookup, and the step each one leads to.
 *
 * Floor 0, room model. A new state that is not handled does not compile.
 */
import type { Entry } from './entry.ts'

/** What a lookup found. */
export type Verdict<V = unknown> =
  | { readonly state: 'absent' } // nothing stored
  | { readonly state: 'fresh'; readonly entry: Entry<V>; readonly ageMs: number } // serve
  | { readonly state: 'stale'; readonly entry: Entry<V>; readonly ageMs: number } // serve, refresh behind
  | { readonly state: 'reserve'; readonly entry: Entry<V>; readonly ageMs: number } // serve only if the origin fails
  | { readonly state: 'pass'; readonly entry: Entry<V> } // known uncacheable: fetch without coalescing
  | { readonly state: 'expired'; readonly entry: Entry<V>; readonly ageMs: number } // past every window; may be validated

/** The next step of a request. */
export type Step = 'deliver' | 'deliverAndRefresh' | 'fetchOrReserve' | 'fetch' | 'pass'

/** The next step of a request. */
export function nextStep(verdict: Verdict): Step {
  switch (verdict.state) {
    case 'fresh':
      return 'deliver'
    case 'stale':
      return 'deliverAndRefresh'
    case 'reserve':
      return 'fetchOrReserve'
    case 'pass':
      return 'pass'
    case 'absent':
    case 'expired':
      return 'fetch'
    default:
      return verdict satisfies never
  }
}

/**
 * Judges an entry against its budget.
 *
 * @param entry `storedAt` in ms of the same clock as `now`
 * @param now `clock.now()`; a value before `storedAt` counts as age 0
 * @param softened whether a soft invalidation stands after the entry's asOf: it is then never fresh
 * @see RFC 5861 sections 3 and 4
 */
export function judge<V>(entry: Entry<V>, now: number, softened = false): Verdict<V> {
  const ageMs = Math.max(0, now - entry.storedAt)
  const { freshMs, staleMs, onErrorMs } = entry.budget
  if (ageMs < freshMs && !softened) return entry.kind === 'pass' ? { state: 'pass', entry } : { state: 'fresh', entry, ageMs }
  if (entry.kind === 'pass') return { state: 'absent' }
  if (ageMs < staleMs) return { state: 'stale', entry, ageMs }
  if (ageMs < onErrorMs) return { state: 'reserve', entry, ageMs }
  return { state: 'expired', entry, ageMs }
}
