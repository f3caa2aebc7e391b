/**
 * Random commands over few keys, for programs that run with and without the hook.
 */
import { createRandom } from '../../../src/model/random.ts'

/** A command with its arguments, in upper case. */
export type Drawn = readonly [name: string, ...args: string[]]

const KEYS = ['a', 'b', 'c', 'd:ü', 'e', 'n']
/** What is once used as a counter or a lock is not kept for minutes: few keys are. */
const LIVE = ['e', 'n']
const VALUES = ['', '0', '1', '12', 'x', 'longer value', 'ü€', '3.5', 'none']
const FIELDS = ['f', 'g', '7', '__proto__', 'constructor']

/** @returns a source of commands; the same for the same seed */
export function dice(seed: number): { command(): Drawn; chance(share: number): boolean; below(limit: number): number } {
  const random = createRandom(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  const one = (list: readonly string[]): string => list[below(list.length)] as string
  const key = (): string => one(KEYS)
  const live = (): string => one(LIVE)
  const value = (): string => one(VALUES)
  const field = (): string => one(FIELDS)
  const number = (): string => String(below(5) - 2)
  const reads: readonly (() => Drawn)[] = [
    () => ['GET', key()],
    () => ['GET', key()],
    () => ['MGET', key(), key()],
    () => ['STRLEN', key()],
    () => ['GETRANGE', key(), number(), number()],
    () => ['GETBIT', key(), String(below(9))],
    () => ['BITCOUNT', key()],
    () => ['EXISTS', key()],
    () => ['EXISTS', key(), key()],
    () => ['TYPE', key()],
    () => ['HGET', key(), field()],
    () => ['HGETALL', key()],
    () => ['HMGET', key(), field(), field()],
    () => ['HKEYS', key()],
    () => ['HVALS', key()],
    () => ['HLEN', key()],
    () => ['HEXISTS', key(), field()],
    () => ['HSTRLEN', key(), field()],
    () => ['LRANGE', key(), '0', '-1'],
    () => ['LLEN', key()],
    () => ['LINDEX', key(), number()],
    () => ['LPOS', key(), value()],
    () => ['SISMEMBER', key(), value()],
    () => ['SMISMEMBER', key(), value(), value()],
    () => ['SCARD', key()],
    () => ['ZSCORE', key(), value()],
    () => ['ZMSCORE', key(), value(), value()],
    () => ['ZRANGE', key(), '0', '-1', 'WITHSCORES'],
    () => ['ZRANGEBYSCORE', key(), '-inf', '+inf'],
    () => ['ZRANK', key(), value()],
    () => ['ZCARD', key()],
    () => ['ZCOUNT', key(), '-inf', '2'],
    () => ['XLEN', key()],
    () => ['XRANGE', key(), '-', '+'],
    () => ['OBJECT', 'ENCODING', key()],
    () => ['NOSUCHCOMMAND', key()],
    () => ['GET', key(), 'too', 'many'],
  ]
  const writes: readonly (() => Drawn)[] = [
    () => ['SET', key(), value()],
    () => ['SET', key(), value()],
    () => ['SET', key(), value(), 'EX', '1000'],
    () => ['SET', live(), value(), 'NX'],
    () => ['SET', live(), value(), 'GET'],
    () => ['SETEX', key(), '500', value()],
    () => ['MSET', key(), value(), key(), value()],
    () => ['APPEND', key(), value()],
    () => ['INCR', live()],
    () => ['DEL', key()],
    () => ['DEL', key()],
    () => ['UNLINK', key(), key()],
    () => ['EXPIRE', key(), '1000'],
    () => ['PERSIST', key()],
    () => ['RENAME', key(), key()],
    () => ['COPY', key(), key(), 'REPLACE'],
    () => ['SETBIT', key(), String(below(9)), String(below(2))],
    () => ['SETRANGE', key(), String(below(4)), value()],
    () => ['GETDEL', live()],
    () => ['GETSET', live(), value()],
    () => ['HSET', key(), field(), value()],
    () => ['HSET', key(), field(), value(), field(), value()],
    () => ['HDEL', key(), field()],
    () => ['HINCRBY', live(), field(), '2'],
    () => ['LPUSH', key(), value(), value()],
    () => ['RPUSH', key(), value()],
    () => ['LPOP', key()],
    () => ['LTRIM', key(), '0', '2'],
    () => ['LMOVE', key(), key(), 'LEFT', 'RIGHT'],
    () => ['SADD', key(), value(), value()],
    () => ['SREM', key(), value()],
    () => ['SMOVE', key(), key(), value()],
    () => ['SUNIONSTORE', key(), key(), key()],
    () => ['ZADD', key(), number(), value(), number(), value()],
    () => ['ZINCRBY', key(), '1.5', value()],
    () => ['ZREM', key(), value()],
    () => ['ZUNIONSTORE', key(), '2', key(), key()],
    () => ['XADD', key(), `${1 + below(3)}-*`, field(), value()],
    () => ['EVAL', "return redis.call('SET', KEYS[1], ARGV[1])", '1', live(), value()],
    () => ['EVAL', `return redis.call('DEL', '${key()}')`, '0'],
    () => ['SORT', key(), 'ALPHA', 'STORE', key()],
  ]
  const rare: readonly (() => Drawn)[] = [
    () => ['FLUSHDB'],
    () => ['SELECT', String(below(3))],
    () => ['SWAPDB', '0', '1'],
    () => ['MOVE', key(), String(below(3))],
    () => ['PING'],
    () => ['ECHO', value()],
  ]
  const chance = (share: number): boolean => random() < share
  const recent: Drawn[] = []
  return {
    below,
    chance,
    command: () => {
      // The same readings again and again, or nothing would ever be answered from memory.
      if (recent.length > 0 && chance(0.75)) return recent[below(recent.length)] as Drawn
      const list = random() < 0.01 ? rare : random() < 0.8 ? reads : writes
      const drawn = (list[below(list.length)] as () => Drawn)()
      if (list !== reads) return drawn
      recent[below(8)] = drawn
      for (let i = 0; i < 8; i += 1) recent[i] ??= drawn
      return drawn
    },
  }
}
