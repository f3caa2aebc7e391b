/**
 * No-Vary-Search: what of a URL's query does not change the answer, as the answer itself says.
 *
 * Floor 1, room key. draft-ietf-httpbis-no-vary-search: a structured dictionary of `key-order`, `params` and `except`.
 * What does not parse, or contradicts itself, counts as no header at all. Off the hot path.
 */
import { parseDictionary } from 'structured-headers'
import { decodeForm } from './percent.ts'

/** Resolved rules. */
export interface NoVarySearch {
  /** Parameters may come in any order; repeated ones keep theirs. */
  readonly anyOrder: boolean
  /** Parameters that do not count; `all` with `except`. Decoded, sorted. */
  readonly ignored: readonly string[] | 'all'
  /** With `ignored: 'all'`: those that count nevertheless. Decoded, sorted. */
  readonly except: readonly string[]
}

/** Names beyond which the header is not trusted. */
const MAX_NAMES = 256

/**
 * @param value the field's lines combined
 * @returns undefined when the header says nothing that widens the match: absent, malformed, default
 */
export function parseNoVarySearch(value: string | undefined): NoVarySearch | undefined {
  if (value === undefined) return undefined
  let members: ReturnType<typeof parseDictionary>
  try {
    members = parseDictionary(value)
  } catch {
    return undefined
  }
  const order = members.get('key-order')?.[0] ?? false
  const params = readNames(members.get('params')?.[0] ?? false)
  const except = readNames(members.get('except')?.[0] ?? false)
  if (typeof order !== 'boolean' || params === undefined || except === undefined || except === true) return undefined
  if (except !== false && params !== true) return undefined // except is allowed beside a bare params only
  if (!order && (params === false || (params !== true && params.length === 0))) return undefined
  return {
    anyOrder: order,
    ignored: params === true ? 'all' : params === false ? [] : params,
    except: except === false ? [] : except,
  }
}

/**
 * The query as the rules see it: equal for two queries exactly when the rules call them equal.
 *
 * Compares what form parsing makes of names and values, as the draft says, but bytes that are no UTF-8 only with themselves.
 */
export function relaxedQuery(query: string, rules: NoVarySearch): string {
  const pairs: { readonly name: string; readonly text: string }[] = []
  for (const segment of query.split('&')) {
    if (segment === '') continue
    const equals = segment.indexOf('=')
    const name = decode(equals < 0 ? segment : segment.slice(0, equals))
    if (isIgnored(name, rules)) continue
    pairs.push({ name, text: `${spell(name)}=${equals < 0 ? '' : spell(decode(segment.slice(equals + 1)))}` })
  }
  if (rules.anyOrder) pairs.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  return pairs.map((pair) => pair.text).join('&')
}

/** One text per set of rules, without blanks. */
export function spellNoVarySearch(rules: NoVarySearch): string {
  const ignored = rules.ignored === 'all' ? '%*' : rules.ignored.map(spell).join(',')
  return `${rules.anyOrder ? 'any' : 'same'};${ignored};${rules.except.map(spell).join(',')}`
}

function isIgnored(name: string, rules: NoVarySearch): boolean {
  return rules.ignored === 'all' ? !rules.except.includes(name) : rules.ignored.includes(name)
}

/** A boolean, or sorted decoded names of an inner list of strings; undefined when it is something else. */
function readNames(given: unknown): boolean | readonly string[] | undefined {
  if (typeof given === 'boolean') return given
  if (!Array.isArray(given) || given.length > MAX_NAMES) return undefined
  const names = new Set<string>()
  for (const item of given as readonly (readonly [unknown, unknown])[]) {
    if (typeof item[0] !== 'string') return undefined
    names.add(decode(item[0]))
  }
  return [...names].sort()
}

/** Form-decoded; bytes that are no UTF-8 stay as sent behind a mark that decoded text cannot hold. */
function decode(text: string): string {
  return decodeForm(text) ?? `\ud800${text}`
}

function spell(text: string): string {
  return text.replace(/[^\w.~-]/gu, (char) =>
    char.isWellFormed() ? encodeURIComponent(char) : `%!${char.charCodeAt(0).toString(16)}`,
  )
}
