/**
 * Handing the door's answers to the audit: the origin is asked by a conditional request that bears the audit's mark.
 *
 * Floor 4, room http. What it answers is compared and dropped. Asked are fresh answers to GET alone: behind a stale one a
 * refresh runs, and what is strict or unsafe never comes from memory.
 */
import { hash } from 'node:crypto'
import type { Compared } from '../flow/audit-sample.ts'
import type { Seen } from '../model/audit.ts'
import type { BodySource } from '../model/exchange.ts'
import type { Fields } from '../model/fields.ts'
import { parseHttpDate } from '../rules/dates.ts'
import { isStrongTag } from '../rules/entity-tag.ts'
import { isFreshenedBy, validationFields, validatorsOf } from '../rules/validate.ts'
import { askOrigin, dismiss } from './ask.ts'
import { askForCoding } from './forwarded.ts'
import { isFailure } from './stand-in.ts'
import { Stored } from './stored.ts'
import { decodeStored } from './stored-codec.ts'
import { type KeyedVisit, routeOf } from './visit.ts'

/** A field of the request by which the origin may tell the audit's questions from its clients'. */
export const AUDIT_FIELD = 'forecache-audit'

/** What a visit was answered with. */
export interface Answered {
  readonly key: string
  readonly stored: Stored
  readonly stale: boolean
  readonly ageMs: number
}

const NO_VALIDATORS = { etag: undefined, lastModified: undefined }

/** Never throws. */
export function auditServed(visit: KeyedVisit, { key, stored, stale, ageMs }: Answered): void {
  const { engine } = visit.desk
  const entry = engine.memory.look(key)
  // Of several codings the one that came is what the origin knows.
  const base = entry?.value instanceof Stored ? entry.value : stored
  const { plan } = base
  const mayAsk = !stale && visit.head.method === 'GET' && base.part === undefined && engine.backoff.leftMs(key) === 0
  const slackMs = stale ? Math.max(plan.windows.whileMs, (visit.asked.maxStale ?? 0) * 1000) : 0
  engine.audit?.take({
    entry: entry ?? {
      key,
      storedAt: plan.requestedAt,
      budget: plan.budget,
      asOf: 0,
      namespace: 0,
      tags: plan.tags,
    },
    primary: visit.primary,
    route: routeOf(visit),
    stale,
    ageMs,
    promisedMs: plan.lifetimeMs + slackMs,
    check: mayAsk ? (signal) => ask(visit, base, signal) : undefined,
    compare:
      mayAsk && engine.second !== undefined && !visit.routed.policy.memoryOnly ? () => compare(visit, key, base) : undefined,
    version: () => hash('sha256', base.body, 'base64url'),
  })
}

async function ask(visit: KeyedVisit, base: Stored, signal: AbortSignal): Promise<Seen> {
  const { origin = visit.exchange.origin } = visit.desk
  // The client who caused it may go at any time: nothing of his is waited for.
  const behind = { ...visit, exchange: { origin, signal } }
  const validators = validatorsOf(base.plan.fields)
  const fields = askForCoding(validationFields(visit.head.fields, validators ?? NO_VALIDATORS), base.plan)
  const { head, answer } = await askOrigin(behind, { fields: fields.set(AUDIT_FIELD, '1'), signal, informs: false })
  const changed: Seen = { found: 'changed', changedAgoMs: changedAgo(head.fields) }
  if (head.status === 304 || isFailure(head.status)) {
    dismiss(answer)
    const isSame = head.status === 304 && validators !== undefined && isFreshenedBy(base.plan.fields, head.fields)
    return { found: isSame ? 'same' : 'unknown' }
  }
  const [was, is] = [validators?.etag, head.fields.first('etag')]
  const isSameTag = was !== undefined && is !== undefined && isStrongTag(was) && isStrongTag(is) ? was === is : undefined
  if (head.status !== base.plan.status || isSameTag !== undefined) {
    dismiss(answer)
    return head.status === base.plan.status && isSameTag === true ? { found: 'same' } : changed
  }
  return (await isEqual(answer.body, base.body)) ? { found: 'same' } : changed
}

/** Reads no further than the first byte that differs. */
async function isEqual(body: BodySource, expected: Uint8Array): Promise<boolean> {
  let at = 0
  for await (const chunk of body) {
    const part = expected.subarray(at, at + chunk.byteLength)
    if (part.byteLength !== chunk.byteLength || Buffer.compare(part, chunk) !== 0) return false
    at += chunk.byteLength
  }
  return at === expected.byteLength
}

/** By the origin's own clock; both moments are told in whole seconds. */
function changedAgo(fields: Fields): number | undefined {
  const [date, changed] = [fields.first('date'), fields.first('last-modified')]
  const [now, then] = [parse(date), parse(changed)]
  return now === undefined || then === undefined ? undefined : Math.max(0, now - then)
}

function parse(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseHttpDate(text, 0)
}

async function compare(visit: KeyedVisit, key: string, base: Stored): Promise<Compared | undefined> {
  const found = await visit.desk.engine.second?.inspect({
    key,
    namespace: 0,
    decode: (codec, payload, storedAt) => decodeStored(visit, { codec, payload, storedAt }),
  })
  if (!(found?.value instanceof Stored)) return undefined
  return { storedAt: found.storedAt, isSame: Buffer.compare(found.value.body, base.body) === 0 }
}
