/**
 * Collecting an answer's body under the limits of its route and its door.
 *
 * Floor 4, room http.
 */
import { type Heard, lengthOf } from './ask.ts'
import { Filling } from './filling.ts'
import type { Visit } from './visit.ts'

/** Begins to collect. @param finish go on to the end although no client reads any more; else the route decides */
export function openFilling({ desk, routed }: Visit, heard: Heard, finish: boolean): Filling {
  return new Filling(heard.answer.body, {
    maxBytes: routed.policy.maxBodyBytes,
    expected: lengthOf(heard.head),
    laggardMs: desk.laggardMs,
    clock: desk.engine.clock,
    finish: finish || routed.policy.finish,
    holding: desk.holding,
  })
}

/** Why a body is not collected, whatever its head allows. */
export function bodyRefusal({ desk, routed }: Visit, heard: Heard): 'too-large' | 'incomplete' | 'refused' | undefined {
  const { holding, profile } = desk
  const { maxBodyBytes } = routed.policy
  const length = lengthOf(heard.head)
  if (length !== undefined && length > maxBodyBytes) return 'too-large'
  if (heard.answer.endsByClose === true && heard.head.status !== 204 && !profile.storesUnframed) return 'incomplete'
  if (holding.bytes + (length ?? 0) <= holding.maxBytes) return undefined
  holding.refuse()
  return 'refused'
}
