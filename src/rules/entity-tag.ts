/**
 * Entity tags (RFC 9110 section 8.8.3): parsing, strong and weak comparison.
 *
 * Floor 1, room rules. Pure. A tag that does not follow the grammar compares byte for byte with itself only, and weakly.
 */

/** Whether the tag is a valid strong validator. */
export function isStrongTag(tag: string): boolean {
  return /^"[!#-~\u0080-\u00ff]*"$/.test(tag)
}

/** Whether the tag is valid, strong or weak. */
export function isEntityTag(tag: string): boolean {
  return isStrongTag(tag.startsWith('W/') ? tag.slice(2) : tag)
}

/** Strong comparison (RFC 9110 section 8.8.3.2): both strong and equal. */
export function matchesStrongly(a: string, b: string): boolean {
  return a === b && isStrongTag(a)
}

/** Weak comparison: equal but for the weakness mark. */
export function matchesWeakly(a: string, b: string): boolean {
  return opaque(a) === opaque(b)
}

/** Tags of `If-Match` or `If-None-Match`; `*` alone gives ['*']. What is no tag is kept as it is. */
export function parseTagList(value: string): string[] {
  const tags: string[] = []
  let from = 0
  let quoted = false
  for (let i = 0; i <= value.length; i += 1) {
    const char = value[i]
    if (char === '"') quoted = !quoted // no escapes inside entity tags
    if (i < value.length && (quoted || char !== ',')) continue
    const tag = value.slice(from, i).trim()
    if (tag !== '') tags.push(tag)
    from = i + 1
  }
  return tags
}

function opaque(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag
}
