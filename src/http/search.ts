/**
 * No-Vary-Search: answers found by URLs whose query differs only where the answer said that it does not matter.
 *
 * Floor 4, room http. Such an answer stands under a key without those parameters; a small list per path says which
 * rules are in use there, and is looked at only where the exact URL has nothing. Everything found this way bears the
 * path's tag, so that a purge or an unsafe method on any URL of the path reaches it.
 */
import type { Fill } from '../flow/fill.ts'
import { searchKey, targetKey } from '../key/key.ts'
import { type NoVarySearch, spellNoVarySearch } from '../key/no-vary-search.ts'
import { select, type Selected } from './select.ts'
import type { Place } from './store.ts'
import type { Plan } from './stored.ts'
import { urlTag } from './url.ts'
import type { KeyedVisit } from './visit.ts'

/** Rules in use under one path: at most `MAX_RULES`, the last used first. */
class SearchIndex {
  readonly rules: readonly NoVarySearch[]

  constructor(rules: readonly NoVarySearch[]) {
    this.rules = rules
  }
}

const MAX_RULES = 4
const INDEX_MS = 30 * 86_400_000

/** What stands for a visit: under its own key, or under one that No-Vary-Search widened. */
export function lookUp(visit: KeyedVisit): { readonly visit: KeyedVisit; readonly selected: Selected } {
  const selected = select(visit)
  const wider = selected.kind === 'absent' ? findBySearch(visit) : undefined
  return wider === undefined ? { visit, selected } : { visit: wider, selected: select(wider) }
}

/** The same visit under a wider key, if something stands there. */
export function findBySearch(visit: KeyedVisit): KeyedVisit | undefined {
  if (visit.exact !== undefined || (visit.head.method !== 'GET' && visit.head.method !== 'HEAD')) return undefined
  const { engine } = visit.desk
  const index = indexOf(visit)
  for (const rules of index?.rules ?? []) {
    const primary = searchKey(visit.head, rules, visit.routed.policy.key)
    if (primary === undefined || engine.memory.look(primary) === undefined) continue
    return { ...visit, primary, exact: visit.primary, tags: withUrlTag(visit) }
  }
  return undefined
}

/** Where a planned response is to be stored: under the exact URL, or wider, where it says so. */
export function placeFor(visit: KeyedVisit, fill: Fill, plan: Plan): Place {
  const { policy } = visit.routed
  if (plan.search === undefined) {
    return { fill, primary: visit.exact ?? visit.primary }
  }
  const primary = searchKey(visit.head, plan.search, policy.key)
  if (primary === undefined) return { fill, primary: visit.primary }
  keepIndex(visit, fill, plan.search)
  return { fill: { ...fill, tags: withUrlTag({ ...visit, tags: fill.tags }) }, primary }
}

function indexOf(visit: KeyedVisit): SearchIndex | undefined {
  const key = indexKey(visit)
  const entry = key === undefined ? undefined : visit.desk.engine.memory.look(key)
  return entry?.value instanceof SearchIndex ? entry.value : undefined
}

function keepIndex(visit: KeyedVisit, fill: Fill, rules: NoVarySearch): void {
  const key = indexKey(visit)
  if (key === undefined) return
  const known = indexOf(visit)?.rules ?? []
  const spelled = spellNoVarySearch(rules)
  if (known.some((one) => spellNoVarySearch(one) === spelled)) return
  const value = new SearchIndex([rules, ...known].slice(0, MAX_RULES))
  const budget = { freshMs: INDEX_MS, staleMs: INDEX_MS, onErrorMs: INDEX_MS }
  visit.desk.engine.keep(
    { ...fill, key, tags: [] },
    { value, bytes: 64 + spelled.length * MAX_RULES, kind: 'vary', jitter: 0, budget },
  )
}

/** One per path, whatever the query. */
function indexKey({ head, routed }: KeyedVisit): string | undefined {
  const question = head.target.indexOf('?')
  const path = targetKey({ ...head, target: question < 0 ? head.target : head.target.slice(0, question) }, routed.policy.key)
  return path === undefined ? undefined : `${path} searches`
}

/** Under a wider key the URL is no longer the key: its tag takes over. */
function withUrlTag(visit: Pick<KeyedVisit, 'head' | 'routed' | 'tags'>): readonly string[] {
  const target = targetKey(visit.head, visit.routed.policy.key)
  const tag = target === undefined ? undefined : urlTag(target)
  return tag === undefined || visit.tags.includes(tag) ? visit.tags : [...visit.tags, tag]
}
