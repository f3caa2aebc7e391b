/**
 * The key of data that an application loads itself, from the parts that decide it.
 *
 * Floor 1, room key. `/api/products/:id?currency=EUR&id=42 flags=beta locale=de tier=free`. Readable and injective: no
 * two different inputs (after what is declared to be equal) give one key. Parameters are sorted, undefined ones and
 * declared defaults left out, locale and tier lower-cased. Costs about 1 µs.
 */
import { ForecacheError, textOf } from '../model/errors.ts'
import { canonicalText, isPlain } from './digest.ts'
import { isCaseFree } from './dimension.ts'
import { escapeChar } from './percent.ts'
import { createNameMatch, TRACKING_PARAMETERS } from './tracking.ts'

/** What decides the data. */
export interface KeyParts {
  /** Route pattern or name, such as `/api/products/:id` or `quote`. */
  readonly route: string
  /** JSON data by name; the number 1 and the text '1' stay apart. Tracking parameters are left out. */
  readonly params?: Readonly<Record<string, unknown>>
  /** Tier, never a token; upper and lower case are one. */
  readonly authTier?: string | undefined
  /** Language tag out of the offered list; upper and lower case are one. */
  readonly locale?: string | undefined
  /** Flags that are on, or each flag's value. `['a']` and `{ a: true }` are one; undefined ones are left out. */
  readonly flags?: readonly string[] | Readonly<Record<string, unknown>>
  /** Cookies that decide, by name. */
  readonly cookies?: Readonly<Record<string, string | undefined>>
  /** Request fields that decide, by name in any case; values lower-cased where the field has no case. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** Parameters that mean the same as left out when they have this value; '1' and 1 count as equal here. */
  readonly defaults?: Readonly<Record<string, unknown>>
  /** Put before everything as `name:v2:`; see `version`. */
  readonly namespace?: string
  /** Of the namespace; default 1. */
  readonly version?: number
}

const isTracking = createNameMatch(TRACKING_PARAMETERS)
const KNOWN = ['route', 'params', 'authTier', 'locale', 'flags', 'cookies', 'headers', 'defaults', 'namespace', 'version']

/**
 * @throws FC_OPTION_UNKNOWN for a part it does not know, FC_OPTION_TYPE when `route` is empty or a part is of another type, FC_KEY_DATA when a parameter is not JSON data
 * @example normalizeKey({ route: '/api/products', params: { sort: 'price', page: 2 }, authTier: 'free', locale: 'de-AT' })
 *   // '/api/products?page=2&sort=price locale=de-at tier=free'
 */
export function normalizeKey(parts: KeyParts): string {
  if (!isPlainObject(parts)) throw wrongPart('key', 'an object with a route', parts)
  for (const name in parts) {
    if (!KNOWN.includes(name)) throw new ForecacheError('FC_OPTION_UNKNOWN', { name: `key.${name}`, known: KNOWN.join(', ') })
  }
  if (typeof parts.route !== 'string' || parts.route === '') {
    throw new ForecacheError('FC_OPTION_TYPE', {
      name: 'key.route',
      expected: 'a route pattern or name',
      given: textOf(parts.route),
    })
  }
  checkParts(parts)
  let key = routeText(parts)
  if (parts.params !== undefined) key += paramText(parts.params, parts.defaults ?? {})
  if (parts.cookies !== undefined) key += namedText('cookie', parts.cookies)
  if (parts.flags !== undefined) key += flagText(parts.flags)
  if (parts.headers !== undefined) key += namedText('header', lowerNames(parts.headers))
  if (parts.locale !== undefined) key += ` locale=${escapeText(parts.locale.toLowerCase())}`
  if (parts.authTier !== undefined) key += ` tier=${escapeText(parts.authTier.toLowerCase())}`
  return key
}

/**
 * What decides the answer must not be overlooked: a Map, URLSearchParams or Headers has no members of its own, and all of
 * them would make one key.
 */
