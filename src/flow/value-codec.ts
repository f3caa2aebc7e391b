/**
 * Library values and contents as bytes, for the second level.
 *
 * Floor 3, room flow. Every form that was ever written can be read. Objects go as V8 serializes them, a format that V8 reads
 * for ever; under `values: "reference"` they do not go at all, since a copy is not the object that was given. Reading throws
 * FC_L2_ENVELOPE and nothing else.
 */
import { deserialize, serialize } from 'node:v8'
import type { Entry, Learned } from '../model/entry.ts'
import { ForecacheError } from '../model/errors.ts'
import { broken, ByteReader } from '../wire/byte-reader.ts'
import { ByteWriter } from '../wire/byte-writer.ts'
import { Content, makeContent } from './content.ts'
import { Held, packValue, Serialized, type ValuePolicy } from './value.ts'

/** A value made ready for memory. */
export interface Decoded {
  readonly value: unknown
  readonly bytes: number
  readonly share?: { readonly id: string; readonly bytes: number }
  /** What the next reading is compared with. */
  readonly learned?: Learned
}

/** Gives the instance of an equal body that is stored already. */
export type Canonical = <T>(id: string, body: T) => T

/** Numbers of the codecs: part of the format, never given twice. */
export const CODEC = { none: 0, value: 1, content: 2, response: 3, variants: 4 } as const

const VALUE: Pick<Entry, 'kind'> = { kind: 'value' }
/** What a value is. Part of the format. */
const FORM = { undefined: 0, null: 1, false: 2, true: 3, number: 4, bigint: 5, text: 6, wide: 7, bytes: 8, object: 9 } as const

/** @returns undefined for what does not go to the second level */
export function encodeValue(
  held: unknown,
  { kind }: Pick<Entry, 'kind'> = VALUE,
): { readonly codec: number; readonly payload: Uint8Array } | undefined {
  if (kind !== 'value') return undefined
  if (held instanceof Content) return { codec: CODEC.content, payload: encodeContent(held) }
  const writer = new ByteWriter()
  writer.maybe(held instanceof Held ? held.etag : undefined, (etag) => writer.text(etag))
  return writeForm(writer, held instanceof Held ? held.stored : held)
    ? { codec: CODEC.value, payload: writer.finish() }
    : undefined
}

/** As `encodeValue`, where values are references: objects stay at home. */
export function encodeReference(held: unknown, entry: Pick<Entry, 'kind'> = VALUE): ReturnType<typeof encodeValue> {
  const stored = held instanceof Held ? held.stored : held
  const isObject = typeof stored === 'object' && stored !== null
  return isObject && !(stored instanceof Uint8Array) && !(stored instanceof Content) ? undefined : encodeValue(held, entry)
}

/** @returns undefined for a codec that is not one of these @throws FC_L2_ENVELOPE */
export function decodeValue(
  { policy, key, canonical }: { readonly policy: ValuePolicy; readonly key: string; readonly canonical: Canonical },
  codec: number,
  payload: Uint8Array,
): Decoded | undefined {
  const reader = new ByteReader(payload)
  if (codec === CODEC.content) return decodeContent(reader, canonical)
  if (codec !== CODEC.value) return undefined
  const etag = reader.maybe(() => reader.text())
  const data = readForm(reader)
  reader.end()
  try {
    const { stored, bytes, share, mark } = packValue(policy, key, data)
    const one = share === undefined ? stored : canonical(share.id, stored)
    const value = etag === undefined ? one : new Held(one, etag)
    return { value, bytes, learned: { mark }, ...(share === undefined ? {} : { share }) }
  } catch (error) {
    throw broken(error instanceof Error ? error.message : 'its value cannot be copied')
  }
}

function encodeContent(content: Content): Uint8Array {
  const writer = new ByteWriter().text(content.type).block(content.body).whole(content.coded.length)
  for (const { coding, body } of content.coded) writer.text(coding).block(body)
  return writer.finish()
}

function decodeContent(reader: ByteReader, canonical: Canonical): Decoded {
  const type = reader.text()
  const plain = makeContent(type, new Uint8Array(reader.block()), canonical)
  const codings = new Map(reader.list(() => [reader.text(), new Uint8Array(reader.block())] as const))
  reader.end()
  const value = codings.size === 0 ? plain : plain.withCodings(codings)
  const { shareId, bytes, body } = value
  return { value, bytes, ...(shareId === undefined ? {} : { share: { id: shareId, bytes: body.byteLength } }) }
}

function writeForm(writer: ByteWriter, data: unknown): boolean {
  if (data instanceof Serialized) writer.whole(FORM.object).block(data.bytes)
  else if (data instanceof Uint8Array) writer.whole(FORM.bytes).block(data)
  else if (data === null) writer.whole(FORM.null)
  else {
    switch (typeof data) {
      case 'undefined':
        writer.whole(FORM.undefined)
        break
      case 'boolean':
        writer.whole(data ? FORM.true : FORM.false)
        break
      case 'number':
        writer.whole(FORM.number).number(data)
        break
      case 'bigint':
        writer.whole(FORM.bigint).text(String(data))
        break
      case 'string':
        if (data.isWellFormed()) writer.whole(FORM.text).text(data)
        else writer.whole(FORM.wide).block(Buffer.from(data, 'utf16le'))
        break
      case 'object':
        return writeObject(writer, data)
      default:
        return false
    }
  }
  return true
}

function writeObject(writer: ByteWriter, data: object): boolean {
  try {
    writer.whole(FORM.object).block(serialize(data))
    return true
  } catch {
    return false // it was stored as it is, and cannot be copied
  }
}

function readForm(reader: ByteReader): unknown {
  const form = reader.whole()
  switch (form) {
    case FORM.undefined:
      return undefined
    case FORM.null:
      return null
    case FORM.false:
      return false
    case FORM.true:
      return true
    case FORM.number:
      return reader.number()
    case FORM.bigint:
      return readBigint(reader.text())
    case FORM.text:
      return reader.text()
    case FORM.wide:
      return Buffer.from(reader.block()).toString('utf16le')
    case FORM.bytes:
      return Buffer.from(reader.block())
    case FORM.object:
      return readObject(reader.block())
    default:
      throw broken('its value has a form that is not known')
  }
}

function readBigint(text: string): bigint {
  if (!/^-?\d{1,10000}$/.test(text)) throw broken('a number has other characters than digits')
  return BigInt(text)
}

function readObject(bytes: Uint8Array): unknown {
  try {
    return deserialize(Buffer.from(bytes)) // a copy: buffers in it would be views of what was received
  } catch (cause) {
    throw new ForecacheError('FC_L2_ENVELOPE', { reason: 'its object cannot be read' }, { cause })
  }
}
