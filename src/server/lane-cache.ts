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
import { type ApiRoutes, checkCaller } from './api-match.ts'
import { httpReply } from './api-reply.ts'
import { API_LIMITS } from './api-request.ts'
import { admit } from './admit.ts'
import { replyFound } from './cache-item.ts'
import { type ContentAnswer, keyOfPath, readContent, type ReadWish } from './cache-read.ts'
import { MAX_KEY_CHARS } from './cache-settings.ts'
import { readNamespace } from './cache-wish.ts'
import type { LaneAnswer, LaneDesk, LanePeer } from './lane-desk.ts'
import { type HeadForm, headText } from './lane-ready.ts'
import { shapeOf } from './send.ts'

/** What the fields of a reader say. */
interface Reader {
  readonly namespace: string
  readonly wish: ReadWish
}

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
}

/** Heads by form; the answer to GET, whole, alone. */
const written = new WeakMap<Form, Written>()
const NO_QUERY: ReadonlyMap<string, string> = new Map()

/** @param routes who may ask */
export function createCacheLane(contents: Contents, routes: ApiRoutes, form: HeadForm): LaneDesk<Reader, Question> {
  const { engine, route } = contents
  return {
    read: (raw, from) => readReader(raw, from, routes),
    know(reader, method, target) {
      const key = target.length > API_LIMITS.maxTargetBytes ? undefined : keyOfPath(target)
      if (key === undefined || key.length > MAX_KEY_CHARS || !key.isWellFormed()) return undefined
      return { ...reader, method, key, stale: false }
    },
    answer(question) {
      const place = contents.locate(question.namespace, question.key)
      const found = place === undefined ? 'absent' : readContent(contents, place, question.wish)
      if (typeof found === 'string') return undefined
      question.stale = found.cache === 'STALE'
      return write(contents, { found, method: question.method }, form)
    },
    time(question, ms) {
      engine.meter.observe(HISTOGRAM.request, ms / 1000, seriesOf(route, true, question.stale))
    },
  }
}

function readReader(raw: readonly string[], { scheme }: LanePeer, routes: ApiRoutes): Reader | undefined {
  try {
    const head = admit({ method: 'GET', url: '/', rawHeaders: raw as string[], httpVersion: '1.1' }, API_LIMITS, scheme)
    const { fields } = head
    if (fields.has('cache-control')) return undefined
    checkCaller(routes, head)
    const wish = {
      ifNoneMatch: fields.get('if-none-match'),
      acceptEncoding: fields.get('accept-encoding'),
      token: fields.first('forecache-token'),
    }
    return { namespace: readNamespace(NO_QUERY, fields), wish }
  } catch {
    return undefined // the full stack says what is wrong with it
  }
}

function write(
  contents: Contents,
  { found, method }: { readonly found: ContentAnswer; readonly method: 'GET' | 'HEAD' },
  form: HeadForm,
): LaneAnswer | undefined {
  const whole = method === 'GET' && found.status === 200
  const about = `${found.cache}${Math.floor(found.ageMs / 1000)} ${Math.floor(found.leftMs / 1000)}`
  const known = whole ? written.get(found.form) : undefined
  if (known !== undefined && known.about === about && known.contents === contents) return known.answer
  const reply = httpReply(replyFound(found))
  const text = headText(reply, form, { ...shapeOf(reply, method), chunked: false })
  if (text === undefined) return undefined
  const answer = { head: Buffer.from(text, 'latin1'), body: whole ? found.form.body : undefined }
  if (whole) written.set(found.form, { answer, contents, about })
  return answer
}
