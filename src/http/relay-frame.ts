/**
 * What goes from the process that loads to those that wait: the head with its place in the log, then the body as it comes.
 *
 * Floor 4, room http. `head, chunk…, end | broken`. Bytes of a head are those of the second level's format.
 */
import type { Fill, SharedStamp } from '../flow/fill.ts'
import { broken, ByteReader } from '../wire/byte-reader.ts'
import { ByteWriter } from '../wire/byte-writer.ts'
import type { LeaseFrame } from '../tier/lease-store.ts'
import { readPlan, writePlan } from './stored-codec.ts'
import type { Plan } from './stored.ts'
import type { Visit } from './visit.ts'

/** Kinds of frames. */
export const FRAME = { head: 1, chunk: 2, end: 3, broken: 4 } as const
/** Of a chunk. */
export const MAX_CHUNK_BYTES = 64 * 1024

/** A head as it came over. */
export interface RelayHead {
  readonly plan: Plan
  readonly stamp: SharedStamp
}

/** @param fill the reading; of one that the shared log knows */
export function headFrame({ shared }: Fill, plan: Plan): LeaseFrame {
  const writer = new ByteWriter().text(shared?.generation ?? '').whole(shared?.asOf ?? 0)
  writePlan(writer, plan, plan.requestedAt)
  return { kind: FRAME.head, data: writer.finish() }
}

/**
 * @param takenAt the reading began then or later, `clock.now()`
 * @returns undefined for what is of no use to this route @throws FC_L2_ENVELOPE
 */
export function readHead(visit: Visit, { kind, data }: LeaseFrame, takenAt: number): RelayHead | undefined {
  if (kind !== FRAME.head) throw broken('a head was expected')
  const reader = new ByteReader(data)
  const stamp = { generation: reader.text(), asOf: reader.whole() }
  const plan = readPlan(visit, reader, takenAt)
  reader.end()
  return plan === undefined ? undefined : { plan, stamp }
}

/** The last frame. @param isWhole what came before it is the whole response: nothing stands behind the body */
export function endFrame(isWhole: boolean): LeaseFrame {
  return { kind: FRAME.end, data: Uint8Array.of(isWhole ? 1 : 0) }
}

/** Frames of a piece of the body. */
export function* chunkFrames(bytes: Uint8Array): Generator<LeaseFrame> {
  for (let at = 0; at < bytes.byteLength; at += MAX_CHUNK_BYTES) {
    yield { kind: FRAME.chunk, data: bytes.subarray(at, at + MAX_CHUNK_BYTES) }
  }
}

/** Whether two heads are of the same representation, as far as heads tell. */
export function isSameHead(one: Plan, other: Plan): boolean {
  return one.status === other.status && TELLING.every((name) => one.fields.get(name) === other.fields.get(name))
}

const TELLING = ['etag', 'last-modified', 'content-type', 'content-encoding', 'content-language', 'content-length']
