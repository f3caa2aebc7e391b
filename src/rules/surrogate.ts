/**
 * Tags that origins put on responses: Surrogate-Key and xkey (white space between), Cache-Tag (commas between).
 *
 * Floor 1, room rules. Pure, never throws.
 */
import type { Fields } from '../model/fields.ts'

/** Tags of one response beyond which it is not stored: a purge by a forgotten tag would miss it. */
export const MAX_TAGS = 512
const MAX_TAG_LENGTH = 1024

const SOURCES: readonly (readonly [field: string, separator: RegExp])[] = [
  ['surrogate-key', /[\s,]+/],
  ['xkey', /[\s,]+/],
  ['cache-tag', /\s*,\s*/],
]

/**
 * @returns tags without duplicates, in order; undefined when there are too many or one is too long to be kept.
 *   White space inside a Cache-Tag is percent-encoded, as tags have none.
 */
export function parseTags(fields: Fields): string[] | undefined {
  const tags = new Set<string>()
  for (const [field, separator] of SOURCES) {
    for (const line of fields.all(field)) {
      for (const part of line.split(separator)) {
        const tag = part.trim().replace(/\s/g, (char) => encodeURIComponent(char))
        if (tag === '') continue
        if (tag.length > MAX_TAG_LENGTH) return undefined
        tags.add(tag)
      }
    }
  }
  return tags.size > MAX_TAGS ? undefined : [...tags]
}
