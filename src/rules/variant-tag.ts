/**
 * Entity tags of representations that were made here, and the way back to the origin's.
 *
 * Floor 1, room rules. Pure. RFC 9110 section 8.8.3.3: representations that differ in their coding alone need strong tags
 * of their own. `"x"` in gzip becomes `"x;fc-gzip.k3J9wPqz"`: the mark is made of the bytes, so the same tag means the same
 * bytes, over restarts, other processes and other versions of zlib. Weak tags stay as they are: they say that the content
 * is the same, and it is. An origin whose own tags look like ours gets no representations made of its answers.
 */
import { isStrongTag, matchesWeakly, parseTagList } from './entity-tag.ts'

const OURS = /^"([!#-~\u0080-\u00ff]*);fc-[a-z]+\.[\w-]{8}"$/

/** @param mark of the bytes, 8 characters of base64url */
export function variantTag(tag: string, coding: string, mark: string): string {
  return isStrongTag(tag) ? `${tag.slice(0, -1)};fc-${coding}.${mark}"` : tag
}

/** Whether the tag looks like one that was made here. */
export function isVariantTag(tag: string): boolean {
  return tag.includes(';fc-') && OURS.test(tag)
}

/** The origin's tag that a tag was made of; the tag itself when it was not made here. */
export function originTag(tag: string): string {
  const match = tag.includes(';fc-') ? OURS.exec(tag) : null
  return match === null ? tag : `"${match[1]}"`
}

/**
 * `If-Match` as the origin is to read it: a representation made here stands for the state of the resource that it was
 * made of.
 */
export function originMatch(list: string): string {
  return list.includes(';fc-') ? [...new Set(parseTagList(list).map(originTag))].join(', ') : list
}

/** `If-None-Match` as the origin is to read it: what the client wrote, and the tags that his were made of. */
export function originNoneMatch(list: string): string {
  if (!list.includes(';fc-')) return list
  const tags = parseTagList(list)
  return [...new Set([...tags, ...tags.map(originTag)])].join(', ')
}

/** The tag by which the client knows what the origin's 304 names; undefined when he knows it by the origin's own. */
export function clientTag(list: string, tag: string): string | undefined {
  const tags = parseTagList(list)
  if (tags.some((one) => one === '*' || matchesWeakly(one, tag))) return undefined
  return tags.find((one) => isVariantTag(one) && matchesWeakly(originTag(one), tag))
}
