/**
 * The judgement of a response: may it be stored, for how long, under which tags, for which requests.
 *
 * Floor 4, room http. Puts the rules together for one exchange; pure but for the clock handed in. Used by the door and by
 * the middleware, for whole responses, parts and renewals by a 304.
 */
import { parseNoVarySearch } from '../key/no-vary-search.ts'
import type { Budget } from '../model/budget.ts'
import type { RequestHead, ResponseHead } from '../model/exchange.ts'
import { ageOffsetMs, type Arrival } from '../rules/age.ts'
import type { CacheControl } from '../rules/cache-control.ts'
import { lifetimeOf, type StaleWindows, staleWindowsOf } from '../rules/freshness.ts'
import { groupTag, parseGroups } from '../rules/groups.ts'
import { fieldsToStore, partRefusal, type StoreRefusal, storeRefusal } from '../rules/storable.ts'
import { parseTags } from '../rules/surrogate.ts'
import { governingControl } from '../rules/targeted.ts'
import { validatorsOf } from '../rules/validate.ts'
import { parseVary, selectingValues } from '../rules/vary.ts'
import { policyTags, type Routed } from './policy.ts'
import type { Profile } from './profile.ts'
import type { Plan } from './stored.ts'
import { searchTags } from './url.ts'

/** One exchange to be judged. */
export interface Judged {
  readonly request: RequestHead
  readonly asked: CacheControl
  readonly response: ResponseHead
  readonly arrival: Arrival
  /** `clock.now()` when the request was sent. */
  readonly requestedAt: number
  /** Tags the key itself brings. */
  readonly tags: readonly string[]
  /** The response is a part (206). */
  readonly part?: boolean
}

/** What a judgement says. */
export type Judgement =
  | { readonly storable: true; readonly plan: Plan }
  | { readonly storable: false; readonly refusal: StoreRefusal }

/** Longest lifetime that is told apart, ms: ten years. */
const MAX_MS = 315_360_000_000

/** Judges one exchange. */
export function judgeResponse(judged: Judged, profile: Profile, routed: Routed): Judgement {
  const { request, response, arrival } = judged
  const { policy } = routed
  if (policy.strict) return refuse('policy')
  const governing = governingControl(response.fields)
  const latitude = { ...profile.latitude, staleWithSMaxage: policy.staleWithSMaxage || profile.latitude.staleWithSMaxage }
  const said = lifetimeOf(response, governing, { receivedWallMs: arrival.receivedWallMs, latitude })
  const budgeted = policy.budget !== undefined && (said.explicit || isGood(response.status))
  const lifetime = budgeted ? { ms: Math.min(said.explicit ? said.ms : Infinity, (policy.budget as Budget).freshMs), explicit: true } : said
  const candidate = {
    method: request.method, requestFields: request.fields, requestControl: judged.asked, status: response.status,
    fields: response.fields, governing, lifetime,
  }
  const refusal = judged.part === true ? partRefusal(candidate, profile.store) : storeRefusal(candidate, profile.store)
  if (refusal !== undefined) return refuse(refusal)
  const names = parseVary(response.fields)
  if (names === '*') return refuse('vary-star')
  const vary = policy.key === undefined ? names : names.filter((name) => policy.key?.covers.has(name) !== true)
  const search = request.method === 'GET' || request.method === 'HEAD' ? parseNoVarySearch(response.fields.get('no-vary-search')) : undefined
  const tags = tagsOf(judged, routed, search === undefined ? [] : searchTags(request, policy))
  if (tags === undefined) return refuse('tags')
  const fields = fieldsToStore(response.fields, governing.control, profile.store)
  const times = {
    requestedAt: judged.requestedAt,
    offsetMs: ageOffsetMs(response.fields, arrival),
    lifetimeMs: governing.control.noCache ? 0 : Math.min(lifetime.ms, MAX_MS),
    windows: boundWindows(staleWindowsOf(governing, latitude), policy.budget, { status: response.status, spoken: governing.control }),
    alwaysValidate: governing.control.noCache,
  }
  const budget = budgetOf(times, keepMs(times, validatorsOf(fields) !== undefined, profile))
  if (budget.onErrorMs === 0) return refuse('no-freshness')
  const selecting = selectingValues(vary, request.fields, profile.varyForm)
  return { storable: true, plan: { status: response.status, statusText: response.statusText, fields, ...times, vary, selecting, search, tags, budget } }
}

type Times = Pick<Plan, 'requestedAt' | 'offsetMs' | 'lifetimeMs' | 'windows' | 'alwaysValidate'>

/** The engine's windows: fresh and stale as RFC 9111 has them, and then as long as the response can still be of use. */
function budgetOf({ offsetMs, lifetimeMs, windows }: Times, keepMs: number): Budget {
  const from = (ms: number): number => Math.max(0, Math.min(ms, MAX_MS) - offsetMs)
  const lastMs = lifetimeMs + Math.max(windows.whileMs, windows.ifErrorMs, windows.disconnectedMs)
  return { freshMs: from(lifetimeMs), staleMs: from(lifetimeMs + windows.whileMs), onErrorMs: Math.max(from(lastMs), keepMs) }
}

/**
 * How long it stays findable at least: with validators to be validated, without them only for clients that accept stale
 * answers (max-stale), and then no longer than it was fresh.
 */
function keepMs({ lifetimeMs, windows }: Times, validatable: boolean, profile: Profile): number {
  if (validatable) return profile.keepMs
  return windows.onRequest ? Math.min(lifetimeMs * 2, profile.keepMs) : 0
}

/** A route's budget gives the stale windows where the origin names none, and bounds them where it does. */
function boundWindows(
  windows: StaleWindows,
  budget: Budget | undefined,
  { status, spoken }: { readonly status: number; readonly spoken: CacheControl },
): StaleWindows {
  if (budget === undefined || !windows.onRequest) return windows
  const whileMs = isGood(status) ? budget.staleMs - budget.freshMs : 0
  const ifErrorMs = isGood(status) ? budget.onErrorMs - budget.freshMs : 0
  return {
    ...windows,
    whileMs: spoken.staleWhileRevalidate === undefined ? whileMs : Math.min(windows.whileMs, whileMs),
    ifErrorMs: spoken.staleIfError === undefined ? ifErrorMs : Math.min(windows.ifErrorMs, ifErrorMs),
    disconnectedMs: Math.min(windows.disconnectedMs, ifErrorMs),
  }
}

function tagsOf(judged: Judged, routed: Routed, more: readonly string[]): readonly string[] | undefined {
  const surrogate = parseTags(judged.response.fields)
  const groups = parseGroups(judged.response.fields, 'cache-groups')
  if (surrogate === undefined || groups === undefined) return undefined
  const own = policyTags(routed)
  if (surrogate.length + groups.length + own.length + more.length === 0) return judged.tags
  return [...new Set([...judged.tags, ...more, ...own, ...surrogate, ...groups.map((group) => groupTag(judged.request, group))])]
}

/** What a route's budget is meant for: answers that say what was asked for. */
function isGood(status: number): boolean {
  return status === 200 || status === 203 || status === 204 || status === 206 || status === 300 || status === 301 || status === 308
}

function refuse(refusal: StoreRefusal): Judgement {
  return { storable: false, refusal }
}
