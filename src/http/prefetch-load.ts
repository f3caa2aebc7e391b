/**
 * Fetching for a client what he has not asked for yet: like any miss, but nobody waits for it.
 *
 * Floor 4, room http. One with all others who ask for the key, among all processes, through the fence. Who joins meanwhile gets
 * the answer like any other follower; where it fails, or is not for sharing, he asks for himself as if nothing had been
 * there: no error of a prefetch reaches a client.
 */
import { awaitLease } from '../flow/await-lease.ts'
import type { Fill } from '../flow/fill.ts'
import type { Fetched } from '../flow/prefetch.ts'
import { askBeforehand, type Beforehand } from './prefetch-ask.ts'
import { pullStored, secondFor } from './second.ts'
import { select } from './select.ts'
import type { Sharing } from './sharing.ts'
import { beginFill } from './visit.ts'

const SPARED: Fetched = { outcome: 'spared' }
const FAILED: Fetched = { outcome: 'failed' }

/** Never rejects. */
export async function loadBeforehand(beforehand: Beforehand): Promise<Fetched> {
  try {
    return await load(beforehand)
  } catch {
    return FAILED // counted where the origin was asked
  }
}

async function load(beforehand: Beforehand): Promise<Fetched> {
  const { visit, isStanding } = beforehand
  const { engine } = visit.desk
  const selected = select(visit)
  if (selected.kind === 'pass') return SPARED
  const second = secondFor(visit, selected)
  const look = async (): Promise<boolean> => second !== undefined && (await pullStored(visit, second)) && isStanding()
  if (await look()) return SPARED
  const begin = (): Fill => beginFill(visit, selected.key)
  const place = engine.flights.enter<Sharing>(selected.key, begin)
  if (place.role === 'follow') place.leave()
  if (place.role !== 'lead') return SPARED
  try {
    const [stand] = await awaitLease(engine, [{ fill: place.fill, look }])
    if (stand === undefined || stand.isFound || stand.ended === 'failed' || stand.ended === 'alone') return SPARED
    const fill = stand.hasWaited ? begin() : place.fill
    let fetched = FAILED
    try {
      fetched = await askBeforehand(beforehand, selected, { ...place, fill })
      return fetched
    } finally {
      stand.release?.(LEASE_ENDS[fetched.outcome])
    }
  } finally {
    place.abandon() // whoever still waits asks for himself
  }
}

/** What it is to other processes. */
const LEASE_ENDS = { kept: 'stored', spared: 'stored', unkept: 'alone', lost: 'alone', failed: 'failed' } as const
