/**
 * The offered language that a request asks for.
 *
 * Floor 1, room key. RFC 9110 section 12.5.4 by the lookup of RFC 4647 section 3.4: the ranges by weight, each shortened
 * from its end until it names an offered language, case not regarded. Whoever keys by this must make sure that the
 * origin chooses the same: the chosen language is sent on in place of the client's list.
 */
import { parseWeighted } from './quality.ts'

/** A list of offered languages made ready for matching. */
export interface LocaleChoice {
  /** @param accept Accept-Language's value; undefined when absent. @returns one of the offered, spelled as offered */
  choose(accept: string | undefined): string
}

/**
 * @param offered language tags
 * @param standard what is served when nothing matches; one of the offered
 */
export function createLocaleChoice(offered: readonly string[], standard: string): LocaleChoice {
  const known = new Map(offered.map((tag) => [tag.toLowerCase(), tag]))
  const choose = (accept: string): string => {
    const ranges = parseWeighted(accept)
    if (ranges === undefined) return standard
    const refused = new Set(ranges.filter((range) => range.weight === 0).map((range) => range.name))
    const wanted = ranges.filter((range) => range.weight > 0).sort((a, b) => b.weight - a.weight)
    for (const { name } of wanted) {
      for (let range = name; range !== ''; range = shorten(range)) {
        const tag = known.get(range)
        if (tag !== undefined && !refused.has(range)) return tag
      }
    }
    return standard
  }
  const memo = new Map<string, string>()
  return {
    choose(accept) {
      if (accept === undefined) return standard
      const before = memo.get(accept)
      if (before !== undefined) return before
      const chosen = choose(accept)
      if (accept.length <= 256) {
        if (memo.size >= 1024) memo.clear() // browsers send few distinct lists; a flood of others costs matching again
        memo.set(accept, chosen)
      }
      return chosen
    },
  }
}

/** RFC 4647 section 3.4: drops the last subtag, and a single-letter one that then stands last. */
function shorten(range: string): string {
  const cut = range.lastIndexOf('-')
  if (cut < 0) return ''
  const shorter = range.slice(0, cut)
  return shorter.at(-2) === '-' ? shorter.slice(0, -2) : shorter
}

/** Whether one of the languages of a Content-Language is the chosen one, a part of it (`de` for `de-CH`) or a kind of it. */
export function isLanguage(chosen: string, contentLanguage: string): boolean {
  const wanted = chosen.toLowerCase()
  return contentLanguage.split(',').some((one) => {
    const tag = one.trim().toLowerCase()
    return tag === wanted || tag.startsWith(`${wanted}-`) || wanted.startsWith(`${tag}-`)
  })
}
