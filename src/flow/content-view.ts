/**
 * What the library stored, as bytes of a type, for doors that speak bytes.
 *
 * Floor 3, room flow. Text is text/plain, bytes are bytes, everything else is JSON where JSON can say it: a value that it
 * cannot (Map, Set, bigint, NaN, bytes inside of objects) is refused, never shown as something else. Views of objects are
 * remembered weakly, for as long as the object stands and memory is not short.
 */
import { ForecacheError } from '../model/errors.ts'
import { BYTES_TYPE, Content, makeContent } from './content.ts'
import { Held, unpackValue, type ValuePolicy } from './value.ts'

const TEXT_TYPE = 'text/plain; charset=utf-8'
const JSON_TYPE = 'application/json'

/** See the module's header. */
export class Views {
  readonly #policy: ValuePolicy
  readonly #made = new WeakMap<object, WeakRef<Content>>()

  constructor(policy: ValuePolicy) {
    this.#policy = policy
  }

  /**
   * @param held as it stands in memory
   * @returns undefined for `undefined`, which says that there is nothing
   * @throws FC_VALUE_FORM
   */
  of(held: unknown): Content | undefined {
    if (held instanceof Content) return held
    const stored = held instanceof Held ? held.stored : held
    if (stored instanceof Content) return stored
    if (typeof stored !== 'object' || stored === null || this.#policy === 'reference') return viewOf(this.#policy, stored)
    const known = this.#made.get(stored)?.deref()
    if (known !== undefined) return known
    const made = viewOf(this.#policy, stored)
    if (made !== undefined) this.#made.set(stored, new WeakRef(made))
    return made
  }
}

function viewOf(policy: ValuePolicy, stored: unknown): Content | undefined {
  const data = unpackValue(policy, stored)
  if (data === undefined) return undefined
  if (typeof data === 'string') {
    if (!data.isWellFormed()) throw refused('it holds half a surrogate pair')
    return makeContent(TEXT_TYPE, Buffer.from(data))
  }
  if (data instanceof Uint8Array) return makeContent(BYTES_TYPE, data)
  return makeContent(JSON_TYPE, Buffer.from(toJson(data)))
}

function toJson(data: unknown): string {
  try {
    return JSON.stringify(data, sayable)
  } catch (cause) {
    throw cause instanceof ForecacheError ? cause : refused(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

/** Looks at what stands there, not at what its `toJSON` makes of it (buffers have one). */
function sayable(this: Readonly<Record<string, unknown>>, name: string, value: unknown): unknown {
  const held = this[name]
  if (!isSayable(held)) return refuse(held)
  return isSayable(value) ? value : refuse(value)
}

function isSayable(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value === 'object' && value !== null) {
    return !(value instanceof Map || value instanceof Set || value instanceof RegExp || value instanceof Error || isBinary(value))
  }
  return typeof value !== 'bigint' && typeof value !== 'function' && typeof value !== 'symbol'
}

function isBinary(value: object): boolean {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer
}

function refuse(value: unknown): never {
  const name = typeof value === 'object' && value !== null ? (value.constructor?.name ?? 'object') : typeof value
  throw refused(`it holds a ${name === 'number' ? 'number that is not finite' : name}`)
}

function refused(reason: string, options?: ErrorOptions): ForecacheError {
  return new ForecacheError('FC_VALUE_FORM', { reason }, options)
}
