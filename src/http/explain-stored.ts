/**
 * What stands for a request, for people: the variant it selects, and how its response stands by its own times.
 *
 * Floor 4, room http. The steps of `select` and `read` without counting a use.
 */
import type { RequestHead } from '../model/exchange.ts'
import type { KeyPart, RequestView, ResponseView } from '../model/explain.ts'
import { decideUse, mayStandIn } from '../rules/reuse.ts'
import { selectingValues } from '../rules/vary.ts'
import { keyOfVariant } from './select.ts'
import { ageOf, standingOf, Stored, VaryIndex } from './stored.ts'
import type { Desk, KeyedVisit } from './visit.ts'

/** Where a request's answer stands, or would. */
export interface Variant {
  readonly key: string
  readonly parts: readonly KeyPart[]
  readonly stored: Stored | undefined
  readonly softened: boolean
}

/** The variant that stands for a request, the most recent if several do; else the place where it would stand. */
export function findVariant(desk: Desk, head: RequestHead, primary: string): Variant {
  const top = look(desk, primary)
  if (!(top.value instanceof VaryIndex)) {
    return { key: primary, parts: [], stored: top.value instanceof Stored ? top.value : undefined, softened: top.softened }
  }
  let best: (Variant & { readonly at: number }) | undefined
  for (const names of top.value.sets) {
    const values = selectingValues(names, head.fields, desk.profile.varyForm)
    const key = keyOfVariant(primary, top.value, { names, values })
    const { value, softened, at } = look(desk, key)
    if (best !== undefined && at <= best.at) continue
    const parts = names.map((name, i) => ({ name: `vary ${name}`, value: values[i] ?? '(none)' }))
    best = { key, parts, stored: value instanceof Stored ? value : undefined, softened: softened || top.softened, at }
  }
  return best ?? { key: primary, parts: [], stored: undefined, softened: false }
}

function look(desk: Desk, key: string): { value: unknown; softened: boolean; at: number } {
  const entry = desk.engine.memory.look(key)
  if (entry === undefined) return { value: undefined, softened: false, at: -Infinity }
  const ageMs = desk.engine.clock.now() - entry.storedAt
  return { value: entry.value, softened: ageMs >= entry.budget.freshMs, at: entry.storedAt }
}

/** By its own times, for this very request. */
export function viewStored(visit: KeyedVisit, stored: Stored, softened: boolean): Pick<RequestView, 'standing' | 'response'> {
  const now = visit.desk.engine.clock.now()
  const stands = standingOf(stored.plan, now, softened)
  const response = viewResponse(stored, ageOf(stored.plan, now))
  switch (decideUse(stands, visit.asked)) {
    case 'serve':
      return { standing: 'fresh', response }
    case 'stale':
    case 'behind':
      return { standing: 'stale', response }
    case 'validate':
      return { standing: mayStandIn(stands, true) ? 'reserve' : 'outdated', response }
  }
}

function viewResponse(stored: Stored, ageMs: number): ResponseView {
  const { plan, variants, body } = stored
  const { status, lifetimeMs, windows, alwaysValidate, vary } = plan
  return {
    status,
    ageMs: Math.round(ageMs),
    lifetimeMs,
    whileRevalidateMs: windows.whileMs,
    ifErrorMs: windows.ifErrorMs,
    alwaysValidate,
    vary,
    codings: variants?.list(stored) ?? [{ coding: plan.fields.get('content-encoding') ?? 'identity', bytes: body.byteLength }],
  }
}
