/**
 * Replies as values of JavaScript: kept apart from everybody's, given out fresh each time.
 *
 * Floor 5, room register. A real client makes new arrays, objects and Buffers for each reply, which the application may
 * change; so what is kept is a copy, and what is given is another. Strings and numbers need none. What cannot be copied
 * faithfully is not kept. What an object is is asked of the object, not of its prototype: a field named `__proto__` may have
 * changed that.
 */

import { types } from 'node:util'

/** How a kept value is given out. */
export type Shape = typeof SAME | typeof FLAT | typeof RECORD | typeof BARE | typeof DEEP
/** Immutable: as it is. */
export const SAME = 0
/** An array of immutable items. */
export const FLAT = 1
/** A plain object of immutable fields. */
export const RECORD = 2
/** An object without prototype of immutable fields; kept as a list of names and values. */
export const BARE = 3
/** Anything else that can be copied. */
export const DEEP = 4

/** A value of our own. */
export interface Kept {
  readonly shape: Shape
  readonly value: unknown
  readonly bytes: number
}

const MAX_DEPTH = 16
const WORD_BYTES = 8
const OBJECT_BYTES = 24
const BUFFER_BYTES = 96

/** @returns a copy to keep; undefined where it cannot be kept, or is larger than allowed */
export function keep(given: unknown, maxBytes: number): Kept | undefined {
  const bytes = sizeOf(given, maxBytes, 0)
  if (bytes > maxBytes) return undefined
  const shape = shapeOf(given)
  if (shape === BARE) return { shape, value: pairsOf(given as Record<string, unknown>), bytes }
  return { shape, value: shape === SAME ? given : copy(given), bytes }
}

/** Gives a kept value out. */
export function give(shape: Shape, value: unknown): unknown {
  switch (shape) {
    case SAME:
      return value
    case FLAT:
      return (value as unknown[]).slice()
    case RECORD:
      return { ...(value as object) }
    case BARE:
      return fromPairs(value as unknown[])
    default:
      return copy(value)
  }
}

/** Bytes of memory, about; Infinity for what cannot be copied. */
function sizeOf(given: unknown, maxBytes: number, depth: number): number {
  if (typeof given === 'string') return textBytes(given)
  if (isSame(given)) return WORD_BYTES
  if (types.isUint8Array(given)) return isPlainBytes(given) ? BUFFER_BYTES + given.length : Number.POSITIVE_INFINITY
  if (depth >= MAX_DEPTH || typeof given !== 'object' || given === null) return Number.POSITIVE_INFINITY
  let bytes = OBJECT_BYTES
  const items = itemsOf(given)
  if (items === undefined) return Number.POSITIVE_INFINITY
  for (const item of items) {
    bytes += WORD_BYTES + sizeOf(item, maxBytes, depth + 1)
    if (bytes > maxBytes) return bytes
  }
  return bytes
}

/** What stands in a container; undefined where it is none that is known. */
function itemsOf(given: object): Iterable<unknown> | undefined {
  if (Array.isArray(given)) return Object.getPrototypeOf(given) === Array.prototype ? given : undefined
  const prototype: unknown = Object.getPrototypeOf(given)
  if (types.isMap(given)) return prototype === Map.prototype ? [...given].flat() : undefined
  if (types.isSet(given)) return prototype === Set.prototype ? given : undefined
  return prototype === null || prototype === Object.prototype ? Object.entries(given).flat() : undefined
}

function shapeOf(given: unknown): Shape {
  if (isSame(given)) return SAME
  if (Array.isArray(given)) return given.every(isSame) ? FLAT : DEEP
  if (types.isUint8Array(given) || types.isMap(given) || types.isSet(given)) return DEEP
  if (!Object.values(given as object).every(isSame)) return DEEP
  return Object.getPrototypeOf(given) === null ? BARE : RECORD
}

function isSame(given: unknown): boolean {
  return typeof given === 'object' ? given === null : typeof given !== 'function' && typeof given !== 'symbol'
}

function isPlainBytes(given: Uint8Array): boolean {
  return Buffer.isBuffer(given) || Object.getPrototypeOf(given) === Uint8Array.prototype
}

/** @param given known to be copyable */
function copy(given: unknown): unknown {
  if (typeof given !== 'object' || given === null) return given
  if (Array.isArray(given)) return given.map(copy)
  if (Buffer.isBuffer(given)) return copyBuffer(given)
  if (types.isUint8Array(given)) return given.slice()
  if (types.isMap(given)) return new Map([...given].map(([key, value]) => [copy(key), copy(value)]))
  if (types.isSet(given)) return new Set([...given].map(copy))
  const made = Object.create(Object.getPrototypeOf(given) as object | null) as Record<string, unknown>
  for (const [name, value] of Object.entries(given)) define(made, name, copy(value))
  return made
}

/** Not out of the pool that all small Buffers share: kept, it would hold the whole of it. */
function copyBuffer(given: Buffer): Buffer {
  const made = Buffer.allocUnsafeSlow(given.length)
  given.copy(made)
  return made
}

function pairsOf(given: Record<string, unknown>): unknown[] {
  return Object.entries(given).flat()
}

function fromPairs(pairs: readonly unknown[]): Record<string, unknown> {
  const made = Object.create(null) as Record<string, unknown>
  for (let i = 0; i < pairs.length; i += 2) made[pairs[i] as string] = pairs[i + 1]
  return made
}

/** A field may have the name `__proto__`. */
function define(made: Record<string, unknown>, name: string, value: unknown): void {
  if (name in made) Object.defineProperty(made, name, { value, configurable: true, enumerable: true, writable: true })
  else made[name] = value
}

function textBytes(text: string): number {
  return OBJECT_BYTES + (Buffer.byteLength(text) === text.length ? text.length : text.length * 2)
}
