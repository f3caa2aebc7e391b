/**
 * Giving a visit its key.
 *
 * Floor 4, room http.
 */
import { requestKey, targetKey } from '../key/key.ts'
import { urlTag } from './url.ts'
import type { Visit } from './visit.ts'

/**
 * @param method GET, HEAD or QUERY; for an unsafe one the method whose key is meant
 * @param contentDigest of `digestContent`, for QUERY
 * @returns the visit with its key, and with the URL's tag where the key is not the URL alone
 */
export function keyed(visit: Visit, method: string, contentDigest?: string): Visit {
  const { key } = visit.routed.policy
  const head = visit.head.method === method ? visit.head : { ...visit.head, method }
  const primary = requestKey(head, key, contentDigest)
  const target = primary === undefined ? undefined : targetKey(head, key)
  const tags = target === undefined || target === primary ? [] : [urlTag(target)]
  // Spelled out: a copy by spreading costs a request more than its key does.
  const { desk, body, exchange, asked, routed } = visit
  return { desk, head: visit.head, body, exchange, asked, routed, primary, tags }
}
