/**
 * node-redis 5 and 6, wrapped: `sendCommand` asks memory first, and the queue that every command goes through tells it.
 *
 * Floor 5, room register. All ways lead through the queue's `addCommand`: methods, `sendCommand`, MULTI, pipelines, scripts
 * and the greeting. A reply is kept as it came from the decoder, under the type mapping it was decoded with; transformers
 * stay the client's own. Each reply reaches the application one microtask later than without us, all alike, so their
 * order is the same. Members of a Cluster or Sentinel object are asked what they are by their server.
 */
import { depart, type Flight } from './flight.ts'
import type { Hub } from './hub.ts'
import { Lane, MISS, WAIT } from './lane.ts'
import { later } from './later.ts'
import { greet, leave, openLane, ownView, viewOf } from './node-redis-lane.ts'
import { wrapMethods } from './node-redis-readings.ts'
import {
  isGreeting,
  type NodeRedis,
  type QueueOptions,
  type RedisQueue,
  respOf,
  WRAPPED,
  type Wrapped,
} from './node-redis-shape.ts'
import { patch } from './patch.ts'
import type { Place } from './shelf.ts'
import { drawerOf, hasMember, memberName, wordsName } from './view.ts'

type Send = (this: NodeRedis, ...sent: unknown[]) => Promise<unknown>
type Add = (this: RedisQueue, args: readonly unknown[], options?: QueueOptions) => Promise<unknown>

/** Classes of which every client is wrapped. */
const everyone = new WeakSet<NodeRedis>()
/** The client's own way of sending, on its class. */
const SEND = Symbol('forecache.send')
const NEEDED = ['connect', 'sendCommand', '_getQueue', '_executeCommand', 'destroy', 'close'] as const

/** Every client of a class. @param prototype of the class RedisClient @returns why not, or undefined */
export function wrapNodeRedis(hub: Hub, prototype: NodeRedis, major: number): string | undefined {
  const why = wrapClass(hub, prototype, major)
  if (why === undefined) everyone.add(prototype)
  return why
}

/** One client, before it connects; for others of its class the methods do what they did. @returns why not, or undefined */
export function wrapOne(
  hub: Hub,
  client: NodeRedis,
  of: { readonly prototype: NodeRedis; readonly major: number },
): string | undefined {
  const why = wrapClass(hub, of.prototype, of.major)
  if (why === undefined) attach(hub, client, of.major)
  return why
}

function wrapClass(hub: Hub, prototype: NodeRedis, major: number): string | undefined {
  for (const name of NEEDED) if (typeof prototype[name] !== 'function') return `the client has no method ${name}`
  if (Object.hasOwn(prototype, WRAPPED)) return undefined
  Object.defineProperty(prototype, WRAPPED, { value: undefined, writable: true, configurable: true })
  const connect = prototype.connect as (this: NodeRedis, ...args: unknown[]) => Promise<unknown>
  patch(prototype, 'connect', function (this: NodeRedis, ...args: unknown[]) {
    if (everyone.has(prototype)) attach(hub, this._self, major)
    return connect.apply(this, args)
  })
  wrapSending(prototype)
  before(prototype, ['destroy', 'close', 'QUIT'], leave)
  // These do not come through the queue's way in.
  before(prototype, ['reset', 'MONITOR'], (client) => client[WRAPPED]?.lane.aside())
  return undefined
}

/** Hits are given here, where the client has yet to decide when it writes. */
function wrapSending(prototype: NodeRedis): void {
  const original = prototype.sendCommand as Send
  Object.defineProperty(prototype, SEND, { value: original })
  patch(prototype, 'sendCommand', function (this: NodeRedis, ...sent: unknown[]) {
    const [args, given] = sent as [unknown, QueueOptions?]
    const self = this._self
    // Version 5 does not heed the options of a derived client here.
    const own = (self[WRAPPED]?.major ?? 6) < 6 ? self._commandOptions : this._commandOptions
    if (Array.isArray(args) && (given?.abortSignal ?? own?.abortSignal) === undefined && given?.chainId === undefined) {
      const lane = openLane(self)
      if (lane !== undefined) {
        const found = answer(self, lane, { args, options: { ...own, ...given } })
        if (found === WAIT) return later(lane, () => original.apply(this, sent))
        if (found !== MISS) return Promise.resolve(found)
      }
    }
    return original.apply(this, sent)
  })
}

function before(prototype: NodeRedis, names: readonly string[], run: (client: NodeRedis) => void): void {
  for (const name of names) {
    const original = prototype[name] as ((this: NodeRedis, ...args: unknown[]) => unknown) | undefined
    if (typeof original !== 'function') continue
    patch(prototype, name, function (this: NodeRedis, ...args: unknown[]) {
      run(this._self)
      return original.apply(this, args)
    })
  }
}

