/**
 * Looking in the second level for what memory does not have: the response, or its list of Vary sets and then its variants.
 *
 * Floor 4, room http. What is found and good stands in memory then, and is selected and judged there like anything else. One
 * question, and one more where the response varies; each takes at most the second level's deadline. Responses that were
 * stored under a wider key (No-Vary-Search) are found once this process knows that rule.
 */
import type { SecondLevel } from '../flow/second-level.ts'
import { selectingValues } from '../rules/vary.ts'
import { keyOfVariant, select, type Selected } from './select.ts'
import { type Stored, VaryIndex } from './stored.ts'
import { decodeStored } from './stored-codec.ts'
import { isImpatient, type KeyedVisit, routeOf } from './visit.ts'

/** The second level, where it may be asked for this visit. */
export function secondFor(visit: KeyedVisit, selected: Selected): SecondLevel | undefined {
  const { second, flights } = visit.desk.engine
  const { memoryOnly, adaptive: settings } = visit.routed.policy
  if (second === undefined || selected.kind === 'pass' || memoryOnly) return undefined
  if (visit.desk.engine.adaptive.isLocal({ key: selected.key, route: routeOf(visit), settings })) return undefined
  return isImpatient(visit) || flights.has(selected.key) ? undefined : second
}

/** @returns whether something came into memory; never rejects */
export async function pullStored(visit: KeyedVisit, second: SecondLevel): Promise<boolean> {
  const known = indexOf(visit)
  const isFound = known === undefined && (await pull(visit, second, visit.primary))
  const index = known ?? indexOf(visit)
  if (index === undefined) return isFound
  const found = await Promise.all(keysOf(visit, index).map((key) => pull(visit, second, key)))
  return found.includes(true)
}

/** What the second level has for a visit, or memory by now. */
export async function findStored(visit: KeyedVisit): Promise<Stored | undefined> {
  const { second } = visit.desk.engine
  if (second !== undefined) await pullStored(visit, second)
  const selected = select(visit)
  return selected.kind === 'stored' ? selected.stored : undefined
}

function pull(visit: KeyedVisit, second: SecondLevel, key: string): Promise<boolean> {
  return second.pull({
    key,
    namespace: 0,
    decode: (codec, payload, storedAt) => decodeStored(visit, { codec, payload, storedAt }),
  })
}

function indexOf(visit: KeyedVisit): VaryIndex | undefined {
  const verdict = visit.desk.engine.lookup(visit.primary)
  return verdict.state === 'fresh' && verdict.entry.value instanceof VaryIndex ? verdict.entry.value : undefined
}

/** Of the variants that the request may select. */
function keysOf({ primary, head, desk }: KeyedVisit, index: VaryIndex): readonly string[] {
  const keys = index.sets.map((names) => {
    const values = selectingValues(names, head.fields, desk.profile.varyForm)
    return keyOfVariant(primary, index, { names, values })
  })
  return [...new Set(desk.profile.byLanguage ? [...keys, ...index.languages] : keys)]
}
