/**
 * `GET /v1/stream`: what happens inside, as server-sent events.
 *
 * Floor 4, room ops. Each client has a bounded queue: a client that reads slower than things happen loses events and is
 * told how many (`event: dropped`); it never holds the cache and never grows memory. The number of clients is bounded.
 *
 * @see WHATWG HTML section 9.2 (server-sent events)
 */
import type { Engine } from '../flow/engine.ts'
import { readStats } from '../flow/stats.ts'
import type { Clock, Timer } from '../model/clock.ts'
import type { ApiReply, ApiRequest, Endpoint } from '../model/endpoint.ts'
import { ForecacheError } from '../model/errors.ts'
import type { EventName } from '../model/event.ts'
import { STREAM_TEXT } from './texts.ts'

/** Bounds of the stream. */
export interface StreamLimits {
  /** Streams open at once. */
  readonly maxClients: number
  /** Events that may wait for one client. */
  readonly maxQueue: number
  /** Silence after which a comment is sent, ms. */
  readonly heartbeatMs: number
  /** Time between two `stats` events, ms. */
  readonly statsEveryMs: number
}

/** Defaults of StreamLimits. */
export const STREAM_LIMITS: StreamLimits = { maxClients: 64, maxQueue: 1000, heartbeatMs: 15_000, statsEveryMs: 1000 }

/** Every event that can be asked for, and whether it is sent when nothing is asked for. */
const NAMES: Readonly<Record<EventName | 'stats', boolean>> = {
  stats: true,
  'fence:append': true,
  'keep:refuse': true,
  'origin:fail': true,
  'audit:violation': true,
  'keep:store': false,
  'memory:remove': false,
  'origin:load': false,
  'flight:join': false,
  'flight:detach': false,
  'lookup:hit': false,
  'lookup:stale': false,
  'lookup:miss': false,
}

/** Where events come from: an engine, or several. */
export interface StreamSource {
  readonly clock: Clock
  /** @returns how to stop */
  on(name: EventName, listener: (payload: unknown) => void): () => void
  /** What a `stats` event tells. */
  stats(): unknown
}

/** One engine as a source. */
export function engineSource(engine: Engine): StreamSource {
  const { clock, events } = engine
  return { clock, on: (name, listener) => events.on(name, listener), stats: () => readStats(engine) }
}

/** The streams of one source. */
export class Streams {
  readonly #source: StreamSource
  readonly #limits: StreamLimits
  readonly #feeds = new Set<Feed>()

  constructor(source: StreamSource, limits: StreamLimits = STREAM_LIMITS) {
    this.#source = source
    this.#limits = limits
  }

  /** Streams open now. */
  get size(): number {
    return this.#feeds.size
  }

  get endpoint(): Endpoint {
    return { method: 'GET', path: '/v1/stream', about: STREAM_TEXT, handle: (request) => this.#handle(request) }
  }

  /** Ends every stream. */
  close(): void {
    for (const feed of this.#feeds) feed.close()
  }

  #handle(request: ApiRequest): ApiReply {
    const names = parseNames(request.query.get('events'))
    const { maxClients } = this.#limits
    if (this.#feeds.size >= maxClients) throw new ForecacheError('FC_API_BUSY', { what: '/v1/stream', max: maxClients })
    return {
      status: 200,
      fields: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
      body: this.#read(names, request.signal),
    }
  }

  /** A generator: nothing is begun for an answer that nobody reads (HEAD). */
  async *#read(names: readonly (EventName | 'stats')[], signal: AbortSignal): AsyncGenerator<string> {
    const feed = new Feed(this.#source, this.#limits, signal)
    this.#feeds.add(feed)
    try {
      feed.open(names)
      for (let chunk = await feed.next(); chunk !== undefined; chunk = await feed.next()) yield chunk
    } finally {
      feed.close()
      this.#feeds.delete(feed)
    }
  }
}

/** One client's queue. Closed when the client goes, however it goes. */
class Feed {
  readonly #source: StreamSource
  readonly #limits: StreamLimits
  readonly #signal: AbortSignal
  readonly #stops: (() => void)[] = []
  #queue: string[] = ['retry: 2000\n\n']
  #dropped = 0
  #closed = false
  #wake: (() => void) | undefined

  constructor(source: StreamSource, limits: StreamLimits, signal: AbortSignal) {
    this.#source = source
    this.#limits = limits
    this.#signal = signal
  }

  open(names: readonly (EventName | 'stats')[]): void {
    const close = (): void => this.close()
    this.#signal.addEventListener('abort', close, { once: true })
    this.#stops.push(() => this.#signal.removeEventListener('abort', close))
    for (const name of names) {
      if (name === 'stats') this.#tick()
      else this.#stops.push(this.#source.on(name, (payload) => this.#push(name, payload)))
    }
    if (this.#signal.aborted) this.close()
  }

  /** Everything that waits, as one chunk; undefined when the stream has ended. */
  async next(): Promise<string | undefined> {
    if (this.#queue.length === 0 && !this.#closed) await this.#wait()
    return this.#closed ? undefined : this.#take()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const stop of this.#stops) stop()
    this.#queue = []
    this.#wake?.()
  }

  #take(): string {
    if (this.#dropped > 0) this.#queue.push(frame('dropped', { events: this.#dropped }))
    this.#dropped = 0
    const chunk = this.#queue.length === 0 ? ': still here\n\n' : this.#queue.join('')
    this.#queue = []
    return chunk
  }

  #push(name: string, payload: unknown): void {
    if (this.#queue.length >= this.#limits.maxQueue) {
      this.#dropped += 1
      return
    }
    this.#queue.push(frame(name, payload))
    this.#wake?.()
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#source.clock.after(this.#limits.heartbeatMs, () => this.#wake?.())
      this.#wake = () => {
        this.#wake = undefined
        timer.cancel()
        resolve()
      }
    })
  }

  #tick(): void {
    let timer: Timer | undefined
    const again = (): void => {
      this.#push('stats', this.#source.stats())
      timer = this.#source.clock.after(this.#limits.statsEveryMs, again)
    }
    again()
    this.#stops.push(() => timer?.cancel())
  }
}

function parseNames(given: string | null): (EventName | 'stats')[] {
  if (given === null) return (Object.keys(NAMES) as EventName[]).filter((name) => NAMES[name])
  const wanted = [...new Set(given.split(','))]
  for (const name of wanted) {
    if (!Object.hasOwn(NAMES, name)) {
      throw new ForecacheError('FC_API_QUERY', {
        name: 'events',
        reason: `${name} is not an event; known: ${Object.keys(NAMES).join(', ')}`,
      })
    }
  }
  return wanted as (EventName | 'stats')[]
}

function frame(name: string, payload: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(payload, plainErrors)}\n\n`
}

/** For JSON: errors as their text and code. */
export function plainErrors(_: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value
  return { message: value.message, ...(value instanceof ForecacheError && { code: value.code }) }
}
