/**
 * Asking the origin once more for a body that was given in part: the process that read it is gone.
 *
 * Floor 4, room http. Where the origin cannot be asked at any time (a framework's handler runs once, before its answer) the
 * body breaks off instead.
 */
import type { Lead } from '../flow/flight.ts'
import { ForecacheError } from '../model/errors.ts'
import type { BodySource } from '../model/exchange.ts'
import type { Lease } from '../tier/lease.ts'
import { discard } from './outgoing.ts'
import { LeasedLead } from './leased-lead.ts'
import type { Sharing } from './sharing.ts'
import type { Plan } from './stored.ts'
import { beginFill, type KeyedVisit } from './visit.ts'
import { fetchWhole } from './whole.ts'

/** @param lease held for it: others read along @throws what the origin port throws, FC_ORIGIN_BROKEN */
export async function loadAnew(visit: KeyedVisit, lease: Lease | undefined): Promise<{ plan: Plan; body: BodySource }> {
  if (visit.exchange.asksLate !== true) {
    lease?.release('free')
    throw new ForecacheError('FC_ORIGIN_BROKEN', { reason: 'the process that read it is gone' })
  }
  const { engine } = visit.desk
  const fill = beginFill(visit, visit.primary)
  const sharing = Promise.withResolvers<Sharing>()
  const nobody: Lead<Sharing> = {
    role: 'lead',
    fill,
    answer: (value) => sharing.resolve(value),
    fail: (error) => sharing.reject(error),
    abandon: () => sharing.reject(new ForecacheError('FC_ORIGIN_BROKEN', { reason: 'it is not for sharing any more' })),
    end: () => {},
    waiters: () => 1,
    onEmpty: () => {},
  }
  const lead = lease === undefined ? nobody : new LeasedLead(engine, nobody, { lease, fill })
  // Its client may go at any time: the others who read along do not.
  const behind: KeyedVisit = { ...visit, exchange: { origin: visit.exchange.origin, signal: new AbortController().signal } }
  const errand = { fill, lead, forward: 'uri-miss', abort: new AbortController(), background: true } as const
  fetchWhole(behind, errand).then(
    (reply) => {
      if (reply.body !== undefined && !(reply.body instanceof Uint8Array)) discard(reply.body)
    },
    (error: unknown) => lead.fail(error),
  )
  const { plan, filling, stored } = await sharing.promise
  return { plan, body: filling?.read() ?? bodyOf(stored) }
}

async function* bodyOf(stored: Sharing['stored']): AsyncGenerator<Uint8Array, void> {
  const whole = await stored
  if (whole !== undefined) yield whole.body
}
