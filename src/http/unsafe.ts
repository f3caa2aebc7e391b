/**
 * Unsafe methods: passed on, and what they make stale invalidated before anybody hears of their success.
 *
 * Floor 4, room http. RFC 9111 section 4.4, RFC 9875 section 4. The invalidation stands in the log before the answer
 * leaves, so a client who has seen his write answered never reads older here; readings under way are fenced off.
 */
import { ForecacheError } from '../model/errors.ts'
import type { Reply } from '../model/exchange.ts'
import { COUNTER } from '../model/metric.ts'
import { groupTag, parseGroups } from '../rules/groups.ts'
import { invalidatedTargets, sameOriginTarget } from '../rules/unsafe.ts'
import type { Heard } from './ask.ts'
import { lengthOf } from './ask.ts'
import { Filling } from './filling.ts'
import { judgeResponse } from './judge.ts'
import { hearAsIs, replyPassed } from './pass.ts'
import { placeStored, sealStored } from './store.ts'
import { urlTargets } from './url.ts'
import { type KeyedVisit, routeOf, type Visit } from './visit.ts'

/** Passes an unsafe request on. @throws what the origin port throws */
export async function handleUnsafe(visit: Visit): Promise<Reply> {
  const { engine } = visit.desk
  engine.meter.count(COUNTER.passes, routeOf(visit))
  const before = engine.fence.horizon
  let heard: Heard
  try {
    heard = await hearAsIs(visit)
  } catch (error) {
    // It may have been carried out although no answer came: in doubt what is stored goes.
    if (!(error instanceof ForecacheError && (error.code === 'FC_ORIGIN_REFUSED' || error.code === 'FC_ORIGIN_BUSY'))) invalidate(visit, [visit.head.target], [])
    throw error
  }
  const undisturbed = engine.fence.horizon === before
  const targets = invalidatedTargets(visit.head, heard.head)
  if (targets.length > 0) invalidate(visit, targets, groupsOf(visit, heard))
  const reply = replyPassed(visit, heard, { forward: 'method' })
  if (visit.routed.policy.readYourWrites) reply.head.fields.set('forecache-token', engine.token())
  return undisturbed && targets.length > 0 ? storeForGet(visit, heard, reply) : reply
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
 * A POST's answer that says it is what GET would give (RFC 9110 section 9.3.3): explicit freshness, and Content-Location
 * naming the target. Stored only when nothing else was invalidated since the POST was sent.
 */
function storeForGet(visit: Visit, heard: Heard, reply: Reply): Reply {
  const { desk, head, primary, routed } = visit
  const location = heard.head.fields.first('content-location')
  if (!desk.profile.postAnswersGet || head.method !== 'POST' || heard.head.status !== 200 || primary === undefined || location === undefined) return reply
  if (sameOriginTarget(head, location) !== sameOriginTarget(head, head.target)) return reply
  const keyed = { ...visit, primary } satisfies KeyedVisit
  const judgement = judgeResponse(
    { request: head, asked: visit.asked, response: heard.head, arrival: heard.arrival, requestedAt: heard.requestedAt, tags: visit.tags },
    desk.profile, routed,
  )
  if (!judgement.storable || judgement.plan.lifetimeMs === 0) return reply
  const { plan } = judgement
  const fill = { ...desk.engine.begin(primary, { tags: visit.tags }), startedAt: heard.requestedAt }
  const filling = new Filling(heard.answer.body, {
    maxBytes: routed.policy.maxBodyBytes, expected: lengthOf(heard.head), laggardMs: desk.laggardMs, clock: desk.engine.clock, finish: true, holding: desk.holding,
  })
  void filling.done.then((body) => {
    if (body === undefined) return
    placeStored(desk, { fill, primary: keyed.primary }, sealStored(desk, plan, { body, trailers: heard.answer.trailers() }))
  })
  return { ...reply, body: filling.read() }
}
