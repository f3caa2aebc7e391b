/**
 * The HTTP door between a scripted origin and scripted clients, on a virtual clock: no server, no real time.
 */
import { Engine } from '../../src/flow/engine.ts'
import { type CacheOptions, resolveSettings } from '../../src/flow/options.ts'
import { createHttpDoor, type HttpDoor, type HttpDoorOptions } from '../../src/http/door.ts'
import type {
  BodySource,
  OriginAnswer,
  OriginPort,
  Reply,
  RequestHead,
  ResponseHead,
  SendOptions,
} from '../../src/model/exchange.ts'
import { Fields } from '../../src/model/fields.ts'
import { createVirtualClock, settle, type VirtualClock } from '../../src/model/virtual-clock.ts'
import { formatHttpDate } from '../../src/rules/dates.ts'

type FieldRecord = Readonly<Record<string, string | number | readonly string[] | undefined>>

/** What the scripted origin answers. */
export interface Script {
  readonly status?: number
  readonly fields?: FieldRecord
  readonly body?: string | BodySource
  readonly trailers?: FieldRecord
  readonly endsByClose?: boolean
  /** 1xx answers before it. */
  readonly before?: readonly ResponseHead[]
  /** Thrown instead of answering. */
  readonly error?: unknown
}

/** One request as the origin saw it. */
export interface Seen {
  readonly head: RequestHead
  readonly content: string
  readonly signal: AbortSignal
}

/** One answer as a client saw it. */
export interface Got {
  readonly status: number
  readonly fields: Fields
  readonly text: string
  readonly cache: string
  readonly reply: Reply
  /** What broke the body off. */
  readonly broken: unknown
}

/** A request as tests write it. */
export interface Wish {
  readonly method?: string
  readonly fields?: FieldRecord
  readonly body?: string
  readonly authority?: string
  readonly scheme?: 'http' | 'https'
  readonly signal?: AbortSignal
}

/** Answers one request; `n` counts from 1. */
export type Respond = (head: RequestHead, n: number) => Script | Promise<Script>

/** See the module's header. */
export class DoorStand {
  readonly clock: VirtualClock = createVirtualClock()
  readonly engine: Engine
  readonly door: HttpDoor
  readonly seen: Seen[] = []
  readonly informed: ResponseHead[] = []
  respond: Respond

  constructor(respond: Respond, options: Partial<HttpDoorOptions> = {}, cache: CacheOptions = {}) {
    this.respond = respond
    this.engine = new Engine(resolveSettings({ clock: this.clock, random: () => 0.5, ...cache }))
    this.door = createHttpDoor({ engine: this.engine, ...options })
  }

  /** The origin's port. */
  readonly origin: OriginPort = {
    send: async (head, body, options) => this.#answer(head, body, options),
  }

  /** Requests the origin got. */
  get asks(): number {
    return this.seen.length
  }

  /** The answer's head, its body not yet read. */
  open(target: string, wish: Wish = {}): Promise<Reply> {
    const {
      method = 'GET',
      fields = {},
      body,
      authority = 'shop.test',
      scheme = 'http',
      signal = new AbortController().signal,
    } = wish
    const head = { method, target, scheme, authority, fields: Fields.from(fields) }
    const content = body === undefined ? undefined : source(body)
    return this.door.handle(head, content, {
      origin: this.origin,
      signal,
      onInformational: (one) => void this.informed.push(one),
    })
  }

  /** The whole answer. */
  async get(target: string, wish: Wish = {}): Promise<Got> {
    return readReply(await this.open(target, wish))
  }

  /** Lets everything that can happen now happen. */
  async settle(): Promise<void> {
    for (let i = 0; i < 4; i += 1) await settle()
  }

  async #answer(head: RequestHead, body: BodySource | undefined, options: SendOptions): Promise<OriginAnswer> {
    let content = ''
    for await (const chunk of body ?? []) content += Buffer.from(chunk).toString()
    this.seen.push({ head, content, signal: options.signal })
    const script = await this.respond(head, this.seen.length)
    if (script.error !== undefined) throw script.error
    for (const one of script.before ?? []) options.onInformational?.(one)
    const { status = 200, fields = {}, body: text = '' } = script
    const all = Fields.from({ date: formatHttpDate(this.clock.wall()), ...fields })
    const plain = typeof text === 'string'
    if (plain && !all.has('content-length') && status !== 204 && status !== 304)
      all.set('content-length', String(Buffer.byteLength(text)))
    const trailers = script.trailers === undefined ? undefined : Fields.from(script.trailers)
    return {
      head: { status, statusText: 'Status', fields: all },
      body: plain ? source(head.method === 'HEAD' ? '' : text) : text,
      trailers: () => trailers,
      ...(script.endsByClose === undefined ? {} : { endsByClose: script.endsByClose }),
    }
  }
}

/** A body that a test lets out chunk by chunk. */
export class Valve implements BodySource {
  readonly #queue: (Uint8Array | 'end' | Error)[] = []
  #wake: (() => void) | undefined
  cancelled = false
  /** Chunks taken so far. */
  taken = 0

  push(text: string | Uint8Array): this {
    return this.#put(typeof text === 'string' ? Buffer.from(text) : text)
  }

  end(): this {
    return this.#put('end')
  }

  fail(error: Error = new Error('broken')): this {
    return this.#put(error)
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: async () => {
        while (this.#queue.length === 0 && !this.cancelled) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
        }
        const next = this.cancelled ? 'end' : this.#queue.shift()
        if (next instanceof Error) throw next
        if (next === 'end' || next === undefined) return { value: undefined, done: true }
        this.taken += 1
        return { value: next, done: false }
      },
      return: () => {
        this.cancelled = true
        this.#wake?.()
        return Promise.resolve({ value: undefined, done: true })
      },
    }
  }

  #put(item: Uint8Array | 'end' | Error): this {
    this.#queue.push(item)
    this.#wake?.()
    return this
  }
}

/** A promise with its ends outside. */
export function gate<T = void>(): { readonly passed: Promise<T>; open(value: T): void } {
  let open!: (value: T) => void
  const passed = new Promise<T>((resolve) => {
    open = resolve
  })
  return { passed, open }
}

/** Reads a reply to its end. */
export async function readReply(reply: Reply): Promise<Got> {
  let text = ''
  let broken: unknown
  if (reply.body instanceof Uint8Array) text = Buffer.from(reply.body).toString('latin1')
  else if (reply.body !== undefined) {
    try {
      for await (const chunk of reply.body) text += Buffer.from(chunk).toString('latin1')
    } catch (error) {
      broken = error
    }
  }
  return { status: reply.head.status, fields: reply.head.fields, text, cache: reply.outcome.cache, reply, broken }
}

function source(text: string): BodySource {
  return {
    async *[Symbol.asyncIterator]() {
      if (text !== '') yield Buffer.from(text)
    },
  }
}
