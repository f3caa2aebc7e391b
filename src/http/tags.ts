/**
 * The tags of a response: its key's, its route's, those its origin put on it, its groups.
 *
 * Floor 4, room http. Pure. More tags than are kept means that it is not stored: a purge by a forgotten one would miss it.
 */
import type { RequestHead } from '../model/exchange.ts'
import type { Fields } from '../model/fields.ts'
import { groupTag, parseGroups } from '../rules/groups.ts'
import { parseTags } from '../rules/surrogate.ts'
import { policyTags, type Routed } from './policy.ts'

/**
 * @param request what was asked for
 * @param fields of the response
 * @param known the key's tags and the route
 */
export function tagsOf(
  request: RequestHead,
  fields: Fields,
  known: { readonly tags: readonly string[]; readonly routed: Routed },
): readonly string[] | undefined {
  const surrogate = parseTags(fields)
  const groups = parseGroups(fields, 'cache-groups')
  if (surrogate === undefined || groups === undefined) return undefined
  const own = policyTags(known.routed)
  if (surrogate.length + groups.length + own.length === 0) return known.tags
  return [...new Set([...known.tags, ...own, ...surrogate, ...groups.map((group) => groupTag(request, group))])]
}

/** Groups that an answer to an unsafe request empties (RFC 9875 section 3), as tags. */
export function invalidatedGroups(request: RequestHead, fields: Fields): string[] {
  return (parseGroups(fields, 'cache-group-invalidation') ?? []).map((group) => groupTag(request, group))
}
