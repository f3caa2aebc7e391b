/**
 * The fast way of node-redis: readings of one key answered before a parser is even made.
 *
 * Floor 5, room register. The methods of commands stand on a class that each client's configuration makes anew, so they are
 * wrapped when a client of that class connects. What is kept is the decoded reply; the client's own transformer, seen
 * when the command was first sent, makes of it what the application gets.
 */
import { type Lane, MISS, WAIT } from './lane.ts'
import { later, takeAll } from './later.ts'
import { openLane } from './node-redis-lane.ts'
import type { NodeRedis, TypeMapping } from './node-redis-shape.ts'
import { patch } from './patch.ts'
import type { Entry } from './shelf.ts'
import { drawerOf, hasMember, memberName } from './view.ts'

type Transform = (reply: unknown, preserve: unknown, mapping: TypeMapping | undefined) => unknown
type Method = (this: NodeRedis, ...args: unknown[]) => Promise<unknown>

/** Methods by the commands whose drawers they read. */
const METHODS: Readonly<Record<string, readonly string[]>> = {
  get: ['get', 'GET'],
  strlen: ['strLen', 'STRLEN'],
  hgetall: ['hGetAll', 'HGETALL'],
  hkeys: ['hKeys', 'HKEYS'],
  hvals: ['hVals', 'HVALS'],
  hlen: ['hLen', 'HLEN'],
  llen: ['lLen', 'LLEN'],
  scard: ['sCard', 'SCARD'],
  smembers: ['sMembers', 'SMEMBERS'],
  zcard: ['zCard', 'ZCARD'],
  type: ['type', 'TYPE'],
  exists: ['exists', 'EXISTS'],
  hget: ['hGet', 'HGET'],
  hexists: ['hExists', 'HEXISTS'],
  sismember: ['sIsMember', 'SISMEMBER'],
  zscore: ['zScore', 'ZSCORE'],
}

const TRANSFORMS: unique symbol = Symbol('forecache.transforms')

/** What a class of clients makes of replies, by drawer; `null`: nothing. */
type Transforms = (Transform | null | undefined)[]

/** @param prototype of the class that a client's configuration made */
export function wrapMethods(prototype: NodeRedis): void {
  if (Object.hasOwn(prototype, TRANSFORMS)) return
  const transforms: Transforms = []
  Object.defineProperty(prototype, TRANSFORMS, { value: transforms })
  for (const [command, names] of Object.entries(METHODS)) {
    const index = drawerOf(command) as number
    for (const name of names) {
      const original = prototype[name] as Method | undefined
      if (typeof original === 'function') patch(prototype, name, hasMember(index) ? two(original, index) : one(original, index))
    }
  }
  for (const name of ['mGet', 'MGET']) {
    const original = prototype[name] as Method | undefined
    if (typeof original === 'function') patch(prototype, name, many(original))
  }
  const execute = prototype._executeCommand as Method
  patch(prototype, '_executeCommand', function (this: NodeRedis, ...args: unknown[]) {
    const [, parser, , transform] = args as [
      unknown,
      { readonly redisArgs?: readonly unknown[] } | undefined,
      unknown,
      Transform?,
    ]
    const index = drawerOf(String(parser?.redisArgs?.[0]).toLowerCase())
    if (index !== undefined && transforms[index] === undefined) transforms[index] = transform ?? null
    return execute.apply(this, args)
  })
}

/** Hot: no list of arguments is made, no function. */
function one(original: Method, index: number): Method {
  return function (this: NodeRedis): Promise<unknown> {
    const key: unknown = arguments[0]
    if (arguments.length === 1 && typeof key === 'string') {
      const lane = plainLane(this)
      const entry = lane?.view?.drawers[index]?.get(prefixed(this, key))
      if (entry !== undefined) {
        const found = take(this, { lane: lane as Lane, entry, index })
        if (found === WAIT) return waiting(this, { lane: lane as Lane, index }, passer(this, original, key))
        if (found !== MISS) return Promise.resolve(found)
      }
    }
    return original.apply(this, arguments as unknown as unknown[])
  }
}

function passer(client: NodeRedis, original: Method, key: string): () => unknown {
  return () => original.call(client, key)
}

function waiting(client: NodeRedis, { lane, index }: { lane: Lane; index: number }, pass: () => unknown): Promise<unknown> {
  return later(lane, pass, (raw) => show(client, index, raw))
}

function two(original: Method, index: number): Method {
  return function (this: NodeRedis, ...args: unknown[]): Promise<unknown> {
    const [key, member] = args
    if (args.length === 2 && typeof key === 'string' && typeof member === 'string') {
      const lane = plainLane(this)
      const entry = lane?.view?.drawers[index]?.get(memberName(prefixed(this, key), member))
      if (entry !== undefined) {
        const found = take(this, { lane: lane as Lane, entry, index })
        if (found === WAIT)
          return later(
            lane as Lane,
            () => original.apply(this, args),
            (raw) => show(this, index, raw),
          )
        if (found !== MISS) return Promise.resolve(found)
      }
    }
    return original.apply(this, args)
  }
}

/** See `takeAll`. */
function many(original: Method): Method {
  return function (this: NodeRedis, ...args: unknown[]): Promise<unknown> {
    const keys = args[0]
    if (args.length === 1 && Array.isArray(keys) && keys.every(isText)) {
      const lane = plainLane(this)
      const found =
        lane === undefined
          ? undefined
          : takeAll(
              lane,
              keys.map((key: string) => prefixed(this, key)),
            )
      if (found !== undefined) return Promise.resolve(found)
    }
    return original.apply(this, args)
  }
}

/** The lane, where replies are decoded as the client does by itself and nobody can abort. */
function plainLane(client: NodeRedis): Lane | undefined {
  const self = client._self
  const options = client._commandOptions
  if (options !== self._commandOptions || options?.abortSignal !== undefined) return undefined
  return openLane(self)
}

interface Found {
  readonly lane: Lane
  readonly entry: Entry
  readonly index: number
}

/** The application's value, MISS or WAIT. */
function take(client: NodeRedis, { lane, entry, index }: Found): unknown {
  const transform = transformsOf(client)[index]
  if (transform === undefined) return MISS
  const found = lane.take(entry)
  return transform === null || found === MISS || found === WAIT
    ? found
    : transform(found, undefined, client._commandOptions?.typeMapping)
}

function show(client: NodeRedis, index: number, raw: unknown): unknown {
  const transform = transformsOf(client)[index]
  return transform === null || transform === undefined ? raw : transform(raw, undefined, client._commandOptions?.typeMapping)
}

/** A client's own prefix stands before its keys; one of bytes is not looked up here. */
function prefixed(client: NodeRedis, key: string): string {
  const prefix = client._self.options?.keyPrefix
  if (prefix === undefined) return key
  return typeof prefix === 'string' ? prefix + key : ''
}

/** On the prototype of the client's class. */
function transformsOf(client: object): Transforms {
  return (client as { readonly [TRANSFORMS]: Transforms })[TRANSFORMS]
}

function isText(given: unknown): given is string {
  return typeof given === 'string'
}
