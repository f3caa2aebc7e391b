/**
 * Another process's answer as a flight's own: handed to the followers here as it comes, and stored when it is whole.
 *
 * Floor 4, room http. It is stored in memory alone: the one who read it writes the second level. Its age counts from a moment
 * before its reading began, measured on the store's clock.
 */
import type { Fill } from '../flow/fill.ts'
import type { Lead } from '../flow/flight.ts'
import { Filling } from './filling.ts'
import { putWhole } from './put.ts'
import { Relayed, type RelayedFrom } from './relayed.ts'
import type { Sharing } from './sharing.ts'
import { sealStored } from './store.ts'
import type { Plan, Stored } from './stored.ts'
import type { KeyedVisit } from './visit.ts'

/** See the module's header. */
export function followRelay(visit: KeyedVisit, place: Lead<Sharing>, from: RelayedFrom): Sharing {
  const { plan } = from
  const { desk, routed } = visit
  const body = new Relayed(visit, from)
  const filling = new Filling(body, {
    maxBytes: routed.policy.maxBodyBytes,
    expected: lengthOf(plan),
    laggardMs: desk.laggardMs,
    clock: desk.engine.clock,
    finish: routed.policy.finish,
    holding: desk.holding,
  })
  const stored = filling.done.then((bytes): Stored | undefined => {
    try {
      if (bytes === undefined) return undefined
      const item = { plan, content: { body: bytes } }
      return body.isWhole ? putWhole(visit, inMemory(place.fill, plan), item) : sealStored(desk, plan, item.content)
    } finally {
      place.end()
    }
  })
  const sharing = { plan, filling, stored }
  place.answer(sharing, plan.tags)
  return sharing
}

/** The flight's own reading: the log had nothing against what was read before it. */
function inMemory({ key, namespace, tags, route, asOf, startedAt }: Fill, plan: Plan): Fill {
  return { key, namespace, tags, route, asOf, startedAt: Math.min(startedAt, plan.requestedAt) }
}

function lengthOf({ fields }: Plan): number | undefined {
  const lines = fields.all('content-length')
  return lines.length === 1 && /^\d{1,15}$/.test(lines[0] as string) ? Number(lines[0]) : undefined
}
