/**
 * A handler's writing to a `ServerResponse`, taken as the answer of an origin.
 *
 * Floor 4, room http. While installed, the response object has two sides: whoever handles the request writes to a virtual
 * head and body, which become an `OriginAnswer`; through `outlet` the real response is reached, with whatever middleware
 * patched it before. So an answer may be conditional, ranged or older than what the handler writes, and a handler may go
 * on behind an answer that was given already. Once both sides are done the response is as it was.
 */
import { EventEmitter } from 'node:events'
import { type OutgoingHttpHeaders, OutgoingMessage, type ServerResponse } from 'node:http'
import type { Clock, Timer } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import type { BodySource, OriginAnswer } from '../model/exchange.ts'
import { Fields } from '../model/fields.ts'
import { BodyQueue } from './body-queue.ts'
import { VirtualHead } from './virtual-head.ts'

/** How long a handler whose client has gone is left to finish for the store before it hears of it, ms. */
export const GRACE_MS = 10_000
/** How long a handler may go on behind an answer that its client has got, ms. */
const LINGER_MS = 60_000
/** Events of the response that tell about the client's side, where a handler wants to hear about its own. */
const TWO_SIDED: ReadonlySet<string> = new Set(['drain', 'finish', 'close'])

type Listener = (...args: never[]) => void
type Method = (...args: never[]) => unknown

/** The real response, as whoever answers the client sees it. */
export type Outlet = Pick<
  ServerResponse,
  'setHeader' | 'removeHeader' | 'getHeader' | 'writeHead' | 'write' | 'end' | 'flushHeaders' | 'addTrailers' | 'destroy' | 'once'
>

/** See `Capture`. */
export interface CaptureOptions {
  readonly outer?: OutgoingHttpHeaders | undefined
  /** What the status stands at before the handler runs; default: the response's. */
  readonly status?: number
  readonly behind?: boolean
}

const OUTLET = [
  'setHeader',
  'removeHeader',
  'getHeader',
  'writeHead',
  'write',
  'end',
  'flushHeaders',
  'addTrailers',
  'destroy',
  'once',
] as const

/** See the module's header. */
export class Capture {
  readonly #res: ServerResponse
  readonly #clock: Clock
  readonly #head: VirtualHead
  readonly #body: BodyQueue
  /** Listeners of the handler for what happens to its side. */
  readonly #listeners = new EventEmitter()
  #gone = false
  #told = false
  readonly #trailers = Fields.from()
  readonly #hasBody: boolean
  readonly #saved = new Map<string, { readonly before: PropertyDescriptor | undefined; readonly ours: unknown }>()
  readonly #reals = new Map<string, Method>()
  #installed = true
  /** Everything here reaches the real response. */
  readonly outlet: Outlet
  #settle!: (answer: OriginAnswer) => void
  #reject!: (error: unknown) => void
  /** The answer, once its head is written. Rejects when the handler gives up before. */
  readonly answer: Promise<OriginAnswer>
  #depth = 0
  #committed = false
  #delivered = false
  #grace: Timer | undefined
  #realStatus: number
  #realMessage: string
  readonly #onClose = (): void => this.#clientGone()

