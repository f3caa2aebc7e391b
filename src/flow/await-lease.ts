/**
 * Waiting for another process's load: until it is known who is to load, or what was loaded stands here.
 *
 * Floor 3, room flow. Bounded by the lease's own deadlines; never rejects.
 */
import { COUNTER } from '../model/metric.ts'
import type { Lease } from '../tier/lease.ts'
import type { LeaseEvent } from '../tier/lease-wait.ts'
import type { Engine } from './engine.ts'
import type { Fill } from './fill.ts'

/** What came of it. */
export interface Stand {
  /** This process loads for all; undefined: for itself. */
  readonly lease: Lease | undefined
  /** What was looked for stands here. */
  readonly isFound: boolean
  /** Time has passed: a reading that begins now is another one. */
  readonly hasWaited: boolean
}

const NOBODY: Stand = { lease: undefined, isFound: false, hasWaited: false }

/** @param look looks in the second level; whether what is there can be used */
export async function awaitLease(engine: Engine, fill: Fill, look: () => Promise<boolean>): Promise<Stand> {
  const { leases } = engine
  if (leases === undefined || fill.shared === undefined) return NOBODY
  const place = await leases.enter(fill)
  if (place.role === 'alone') return NOBODY
  if (place.role === 'hold') return settleHold(engine, { ...place, fill }, look)
  for (;;) {
    const event = await place.waiter.next()
    if (event.kind === 'hold') return { ...(await settleHold(engine, { ...event, fill }, look)), hasWaited: true }
    if (event.kind === 'frames' || event.kind === 'restart') continue
    const isFound = event.kind === 'over' && event.outcome !== 'failed' && (await look())
    countEnd(engine, event, isFound)
    return { lease: undefined, isFound, hasWaited: true }
  }
}

/** A lease that was released just now: what was loaded under it may stand in the second level by now. */
export async function settleHold(
  { leases }: Engine,
  { lease, wasReleased, fill }: { readonly lease: Lease; readonly wasReleased: boolean; readonly fill: Fill },
  look: () => Promise<boolean>,
): Promise<Stand> {
  if (!wasReleased || !(await look())) return { lease, isFound: false, hasWaited: wasReleased }
  leases?.release(lease, fill.key, 'stored')
  return { lease: undefined, isFound: true, hasWaited: true }
}

/** Counts how a wait ended that came to no lease. */
export function countEnd({ meter }: Engine, event: LeaseEvent, isFound: boolean): void {
  const isLate = event.kind === 'alone' && event.reason === 'late'
  meter.count(isFound ? COUNTER.leasesShared : isLate ? COUNTER.leasesLate : COUNTER.leasesAlone)
}
