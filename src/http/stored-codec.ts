/**
 * Stored responses and lists of Vary sets as bytes, for the second level.
 *
 * Floor 4, room http. Codings go as they are stored, so that they are made once for all processes. Times go as distances from
 * the moment the reading began, never as moments. Reading throws FC_L2_ENVELOPE and nothing else; fields that could not have
 * come from an origin are refused, since they would be written into answers as they are.
 */
import type { Encode } from '../flow/second-level.ts'
import { CODEC, type Decoded } from '../flow/value-codec.ts'
import type { NoVarySearch } from '../key/no-vary-search.ts'
import { Fields } from '../model/fields.ts'
import { broken, ByteReader } from '../wire/byte-reader.ts'
import { ByteWriter } from '../wire/byte-writer.ts'
import { isKnownCoding, type KnownCoding } from '../wire/coding.ts'
import { compactFields } from './compact.ts'
import { indexBytes, markOfStored, sealStored, setIdOf } from './store.ts'
import { type Plan, Stored, VaryIndex } from './stored.ts'
import { type Coded, withVariants } from './variants.ts'
import type { Visit } from './visit.ts'

/** Where a response comes to: the door, and the route of whoever asks. */
export type Destination = Pick<Visit, 'desk' | 'routed'>

/** For SecondLevel.teach: what this door stores. */
export const encodeStored: Encode = (value, entry) => {
  if (value instanceof VaryIndex) return { codec: CODEC.variants, payload: writeIndex(value) }
  if (!(value instanceof Stored)) return undefined
  const payload = writeStored(value, entry.storedAt)
  return payload === undefined ? undefined : { codec: CODEC.response, payload }
}

/** @param storedAt when its reading began, `clock.now()` @returns undefined where it is of no use to this route @throws FC_L2_ENVELOPE */
export function decodeStored(
  visit: Destination,
  item: { codec: number; payload: Uint8Array; storedAt: number },
): Decoded | undefined {
  const reader = new ByteReader(item.payload)
  if (item.codec === CODEC.variants) return readIndex(reader)
  return item.codec === CODEC.response ? readStored(visit, reader, item.storedAt) : undefined
}

function writeIndex({ id, sets, languages }: VaryIndex): Uint8Array {
  const writer = new ByteWriter().text(id).whole(sets.length)
  for (const set of sets) writer.texts(set)
  return writer.texts(languages).finish()
}

function readIndex(reader: ByteReader): Decoded {
  const id = reader.text()
  const sets = reader.list(() => reader.texts())
  const index = new VaryIndex(id, sets, reader.texts())
  reader.end()
  return { value: index, bytes: indexBytes(index) }
}

function writeStored(stored: Stored, storedAt: number): Uint8Array | undefined {
  const { plan, body, trailers, part, variants } = stored
  const coded = variants?.coded ?? []
  // It stands for clients of every coding, and would come without those.
  if (plan.recoding?.wide === true && coded.length === 0) return undefined
  const writer = new ByteWriter()
  writePlan(writer, plan, storedAt)
  writer.maybe(trailers, (fields) => writer.texts(fields.raw()))
  writer.maybe(part, ({ first, last, total }) => writer.whole(first).whole(last).whole(total))
  writer.block(body).whole(coded.length)
  for (const one of coded) writer.text(one.coding).text(one.mark).block(one.body)
  return writer.finish()
}

function readStored(visit: Destination, reader: ByteReader, storedAt: number): Decoded | undefined {
  const plan = readPlan(visit, reader, storedAt)
  const trailers = reader.maybe(() => readFields(reader))
  const part = reader.maybe(() => ({ first: reader.whole(), last: reader.whole(), total: reader.whole() }))
  const body = new Uint8Array(reader.block())
  const coded = reader.list((): Coded => {
    const [coding, mark] = [readCoding(reader), reader.text()]
    return { coding, mark, body: new Uint8Array(reader.block()) }
  })
  reader.end()
  if (part !== undefined && part.last - part.first + 1 !== body.byteLength) throw broken('its part has another length')
  // This route makes no codings: it cannot tell who may have them.
  if (plan === undefined || (coded.length > 0 && plan.recoding === undefined)) return undefined
  const stored = attach(visit, sealStored(visit.desk, plan, { body, trailers, part }), coded)
  const { bytes, shareId, bodyBytes } = stored
  return {
    value: stored,
    bytes,
    learned: { mark: markOfStored(stored) },
    ...(shareId === undefined ? {} : { share: { id: shareId, bytes: bodyBytes } }),
  }
}

