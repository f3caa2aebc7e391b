/**
 * Waiting for another process's load: until it is known who is to load, or what was loaded stands here.
 *
 * Floor 3, room flow. Of one key, or of several that are loaded together: then there is one lease for all of them. Bounded by
 * the lease's own deadlines; never rejects.
 */
import { COUNTER } from '../model/metric.ts'
import type { Lease } from '../tier/lease.ts'
import type { LeaseOutcome } from '../tier/lease-store.ts'
import type { LeaseEvent } from '../tier/lease-wait.ts'
import type { Engine } from './engine.ts'
import type { Fill } from './fill.ts'

/** A key that is to be loaded. */
export interface Wish {
  readonly fill: Fill
  /** Looks in the second level; whether what is there can be used. */
  look(): Promise<boolean>
}

/** What came of it. */
export interface Stand {
  /** This process loads for all, and says here what became of it; undefined: it loads for itself. */
  readonly release: ((outcome: LeaseOutcome) => void) | undefined
  /** What was looked for stands here. */
  readonly isFound: boolean
  /** Time has passed: a reading that begins now is another one. */
  readonly hasWaited: boolean
  /** What became of the load that was waited for, where that is known. */
  readonly ended?: LeaseOutcome
}

const NOBODY: Stand = { release: undefined, isFound: false, hasWaited: false }

/** @returns for each wish, in their order */
export async function awaitLease(engine: Engine, wishes: readonly Wish[]): Promise<readonly Stand[]> {
  const { leases } = engine
  const place = await leases?.enter(wishes.map(({ fill }) => fill))
  if (place === undefined || place.role === 'alone') return wishes.map(() => NOBODY)
  if (place.role === 'hold') return hold(engine, wishes, place)
  for (;;) {
    const event = await place.waiter.next()
    if (event.kind === 'hold') {
      const stands = await hold(engine, wishes, event)
      return stands.map((stand) => ({ ...stand, hasWaited: true }))
    }
    if (event.kind === 'frames' || event.kind === 'restart') continue
    const isThere = event.kind === 'over' && event.outcome !== 'failed'
    const found = isThere ? await lookAll(wishes) : wishes.map(() => false)
    countEnd(engine, event, found.every(Boolean))
    const ended = event.kind === 'over' ? { ended: event.outcome } : {}
    return found.map((isFound) => ({ release: undefined, isFound, hasWaited: true, ...ended }))
  }
}

/** A lease that was released just now: what was loaded under it may stand in the second level by now. */
async function hold(
  { leases }: Engine,
  wishes: readonly Wish[],
  { lease, wasReleased }: { readonly lease: Lease; readonly wasReleased: boolean },
): Promise<readonly Stand[]> {
  const found = wasReleased ? await lookAll(wishes) : wishes.map(() => false)
  const keys = wishes.map(({ fill }) => fill.key)
  const release = atLast(found.filter((isFound) => !isFound).length, (outcome) => leases?.release(lease, keys, outcome))
  return found.map((isFound) => ({ release: isFound ? undefined : release, isFound, hasWaited: wasReleased }))
}

/** Says what became of all, once it is known of each; at once where there is none. */
function atLast(count: number, say: (outcome: LeaseOutcome) => void): (outcome: LeaseOutcome) => void {
  const ends: LeaseOutcome[] = []
  if (count === 0) say('stored')
  return (outcome) => {
    ends.push(outcome)
    if (ends.length < count) return
    const isAll = (one: LeaseOutcome): boolean => ends.every((end) => end === one)
    // Those who wait look for each of their keys where any of them was stored.
    say(isAll('failed') ? 'failed' : ends.includes('stored') ? 'stored' : 'alone')
  }
}

function lookAll(wishes: readonly Wish[]): Promise<boolean[]> {
  return Promise.all(wishes.map((wish) => wish.look()))
}

/** Counts how a wait ended that came to no lease. */
export function countEnd({ meter }: Engine, event: LeaseEvent, isFound: boolean): void {
  if (isFound) return meter.count(COUNTER.leasesShared)
  const reason = event.kind === 'alone' ? event.reason : 'over'
  meter.count(reason === 'late' ? COUNTER.leasesLate : reason === 'down' ? COUNTER.leasesCut : COUNTER.leasesAlone)
}
