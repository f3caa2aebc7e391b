/**
 * The lane's desk before the gateway: hits of the HTTP door.
 *
 * Floor 5, room server. Requests are admitted, forwarded, keyed and judged by the very functions that the full stack
 * calls; only the order of work differs: what repeats is remembered.
 */
import type { HttpDoor } from '../http/door.ts'
import { type Bearing, bearingOf, know, type Known } from '../http/known.ts'
import { countRecalled, recall, recallParticular, timeRecalled } from '../http/recall.ts'
import type { Stored } from '../http/stored.ts'
import { ACCOUNT } from '../model/ledger.ts'
import { admit } from './admit.ts'
import { forward } from './forward.ts'
import { arenaOf } from './lane-arena.ts'
import type { LaneAnswer, LaneDesk, LanePeer } from './lane-desk.ts'
import { type HeadForm, headText, Ready, type ReadyParts } from './lane-ready.ts'
import { Wholes } from './lane-wholes.ts'
import { receive, type Receiver, type ReceiveSettings } from './receive.ts'
import { shapeOf } from './send.ts'

/** Larger bodies are not copied for it, bytes. */
const MAX_WHOLE_BYTES = 32 * 1024
/** Marks what no lane writes. */
const UNREADY = Object.freeze({})

/** A gateway's lane, or undefined where answers bear what is only measured in the full stack. */
export function createGatewayLane({ desk }: HttpDoor, receiver: Receiver, form: HeadForm): LaneDesk<Bearing, Known> | undefined {
  const { settings } = receiver
  if (settings.latency === 'on') return undefined
  const { maxTargetBytes } = settings.limits
  const parts = { form, arena: arenaOf(desk.engine), wholes: new Wholes(desk.engine.clock, desk.engine.ledger) }
  return {
    read: (raw, from) => readFields(raw, from, settings),
    know(bearing, method, target) {
      return target.length > maxTargetBytes ? undefined : know(desk, bearing, { method, target })
    },
    answer(known, now) {
      if (now >= desk.engine.seesUntil) return undefined // what was missed is asked for first
      if (known.visit.routed.policy.blind !== undefined && desk.engine.shared?.isBlind === true) return undefined
      const answer = known.plain ? whole(known, now, parts) : particular(known, form)
      if (known.foreseen !== undefined && answer !== undefined) known.foreseen()
      return answer
    },
    await({ head }, method, target) {
      if (target.length > maxTargetBytes) return undefined
      // What is remembered of the fields must not change with one request.
      const own = { ...head, method, target, fields: head.fields.clone() }
      return { head: own, run: (incoming, given) => void receive(receiver, incoming, given) }
    },
    time: timeRecalled,
  }
}

function readFields(raw: readonly string[], { peer, scheme }: LanePeer, settings: ReceiveSettings): Bearing | undefined {
  try {
    const request = { method: 'GET', url: '/', rawHeaders: raw as string[], httpVersion: '1.1' }
    const head = admit(request, settings.limits, scheme)
    if (settings.latency === 'request' && head.fields.has('x-cache-latency')) return undefined
    head.fields.delete('x-cache-latency')
    return bearingOf(forward(head, peer, settings.forward))
  } catch {
    return undefined // the full stack says what is wrong with it
  }
}

interface Parts extends ReadyParts {
  readonly wholes: Wholes
}

function whole(known: Known, now: number, parts: Parts): LaneAnswer | undefined {
  const stored = recall(known)
  if (stored === undefined) return undefined
  let { ready } = stored
  if (!(ready instanceof Ready)) {
    if (ready === UNREADY) return undefined
    ready = prepare(known, stored, parts)
    if (!(ready instanceof Ready) || !ready.update(now)) return undefined
  } else if (ready.holds(now)) {
    // Asked for twice while nothing of it changed: it will be asked for again.
    if (ready.whole === undefined && ready.body.byteLength <= MAX_WHOLE_BYTES) parts.wholes.give(ready, ready.head, ready.body)
  } else if (!ready.update(now)) {
    ready = prepare(known, stored, parts)
    if (!(ready instanceof Ready) || !ready.update(now)) return undefined
  }
  countRecalled(known, stored, now)
  return ready
}

function prepare(known: Known, stored: Stored, parts: ReadyParts): object {
  const ready = Ready.of(known, stored, parts)
  stored.ready = ready ?? UNREADY
  if (ready !== undefined && stored.readyBytes !== ready.bytes) {
    known.visit.desk.engine.ledger.charge(ACCOUNT.lane, ready.bytes - stored.readyBytes)
    stored.readyBytes = ready.bytes
  }
  return stored.ready
}

function particular(known: Known, form: HeadForm): LaneAnswer | undefined {
  const reply = recallParticular(known)
  if (reply === undefined || !(reply.body === undefined || reply.body instanceof Uint8Array)) return undefined
  const shape = shapeOf(reply, known.visit.head.method)
  const text = headText(reply, form, { ...shape, chunked: false })
  return text === undefined ? undefined : { head: Buffer.from(text, 'latin1'), body: reply.body }
}
