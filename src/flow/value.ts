/**
 * What is stored of a value, and what a caller gets of it.
 *
 * Floor 3, room flow. A cached object that one caller changes must not change for the next one:
 * `freeze` stores a deep-frozen copy made once and hands it to all (no cost on a hit; what holds a RegExp or a
 * buffer cannot be frozen and is treated as by `clone`); `clone` stores serialized bytes and makes a copy per hit;
 * `reference` stores what it is given. Bytes are copied when stored and handed out as they
 * are, to be read only (copied under `clone`). Equal values are given one identity, so that they are stored once.
 */
import { hash } from 'node:crypto'
import { deserialize, serialize } from 'node:v8'
import { ForecacheError } from '../model/errors.ts'
import { markOfBytes, markOfText } from '../shelf/mark.ts'
import { Content } from './content.ts'
import { freezeDeep } from './freeze.ts'

/** How values are kept from being changed by their readers. */
export type ValuePolicy = 'freeze' | 'clone' | 'reference'

/** A value made ready for storing. */
export interface Packed {
  readonly stored: unknown
  /** Estimated bytes in memory. */
  readonly bytes: number
  readonly share?: { readonly id: string; readonly bytes: number }
  /** Digest of what it is; 0: it cannot be compared. */
  readonly mark: number
}