  /**
   * @param outer fields that the framework will set by itself, beside those that stand on the response
   * @param behind the client has been answered already; `outer` is all that stood on the response before
   */
  constructor(res: ServerResponse, clock: Clock, { outer = {}, status = res.statusCode, behind = false }: CaptureOptions = {}) {
    this.#res = res
    this.#clock = clock
    this.#realStatus = res.statusCode
    this.#realMessage = res.statusMessage
    this.#hasBody = res.req.method !== 'HEAD'
    this.#delivered = behind
    this.#head = new VirtualHead(status, behind ? outer : { ...outer, ...res.getHeaders() })
    this.#body = new BodyQueue(
      () => this.#listeners.emit('drain'),
      () => this.#tellGone(),
    )
    this.answer = new Promise((resolve, reject) => {
      this.#settle = resolve
      this.#reject = reject
    })
    this.answer.catch(() => {}) // nobody may be waiting
    this.#install()
    this.outlet = Object.fromEntries(OUTLET.map((name) => [name, this.#real(name)])) as unknown as Outlet
  }

  /** Whether the handler has written its head. */
  get committed(): boolean {
    return this.#committed
  }

  /** Whether the response still has two sides. */
  get installed(): boolean {
    return this.#installed
  }

  /** Gives the handler's answer up. */
  fail(error: unknown): void {
    this.#grace?.cancel()
    this.#reject(error)
    this.#body.fail(error)
    this.#finish()
  }

  /** The client has been answered; the handler may still be at work. */
  delivered(): void {
    this.#delivered = true
    this.#finish()
  }

  /** A handler that does not write hands its body over (Koa); from here on the response is the real one. */
  hand(body: BodySource): void {
    this.#committed = true
    this.#body.end()
    this.#settle({ head: this.#head.response(), body, trailers: () => undefined })
    this.#uninstall()
  }

  /** Gives the response back to its handler: what was written virtually is written for real, unless somebody read it already. */
  release(): void {
    const { status, statusText } = this.#head
    const held = this.#body
    const ended = held.closed
    this.#uninstall()
    const res = this.#res
    if (res.headersSent || res.destroyed) return
    if (held.touched) return void res.destroy()
    res.statusCode = status
    if (statusText !== '') res.statusMessage = statusText
    for (const name of res.getHeaderNames()) if (!this.#head.has(name)) res.removeHeader(name)
    for (const name of this.#head.names()) res.setHeader(name, this.#head.get(name) as string)
    if (!this.#committed) return
    void (async () => {
      try {
        for await (const chunk of held.source) res.write(chunk)
        if (ended) res.end()
      } catch {
        res.destroy()
      }
    })()
  }

  #commit(): void {
    if (this.#committed) return
    this.#committed = true
    this.#grace?.cancel()
    const trailers = this.#trailers
    this.#settle({
      head: this.#head.response(),
      body: this.#body.source,
      trailers: () => (trailers.raw().length === 0 ? undefined : trailers),
    })
  }

  /** As node does: through whatever patched `writeHead` behind us. */
  #implicit(): void {
    if (!this.#committed) this.#res.writeHead(this.#head.status)
  }

  #write(chunk: unknown, second: unknown, third: unknown): boolean {
    const { bytes, done } = readArguments(chunk, second, third)
    this.#implicit()
    if (bytes === undefined || !this.#hasBody) {
      if (done !== undefined) queueMicrotask(done)
      return true
    }
    return this.#body.push(bytes, done)
  }

  #end(chunk?: unknown, second?: unknown, third?: unknown): void {
    if (this.#body.closed) return
    const { bytes, done } = readArguments(chunk, second, third)
    if (!this.#committed && this.#hasBody && allowsLength(this.#head))
      this.#head.set('Content-Length', String(bytes?.byteLength ?? 0))
    this.#implicit()
    if (bytes !== undefined && this.#hasBody) this.#body.push(bytes)
    this.#body.end()
    if (done !== undefined) {
      if (this.#delivered) queueMicrotask(done)
      else this.#res.once('finish', done)
    }
    this.#finish()
  }

  #finish(): void {
    if (this.#delivered && this.#body.closed) this.#uninstall()
    if (this.#body.closed) this.#tellGone()
  }

  /** Whoever else waits for this answer gets it: the handler hears of its client's leaving when nobody wants it any more. */
  #clientGone(): void {
    this.#gone = true
    if (this.#body.closed || this.#body.left) return this.#tellGone()
    const error = new ForecacheError('FC_ORIGIN_BROKEN', { reason: 'the client has gone, and the handler did not end' })
    this.#grace = this.#clock.after(this.#delivered ? LINGER_MS : GRACE_MS, () => this.fail(error))
  }

  #tellGone(): void {
    if (!this.#gone || this.#told) return
    this.#told = true
    queueMicrotask(() => this.#listeners.emit('close'))
  }

  #install(): void {
    const head = this.#head
    this.#res.once('close', this.#onClose)
    this.#method('writeHead', (status: number, second?: unknown, third?: unknown) => {
      head.status = status
      if (typeof second === 'string') head.statusText = second
      head.take(typeof second === 'string' ? third : second)
      this.#commit()
      return this.#res
    })
    this.#method('_implicitHeader', () => this.#implicit())
    this.#method('write', (chunk: unknown, second: unknown, third: unknown) => this.#write(chunk, second, third))
    this.#method('end', (chunk: unknown, second: unknown, third: unknown) => {
      this.#end(chunk, second, third)
      return this.#res
    })
    this.#method('flushHeaders', () => this.#implicit())
    this.#method('destroy', (error?: Error) => {
      const answered = this.#delivered
      this.fail(error ?? new ForecacheError('FC_ORIGIN_BROKEN', { reason: 'the handler destroyed the response' }))
      if (!answered) this.outlet.destroy(error)
      return this.#res
    })
    this.#installHeaders()
    this.#installState()
    this.#installListeners()
  }

