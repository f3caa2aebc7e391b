/**
 * What an answer's Link fields say will be asked for next, as far as that may be believed.
 *
 * Floor 4, room http. Of the same site alone, GET by nature, few and short; what servers read differently is left alone. An
 * origin may be led to name something that an attacker chose: so nothing here is asked for with anybody's credentials, nor
 * on routes that do not prefetch (prefetch-way.ts).
 *
 * @see RFC 8288 (Link), RFC 8297 (103 Early Hints), Resource Hints (W3C)
 */
import { isAmbiguousPath } from '../key/route.ts'
import type { Fields } from '../model/fields.ts'
import { parseLinks } from '../rules/link.ts'

const MAX_HINTS = 8
const MAX_URL_CHARS = 2048
/** What would be resolved to another path than is written. */
const HIDDEN = /\\|%(?:2e|2f|5c)/i

/** Where the answer stands, and what counts as a hint. */
export interface Hinting {
  readonly url: string
  readonly site: string
  readonly rels: readonly string[]
}

/** @returns absolute URLs of this site, each once */
export function hintsIn(fields: Fields, { url, site, rels }: Hinting): readonly string[] {
  const found = new Set<string>()
  for (const line of fields.all('link')) {
    for (const { target, rels: given } of parseLinks(line)) {
      if (found.size >= MAX_HINTS) return [...found]
      if (!given.some((rel) => rels.includes(rel))) continue
      const next = resolve(target, url, site)
      if (next !== undefined && next !== url) found.add(next)
    }
  }
  return [...found]
}

function resolve(target: string, url: string, site: string): string | undefined {
  if (target.length > MAX_URL_CHARS || HIDDEN.test(target)) return undefined
  const next = URL.parse(target, url)
  if (next === null || next.origin !== new URL(site).origin || next.username !== '' || next.password !== '') return undefined
  const path = next.pathname + next.search
  return path.length > MAX_URL_CHARS || isAmbiguousPath(path) ? undefined : site + path
}
