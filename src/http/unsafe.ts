/**
 * Unsafe methods: passed on, and what they make stale invalidated before anybody hears of their success.
 *
 * Floor 4, room http. RFC 9111 section 4.4, RFC 9875 section 3. The invalidation stands in the log before the answer
 * leaves, so a client who has seen his write answered never reads older here; readings under way are fenced off. Where
 * the log is shared, every other fence has applied it by then.
 */
import type { InvalidateResult } from '../flow/invalidate.ts'
import { ForecacheError } from '../model/errors.ts'
import type { Reply } from '../model/exchange.ts'
import { invalidatedTargets } from '../rules/unsafe.ts'
import { hearAsIs, type Heard } from './ask.ts'
import { replyPassed } from './pass.ts'
import { beginForGet, planForGet, storeForGet } from './post.ts'
import { invalidatedGroups } from './tags.ts'
import { count } from './tally.ts'
import { setToken } from './token.ts'
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
    if (!isUnsent(error)) await invalidate(visit, [visit.head.target], [])
    throw error
  }
  const plan = planForGet(visit, heard, asOf) // judged before our own invalidation stands in the log
  const targets = invalidatedTargets(visit.head, heard.head)
  const settling = targets.length > 0 ? invalidate(visit, targets, invalidatedGroups(visit.head, heard.head.fields)) : undefined
  const keyed = visit.primary === undefined ? undefined : { ...visit, primary: visit.primary }
  const forGet = plan === undefined || keyed === undefined ? undefined : beginForGet(keyed, heard, plan)
  const token = settling === undefined ? engine.token() : (await settling).token
  const reply = replyPassed(visit, heard, { forward: 'method' })
  setToken(reply.head, visit.routed.policy, token)
  return keyed === undefined || forGet === undefined ? reply : { ...reply, body: storeForGet(keyed, heard, forGet) }
}

/** Applied here when it returns; a promise where others have to apply it too. */
function invalidate(visit: Visit, targets: readonly string[], groups: readonly string[]): Promise<InvalidateResult> | undefined {
  const keys: string[] = []
  const tags = [...groups]
  for (const target of targets) {
    for (const named of urlTargets(visit.desk, { ...visit.head, target })) {
      if (named.kind === 'key') keys.push(named.key)
      else if (named.kind === 'tag') tags.push(named.tag)
    }
  }
  const { engine } = visit.desk
  const input = { keys, tags, source: `gateway:${visit.head.method}` }
  if (engine.shared !== undefined) return engine.invalidateEverywhere(input)
  engine.invalidate(input)
  return undefined
}

/** Whether the origin certainly never got the request. */
function isUnsent(error: unknown): boolean {
  return error instanceof ForecacheError && (error.code === 'FC_ORIGIN_REFUSED' || error.code === 'FC_ORIGIN_BUSY')
}