  #installHeaders(): void {
    const head = this.#head
    const self = (): ServerResponse => this.#res
    this.#method('setHeader', (name: string, value: string) => (this.#committed || head.set(name, value), self()))
    this.#method('setHeaders', (given: Iterable<[string, string]>) => {
      for (const [name, value] of given) if (!this.#committed) head.set(name, value)
      return self()
    })
    this.#method('appendHeader', (name: string, value: string) => (this.#committed || head.append(name, value), self()))
    this.#method('removeHeader', (name: string) => {
      if (!this.#committed) head.delete(name)
    })
    this.#method('getHeader', (name: string) => head.get(name))
    this.#method('getHeaders', () => head.all())
    this.#method('hasHeader', (name: string) => head.has(name))
    this.#method('getHeaderNames', () => head.names())
    this.#method('getRawHeaderNames', () => head.rawNames())
    this.#method('addTrailers', (given: Record<string, string> | readonly (readonly [string, string])[]) => {
      for (const [name, value] of Array.isArray(given) ? given : Object.entries(given)) this.#trailers.append(name, value)
    })
  }

  #installState(): void {
    const real = (name: 'headersSent' | 'writableEnded' | 'writableNeedDrain'): unknown =>
      Reflect.get(OutgoingMessage.prototype, name, this.#res)
    this.#accessor('headersSent', () => (!this.#virtual ? real('headersSent') : this.#committed))
    this.#accessor('writableEnded', () => (!this.#virtual ? real('writableEnded') : this.#body.closed))
    this.#accessor('writableNeedDrain', () => (!this.#virtual ? real('writableNeedDrain') : this.#body.full))
    this.#accessor(
      'statusCode',
      () => (!this.#virtual ? this.#realStatus : this.#head.status),
      (status) => {
        if (!this.#virtual) this.#realStatus = status as number
        else if (!this.#committed) this.#head.status = status as number
      },
    )
    this.#accessor(
      'statusMessage',
      () => (!this.#virtual ? this.#realMessage : this.#head.statusText),
      (text) => {
        if (!this.#virtual) this.#realMessage = text as string
        else if (!this.#committed) this.#head.statusText = text as string
      },
    )
  }

  /** What a handler hears of 'drain', 'finish' and 'close' is about what it writes, not about the client. */
  #installListeners(): void {
    const res = this.#res
    for (const name of ['on', 'addListener', 'off', 'removeListener', 'prependListener'] as const) {
      const real = res[name] as (event: string, listener: Listener) => unknown
      this.#override(name, (event: string, listener: Listener): unknown => {
        if (!TWO_SIDED.has(event) || !this.#virtual) return real.call(res, event, listener)
        this.#listeners[name](event, listener as () => void)
        if (name === 'off' || name === 'removeListener') real.call(res, event, listener) // it may be one of ours, or of before
        return res
      })
    }
  }

  #method(name: string, virtual: Method): void {
    const res = this.#res as unknown as Record<string, Method>
    const real = res[name] as Method
    this.#reals.set(name, real)
    this.#override(name, (...args: never[]) => (this.#virtual ? virtual(...args) : real.apply(res, args)))
  }

  /** A method of the response as it was before; synchronous, what it calls reaches the real response as well. */
  #real(name: string): Method {
    const real = this.#reals.get(name) ?? ((this.#res as unknown as Record<string, Method>)[name] as Method)
    return (...args) => {
      this.#depth += 1
      try {
        return real.apply(this.#res, args)
      } finally {
        this.#depth -= 1
      }
    }
  }

  get #virtual(): boolean {
    return this.#installed && this.#depth === 0
  }

  #override(name: string, value: unknown): void {
    this.#saved.set(name, { before: Object.getOwnPropertyDescriptor(this.#res, name), ours: value })
    Object.defineProperty(this.#res, name, { value, configurable: true, writable: true, enumerable: false })
  }

  #accessor(name: string, get: () => unknown, set: (value: unknown) => void = () => {}): void {
    this.#saved.set(name, { before: Object.getOwnPropertyDescriptor(this.#res, name), ours: get })
    Object.defineProperty(this.#res, name, { get, set, configurable: true, enumerable: true })
  }

  #uninstall(): void {
    if (!this.#installed) return
    const res = this.#res
    this.#installed = false
    this.#grace?.cancel()
    res.off('close', this.#onClose)
    for (const [name, { before, ours }] of this.#saved) {
      const now = Object.getOwnPropertyDescriptor(res, name)
      if (now?.value !== ours && now?.get !== ours) continue // patched behind us: that function calls ours, which lets through now
      if (before === undefined) Reflect.deleteProperty(res, name)
      else Object.defineProperty(res, name, before)
    }
    this.#saved.clear()
    res.statusCode = this.#realStatus
    if (this.#realMessage !== undefined) res.statusMessage = this.#realMessage
    for (const event of TWO_SIDED) {
      if (event === 'close' && this.#told) continue
      const over = event === 'finish' ? res.writableFinished : event === 'close' && res.closed
      this.#told ||= over && event === 'close'
      if (over) queueMicrotask(() => this.#listeners.emit(event))
      else for (const listener of this.#listeners.rawListeners(event)) res.on(event, listener as () => void)
    }
  }
}

interface Arguments {
  readonly bytes: Uint8Array | undefined
  readonly done: (() => void) | undefined
}

/** The forms of `write` and `end`: (chunk, encoding, done), (chunk, done), (done). */
function readArguments(chunk: unknown, second: unknown, third: unknown): Arguments {
  const done = [chunk, second, third].find((one) => typeof one === 'function') as (() => void) | undefined
  if (chunk === undefined || chunk === null || typeof chunk === 'function') return { bytes: undefined, done }
  if (typeof chunk === 'string')
    return { bytes: Buffer.from(chunk, typeof second === 'string' ? (second as BufferEncoding) : 'utf8'), done }
  if (chunk instanceof Uint8Array) return { bytes: chunk, done }
  throw new TypeError('The "chunk" argument must be of type string or an instance of Buffer or Uint8Array')
}

function allowsLength(head: VirtualHead): boolean {
  return (
    head.status >= 200 &&
    head.status !== 204 &&
    head.status !== 304 &&
    !head.has('content-length') &&
    !head.has('transfer-encoding')
  )
}
