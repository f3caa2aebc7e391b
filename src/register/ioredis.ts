/**
 * ioredis 5 and 6, wrapped: its prototype's methods ask memory first, and tell it of everything they send.
 *
 * Floor 5, room register. Every command comes through `sendCommand`, pipelines and transactions included; a reply is kept
 * as it came off the wire (before encoding, transformers and callbacks, which stay the client's own), inside the very
 * callback of its parser. Connections of Cluster and Sentinel objects are asked what they are by their server.
 */
import type { CommandKind } from './commands.ts'
import type { Target } from './dial.ts'
import { depart, type Flight } from './flight.ts'
import type { Hub } from './hub.ts'
import { wrapReadings } from './ioredis-readings.ts'
import { formOf, isOneReading, isTransformed, type IoCommand, type IoRedis, LANE, targetOf } from './ioredis-shape.ts'
import { type Berth, Lane, MISS, WAIT } from './lane.ts'
import { runIdOf } from './run-id.ts'
import { drawerOf, hasMember, memberName, wordsName } from './view.ts'
import type { Entry, Place } from './shelf.ts'
import { patch } from './patch.ts'
import type { Upstream } from './upstream.ts'

const FLIGHT = Symbol('forecache.flight')
/** Which run of a server a client's connection leads to. */
const runs = new WeakMap<IoRedis, string>()
/** Classes of which every client is wrapped, and clients that were named one by one. */
const everyone = new WeakSet<IoRedis>()
const chosen = new WeakSet<IoRedis>()
const MESSAGES = new Set<unknown>(['message', 'pmessage', 'smessage', 'messageBuffer', 'pmessageBuffer', 'smessageBuffer'])

type Send = (this: IoRedis, ...sent: unknown[]) => unknown

/** Methods that have to be there; else the version is not one that is known. */
const NEEDED = ['sendCommand', 'setStatus', 'disconnect', 'emit', 'get', 'hgetall'] as const

/**
 * The class's methods are changed either way; for a client that was not named they do what they did.
 *
 * @param prototype of the class Redis
 * @param client the only one that is meant; default: every one of the class
 * @returns why not, or undefined
 */
export function wrapIoredis(hub: Hub, prototype: IoRedis, client?: IoRedis): string | undefined {
  for (const name of NEEDED) if (typeof prototype[name] !== 'function') return `the client has no method ${name}`
  if (client === undefined) everyone.add(prototype)
  else chosen.add(client)
  if (Object.hasOwn(prototype, LANE)) return undefined
  Object.defineProperty(prototype, LANE, { value: undefined, writable: true, configurable: true })
  const original = prototype.sendCommand as Send
  patch(prototype, 'sendCommand', function (this: IoRedis, ...sent: unknown[]) {
    const lane = this[LANE] as Lane | undefined
    const pass = (): unknown => original.apply(this, sent)
    const [given, stream] = sent
    const command = given as IoCommand
    if (lane === undefined || this.status !== 'ready') {
      if (command.name === 'info') learnRun(this, command)
      return pass()
    }
    const send = (): unknown => {
      follow(this, lane, command)
      return pass()
    }
    if (lane.isOpen && (stream === undefined || stream === null) && command[FLIGHT] === undefined) {
      const entry = entryOf(this, lane, command)
      const found = entry === undefined ? MISS : lane.take(entry)
      if (found === WAIT) return waitFor({ redis: this, lane, command }, send)
      if (found !== MISS) return settle(this, command, found)
    }
    return send()
  })
  wrapLife(hub, prototype)
  wrapReadings(prototype)
  return undefined
}

/** The client's own check whether the server is ready tells which run of a server it talks to. */
function learnRun(redis: IoRedis, command: IoCommand): void {
  const { resolve } = command
  command.resolve = (reply) => {
    runs.set(redis, runIdOf(reply))
    return resolve.call(command, reply)
  }
}

/** The connection's comings and goings. */
function wrapLife(hub: Hub, prototype: IoRedis): void {
  const setStatus = prototype.setStatus as (this: IoRedis, status: string, detail?: unknown) => void
  patch(prototype, 'setStatus', function (this: IoRedis, status: string, detail?: unknown) {
    if (status === 'connecting') runs.delete(this)
    if (status === 'ready' && (chosen.has(this) || everyone.has(prototype))) arrive(hub, this)
    else if (status === 'close' || status === 'end' || status === 'reconnecting') leave(hub, this, status === 'end')
    return setStatus.call(this, status, detail)
  })
  const disconnect = prototype.disconnect as (this: IoRedis, ...args: unknown[]) => void
  patch(prototype, 'disconnect', function (this: IoRedis, ...args: unknown[]) {
    this[LANE]?.disconnected()
    return disconnect.apply(this, args)
  })
  const emit = prototype.emit as (this: IoRedis, name: unknown, ...args: unknown[]) => boolean
  patch(prototype, 'emit', function (this: IoRedis, name: unknown, ...args: unknown[]) {
    const lane = this[LANE]
    if (lane !== undefined && MESSAGES.has(name)) lane.upstream?.learned(lane.reader) // a message tells of what was written before it
    return emit.call(this, name, ...args)
  })
}