/** Serialized form of an object under `clone`. */
export class Serialized {
  readonly bytes: Uint8Array
  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

const SHARE_FROM_BYTES = 128
/** Larger objects are not normalized before they are compared. */
const NORMAL_UP_TO_BYTES = 256 * 1024
/** Larger objects that are stored as references are not compared with what stood: for that alone they would be copied. */
const COMPARED_UP_TO_BYTES = 16 * 1024
/** V8's heap needs about twice the serialized form of plain objects. */
const HEAP_FACTOR = 2

/** Makes a value ready for storing. @throws FC_VALUE_CLONE when it cannot be copied */
export function packValue(policy: ValuePolicy, key: string, data: unknown): Packed {
  if (typeof data === 'string') return packString(data)
  if (typeof data !== 'object' || data === null) {
    if (policy !== 'reference' && (typeof data === 'function' || typeof data === 'symbol')) {
      throw new ForecacheError('FC_VALUE_CLONE', { key, reason: `it is a ${typeof data}` })
    }
    return { stored: data, bytes: 8, mark: markOfPrimitive(data) }
  }
  if (data instanceof Uint8Array) return packBytes(policy, data)
  if (policy === 'reference') return packReference(key, data)
  const first = attempt(key, () => serialize(data))
  const copy: unknown = policy === 'freeze' || first.byteLength <= NORMAL_UP_TO_BYTES ? deserialize(first) : undefined
  if (copy !== undefined && isHollow(data, copy))
    throw new ForecacheError('FC_VALUE_CLONE', { key, reason: `a copy of ${data.constructor?.name ?? 'it'} would be empty` })
  // Equal objects may serialize differently by their history in the heap; a copy of a copy does not.
  const bytes = first.byteLength <= NORMAL_UP_TO_BYTES ? serialize(copy) : first
  if (policy === 'clone' || !freezeDeep(copy))
    return { stored: new Serialized(bytes), bytes: bytes.byteLength, ...identity('o', bytes, bytes.byteLength) }
  const size = bytes.byteLength * HEAP_FACTOR
  return { stored: copy, bytes: size, ...identity('f', bytes, size) }
}

/** What a caller gets of a stored value. */
export function unpackValue(policy: ValuePolicy, held: unknown): unknown {
  const stored = held instanceof Held ? held.stored : held
  if (stored instanceof Content) return stored.read(policy === 'freeze')
  if (stored instanceof Serialized) return deserialize(Buffer.from(stored.bytes)) // buffers in it would be views of the stored bytes
  if (policy !== 'clone') return stored
  return stored instanceof Uint8Array ? Buffer.from(stored) : stored
}

function packString(text: string): Packed {
  if (text.length < SHARE_FROM_BYTES) return { stored: text, bytes: text.length, mark: markOfText(text) }
  // Half a surrogate pair has no bytes of its own: texts that differ only there would have one digest.
  if (!text.isWellFormed()) return { stored: text, bytes: text.length * 2, mark: markOfText(text) }
  const bytes = Buffer.byteLength(text)
  const heap = bytes === text.length ? bytes : text.length * 2
  const id = `s${hash('sha256', text, 'base64url')}`
  return { stored: text, bytes: heap, share: { id, bytes: heap }, mark: markOfText(id) }
}

function packBytes(policy: ValuePolicy, data: Uint8Array): Packed {
  const stored = policy === 'reference' ? data : Buffer.from(data)
  return { stored, bytes: data.byteLength, ...identity('b', data, data.byteLength) }
}

function identity(kind: string, bytes: Uint8Array, charged: number): Pick<Packed, 'share' | 'mark'> {
  if (bytes.byteLength < SHARE_FROM_BYTES) return { mark: markOfBytes(bytes, kind.charCodeAt(0)) }
  const id = `${kind}${hash('sha256', bytes, 'base64url')}`
  return { share: { id, bytes: charged }, mark: markOfText(id) }
}

function markOfPrimitive(data: unknown): number {
  return typeof data === 'function' || typeof data === 'symbol' ? 0 : markOfText(`${typeof data} ${String(data)}`)
}

/** Compared in the form it would have if it were copied; what cannot be copied is not compared. */
function packReference(key: string, data: object): Packed {
  const bytes = attempt(key, () => estimateBytes(data))
  if (bytes > COMPARED_UP_TO_BYTES) return { stored: data, bytes, mark: 0 }
  try {
    return { stored: data, bytes, mark: markOfBytes(serialize(deserialize(serialize(data)))) }
  } catch {
    return { stored: data, bytes, mark: 0 }
  }
}

/** Whether a stored value is handed out in another form. */
export function isWrapped(held: unknown): boolean {
  return held instanceof Held || held instanceof Serialized || held instanceof Content
}

/** What is looked at may be the user's own code: getters, proxies. */
function attempt<T>(key: string, look: () => T): T {
  try {
    return look()
  } catch (cause) {
    throw new ForecacheError('FC_VALUE_CLONE', { key, reason: cause instanceof Error ? cause.message : String(cause) }, { cause })
  }
}

/** A class instance whose data a copy does not carry: Response, URL, private fields alone. */
function isHollow(data: object, copy: unknown): boolean {
  const prototype: unknown = Object.getPrototypeOf(data)
  if (prototype === null || Object.getPrototypeOf(prototype) === null || Array.isArray(data)) return false
  return (
    typeof copy === 'object' &&
    copy !== null &&
    Object.getPrototypeOf(copy) === Object.prototype &&
    Object.keys(copy).length === 0
  )
}

/** Walks at most 10,000 nodes; what lies beyond is charged at the average of those seen. */
function estimateBytes(root: object): number {
  const pending: unknown[] = [root]
  const seen = new Set<unknown>()
  let bytes = 0
  let nodes = 0
  while (pending.length > 0) {
    const value = pending.pop()
    nodes += 1
    if (nodes > 10_000) return Math.ceil((bytes / nodes) * (nodes + pending.length))
    if (typeof value === 'string') bytes += 16 + value.length
    else if (typeof value !== 'object' || value === null) bytes += 8
    else if (ArrayBuffer.isView(value)) bytes += value.byteLength + 96
    else if (!seen.has(value)) {
      seen.add(value)
      bytes += 32
      const children =
        value instanceof Map ? [...value.keys(), ...value.values()] : value instanceof Set ? [...value] : Object.values(value)
      bytes += children.length * 8
      for (const child of children) pending.push(child)
    }
  }
  return bytes
}

/** Whether anything is stored in another form than it is handed out: until then a hit needs no look at its value. */
export interface Wrapping {
  any: boolean
}

/** A stored value with its validator. */
export class Held {
  readonly stored: unknown
  readonly etag: string

  constructor(stored: unknown, etag: string) {
    this.stored = stored
    this.etag = etag
  }
}
