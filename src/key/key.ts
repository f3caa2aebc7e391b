/**
 * The key of an HTTP request: scheme, authority, target, and what a policy declares besides.
 *
 * Floor 1, room key. `http://shop/api/products?sort=price locale=de tier=free`. Blanks separate, and nothing between
 * them holds one, so different parts never make the same text; what cannot be told for sure gets no key. GET and HEAD
 * share. All keys of one URL begin with its target key, followed by a blank or nothing. A plain key costs about 100 ns.
 */
import type { RequestHead } from '../model/exchange.ts'
import type { NoVarySearch } from './no-vary-search.ts'
import { relaxedQuery, spellNoVarySearch } from './no-vary-search.ts'
import { canonicalPath, canonicalPercent } from './percent.ts'
import type { KeyPolicy } from './policy.ts'
import { canonicalQuery } from './query.ts'

/**
 * The key that all answers of a URL share, whatever the dimensions: what a purge by URL and an unsafe method name.
 *
 * Without a policy only spellings that RFC 3986 section 6.2.2 calls equivalent are brought together.
 *
 * @returns undefined when the target or authority holds what no valid request holds
 */
export function targetKey(head: RequestHead, policy?: KeyPolicy): string | undefined {
  const { target, authority } = head
  if (!isClean(authority) || target.charCodeAt(0) !== 0x2f || target.indexOf(' ') >= 0) return undefined
  const site = head.scheme === 'https' ? `https://${authority}` : `http://${authority}`
  const question = target.indexOf('?')
  if (question < 0) return site + canonicalPath(target)
  const path = canonicalPath(target.slice(0, question))
  if (policy === undefined) return `${site}${path}?${canonicalPercent(target.slice(question + 1))}`
  const query = canonicalQuery(policy.query, target.slice(question + 1))
  return query === '' ? site + path : `${site}${path}?${query}`
}

/**
 * The primary key of a request.
 *
 * @param contentDigest of `digestContent`, for QUERY and other methods whose content is part of the key
 * @returns undefined when the request must not be answered from the cache nor its answer stored: see `keyRefusal`
 */
export function requestKey(head: RequestHead, policy?: KeyPolicy, contentDigest?: string): string | undefined {
  const base = targetKey(head, policy)
  return base === undefined ? undefined : extend(base, { head, policy, contentDigest })
}

/**
 * The key under which an answer with a No-Vary-Search is found by requests that differ only where it says so.
 *
 * @param rules of the stored answer; they are part of the key
 */
export function searchKey(head: RequestHead, rules: NoVarySearch, policy?: KeyPolicy): string | undefined {
  const question = head.target.indexOf('?')
  const path = question < 0 ? head.target : head.target.slice(0, question)
  const base = targetKey({ ...head, target: path }, policy)
  if (base === undefined) return undefined
  const query = relaxedQuery(question < 0 ? '' : head.target.slice(question + 1), rules)
  return extend(`${base} search=${spellNoVarySearch(rules)}?${query}`, { head, policy, contentDigest: undefined })
}

/** The key of one variant under a primary key. @param selecting of rules/vary `variantText` */
export function variantKey(primary: string, selecting: string): string {
  return `${primary} |${selecting}`
}

/** Why a request gets no key, for explain; undefined when it gets one. */
export function keyRefusal(head: RequestHead, policy?: KeyPolicy, contentDigest?: string): string | undefined {
  if (targetKey(head, policy) === undefined) return 'the request target or authority is not valid'
  if (!isRead(head.method) && contentDigest === undefined) return `${head.method} needs a digest of its content`
  return policy?.dimensions.find((dimension) => dimension.read(head) === undefined)?.refusal
}

interface Rest {
  readonly head: RequestHead
  readonly policy: KeyPolicy | undefined
  readonly contentDigest: string | undefined
}

function extend(base: string, { head, policy, contentDigest }: Rest): string | undefined {
  let key = base
  if (policy !== undefined) {
    for (const dimension of policy.dimensions) {
      const value = dimension.read(head)
      if (value === undefined) return undefined
      key += value === null ? ` ${dimension.name}` : ` ${dimension.name}=${value}`
    }
  }
  if (isRead(head.method)) return key
  return contentDigest === undefined ? undefined : `${key} ${head.method}:${contentDigest}`
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** Host and port alone; anything else could be read as part of the target. */
function isClean(authority: string): boolean {
  for (let i = 0; i < authority.length; i += 1) {
    const code = authority.charCodeAt(i)
    if (code <= 0x20 || code === 0x2f || code === 0x3f || code === 0x23 || code === 0x5c || code === 0x40) return false
  }
  return authority.length > 0
}
