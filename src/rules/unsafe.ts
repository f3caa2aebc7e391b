/**
 * Safe methods, and what an answer to an unsafe one makes stale (RFC 9110 section 9.2.1, RFC 9111 section 4.4).
 *
 * Floor 1, room rules. Pure. An unknown method counts as unsafe.
 */
import type { RequestHead, ResponseHead } from '../model/exchange.ts'

/** Safe by registration: RFC 9110, RFC 10008 (QUERY), RFC 4918, 3253 and 5323. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND', 'REPORT', 'SEARCH'])

/** Whether the method asks for nothing but reading. Methods are case-sensitive. */
export function isSafeMethod(method: string): boolean {
  return SAFE.has(method)
}

/** Whether this cache stores answers to the method under the target's own key. */
export function isCacheableMethod(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'QUERY'
}

/**
 * The targets whose stored responses go when an unsafe request was answered without error: the request's own, and those
 * in Location and Content-Location of the same origin.
 *
 * @returns origin-form targets (path and query), without duplicates; empty when the method is safe or the answer an error
 */
export function invalidatedTargets(request: RequestHead, response: ResponseHead): string[] {
  if (isSafeMethod(request.method) || response.status < 200 || response.status >= 400) return []
  const targets = new Set([request.target])
  for (const name of ['location', 'content-location']) {
    for (const value of response.fields.all(name)) {
      const target = sameOriginTarget(request, value)
      if (target === undefined) continue
      targets.add(target)
      const spelled = writtenTarget(value)
      if (spelled !== undefined) targets.add(spelled)
    }
  }
  return [...targets]
}

/** The target as the origin wrote it: resolving a reference encodes what clients send as it is, `'` in a query say. */
function writtenTarget(reference: string): string | undefined {
  return /^(?:[a-z]+:)?(?:\/\/[^/?#]*)?(\/[^#]*)/i.exec(reference)?.[1]
}

/** A URI reference resolved against the request; undefined when it is invalid or leaves the origin. */
export function sameOriginTarget(request: RequestHead, reference: string): string | undefined {
  const base = `${request.scheme}://${request.authority}`
  const from = URL.parse(request.target === '*' ? '/' : request.target, base)
  const to = from === null ? null : URL.parse(reference, from)
  if (from === null || to === null || to.protocol !== from.protocol || to.host !== from.host) return undefined
  return to.pathname + to.search
}
