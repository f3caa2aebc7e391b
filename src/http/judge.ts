/**
 * The judgement of a response: may it be stored, for how long, under which tags, for which requests.
 *
 * Floor 4, room http. Puts the rules together for one exchange, and what was learned of the key's changes. The same for whole responses, parts, renewals by a
 * 304 and what HEAD says.
 */
import { parseNoVarySearch } from '../key/no-vary-search.ts'
import { fieldsToStore, partRefusal, type StoreRefusal, storeRefusal } from '../rules/storable.ts'
import { governingControl } from '../rules/targeted.ts'
import { adaptTimes, isDemoted } from './adapt.ts'
import type { Heard } from './ask.ts'
import { compactFields } from './compact.ts'
import { selectionOf, tellVary } from './selection.ts'
import type { Plan } from './stored.ts'
import { tagsOf } from './tags.ts'
import { budgetOf, lifetimeFor, lifetimeSaid, timesOf } from './times.ts'
import { searchTags } from './url.ts'
import type { Visit } from './visit.ts'

/** What a judgement says. */
export type Judgement =
  | { readonly storable: true; readonly plan: Plan }
  | { readonly storable: false; readonly refusal: StoreRefusal }

/** How an answer is judged. */
export interface JudgeOptions {
  /** It is a part (206). */
  readonly part?: boolean
}

/** Judges what was heard in answer to a visit. */
export function judgeHeard(
  visit: Visit,
  heard: Pick<Heard, 'head' | 'arrival' | 'requestedAt' | 'accept'>,
  options: JudgeOptions = {},
): Judgement {
  const { head: request, routed, desk } = visit
  const { head: response, arrival, requestedAt } = heard
  const { status, fields: received } = response
  const timing = { profile: desk.profile, policy: routed.policy }
  if (routed.policy.strict) return refuse('policy')
  const governing = governingControl(received)
  const timed = { status, fields: received, governing, arrival }
  const lifetime = lifetimeFor(timed, timing)
  const { key } = routed.policy
  // A declared tier says that credentials change the answer by their tier alone, and the tier is in the key.
  const requestFields =
    key?.covers.has('authorization') === true ? request.fields.clone().delete('authorization') : request.fields
  if (key?.contradicts(request, received) === true) return refuse('policy')
  const candidate = { ...timed, method: request.method, requestFields, requestControl: visit.asked, lifetime }
  const refusal = options.part === true ? partRefusal(candidate, desk.profile.store) : storeRefusal(candidate, desk.profile.store)
  if (refusal !== undefined) return refuse(refusal)
  const selection = selectionOf(visit, { status, fields: received, accept: heard.accept, part: options.part === true })
  if (selection === undefined) return refuse('vary-star')
  const search =
    request.method === 'QUERY' || options.part === true ? undefined : parseNoVarySearch(received.get('no-vary-search'))
  const known = search === undefined ? visit.tags : [...visit.tags, ...searchTags(request, routed.policy)]
  const tags = tagsOf(request, received, { tags: known, routed })
  if (tags === undefined) return refuse('tags')
  const fields = compactFields(tellVary(fieldsToStore(received, governing.control, desk.profile.store), selection))
  if (isDemoted(visit)) return refuse('demoted')
  const promised = timesOf(timed, lifetime, timing)
  const adapting = { status, said: lifetimeSaid(timed, timing), times: promised, selection }
  const times = options.part === true ? promised : adaptTimes(visit, adapting)
  const budget = budgetOf(times, fields, desk.profile)
  if (budget.onErrorMs === 0) return refuse('no-freshness')
  return {
    storable: true,
    plan: { status, statusText: response.statusText, fields, requestedAt, ...times, ...selection, search, tags, budget },
  }
}

function refuse(refusal: StoreRefusal): Judgement {
  return { storable: false, refusal }
}
