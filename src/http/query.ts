/**
 * QUERY: safe, and its content is part of the key (RFC 10008).
 *
 * Floor 4, room http. A content above the route's limit is passed on as it comes.
 */
import { digestContent } from '../key/digest.ts'
import type { Reply } from '../model/exchange.ts'
import { readContent, replay } from './content.ts'
import { keyed } from './keying.ts'
import { passOn } from './pass.ts'
import { readOrPass } from './read.ts'
import type { Visit } from './visit.ts'

/** Answers a QUERY. @throws what the content's source and the origin port throw */
export async function query(visit: Visit): Promise<Reply> {
  const { head, body, routed } = visit
  if (body === undefined) return passOn(visit, { forward: 'bypass', detail: 'no-content' })
  const content = await readContent(body, routed.policy.maxContentBytes)
  const again = { ...visit, body: replay(content) }
  if (content.rest !== undefined) return passOn(again, { forward: 'bypass', detail: 'content-too-large' })
  return readOrPass(keyed(again, 'QUERY', digestContent(head.fields, content.chunks)))
}
