/**
 * The lane's desk before the api port: `GET` and `HEAD` of `/cache/:key`.
 *
 * Floor 5, room server. Admission, API key, decision and fields are those of the endpoint; all else on the port is the full
 * stack's. Who may ask is decided once for fields that repeat, in constant time as ever; other keys make another desk.
 */
import type { Contents } from '../flow/contents.ts'
import type { Form } from '../flow/content.ts'
import { HISTOGRAM } from '../model/metric.ts'
import { seriesOf } from '../model/meter.ts'
import type { ApiRoutes } from './api-match.ts'
import { httpReply } from './api-reply.ts'
import { API_LIMITS } from './api-request.ts'
import { replyFound } from './cache-item.ts'
import { type ContentAnswer, keyOfPath, readContent } from './cache-read.ts'
import { MAX_KEY_CHARS } from './cache-settings.ts'
import type { Slab } from './lane-arena.ts'
import type { LaneAnswer, LaneDesk } from './lane-desk.ts'
import { headText, type ReadyParts } from './lane-ready.ts'
import { type Reader, readReader } from './lane-reader.ts'
import { shapeOf } from './send.ts'

/** A key asked for. */
interface Question extends Reader {
  readonly method: 'GET' | 'HEAD'
  readonly key: string
  /** Whether the answer found last was stale. */
  stale: boolean
}

/** A head as it was written last for a form: it holds while neither Age nor ttl change. */
interface Written {
  readonly answer: LaneAnswer
  readonly contents: Contents
  readonly about: string
  readonly slab: Slab
  readonly serial: number
}

/** Heads by form; the answer to GET, whole, alone. */
const written = new WeakMap<Form, Written>()

/** @param routes who may ask */
export function createCacheLane(contents: Contents, routes: ApiRoutes, parts: ReadyParts): LaneDesk<Reader, Question> {
  const { engine, route } = contents
  return {
    read: (raw, from) => readReader(raw, from, routes),
    know(reader, method, target) {
      const key = target.length > API_LIMITS.maxTargetBytes ? undefined : keyOfPath(target)
      if (key === undefined || key.length > MAX_KEY_CHARS || !key.isWellFormed()) return undefined
      return { ...reader, method, key, stale: false }
    },
    answer(question, now) {
      if (now >= engine.seesUntil) return undefined // what was missed is asked for first
      const place = contents.locate(question.namespace, question.key)
      const found = place === undefined ? 'absent' : readContent(contents, place, question.wish)
      if (typeof found === 'string') return undefined
      question.stale = found.cache === 'STALE'
      return write(contents, { found, method: question.method }, parts)
    },
    time(question, ms) {
      engine.meter.observe(HISTOGRAM.request, ms / 1000, seriesOf(route, true, question.stale))
    },
  }
}

function write(
  contents: Contents,
  { found, method }: { readonly found: ContentAnswer; readonly method: 'GET' | 'HEAD' },
  { form, arena }: ReadyParts,
): LaneAnswer | undefined {
  const whole = method === 'GET' && found.status === 200
  const about = `${found.cache}${Math.floor(found.ageMs / 1000)} ${Math.floor(found.leftMs / 1000)}`
  const known = whole ? written.get(found.form) : undefined
  if (known !== undefined && isGood(known, contents, about)) return known.answer
  const reply = httpReply(replyFound(found))
  const text = headText(reply, form, { ...shapeOf(reply, method), chunked: false })
  if (text === undefined) return undefined
  if (!whole) return { head: Buffer.from(text, 'latin1'), body: undefined }
  const { head, slab, ownBytes } = arena.put(text)
  const answer = { head, body: found.form.body }
  if (ownBytes === 0) written.set(found.form, { answer, contents, about, slab, serial: slab.serial })
  return answer
}

function isGood({ slab, serial, about, contents }: Written, of: Contents, now: string): boolean {
  return about === now && contents === of && slab.serial === serial
}
