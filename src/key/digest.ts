/**
 * Stable digests: the same data gives the same text in every process, whatever the order of its object keys.
 *
 * Floor 1, room key. `quote:v2:0123456789abcdef`. Canonical text is injective over JSON data, Date and bigint: digests
 * of different data differ as far as the digest's length allows: 16 hex digits of SHA-1 (the default) collide by chance
 * at about 2^32 keys, and on purpose for somebody who chooses the data: take `digits: 40` where strangers do.
 */
import { createHash, hash } from 'node:crypto'
import { ForecacheError, textOf } from '../model/errors.ts'
import type { Fields } from '../model/fields.ts'

/** What to digest, and what in it does not count. */
export interface DigestInput {
  /** Name before the version, such as `quote`. */
  readonly namespace: string
  /** Version of the namespace: a higher one makes all older keys irrelevant. */
  readonly version: number
  /** JSON data; top-level members that are undefined count as left out. */
  readonly value: unknown
  /** Top-level members that mean the same as left out when they have this value. */
  readonly defaults?: Readonly<Record<string, unknown>>
  /** Top-level members that are lists without order. */
  readonly unordered?: readonly string[]
  /** Top-level members whose strings are compared in lower case. */
  readonly ignoreCase?: readonly string[]
  /** Hex digits of the digest, 16 to 40; default 16. */
  readonly digits?: number
}

const MAX_DEPTH = 64
const KNOWN = ['namespace', 'version', 'value', 'defaults', 'unordered', 'ignoreCase', 'digits']

/** @throws FC_KEY_DATA when the value is not JSON data, FC_OPTION_* for bad options */
export function digestKey(input: DigestInput): string {
  if (typeof input !== 'object' || input === null)
    throw new ForecacheError('FC_OPTION_TYPE', { name: 'digest', expected: 'an object', given: textOf(input) })
  for (const name of Object.keys(input)) {
    if (!KNOWN.includes(name)) throw new ForecacheError('FC_OPTION_UNKNOWN', { name: `digest.${name}`, known: KNOWN.join(', ') })
  }
  for (const name of ['unordered', 'ignoreCase'] as const) {
    if (input[name] !== undefined && !Array.isArray(input[name]))
      throw new ForecacheError('FC_OPTION_TYPE', {
        name: `digest.${name}`,
        expected: 'a list of names',
        given: typeof input[name],
      })
  }
  const { namespace, version, digits = 16 } = input
  if (typeof namespace !== 'string' || !/^[^:\s]+$/.test(namespace))
    throw new ForecacheError('FC_OPTION_VALUE', {
      name: 'digest.namespace',
      reason: 'expected a name without `:` and white space',
    })
  if (!Number.isSafeInteger(version) || version < 0)
    throw new ForecacheError('FC_OPTION_VALUE', { name: 'digest.version', reason: 'expected a whole number' })
  if (!Number.isInteger(digits) || digits < 16 || digits > 40)
    throw new ForecacheError('FC_OPTION_VALUE', { name: 'digest.digits', reason: 'expected 16 to 40' })
  return `${namespace}:v${version}:${hash('sha1', canonicalText(prepare(input))).slice(0, digits)}`
}

/**
 * One text per value: object keys sorted, members that are undefined left out.
 *
 * @throws FC_KEY_DATA for functions, symbols, class instances, cycles
 */
export function canonicalText(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) throw new ForecacheError('FC_KEY_DATA', { given: `data nested deeper than ${MAX_DEPTH}` })
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return Object.is(value, -0) ? '0' : String(value)
    case 'boolean':
      return String(value)
    case 'bigint':
      return `${value}n`
    case 'undefined':
      return '_'
    case 'object':
      return value === null ? 'null' : objectText(value, depth)
    default:
      throw new ForecacheError('FC_KEY_DATA', { given: `a ${typeof value}` })
  }
}

/**
 * Digest of a request's content and of the fields that say what it is (RFC 10008: both are part of a QUERY's key).
 *
 * @returns SHA-256, base64url
 */
export function digestContent(fields: Fields, chunks: Iterable<Uint8Array>): string {
  const sum = createHash('sha256')
  const about = ['content-type', 'content-encoding', 'content-language'].map((name) => fields.get(name)?.trim() ?? null)
  sum.update(`${JSON.stringify(about)}\n`)
  for (const chunk of chunks) sum.update(chunk)
  return sum.digest('base64url')
}

function objectText(value: object, depth: number): string {
  if (Array.isArray(value)) return `[${Array.from(value, (item) => canonicalText(item, depth + 1)).join(',')}]`
  if (value instanceof Date) return `@${value.getTime()}`
  if (!isPlain(value)) {
    throw new ForecacheError('FC_KEY_DATA', { given: `an instance of ${value.constructor?.name ?? 'a class'}` })
  }
  const members: string[] = []
  for (const name of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[name]
    if (member !== undefined) members.push(`${JSON.stringify(name)}:${canonicalText(member, depth + 1)}`)
  }
  return `{${members.join(',')}}`
}

/** Whether an object is a literal, of this realm or another. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || (!Array.isArray(value) && Object.getPrototypeOf(prototype) === null)
}

function prepare({ value, defaults = {}, unordered = [], ignoreCase = [] }: DigestInput): unknown {
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value
  const prepared = spell(value, { unordered, ignoreCase })
  const standards = spell(defaults, { unordered, ignoreCase }) // spelled alike, so that `usd` is the default `USD`
  for (const name of Object.keys(standards)) {
    if (Object.hasOwn(prepared, name) && canonicalText(prepared[name]) === canonicalText(standards[name])) delete prepared[name]
  }
  return prepared
}

/** Members whose case or order does not count, in their one spelling. */
function spell(value: object, how: { unordered: readonly string[]; ignoreCase: readonly string[] }): Record<string, unknown> {
  const spelled: Record<string, unknown> = Object.assign(Object.create(null), value)
  for (const name of how.ignoreCase) {
    const member = spelled[name]
    if (typeof member === 'string') spelled[name] = member.toLowerCase()
    else if (Array.isArray(member))
      spelled[name] = member.map((item: unknown) => (typeof item === 'string' ? item.toLowerCase() : item))
  }
  for (const name of how.unordered) {
    const list = spelled[name]
    if (Array.isArray(list))
      spelled[name] = list
        .map((item) => [canonicalText(item), item] as const)
        .sort(byText)
        .map(([, item]) => item)
  }
  return spelled
}

function byText(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0
}
