/**
 * Fetch API objects as the door's exchange, and back.
 *
 * Floor 4, room http.
 */
import type { BodySource, OriginAnswer, Reply, RequestHead } from '../model/exchange.ts'
import { Fields } from '../model/fields.ts'
import { changedConditions, shownCondition } from './shown.ts'
import { guardEvents, REMOVED_FIELD } from './virtual-head.ts'

/** Framing is the server's that sends the response. */
const FRAMING: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'te',
  'proxy-connection',
  REMOVED_FIELD,
])

/** @returns undefined for what a middleware cannot judge: a read with content, an upgrade, no http URL */
export function webHead(request: Request): RequestHead | undefined {
  const { method, url, headers } = request
  const scheme = url.startsWith('https://') ? 'https' : url.startsWith('http://') ? 'http' : undefined
  if (scheme === undefined || method === 'QUERY' || headers.has('upgrade')) return undefined
  if ((method === 'GET' || method === 'HEAD') && (request.body !== null || (headers.get('content-length') ?? '0') !== '0'))
    return undefined
  const from = scheme.length + 3
  const slash = url.indexOf('/', from)
  const hash = url.indexOf('#', from)
  const end = hash < 0 ? url.length : hash
  if (slash < 0) return undefined
  const fields = Fields.from()
  for (const [name, value] of headers) fields.append(name, value)
  return { method, scheme, authority: url.slice(from, slash), target: url.slice(slash, end), fields }
}

/** The request as the handler is to see it; the same object when nothing differs. */
export function requestFor(request: Request, own: RequestHead, asked: RequestHead): Request {
  const changed = changedConditions(own, asked)
  const language = asked.fields.get('accept-language')
  const speaks = language !== own.fields.get('accept-language') && language !== undefined
  if (changed.length === 0 && !speaks) return request
  const headers = new Headers(request.headers)
  for (const name of changed) {
    const value = shownCondition(name, own, asked)
    if (value === undefined) headers.delete(name)
    else headers.set(name, value)
  }
  if (speaks) headers.set('accept-language', language)
  return new Request(request, { headers })
}

/** Whether a response can be taken apart and made anew: no upgrade, no error, not read yet. */
export function isForwardable(response: Response): boolean {
  return (
    response.status >= 200 &&
    response.status <= 599 &&
    !response.bodyUsed &&
    response.type !== 'error' &&
    response.type !== 'opaque'
  )
}

/** A handler's response as an origin's answer. @param signal breaks the body off */
export function answerOf(response: Response, signal?: AbortSignal): OriginAnswer {
  const fields = Fields.from()
  for (const [name, value] of response.headers) fields.append(name, value)
  guardEvents(fields)
  return {
    head: { status: response.status, statusText: response.statusText, fields },
    body: bodyOf(response.body, signal),
    trailers: () => undefined,
  }
}

/** A web stream as a body; giving up cancels it. */
export function bodyOf(stream: ReadableStream<Uint8Array> | null, signal?: AbortSignal): BodySource {
  return {
    [Symbol.asyncIterator]() {
      if (stream === null)
        return {
          next: () => Promise.resolve({ value: undefined, done: true }),
          return: () => Promise.resolve({ value: undefined, done: true }),
        }
      const reader = stream.getReader()
      const stop = (): void => void reader.cancel(signal?.reason).catch(() => {})
      signal?.addEventListener('abort', stop, { once: true })
      return {
        async next() {
          const step = await reader.read()
          if (signal?.aborted === true) throw signal.reason
          if (step.done) signal?.removeEventListener('abort', stop)
          return step.done ? { value: undefined, done: true } : { value: step.value, done: false }
        },
        async return() {
          await reader.cancel().catch(() => {})
          return { value: undefined, done: true }
        },
      }
    },
  }
}

/** The door's reply as a response. */
export function responseOf({ head, body }: Reply, method: string): Response {
  const headers = new Headers()
  for (const [name, value] of head.fields) if (!FRAMING.has(name)) headers.append(name, value)
  const bodiless = method === 'HEAD' || head.status === 204 || head.status === 205 || head.status === 304
  const init = { status: head.status, statusText: head.statusText, headers }
  if (body === undefined || bodiless) {
    if (body !== undefined && !(body instanceof Uint8Array))
      void body[Symbol.asyncIterator]()
        .return?.()
        .catch(() => {})
    return new Response(null, init)
  }
  if (!(body instanceof Uint8Array)) return new Response(streamOf(body), init)
  headers.set('content-length', String(body.byteLength))
  return new Response(body as Uint8Array<ArrayBuffer>, init)
}

function streamOf(body: BodySource): ReadableStream<Uint8Array> {
  const source = body[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const step = await source.next()
        if (step.done === true) controller.close()
        else controller.enqueue(step.value)
      },
      async cancel() {
        await source.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}
