/**
 * Asking for what is read most when nobody asks: after a start, after an invalidation, in quiet times.
 *
 * Floor 4, room http. What is remembered of a request is its URL and the fields that decide over its answer, as words that
 * outlive the process: nothing of who asked. Whoever showed who he is does not have that used when he is not there. Words may
 * come from a disk: what they say is checked like a client's request, and means what the rules in force make of it.
 */
import type { WarmAgain } from '../flow/warm-parts.ts'
import { keyed } from './keying.ts'
import { requestKey } from '../key/key.ts'
import type { RequestHead } from '../model/exchange.ts'
import { Fields } from '../model/fields.ts'
import { requestControl } from '../rules/reuse.ts'
import { lookUp } from './search.ts'
import { loadBehind } from './refresh.ts'
import { VaryIndex } from './stored.ts'
import { type Desk, isImpatient, type KeyedVisit, routeOf, type Visit } from './visit.ts'

/** Fields by which a client shows who he is, or asks for a part. */
const OWN: readonly string[] = ['authorization', 'cookie', 'proxy-authorization', 'range']
const NEGOTIATED: readonly string[] = ['accept', 'accept-encoding', 'accept-language']
/** Fields of a connection, or of whoever stands before the origin: no words have a say in them. */
const REFUSED: ReadonlySet<string> = new Set(
  'host connection keep-alive te trailer transfer-encoding content-length upgrade expect via forwarded'.split(' '),
)
const REFUSED_BEGINNINGS: readonly string[] = ['proxy-', 'x-forwarded-', 'if-']
const MAX_WORDS_CHARS = 8192
const NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const TARGET = /^\/[\x21-\x7e\x80-\xff]*$/
/** Nobody is there to go away. */
const STAYING = new AbortController().signal

/** @returns undefined where it is not to be asked for again */
export function warmFor(visit: Visit): WarmAgain | undefined {
  const { desk, head, routed } = visit
  if (!routed.policy.warming || desk.origin === undefined || visit.primary === undefined) return undefined
  if (head.method !== 'GET' || visit.body !== undefined || isImpatient(visit)) return undefined
  if (OWN.some((name) => head.fields.has(name))) return undefined
  return { route: routeOf(visit), ask: () => wordsOf(visit) }
}

/** What is remembered of a request; undefined where that would not be the same request. */
function wordsOf({ desk, head, routed, primary }: Visit): string | undefined {
  const { key } = routed.policy
  const index = primary === undefined ? undefined : desk.engine.memory.look(primary)?.value
  const varied = index instanceof VaryIndex ? index.sets.flat() : []
  const names = new Set([...NEGOTIATED, ...varied, ...(key?.covers ?? [])])
  const list = [...head.fields].filter(([name]) => names.has(name)).flat()
  const { scheme, authority, target } = head
  const words = JSON.stringify([scheme, authority, target, list])
  if (words.length > MAX_WORDS_CHARS) return undefined
  const asked = headOf(words)
  if (asked === undefined) return undefined
  // A key may be made of more than is remembered, by a function of the application's.
  return key === undefined || requestKey(asked, key) === requestKey(head, key) ? words : undefined
}

/** Asks for what words say, as the rules in force have it. @throws (rejects) what the origin port throws */
export async function askByWords(desk: Desk, words: string): Promise<void> {
  const head = headOf(words)
  if (head === undefined || desk.origin === undefined) return
  const routed = desk.policies.match(head.method, head.target)
  if (!routed.policy.warming || routed.policy.strict) return
  const exchange = { origin: desk.origin, signal: STAYING }
  const visit: Visit = {
    desk,
    head,
    body: undefined,
    exchange,
    routed,
    asked: requestControl(head.fields),
    tags: [],
    primary: undefined,
  }
  const own = keyed(visit, 'GET')
  if (own.primary === undefined) return
  const found = lookUp(own as KeyedVisit)
  await loadBehind(found.visit, found.selected)
}

/** @returns undefined for what no client could have sent */
function headOf(words: string): RequestHead | undefined {
  try {
    const read: unknown = JSON.parse(words)
    if (!Array.isArray(read)) return undefined
    const [scheme, authority, target, list] = read as unknown[]
    if ((scheme !== 'http' && scheme !== 'https') || !isText(authority) || !isText(target)) return undefined
    if (!TARGET.test(target) || authority === '' || !Array.isArray(list) || !list.every(isText) || list.length % 2 !== 0)
      return undefined
    if (!list.every((text, at) => (at % 2 === 0 ? isAllowed(text) : VALUE.test(text)))) return undefined
    if (!URL.canParse(`${scheme}://${authority}/`)) return undefined
    return { method: 'GET', scheme, authority, target, fields: Fields.ofLower([...list]) }
  } catch {
    return undefined
  }
}

function isAllowed(name: string): boolean {
  if (!NAME.test(name) || OWN.includes(name) || REFUSED.has(name)) return false
  return !REFUSED_BEGINNINGS.some((beginning) => name.startsWith(beginning))
}

function isText(given: unknown): given is string {
  return typeof given === 'string' && given.length <= MAX_WORDS_CHARS
}