/** @param redis whose connection is ready, now or since before it was wrapped */
export function arrive(hub: Hub, redis: IoRedis): void {
  const target: Target | string = targetOf(redis)
  if (typeof target === 'string') {
    if (target !== '') hub.warn(target)
    leave(hub, redis, true)
    return
  }
  let lane = redis[LANE]
  if (lane === undefined) {
    lane = new Lane()
    Object.defineProperty(redis, LANE, { value: lane, writable: true, configurable: true, enumerable: false })
  }
  const upstream = hub.attach(lane, target, runs.get(redis) ?? '')
  lane.connected(upstream, berthOf(redis, upstream))
}

function berthOf(redis: IoRedis, upstream: Upstream): Berth {
  const database = redis.condition?.select ?? 0
  return { view: upstream.view(formOf(redis), { database, prefix: redis.options.keyPrefix ?? '' }), database }
}

function leave(hub: Hub, redis: IoRedis, isOver: boolean): void {
  const lane = redis[LANE]
  if (lane === undefined) return
  lane.disconnected()
  if (!isOver) return
  hub.detach(lane)
  redis[LANE] = undefined
}

/** What is kept for a command, found by how it is kept. */
function entryOf(redis: IoRedis, lane: Lane, command: IoCommand): Entry | undefined {
  const place = placeOf(lane, redis, command)
  return place?.drawer.get(place.name)
}

/** Gives a command what was kept for it: as it came off the wire, or as the application saw it. */
function settle(redis: IoRedis, command: IoCommand, found: unknown): unknown {
  // Version 6 tells a command in sendCommand how its connection speaks; its transformers ask for it.
  command.setReplyContext?.(redis.condition ?? redis.options)
  if (isOneReading(command)) Object.defineProperty(command, 'transformReply', { value: (reply: unknown) => reply })
  return command.resolve(found)
}

interface Waited {
  readonly redis: IoRedis
  readonly lane: Lane
  readonly command: IoCommand
}

function waitFor({ redis, lane, command }: Waited, send: () => unknown): unknown {
  const entry = lane.found as Entry
  lane.wait((isProven) => {
    const found = isProven ? lane.take(entry) : MISS
    if (found !== MISS && found !== WAIT) settle(redis, command, found)
    else void lane.passing(send)
  })
  return command.promise
}

/** Has memory know of a command that is sent now, and of its reply. */
function follow(redis: IoRedis, lane: Lane, command: IoCommand): void {
  const known = command[FLIGHT]
  if (known !== undefined) {
    known.again()
    return
  }
  const flight = depart(lane, [command.name, ...command.args] as string[], {
    place: ({ keys }) => {
      const place = placeOf(lane, redis, command)
      return place === undefined ? undefined : { ...place, key: keys[0] as string | Buffer }
    },
    form: (reply) => (isOneReading(command) ? shownBy(lane, command, reply) : reply),
    after: (kind, isError) => after(redis, lane, { kind, isError }),
  })
  if (flight === undefined) return
  Object.defineProperty(command, FLIGHT, { value: flight, enumerable: false })
  listen(command, flight)
}

/** A reply as the application sees it. */
function shownBy({ view }: Lane, command: IoCommand, reply: unknown): unknown {
  if (view !== undefined && isTransformed(command)) view.isAltered = true
  return command.transformReply(reply)
}

/** The client calls these as soon as its parser has the reply. */
function listen(command: IoCommand, flight: Flight): void {
  const { resolve, reject } = command
  command.resolve = (reply) => {
    flight.replied(reply)
    return resolve.call(command, reply)
  }
  command.reject = (error) => {
    flight.failed()
    reject.call(command, error)
  }
}

function placeOf(lane: Lane, redis: IoRedis, command: IoCommand): Omit<Place, 'key'> | undefined {
  const { view } = lane
  if (view === undefined) return undefined
  if (isOneReading(command)) {
    const index = drawerOf(command.name) as number
    const prefix = typeof redis.options.keyPrefix === 'string' ? redis.options.keyPrefix.length : 0
    const name = (command.args[0] as string).slice(prefix)
    const drawer = view.drawers[index]
    if (drawer === undefined) return undefined
    return { drawer, name: hasMember(index) ? memberName(name, command.args[1] as string) : name }
  }
  const name = wordsName(command.name, command.args)
  return name === undefined ? undefined : { drawer: view.others, name }
}

function after(redis: IoRedis, lane: Lane, { kind, isError }: { kind: CommandKind; isError: boolean }): void {
  if (kind === 'subscribe') lane.subscribed(Boolean(redis.condition?.subscriber))
  if (kind !== 'select') return
  if (isError)
    lane.aside() // the client believes it has moved
  else if (lane.upstream !== undefined) lane.moved(berthOf(redis, lane.upstream))
}
