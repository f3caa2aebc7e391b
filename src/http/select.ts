/**
 * Looking up: from the primary key over its Vary sets to the response that this request selects (RFC 9111 section 4.1).
 *
 * Floor 4, room http. One Map lookup for a key without Vary, one more per Vary set (at most 8) with it.
 */
import { hash } from 'node:crypto'
import { variantKey } from '../key/key.ts'
import type { Entry } from '../model/entry.ts'
import type { Verdict } from '../model/verdict.ts'
import { selectingValues, selectsLanguage, variantText } from '../rules/vary.ts'
import { Stored, VaryIndex } from './stored.ts'
import type { KeyedVisit } from './visit.ts'

/** What stands for a request. */
export type Selected =
  | { readonly kind: 'absent'; readonly key: string; readonly varied: boolean }
  | { readonly kind: 'pass'; readonly key: string }
  | { readonly kind: 'stored'; readonly key: string; readonly stored: Stored; readonly softened: boolean }

const MAX_PLAIN_TEXT = 160

/** Looks a visit up. Counts as a use of what it finds. */
export function select(visit: KeyedVisit): Selected {
  const { engine } = visit.desk
  const key = visit.primary
  const verdict = engine.lookup(key)
  if (verdict.state === 'absent') return { kind: 'absent', key, varied: false }
  if (verdict.state === 'pass') return { kind: 'pass', key }
  const { value } = verdict.entry
  if (value instanceof VaryIndex) return selectVariant(visit, value, verdict.state === 'fresh')
  if (!(value instanceof Stored)) return { kind: 'absent', key, varied: false }
  return { kind: 'stored', key, stored: value, softened: isSoftened(verdict.entry, value) }
}

/** The key of the variant that a request with these values selects. */
export function keyOfVariant(
  primary: string,
  index: VaryIndex,
  selecting: { names: readonly string[]; values: readonly (string | null)[] },
): string {
  const text = variantText(selecting.names, selecting.values)
  return variantKey(primary, `${index.id}|${text.length > MAX_PLAIN_TEXT ? hash('sha256', text, 'base64url') : text}`)
}

/** The most recent of the variants that the request selects; none: the place where it would stand. */
function selectVariant(visit: KeyedVisit, index: VaryIndex, fresh: boolean): Selected {
  let found: Selected | undefined
  let foundAt = -Infinity
  let first: string | undefined
  for (const names of index.sets) {
    const values = selectingValues(names, visit.head.fields, visit.desk.profile.varyForm)
    const key = keyOfVariant(visit.primary, index, { names, values })
    first ??= key
    const verdict = visit.desk.engine.lookup(key)
    if (verdict.state === 'absent' || verdict.entry.storedAt <= foundAt) continue
    const selected = variantFrom(verdict, key, fresh)
    if (selected === undefined) continue
    found = selected
    foundAt = verdict.entry.storedAt
  }
  return found ?? byLanguage(visit, index, fresh) ?? { kind: 'absent', key: first ?? visit.primary, varied: true }
}

function variantFrom(verdict: Exclude<Verdict, { state: 'absent' }>, key: string, fresh: boolean): Selected | undefined {
  if (verdict.state === 'pass') return { kind: 'pass', key }
  const { value } = verdict.entry
  if (!(value instanceof Stored)) return undefined
  return { kind: 'stored', key, stored: value, softened: !fresh || isSoftened(verdict.entry, value) }
}

function byLanguage(visit: KeyedVisit, index: VaryIndex, fresh: boolean): Selected | undefined {
  if (!visit.desk.profile.byLanguage) return undefined
  for (const key of index.languages) {
    const verdict = visit.desk.engine.lookup(key)
    if (verdict.state === 'absent' || verdict.state === 'pass' || !(verdict.entry.value instanceof Stored)) continue
    const stored = verdict.entry.value
    if (selectsLanguage(visit.head.fields, stored.plan.fields)) {
      return { kind: 'stored', key, stored, softened: !fresh || isSoftened(verdict.entry, stored) }
    }
  }
  return undefined
}

/** A soft invalidation takes the fresh window away; one that has merely passed still stands in the budget. */
function isSoftened({ budget }: Entry, { plan }: Stored): boolean {
  return budget.freshMs === 0 && plan.budget.freshMs >= 1
}
