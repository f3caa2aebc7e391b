/**
 * Unsafe methods: passed on, and what they make stale invalidated before anybody hears of their success.
 *
 * Floor 4, room http. RFC 9111 section 4.4, RFC 9875 section 3. The invalidation stands in the log before the answer
 * leaves, so a client who has seen his write answered never reads older here; readings under way are fenced off.
 */
import { ForecacheError } from '../model/errors.ts'
import type { Reply } from '../model/exchange.ts'
import { invalidatedTargets } from '../rules/unsafe.ts'
import { hearAsIs, type Heard } from './ask.ts'
import { replyPassed } from './pass.ts'
import { planForGet, storeForGet } from './post.ts'
import { invalidatedGroups } from './tags.ts'
import { count } from './tally.ts'
import { urlTargets } from './url.ts'
import type { Visit } from './visit.ts'

/** Passes an unsafe request on. @throws what the origin port throws */
export async function handleUnsafe(visit: Visit): Promise<Reply> {
  const { engine } = visit.desk
  count(visit, 'passes')
  const asOf = engine.fence.horizon
  let heard: Heard
  try {
    heard = await hearAsIs(visit)
  } catch (error) {
    // It may have been carried out although no answer came: in doubt what is stored goes.
    if (!isUnsent(error)) invalidate(visit, [visit.head.target], [])
    throw error
  }
  const plan = planForGet(visit, heard, asOf) // judged before our own invalidation stands in the log
  const targets = invalidatedTargets(visit.head, heard.head)
  if (targets.length > 0) invalidate(visit, targets, invalidatedGroups(visit.head, heard.head.fields))
  const reply = replyPassed(visit, heard, { forward: 'method' })
  if (visit.routed.policy.readYourWrites) reply.head.fields.set('forecache-token', engine.token())
  if (plan === undefined || visit.primary === undefined) return reply
  return { ...reply, body: storeForGet({ ...visit, primary: visit.primary }, heard, plan) }
}

function invalidate(visit: Visit, targets: readonly string[], groups: readonly string[]): void {
  const keys: string[] = []
  const tags = [...groups]
  for (const target of targets) {
    for (const named of urlTargets(visit.desk, { ...visit.head, target })) {
      if (named.kind === 'key') keys.push(named.key)
      else if (named.kind === 'tag') tags.push(named.tag)
    }
  }
  visit.desk.engine.invalidate({ keys, tags, source: `gateway:${visit.head.method}` })
}

/** Whether the origin certainly never got the request. */
function isUnsent(error: unknown): boolean {
  return error instanceof ForecacheError && (error.code === 'FC_ORIGIN_REFUSED' || error.code === 'FC_ORIGIN_BUSY')
}