function checkParts(parts: KeyParts): void {
  for (const name of ['params', 'cookies', 'headers', 'defaults'] as const) {
    if (parts[name] !== undefined && !isPlainObject(parts[name])) throw wrongPart(`key.${name}`, 'a plain object', parts[name])
  }
  for (const name of ['cookies', 'headers'] as const) {
    for (const [member, value] of Object.entries(parts[name] ?? {})) {
      if (value !== undefined && typeof value !== 'string') throw wrongPart(`key.${name}.${member}`, 'a string', value)
    }
  }
  for (const name of ['authTier', 'locale', 'namespace'] as const) {
    if (parts[name] !== undefined && typeof parts[name] !== 'string') throw wrongPart(`key.${name}`, 'a string', parts[name])
  }
  const { flags, version = 1 } = parts
  const isFlags = Array.isArray(flags)
    ? flags.every((flag) => typeof flag === 'string')
    : flags === undefined || isPlainObject(flags)
  if (!isFlags) throw wrongPart('key.flags', 'a list of names or a plain object', flags)
  if (!Number.isSafeInteger(version) || version < 0) throw wrongPart('key.version', 'a whole number', version)
}

function isPlainObject(given: unknown): boolean {
  return typeof given === 'object' && given !== null && !Array.isArray(given) && isPlain(given)
}

function wrongPart(name: string, expected: string, given: unknown): ForecacheError {
  const kind =
    typeof given === 'object' && given !== null ? `an instance of ${given.constructor?.name ?? 'a class'}` : textOf(given)
  return new ForecacheError('FC_OPTION_TYPE', { name, expected, given: kind })
}

/** A route that reads like a namespaced one has its first colon escaped. */
function routeText({ route, namespace, version = 1 }: KeyParts): string {
  const text = escapeText(route)
  if (namespace === undefined) return /^[^:]*:v\d+:/.test(text) ? text.replace(':', '%3A') : text
  return `${escapeText(namespace).replaceAll(':', '%3A')}:v${version}:${text}`
}

function paramText(params: Readonly<Record<string, unknown>>, defaults: Readonly<Record<string, unknown>>): string {
  let text = ''
  for (const name of Object.keys(params).sort()) {
    const value = params[name]
    if (value === undefined || isTracking(name)) continue
    if (Object.hasOwn(defaults, name) && isSame(value, defaults[name])) continue
    text += `${text === '' ? '?' : '&'}${escapeText(name)}=${valueText(value)}`
  }
  return text
}

function flagText(flags: readonly string[] | Readonly<Record<string, unknown>>): string {
  const values: Record<string, unknown> = Object.create(null)
  if (Array.isArray(flags)) for (const name of flags as readonly string[]) values[name] = true
  else Object.assign(values, flags)
  const texts = Object.keys(values)
    .sort()
    .filter((name) => values[name] !== undefined)
    .map((name) => {
      const value = values[name]
      return value === true ? escapeText(name) : `${escapeText(name)}=${valueText(value)}`
    })
  return texts.length === 0 ? '' : ` flags=${texts.join(',')}`
}

function namedText(kind: string, values: Readonly<Record<string, string | undefined>>): string {
  let text = ''
  for (const name of Object.keys(values).sort()) {
    const value = values[name]
    if (value !== undefined) text += ` ${kind}.${escapeText(name)}=${escapeText(value.trim())}`
  }
  return text
}

function lowerNames(headers: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  const lowered: Record<string, string | undefined> = Object.create(null)
  for (const [given, value] of Object.entries(headers)) {
    const name = given.toLowerCase()
    const before = lowered[name]
    const text = isCaseFree(name) ? value?.toLowerCase() : value
    lowered[name] = before === undefined || text === undefined ? (before ?? text) : `${before}, ${text}` // one field, two lines
  }
  return lowered
}

/** Text stays bare unless it could be read as another kind of value. */
function valueText(value: unknown): string {
  if (typeof value === 'string' && !looksTyped(value)) return escapeText(value)
  return escapeText(canonicalText(value))
}

function looksTyped(text: string): boolean {
  return /^(?:["[{@_]|null$|true$|false$|-?Infinity$|NaN$|[-+]?\d)/.test(text)
}

function isSame(value: unknown, standard: unknown): boolean {
  if (typeof value === 'object' || typeof standard === 'object') return canonicalText(value) === canonicalText(standard)
  return String(value) === String(standard)
}

function escapeText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return /[\u0000-\u0020%&=?,#\u007f]/.test(text) ? text.replace(/[\u0000-\u0020%&=?,#\u007f]/g, escapeChar) : text
}
