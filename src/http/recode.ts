/**
 * Making the other codings of a response, behind its storing, and putting it anew with them.
 *
 * Floor 4, room http. Never at a read, and no read waits for it. The response is put through `engine.keep` with the reading
 * it came with, and only while the very same one still stands: whatever was invalidated meanwhile stays so, whatever is
 * newer stays. What equal bodies have given already is taken from there.
 */
import { hash } from 'node:crypto'
import { COUNTER } from '../model/metric.ts'
import { decode } from '../wire/coding.ts'
import { encodeAll } from '../wire/compress.ts'
import type { Recoding } from './recoding.ts'
import { heldSet, keyOfStored, type Place, placeStored, SET, setIdOf } from './store.ts'
import type { Stored } from './stored.ts'
import { type BodySet, type Coded, withVariants } from './variants.ts'
import type { Desk } from './visit.ts'

/** Starts to make them, where they pay and there is a place for the work. Never throws. */
export function makeVariants(desk: Desk, place: Place, stored: Stored): void {
  const { recoding, fields } = stored.plan
  if (recoding === undefined || stored.trailers !== undefined || isSettled(stored)) return
  const { engine, press } = desk
  const { route } = place.fill
  const work = async (): Promise<BodySet | undefined> => {
    if (keyOfStanding(desk, place, stored) === undefined) return undefined // gone while it waited
    const known = heldSet(desk, setIdOf(stored))
    return known ?? codeBody(stored.body, recoding, fields.first('content-type'))
  }
  const making = press.take(stored.body.byteLength, work)
  if (making === undefined) {
    engine.meter.count(COUNTER.variantsShed, route)
    return
  }
  making
    .then(
      (set) => (set === undefined ? undefined : attach(desk, place, { stored, set })),
      () => engine.meter.count(COUNTER.variantsFailed, route),
    )
    .catch((error: unknown) => engine.settings.logger.error({ err: error }, 'codings could not be put beside a response'))
}

/** Whether nothing is left to be made of it. */
function isSettled({ plan: { recoding }, body, variants, shareId }: Stored): boolean {
  if (recoding === undefined || variants !== undefined || shareId?.startsWith(SET) === true) return true
  return recoding.coding === 'identity' && body.byteLength < recoding.settings.minBytes
}

/** A body in the other codings; one that came coded is unfolded once. @throws when it is broken or unfolds to too much */
export async function codeBody(body: Uint8Array, recoding: Recoding, contentType: string | undefined): Promise<BodySet> {
  const { coding, settings, maxBytes } = recoding
  const plain = await decode(body, coding, maxBytes)
  const codings = settings.codings.filter((one) => one !== coding)
  const made = await encodeAll(plain, contentType, { ...settings, codings })
  const coded: Coded[] = [...made].map(([name, bytes]) => ({ coding: name, body: bytes, mark: markOf(bytes) }))
  if (coding !== 'identity') coded.push({ coding: 'identity', body: plain, mark: markOf(plain) })
  return { body, coded }
}

/** The key under which this very response stands; undefined when it is gone, or another one stands there. */
function keyOfStanding(desk: Desk, place: Place, stored: Stored): string | undefined {
  const key = keyOfStored(desk, place.primary, stored.plan)
  return desk.engine.memory.look(key)?.value === stored ? key : undefined
}

function attach(desk: Desk, place: Place, item: { readonly stored: Stored; readonly set: BodySet }): void {
  const { engine } = desk
  const { stored } = item
  const key = keyOfStanding(desk, place, stored)
  if (key === undefined) return
  const set = fitting(desk, stored, item.set)
  const setId = set === item.set ? setIdOf(stored) : undefined
  const next = withVariants(stored, setId === undefined ? set : engine.canonical(setId, set), setId)
  if (next.variants === undefined && next.plan === stored.plan) return
  if (placeStored(desk, { ...place, fill: { ...place.fill, repeats: true } }, next) !== 'kept') return
  engine.meter.add(COUNTER.variantsMade, place.fill.route, next.variants?.made.length ?? 0)
  // It stood for one Accept-Encoding, and stands for all of them under a key of its own now.
  if (keyOfStored(desk, place.primary, next.plan) !== key) engine.memory.delete(key)
}

/** Without what would be too large to be stored: an entry above the limit would be lost with all it holds. */
function fitting(desk: Desk, stored: Stored, set: BodySet): BodySet {
  const room = desk.engine.memory.maxEntryBytes - ENTRY_ROOM_BYTES - stored.bytes
  const head = stored.plan.fields.bytes + HEAD_ROOM_BYTES
  const fits = (coded: readonly Coded[]): boolean => coded.reduce((sum, { body }) => sum + head + body.byteLength, 0) <= room
  if (fits(set.coded)) return set
  // Smallest first; the one without a coding comes last, and with it alone a coded response stands for everybody.
  const plain = set.coded.filter(({ coding }) => coding === 'identity')
  const tries = [[...set.coded.slice(0, 1), ...plain], plain]
  return { body: set.body, coded: tries.find((coded) => fits(coded)) ?? [] }
}

/** For the key, its tags and what the entry itself takes. */
const ENTRY_ROOM_BYTES = 16 * 1024
const HEAD_ROOM_BYTES = 512

function markOf(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'base64url').slice(0, 8)
}
