/**
 * Koa's `ctx.body` as an origin's body, and a reply as Koa's.
 *
 * Floor 4, room http. Does what Koa's own `respond` does with each kind of body, on the virtual head.
 */
import { Readable, Stream } from 'node:stream'
import type { Clock, Timer } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import type { BodySource, Reply } from '../model/exchange.ts'
import { GRACE_MS } from './capture.ts'
import { bodyOf } from './web-exchange.ts'
import { REMOVED_FIELD } from './virtual-head.ts'

/** What of a Koa context is used here. */
export interface KoaContext {
  body: unknown
  status: number
  readonly message: string
  type: string
  respond?: boolean | undefined
  set(name: string, value: string | string[]): void
  remove(name: string): void
  readonly response: object
}

/** What Koa 3 keeps on its response, undeclared. */
interface InnerResponse {
  _body?: unknown
  readonly _explicitNullBody?: boolean
}

const FRAMING: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', REMOVED_FIELD])

/** Takes the body that the handlers have set, and completes the head as Koa would. */
export function takeBody(ctx: KoaContext, clock: Clock): BodySource {
  const { body, status } = ctx
  // Koa destroys a stream whose place another body takes; this one is still to be read.
  const inner: InnerResponse = ctx.response
  inner._body = undefined
  if (status === 204 || status === 205 || status === 304) return whole(ctx, undefined)
  if (body === null || body === undefined) {
    if (inner._explicitNullBody === true) return whole(ctx, new Uint8Array())
    ctx.type = 'text'
    return whole(ctx, Buffer.from(ctx.message === '' ? String(status) : ctx.message))
  }
  if (typeof body === 'string') return whole(ctx, Buffer.from(body))
  if (body instanceof Uint8Array) return whole(ctx, body)
  if (body instanceof Blob) return bodyOf(body.stream() as ReadableStream<Uint8Array>)
  if (body instanceof ReadableStream) return bodyOf(body as ReadableStream<Uint8Array>)
  if (body instanceof Response) return bodyOf(body.body)
  if (body instanceof Stream) return chunks(body as Readable, clock)
  return whole(ctx, Buffer.from(JSON.stringify(body)))
}

/** Makes a reply the context's answer. @returns false when Koa was told not to respond: it must be written */
export function giveReply(ctx: KoaContext, { head, body }: Reply): boolean {
  if (ctx.respond === false) return false
  ctx.status = head.status
  if (body === undefined) ctx.body = head.status === 204 || head.status === 304 ? null : Buffer.alloc(0)
  else
    ctx.body =
      body instanceof Uint8Array
        ? Buffer.from(body.buffer, body.byteOffset, body.byteLength)
        : Readable.from(body, { objectMode: false })
  const { fields } = head
  if (!fields.has('content-type')) ctx.remove('content-type')
  if (body === undefined) ctx.remove('content-length')
  for (const name of (fields.get(REMOVED_FIELD) ?? '').split(', ')) if (name !== '') ctx.remove(name)
  for (const name of fields.names())
    if (!FRAMING.has(name)) ctx.set(name, fields.all(name).length === 1 ? (fields.first(name) as string) : fields.all(name))
  return true
}

function whole(ctx: KoaContext, bytes: Uint8Array | undefined): BodySource {
  if (bytes !== undefined) ctx.set('Content-Length', String(bytes.byteLength))
  return {
    async *[Symbol.asyncIterator]() {
      if (bytes !== undefined && bytes.byteLength > 0) yield bytes
    },
  }
}

/**
 * Koa destroys a body's stream when its client leaves, though others may be waiting for it: it is let finish for a while.
 */
function chunks(stream: Readable, clock: Clock): BodySource {
  const source = stream[Symbol.asyncIterator]()
  const destroy = stream.destroy.bind(stream)
  let patience: Timer | undefined
  let timedOut = false
  stream.destroy = (error?: Error) => {
    if (error !== undefined || stream.readableEnded) return destroy(error)
    patience ??= clock.after(GRACE_MS, () => {
      timedOut = true
      destroy()
    })
    return stream
  }
  const end = (): void => {
    patience?.cancel()
    stream.destroy = destroy
    if (!stream.destroyed) destroy()
  }
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const step = await source.next()
        if (timedOut) throw new ForecacheError('FC_ORIGIN_BROKEN', { reason: 'the client has gone, and the body did not end' })
        if (step.done !== true)
          return { value: typeof step.value === 'string' ? Buffer.from(step.value) : (step.value as Uint8Array), done: false }
        end()
        return { value: undefined, done: true }
      },
      return() {
        end()
        return Promise.resolve({ value: undefined, done: true })
      },
    }),
  }
}