/** Wraps one client; harmless when it is already. */
function attach(hub: Hub, client: NodeRedis, major: number): void {
  if (client[WRAPPED] !== undefined) return
  const queue = client._getQueue()
  if (typeof queue?.addCommand !== 'function' || typeof queue.decoder !== 'object') {
    hub.warn('node-redis: its queue is not one that is known; its clients are left alone')
    return
  }
  if (client.options?.[Symbol.for('forecache.own')] === true) return
  const wrapped: Wrapped = {
    hub,
    lane: new Lane(),
    epoch: -1,
    database: 0,
    greeting: undefined,
    major,
    isOldProtocol: respOf(client, major) === 2,
    ask: (args) => ((client as unknown as Record<symbol, Send>)[SEND] as Send).call(client, args, { typeMapping: {} }),
  }
  Object.defineProperty(client, WRAPPED, { value: wrapped, writable: true, configurable: true, enumerable: false })
  wrapQueue(client, wrapped, queue)
  wrapMethods(Object.getPrototypeOf(client) as NodeRedis)
}

function wrapQueue(client: NodeRedis, wrapped: Wrapped, queue: RedisQueue): void {
  const original = queue.addCommand as Add
  patch(queue, 'addCommand', function (this: RedisQueue, args: readonly unknown[], options?: QueueOptions) {
    const send = (): Promise<unknown> => original.call(this, args, options)
    if (isGreeting(client, options)) {
      greet(wrapped, args, options?.chainId as symbol)
      return follow(send(), undefined)
    }
    return sendOut(client, wrapped, { args, options, send })
  })
  wrapMessages(wrapped, queue)
}

interface Sent {
  readonly args: readonly unknown[]
  readonly options: QueueOptions | undefined
}

function answer(client: NodeRedis, lane: Lane, sent: Sent): unknown {
  const place = placeOf(client, lane, sent)
  const entry = place?.drawer.get(place.name)
  return entry === undefined ? MISS : lane.take(entry)
}

/** Replies decoded alike share drawers; where they are decoded as the client does by itself, readings of one key have their own. */
function placeOf(client: NodeRedis, lane: Lane, { args, options }: Sent): Omit<Place, 'key'> | undefined {
  const { upstream } = lane
  const mapping = options?.typeMapping
  const isOwn = mapping === client._commandOptions?.typeMapping
  const view = isOwn ? lane.view : upstream && viewOf(client, upstream, mapping)
  if (view === undefined) return undefined
  const [command, key, member] = args
  const index = typeof command === 'string' && typeof key === 'string' ? drawerOf(command.toLowerCase()) : undefined
  if (index !== undefined && args.length === (hasMember(index) ? 3 : 2) && (args.length === 2 || typeof member === 'string')) {
    const drawer = view.drawers[index]
    const name = args.length === 2 ? (key as string) : memberName(key as string, member as string)
    return drawer === undefined ? undefined : { drawer, name }
  }
  const name = wordsName(String(command), args.slice(1))
  return name === undefined ? undefined : { drawer: view.others, name }
}

/** Sends a command, with memory told of it and of its reply. */
function sendOut(
  client: NodeRedis,
  wrapped: Wrapped,
  { args, options, send }: Sent & { send: () => Promise<unknown> },
): Promise<unknown> {
  const { lane } = wrapped
  const flight = depart(lane, args as readonly string[], {
    place: ({ keys }) => {
      const place = placeOf(client, lane, { args, options })
      return place === undefined ? undefined : { ...place, key: keys[0] as string | Buffer }
    },
    form: (reply) => reply,
    after: (kind, isError) => {
      if (kind === 'select') after(client, wrapped, { isError, args })
    },
  })
  return follow(send(), flight)
}

/** Every command goes this way, so that all replies come one step later alike. */
function follow(sent: Promise<unknown>, flight: Flight | undefined): Promise<unknown> {
  return sent.then(
    (reply) => {
      flight?.replied(reply)
      return reply
    },
    (error: unknown) => {
      flight?.failed()
      throw error
    },
  )
}

/** The application has selected a database. */
function after(client: NodeRedis, wrapped: Wrapped, { isError, args }: { isError: boolean; args: readonly unknown[] }): void {
  const { lane } = wrapped
  if (isError) return
  wrapped.database = Number(String(args[1]))
  if (lane.upstream !== undefined) lane.moved({ view: ownView(client, wrapped, lane.upstream), database: wrapped.database })
}

/** A message tells of what was written before it was published. */
function wrapMessages(wrapped: Wrapped, queue: RedisQueue): void {
  const learned = (): void => {
    if (queue.isPubSubActive) wrapped.lane.upstream?.learned(wrapped.lane.reader)
  }
  const { decoder } = queue
  const onPush = decoder.onPush
  decoder.onPush = (push: unknown) => {
    learned()
    onPush.call(decoder, push)
  }
  // In RESP2 messages come as replies, through a callback that the queue changes.
  let onReply = decoder.onReply
  Object.defineProperty(decoder, 'onReply', {
    configurable: true,
    enumerable: true,
    get: () => relay,
    set: (next: typeof onReply) => {
      onReply = next === relay ? onReply : next
    },
  })
  const relay = (reply: unknown): void => {
    learned()
    onReply.call(decoder, reply)
  }
}
