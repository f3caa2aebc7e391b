/**
 * One request of a framework on Fetch API objects: the door answers it, its handler is the origin.
 *
 * Floor 4, room http. A plain fetch handler can be run again behind a stale answer; where that is not possible (Hono's
 * `next` runs once) the request that finds a stale answer first waits for the handler while others get the stale one.
 */
import { ForecacheError } from '../model/errors.ts'
import type { OriginAnswer, OriginPort, Reply, RequestHead, SendOptions } from '../model/exchange.ts'
import { Fields } from '../model/fields.ts'
import { GRACE_MS } from './capture.ts'
import { attendOnce, type Mount } from './middleware.ts'
import { answerOf, isForwardable, requestFor, responseOf, webHead } from './web-exchange.ts'

/** One request. */
export interface WebTurn {
  readonly request: Request
  /** Runs the handler; once. */
  run(request: Request): Promise<Response>
  /** Runs it again, behind an answer; undefined where that is not possible. */
  readonly again?: ((request: Request) => Promise<Response>) | undefined
}

/** @throws what the handler throws */
export async function attendWeb(mount: Mount, turn: WebTurn): Promise<Response> {
  const head = webHead(turn.request)
  if (head === undefined || !attendOnce(turn.request)) return turn.run(turn.request)
  return new WebAttendance(mount, turn, head).run()
}

interface Behind {
  readonly head: RequestHead
  readonly settle: (answer: OriginAnswer) => void
  readonly reject: (error: unknown) => void
}

class WebAttendance {
  readonly #mount: Mount
  readonly #turn: WebTurn
  readonly #head: RequestHead
  readonly #answered = Promise.withResolvers<void>()
  #started = false
  #passed = false
  #left = false
  #behind: Behind | undefined
  /** A response that cannot be taken apart: handed on as it is. */
  #untouched: Response | undefined
  #thrown: { readonly error: unknown } | undefined

  constructor(mount: Mount, turn: WebTurn, head: RequestHead) {
    this.#mount = mount
    this.#turn = turn
    this.#head = head
  }

  async run(): Promise<Response> {
    try {
      const reply = await this.#ask()
      if (reply instanceof Response) return reply
      if (reply.outcome.stale && this.#turn.again === undefined) return await this.#lead(reply)
      return responseOf(reply, this.#head.method)
    } finally {
      setImmediate(this.#answered.resolve)
    }
  }

  async #ask(): Promise<Reply | Response> {
    const { engine, door, patienceMs } = this.#mount
    const { request } = this.#turn
    const origin: OriginPort = { send: (head, _body, options) => this.#send(head, options) }
    let impatient!: (reply: undefined) => void
    const patience = new Promise<undefined>((resolve) => {
      impatient = resolve
    })
    const timer = engine.clock.after(patienceMs, () => {
      if (!this.#started) impatient(undefined)
    })
    const given = new AbortController()
    const signal = AbortSignal.any([request.signal, given.signal])
    const reply = door.handle(this.#head, undefined, { origin, signal, onInformational: () => {} })
    reply.catch(() => {})
    try {
      const first = await Promise.race([reply, patience])
      if (first !== undefined) return first
      given.abort(new ForecacheError('FC_REQUEST_ABORTED'))
    } catch (error) {
      if (this.#thrown !== undefined) throw this.#thrown.error
      if (this.#untouched !== undefined) return this.#untouched
      if (this.#started) throw error
      if (!(error instanceof ForecacheError))
        engine.settings.logger.error({ err: error }, 'the cache failed; the handler answers')
    } finally {
      timer.cancel()
    }
    this.#passed = true
    return this.#turn.run(request)
  }

  async #send(head: RequestHead, options: SendOptions): Promise<OriginAnswer> {
    const { request, again } = this.#turn
    if (options.onInformational === undefined) {
      if (again !== undefined) return this.#again(again, head)
      if (this.#left) throw new ForecacheError('FC_ORIGIN_BROKEN', { reason: 'a handler runs once per request' })
      return new Promise((settle, reject) => (this.#behind = { head, settle, reject }))
    }
    if (this.#passed || (this.#started && again === undefined))
      throw new ForecacheError('FC_ORIGIN_BROKEN', { reason: 'a handler runs once per request' })
    const handler = this.#started ? (again as WebTurn['run']) : this.#turn.run.bind(this.#turn)
    this.#started = true
    try {
      const response = await handler(prepare(request, this.#head, head))
      if (isForwardable(response)) return answerOf(response, this.#patience())
      this.#untouched = response
    } catch (error) {
      this.#thrown = { error }
      throw error
    }
    throw new ForecacheError('FC_ORIGIN_BROKEN', { reason: 'the response cannot be taken apart' })
  }

  /** Once its client has gone a body is let finish for a while, for others who wait and for the store. */
  #patience(): AbortSignal {
    const given = new AbortController()
    const error = new ForecacheError('FC_ORIGIN_BROKEN', { reason: 'the client has gone, and the body did not end' })
    this.#turn.request.signal.addEventListener(
      'abort',
      () => this.#mount.engine.clock.after(GRACE_MS, () => given.abort(error)),
      { once: true },
    )
    return given.signal
  }

  async #again(again: NonNullable<WebTurn['again']>, head: RequestHead): Promise<OriginAnswer> {
    await this.#answered.promise
    const { clock, settings } = this.#mount.engine
    const late = Promise.withResolvers<never>()
    const ms = settings.deadlines.maxLoad
    const timer = clock.after(ms, () => late.reject(new ForecacheError('FC_ORIGIN_TIMEOUT', { ms })))
    try {
      return answerOf(await Promise.race([again(prepare(this.#turn.request, this.#head, head)), late.promise]))
    } finally {
      timer.cancel()
    }
  }

  /** The refresh that this stale answer asks for is led by this request itself. */
  async #lead(reply: Reply): Promise<Response> {
    await new Promise<void>((resolve) => setImmediate(resolve))
    const behind = this.#behind
    this.#left = true
    if (behind === undefined) return responseOf(reply, this.#head.method) // another request leads
    this.#started = true
    try {
      const response = await this.#turn.run(prepare(this.#turn.request, this.#head, behind.head))
      if (!isForwardable(response)) throw new ForecacheError('FC_ORIGIN_BROKEN', { reason: 'the response cannot be taken apart' })
      if (response.status >= 500) {
        behind.settle(answerOf(response))
        return responseOf(reply, this.#head.method)
      }
      behind.settle(answerOf(response.clone()))
      const head = { status: response.status, statusText: response.statusText, fields: Fields.from() }
      for (const [name, value] of response.headers) head.fields.append(name, value)
      head.fields.set('x-cache', 'REFRESH')
      return responseOf({ ...reply, head, body: answerOf(response).body }, this.#head.method)
    } catch (error) {
      behind.reject(error)
      return responseOf(reply, this.#head.method)
    }
  }
}

/** The request that the handler sees; attended to already. */
function prepare(request: Request, own: RequestHead, asked: RequestHead): Request {
  const prepared = requestFor(request, own, asked)
  if (prepared !== request) attendOnce(prepared)
  return prepared
}
