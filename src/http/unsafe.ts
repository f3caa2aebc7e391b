/**
 * Unsafe methods: passed on, and what they make stale invalidated before anybody hears of their success.
 *
 * Floor 4, room http. RFC 9111 section 4.4, RFC 9875 section 4. The invalidation stands in the log before the answer
 * leaves, so a client who has seen his write answered never reads older here; readings under way are fenced off.
 */
import type { Position } from '../model/entry.ts'
import { ForecacheError } from '../model/errors.ts'
import type { BodySource, Reply } from '../model/exchange.ts'
import { COUNTER } from '../model/metric.ts'
import { groupTag, parseGroups } from '../rules/groups.ts'
import { invalidatedTargets, sameOriginTarget } from '../rules/unsafe.ts'
import { type Heard, lengthOf } from './ask.ts'
import { Filling } from './filling.ts'
import { judgeResponse } from './judge.ts'
import { hearAsIs, replyPassed } from './pass.ts'
import { placeStored, sealStored } from './store.ts'
import type { Plan } from './stored.ts'
import { urlTargets } from './url.ts'
import { routeOf, type Visit } from './visit.ts'

/** Passes an unsafe request on. @throws what the origin port throws */
export async function handleUnsafe(visit: Visit): Promise<Reply> {
  const { engine } = visit.desk
  engine.meter.count(COUNTER.passes, routeOf(visit))
  const asOf = engine.fence.horizon
  let heard: Heard
  try {
    heard = await hearAsIs(visit)
  } catch (error) {
    // It may have been carried out although no answer came: in doubt what is stored goes.
    if (!(error instanceof ForecacheError && (error.code === 'FC_ORIGIN_REFUSED' || error.code === 'FC_ORIGIN_BUSY'))) invalidate(visit, [visit.head.target], [])
    throw error
  }
  const plan = planForGet(visit, heard, asOf) // judged before our own invalidation stands in the log
  const targets = invalidatedTargets(visit.head, heard.head)
  if (targets.length > 0) invalidate(visit, targets, groupsOf(visit, heard))
  const reply = replyPassed(visit, heard, { forward: 'method' })
  if (visit.routed.policy.readYourWrites) reply.head.fields.set('forecache-token', engine.token())
  return plan === undefined ? reply : { ...reply, body: storeForGet(visit, heard, plan) }
}

function invalidate(visit: Visit, targets: readonly string[], tags: readonly string[]): void {
  const keys: string[] = []
  const all = [...tags]
  for (const target of targets) {
    for (const one of urlTargets(visit.desk, { ...visit.head, target })) {
      if (one.kind === 'key') keys.push(one.key)
      else if (one.kind === 'tag') all.push(one.tag)
    }
  }
  visit.desk.engine.invalidate({ keys, tags: all, source: `gateway:${visit.head.method}` })
}

function groupsOf(visit: Visit, heard: Heard): string[] {
  return (parseGroups(heard.head.fields, 'cache-group-invalidation') ?? []).map((group) => groupTag(visit.head, group))
}

/**
 * What a POST's answer would be stored as for GET: it must be explicitly fresh, its Content-Location must name the target
 * (RFC 9110 section 9.3.3), and nothing of it may have been invalidated since the POST was sent.
 */
function planForGet(visit: Visit, heard: Heard, asOf: Position): Plan | undefined {
  const { desk, head, primary, routed } = visit
  const location = heard.head.fields.first('content-location')
  if (!desk.profile.postAnswersGet || head.method !== 'POST' || heard.head.status !== 200 || primary === undefined || location === undefined) return undefined
  if (sameOriginTarget(head, location) !== sameOriginTarget(head, head.target)) return undefined
  const judgement = judgeResponse(
    { request: head, asked: visit.asked, response: heard.head, arrival: heard.arrival, requestedAt: heard.requestedAt, tags: visit.tags },
    desk.profile, routed,
  )
  if (!judgement.storable || judgement.plan.lifetimeMs === 0) return undefined
  return desk.engine.fence.admits({ key: primary, asOf, namespace: 0, tags: judgement.plan.tags }) ? judgement.plan : undefined
}

function storeForGet(visit: Visit, heard: Heard, plan: Plan): BodySource {
  const { desk, routed } = visit
  const primary = visit.primary as string
  const fill = { ...desk.engine.begin(primary, { tags: visit.tags }), startedAt: heard.requestedAt }
  const filling = new Filling(heard.answer.body, {
    maxBytes: routed.policy.maxBodyBytes, expected: lengthOf(heard.head), laggardMs: desk.laggardMs, clock: desk.engine.clock, finish: true,
    holding: desk.holding,
  })
  void filling.done.then((body) => {
    if (body !== undefined) placeStored(desk, { fill, primary }, sealStored(desk, plan, { body, trailers: heard.answer.trailers() }))
  })
  return filling.read()
}
