/**
 * One request of a framework on `node:http`: the door answers it, its handler is the origin.
 *
 * Floor 4, room http. The handler runs at most once per request: for this client, or behind a stale answer that the
 * client has got already. Whatever fails on our side, the handler answers as if nothing stood before it; its own errors
 * are its framework's.
 */
import { type IncomingMessage, type OutgoingHttpHeaders, OutgoingMessage, type ServerResponse } from 'node:http'
import { ForecacheError } from '../model/errors.ts'
import type { OriginAnswer, OriginPort, Reply, RequestHead, SendOptions } from '../model/exchange.ts'
import { Fields } from '../model/fields.ts'
import { Capture } from './capture.ts'
import { deliver } from './deliver.ts'
import { attendOnce, type Mount } from './middleware.ts'
import { showHead } from './shown.ts'

/** One request. */
export interface Turn {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** As the client sees it, before routers cut prefixes off; default `req.url`. */
  readonly target?: string | undefined
  /** Where the application trusts a proxy's word for it; defaults: the connection's, and Host. */
  readonly scheme?: string | undefined
  readonly authority?: string | undefined
  /** Fields that the framework will set by itself when it answers. */
  readonly outer?: OutgoingHttpHeaders | undefined
  /** Runs the handler. */
  next(): unknown
  /** Called when `next` has ended, for frameworks that write only then: Koa. */
  readonly collect?: ((capture: Capture) => void) | undefined
  /** Hands a reply to the framework instead of writing it. @returns false to have it written */
  readonly give?: ((reply: Reply) => boolean) | undefined
  /** Told before the response is written past the framework. */
  readonly onWrite?: (() => void) | undefined
  /** Whether what `next` threw is an answer (a 404, say) rather than a failure: nothing stale stands in for it. */
  readonly isAnswer?: ((error: unknown) => boolean) | undefined
}

/** Resolves when the request was answered, rejects with what the handler threw. */
export async function attend(mount: Mount, turn: Turn): Promise<void> {
  const head = readHead(turn)
  if (head === undefined || !(turn.res instanceof OutgoingMessage) || !attendOnce(turn.req)) {
    await turn.next()
    return
  }
  await new Attendance(mount, turn, head).run()
}

/**
 * @returns undefined for what a middleware cannot judge: a read with content (it is the handler's to read), an upgrade,
 *   no single Host
 */
export function readHead(turn: Turn): RequestHead | undefined {
  const { req } = turn
  const { headers } = req
  const method = req.method ?? 'GET'
  const target = turn.target ?? req.url ?? '/'
  const hasContent =
    headers['transfer-encoding'] !== undefined || (headers['content-length'] !== undefined && headers['content-length'] !== '0')
  if (method === 'QUERY' || method === 'CONNECT' || headers.upgrade !== undefined || target.charCodeAt(0) !== 0x2f)
    return undefined
  if (hasContent && (method === 'GET' || method === 'HEAD')) return undefined
  const scheme = (turn.scheme ?? ('encrypted' in req.socket ? 'https' : 'http')) === 'https' ? 'https' : 'http'
  const host = turn.authority ?? headers.host
  if (host === undefined || host === '') return undefined
  const lower = host.toLowerCase()
  const authority = lower.endsWith(scheme === 'https' ? ':443' : ':80') ? lower.slice(0, lower.lastIndexOf(':')) : lower
  return { method, target, scheme, authority, fields: Fields.fromRaw(req.rawHeaders) }
}

class Attendance {
  readonly #mount: Mount
  readonly #turn: Turn
  readonly #head: RequestHead
  readonly #abort = new AbortController()
  readonly #answered = Promise.withResolvers<void>()
  #capture: Capture | undefined
  /** What stood on the response before we answered: a handler behind the answer begins with it. */
  #base: Turn['outer']
  readonly #status: number
  #passed = false
  #thrown: { readonly error: unknown } | undefined

  constructor(mount: Mount, turn: Turn, head: RequestHead) {
    this.#mount = mount
    this.#turn = turn
    this.#head = head
    this.#status = turn.res.statusCode
  }

