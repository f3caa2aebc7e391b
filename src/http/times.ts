/**
 * The times of a response: age, lifetime, stale windows, and the engine's budget made of them.
 *
 * Floor 4, room http. Pure. A route's budget is the lifetime where the origin names none, and bounds it where it does.
 */
import type { Budget } from '../model/budget.ts'
import type { Fields } from '../model/fields.ts'
import { ageOffsetMs, type Arrival } from '../rules/age.ts'
import type { CacheControl } from '../rules/cache-control.ts'
import { type Lifetime, lifetimeOf, type StaleWindows, staleWindowsOf } from '../rules/freshness.ts'
import type { Governing } from '../rules/targeted.ts'
import { validatorsOf } from '../rules/validate.ts'
import type { Policy } from './policy.ts'
import type { Profile } from './profile.ts'
import type { Plan } from './stored.ts'

/** A response to be timed. */
export interface Timed {
  readonly status: number
  readonly fields: Fields
  readonly governing: Governing
  readonly arrival: Arrival
}

/** Who times it. */
export interface Timing {
  readonly profile: Profile
  readonly policy: Policy
}

/** The times of a plan. */
export type Times = Pick<Plan, 'offsetMs' | 'lifetimeMs' | 'windows' | 'alwaysValidate' | 'promised'>

/** Longest lifetime that is told apart, ms: ten years. */
const MAX_MS = 315_360_000_000

/** How long the response is fresh, by the origin's word or a guess alone. */
export function lifetimeSaid(timed: Timed, { profile }: Pick<Timing, 'profile'>): Lifetime {
  return lifetimeOf(timed, timed.governing, { receivedWallMs: timed.arrival.receivedWallMs, latitude: profile.latitude })
}

/** How long the response is fresh, by the origin's word, the route's budget or a guess, in this order. */
export function lifetimeFor(timed: Timed, { profile, policy }: Timing): Lifetime {
  const said = lifetimeSaid(timed, { profile })
  if (policy.budget === undefined || !(said.explicit || isGood(timed.status))) return said
  return { ms: Math.min(said.explicit ? said.ms : Infinity, policy.budget.freshMs), explicit: true }
}

/** All times of a response with this lifetime. */
export function timesOf(timed: Timed, lifetime: Lifetime, { profile, policy }: Timing): Times {
  const { control } = timed.governing
  const latitude = { ...profile.latitude, staleWithSMaxage: policy.staleWithSMaxage || profile.latitude.staleWithSMaxage }
  const windows = staleWindowsOf(timed.governing, latitude)
  return {
    offsetMs: ageOffsetMs(timed.fields, timed.arrival),
    lifetimeMs: control.noCache ? 0 : Math.min(lifetime.ms, MAX_MS),
    windows:
      policy.budget === undefined || !windows.onRequest
        ? windows
        : boundWindows(windows, policy.budget, { status: timed.status, spoken: control }),
    alwaysValidate: control.noCache,
  }
}

/**
 * The engine's windows: fresh and stale as RFC 9111 has them, and then as long as the response can still be of use: with
 * validators to be validated, without them to clients that accept stale answers, no longer than it was fresh.
 */
export function budgetOf(times: Times, stored: Fields, profile: Profile): Budget {
  const { offsetMs, lifetimeMs, windows } = times
  const from = (ms: number): number => Math.max(0, Math.min(ms, MAX_MS) - offsetMs)
  const lastMs = lifetimeMs + Math.max(windows.whileMs, windows.ifErrorMs, windows.disconnectedMs)
  const keepMs =
    validatorsOf(stored) !== undefined ? profile.keepMs : windows.onRequest ? Math.min(lifetimeMs * 2, profile.keepMs) : 0
  return { freshMs: from(lifetimeMs), staleMs: from(lifetimeMs + windows.whileMs), onErrorMs: Math.max(from(lastMs), keepMs) }
}

/** A route's budget gives the stale windows where the origin names none, and bounds them where it does. */
function boundWindows(
  windows: StaleWindows,
  budget: Budget,
  { status, spoken }: { readonly status: number; readonly spoken: CacheControl },
): StaleWindows {
  const whileMs = isGood(status) ? budget.staleMs - budget.freshMs : 0
  const ifErrorMs = isGood(status) ? budget.onErrorMs - budget.freshMs : 0
  return {
    ...windows,
    whileMs: spoken.staleWhileRevalidate === undefined ? whileMs : Math.min(windows.whileMs, whileMs),
    ifErrorMs: spoken.staleIfError === undefined ? ifErrorMs : Math.min(windows.ifErrorMs, ifErrorMs),
    disconnectedMs: Math.min(windows.disconnectedMs, ifErrorMs),
  }
}

/** What a route's budget is meant for: answers that say what was asked for. */
export function isGood(status: number): boolean {
  return (
    status === 200 || status === 203 || status === 204 || status === 206 || status === 300 || status === 301 || status === 308
  )
}
