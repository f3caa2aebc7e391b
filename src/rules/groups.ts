/**
 * Cache groups (RFC 9875): Cache-Groups puts a stored response into groups of its origin, Cache-Group-Invalidation in
 * the answer to an unsafe request empties them.
 *
 * Floor 1, room rules. Pure, never throws: a field that is no list of strings is ignored.
 */
import { parseList } from 'structured-headers'
import type { RequestHead } from '../model/exchange.ts'
import type { Fields } from '../model/fields.ts'

/** Groups of one response beyond which it is not stored: it could not be invalidated by all of them. */
export const MAX_GROUPS = 128
// Encoded and behind the longest authority it is still a tag.
const MAX_GROUP_LENGTH = 250

/** @returns group names; undefined when a response has more, or longer ones, than are kept */
export function parseGroups(fields: Fields, field: 'cache-groups' | 'cache-group-invalidation'): string[] | undefined {
  const value = fields.get(field)
  if (value === undefined) return []
  const groups = new Set<string>()
  for (const member of membersOf(value)) if (typeof member === 'string') groups.add(member)
  // What is invalidated has no limit but the head's: a group left out would leave old answers standing.
  if (field === 'cache-group-invalidation') return [...groups].filter((group) => group.length <= MAX_GROUP_LENGTH)
  if (groups.size > MAX_GROUPS) return undefined
  for (const group of groups) if (group.length > MAX_GROUP_LENGTH) return undefined
  return [...groups]
}

/** The tag of a group; groups of two origins never meet (RFC 9875 section 2.1). White space is encoded, tags have none. */
export function groupTag(request: Pick<RequestHead, 'scheme' | 'authority'>, group: string): string {
  return `group:${request.scheme}://${request.authority}:${encodeURIComponent(group)}`
}

function membersOf(value: string): unknown[] {
  try {
    return parseList(value).map(([member]) => member)
  } catch {
    return []
  }
}
