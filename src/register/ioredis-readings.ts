/**
 * The fast way of ioredis: readings of one key answered before a command is even made.
 *
 * Floor 5, room register. Only where the call is plain: text for each word, no callback. What is kept is what the
 * application saw, so that a hit is one look-up and a resolved promise. Everything else goes the client's own way.
 */
import { isBehindQueued } from './ioredis-auto.ts'
import { type IoRedis, LANE } from './ioredis-shape.ts'
import { type Lane, MISS, WAIT } from './lane.ts'
import { later, takeAll } from './later.ts'
import { patch } from './patch.ts'
import { memberName, ONE_KEY, ONE_MEMBER, type View } from './view.ts'

type Method = (this: IoRedis, ...args: unknown[]) => unknown

/** @param prototype of the class Redis */
export function wrapReadings(prototype: IoRedis): void {
  for (const [index, name] of ONE_KEY.entries()) {
    const original = prototype[name] as Method | undefined
    if (typeof original === 'function') patch(prototype, name, oneKey(original, index))
  }
  for (const [index, name] of ONE_MEMBER.entries()) {
    const original = prototype[name] as Method | undefined
    if (typeof original === 'function') patch(prototype, name, oneMember(original, ONE_KEY.length + index))
  }
  const { mget } = prototype
  if (typeof mget === 'function') patch(prototype, 'mget', many(mget as Method))
}

/** Hot: no list of arguments is made, no function. */
function oneKey(original: Method, index: number): Method {
  return function (this: IoRedis): unknown {
    const lane = this[LANE]
    const key: unknown = arguments[0]
    if (lane !== undefined && lane.isOpen && arguments.length === 1 && typeof key === 'string') {
      const entry = (lane.view as View).drawers[index]?.get(key)
      if (entry !== undefined && !isBehindQueued(this, lane)) {
        const found = lane.take(entry)
        if (found === WAIT && mayWait(this)) return later(lane, passer(this, original, [key]))
        if (found !== MISS && found !== WAIT) return Promise.resolve(found)
      }
    }
    return original.apply(this, arguments as unknown as unknown[])
  }
}

/** Autopipelining would put what has waited behind what was sent meanwhile. */
function mayWait(redis: IoRedis): boolean {
  return redis.options.enableAutoPipelining !== true
}

function passer(redis: IoRedis, original: Method, args: unknown[]): () => unknown {
  return () => original.apply(redis, args)
}

function oneMember(original: Method, index: number): Method {
  return function (this: IoRedis, ...args: unknown[]): unknown {
    const lane = this[LANE] as Lane | undefined
    const [key, member] = args
    if (lane?.isOpen === true && args.length === 2 && typeof key === 'string' && typeof member === 'string') {
      const entry = lane.view?.drawers[index]?.get(memberName(key, member))
      if (entry !== undefined && !isBehindQueued(this, lane)) {
        const found = lane.take(entry)
        if (found === WAIT && mayWait(this)) return later(lane, () => original.apply(this, args))
        if (found !== MISS && found !== WAIT) return Promise.resolve(found)
      }
    }
    return original.apply(this, args)
  }
}

/** MGET of keys that were each read by GET and still stand together: the same as one reading of all. */
function many(original: Method): Method {
  return function (this: IoRedis, ...args: unknown[]): unknown {
    const lane = this[LANE] as Lane | undefined
    if (lane?.isOpen === true && !isBehindQueued(this, lane)) {
      const keys = args.length === 1 && Array.isArray(args[0]) ? (args[0] as unknown[]) : args
      const found = takeAll(lane, keys)
      if (found !== undefined) return Promise.resolve(found)
    }
    return original.apply(this, args)
  }
}