  async run(): Promise<void> {
    const { res } = this.#turn
    const onClose = (): void => {
      if (!res.writableFinished) this.#abort.abort(new ForecacheError('FC_REQUEST_ABORTED'))
    }
    res.once('close', onClose)
    const reply = await this.#ask()
    if (reply === undefined) return
    if (this.#thrown !== undefined && this.#turn.isAnswer?.(this.#thrown.error) === true) throw this.#thrown.error
    await this.#deliver(reply)
    // A stale answer stood in for the handler's error; only the log hears of it.
    if (this.#thrown !== undefined) this.#mount.engine.settings.logger.error({ err: this.#thrown.error }, 'the handler failed')
  }

  /** The door's reply; undefined when the request was answered otherwise. @throws what the handler threw */
  async #ask(): Promise<Reply | undefined> {
    const { clock } = this.#mount.engine
    const origin: OriginPort = { send: (head, _body, options) => this.#send(head, options) }
    // Nobody waits for another's handler beyond our patience: he runs his own.
    let impatient!: (reply: undefined) => void
    const patience = new Promise<undefined>((resolve) => {
      impatient = resolve
    })
    const timer = clock.after(this.#mount.patienceMs, () => {
      if (this.#capture === undefined) impatient(undefined)
    })
    const reply = this.#mount.door.handle(this.#head, undefined, {
      origin,
      signal: this.#abort.signal,
      onInformational: () => {},
    })
    reply.catch(() => {})
    try {
      return (await Promise.race([reply, patience])) ?? (await this.#step())
    } catch (error) {
      return await this.#recover(error)
    } finally {
      timer.cancel()
    }
  }

  /** Steps aside: the handler answers by itself. */
  async #step(): Promise<undefined> {
    this.#passed = true
    this.#abort.abort(new ForecacheError('FC_REQUEST_ABORTED'))
    await this.#turn.next()
    return undefined
  }

  async #recover(error: unknown): Promise<undefined> {
    const { logger } = this.#mount.engine.settings
    const capture = this.#capture
    if (this.#thrown !== undefined) {
      capture?.release()
      throw this.#thrown.error
    }
    if (this.#turn.res.destroyed) return undefined
    if (!(error instanceof ForecacheError)) logger.error({ err: error }, 'the cache failed; the handler answers')
    if (capture === undefined) return this.#step()
    capture.release()
    return undefined
  }

  async #send(head: RequestHead, options: SendOptions): Promise<OriginAnswer> {
    const behind = options.onInformational === undefined // the door tells its client of 1xx unless nobody waits
    if (behind) await this.#answered.promise
    if (this.#capture !== undefined || this.#passed)
      throw new ForecacheError('FC_ORIGIN_BROKEN', { reason: 'a handler runs once per request' })
    const { res, next } = this.#turn
    const { maxLoad } = this.#mount.engine.settings.deadlines
    const capture = new Capture(res, this.#mount.engine.clock, {
      outer: { ...this.#turn.outer, ...this.#base },
      status: this.#status,
      behind,
    })
    this.#capture = capture
    const restore = showHead(this.#turn.req, this.#head, head)
    options.signal.addEventListener('abort', () => capture.fail(options.signal.reason), { once: true })
    // Nobody would ever end a handler that was forgotten behind an answer.
    const timer = behind
      ? this.#mount.engine.clock.after(maxLoad, () => capture.fail(new ForecacheError('FC_ORIGIN_TIMEOUT', { ms: maxLoad })))
      : undefined
    this.#run(next.bind(this.#turn), capture)
    return capture.answer.finally(() => {
      timer?.cancel()
      restore()
    })
  }

  #run(next: () => unknown, capture: Capture): void {
    const failed = (error: unknown): void => {
      this.#thrown = { error }
      capture.fail(error)
    }
    try {
      const running = next()
      if (running instanceof Promise) running.then(() => this.#turn.collect?.(capture)).catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  async #deliver(reply: Reply): Promise<void> {
    const { res, outer } = this.#turn
    if (reply.outcome.stale) this.#base = res.getHeaders()
    const outlet = this.#capture?.outlet ?? res
    try {
      if (!reply.outcome.stale && this.#capture?.installed !== true && this.#turn.give?.(reply) === true) return
      this.#turn.onWrite?.()
      if (outer !== undefined)
        for (const [name, value] of Object.entries(outer)) if (value !== undefined) outlet.setHeader(name, value)
      await deliver(res, reply, outlet)
    } catch (error) {
      this.#mount.engine.settings.logger.error({ err: error }, 'an answer could not be written')
      outlet.destroy()
    }
    this.#capture?.delivered()
    this.#answered.resolve()
  }
}