function attach({ desk }: Destination, stored: Stored, coded: readonly Coded[]): Stored {
  if (coded.length === 0 || stored.variants !== undefined) return stored
  const set = { body: stored.body, coded }
  const setId = setIdOf(stored)
  return withVariants(stored, setId === undefined ? set : desk.engine.canonical(setId, set), setId)
}

/** @param storedAt what times are counted from */
export function writePlan(writer: ByteWriter, plan: Plan, storedAt: number): void {
  const { windows, budget } = plan
  writer
    .whole(plan.status)
    .text(plan.statusText)
    .texts(plan.fields.raw())
    .number(plan.requestedAt - storedAt)
    .number(plan.offsetMs)
    .number(plan.lifetimeMs)
    .number(windows.whileMs)
    .number(windows.ifErrorMs)
    .number(windows.disconnectedMs)
    .flag(windows.onRequest)
    .flag(plan.alwaysValidate)
    .texts(plan.vary)
    .whole(plan.selecting.length)
  for (const value of plan.selecting) writer.maybe(value ?? undefined, (text) => writer.text(text))
  writer
    .maybe(plan.search, (search) => writeSearch(writer, search))
    .texts(plan.tags)
    .number(budget.freshMs)
    .number(budget.staleMs)
    .number(budget.onErrorMs)
    .maybe(plan.recoding, ({ coding, varied, certain, wide }) => writer.text(coding).flag(varied).flag(certain).flag(wide))
}

/** @returns undefined for what stands for clients of every coding, where this route makes none */
export function readPlan(visit: Destination, reader: ByteReader, storedAt: number): Plan | undefined {
  const status = reader.whole()
  if (status < 200 || status > 599) throw broken('its status is none')
  const statusText = checkText(reader.text())
  const fields = compactFields(readFields(reader))
  const delayMs = reader.number()
  if (!(Math.abs(delayMs) <= MAX_DELAY_MS)) throw broken('a moment is out of place')
  const times = { requestedAt: storedAt + delayMs, offsetMs: reader.span(), lifetimeMs: reader.number() }
  if (Number.isNaN(times.lifetimeMs)) throw broken('its lifetime is none')
  const windows = {
    whileMs: reader.span(),
    ifErrorMs: reader.span(),
    disconnectedMs: reader.span(),
    onRequest: reader.flag(),
  }
  const alwaysValidate = reader.flag()
  const vary = reader.texts()
  const selecting = reader.list(() => reader.maybe(() => reader.text()) ?? null)
  if (selecting.length !== vary.length) throw broken('it is selected by other fields than it names')
  const search = reader.maybe(() => readSearch(reader))
  const tags = reader.texts()
  const budget = { freshMs: reader.span(), staleMs: reader.span(), onErrorMs: reader.span() }
  const recoded = reader.maybe(() => {
    return { coding: readCoding(reader), varied: reader.flag(), certain: reader.flag(), wide: reader.flag() }
  })
  const { compress: settings, maxBodyBytes: maxBytes } = visit.routed.policy
  const recoding = recoded === undefined || settings === undefined ? undefined : { ...recoded, settings, maxBytes }
  if (recoded?.wide === true && recoding === undefined) return undefined
  const answer = { status, statusText, fields, ...times, windows, alwaysValidate }
  return { ...answer, vary, selecting, search, tags, budget, recoding }
}

function writeSearch(writer: ByteWriter, { anyOrder, ignored, except }: NoVarySearch): void {
  writer.flag(anyOrder).maybe(ignored === 'all' ? undefined : ignored, (names) => writer.texts(names))
  writer.texts(except)
}

function readSearch(reader: ByteReader): NoVarySearch {
  const anyOrder = reader.flag()
  const ignored = reader.maybe(() => reader.texts()) ?? 'all'
  return { anyOrder, ignored, except: reader.texts() }
}

function readFields(reader: ByteReader): Fields {
  const list = reader.texts()
  if (list.length % 2 !== 0) throw broken('a field has no value')
  for (let i = 0; i < list.length; i += 2) {
    if (!NAME.test(list[i] as string)) throw broken('a field has a name that is none')
    checkText(list[i + 1] as string)
  }
  return Fields.ofLower(list)
}

function readCoding(reader: ByteReader): KnownCoding {
  const name = reader.text()
  if (!isKnownCoding(name)) throw broken('its coding is not known')
  return name
}

function checkText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- exactly these would end a field
  if (/[\r\n\0]/.test(text)) throw broken('a field would end early')
  return text
}

const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
/** Between the opening of a reading and its request. */
const MAX_DELAY_MS = 3_600_000
