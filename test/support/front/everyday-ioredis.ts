/**
 * What an application asks of ioredis in a day, each question told with its answer.
 */
import { inspect } from 'node:util'

type Run = (...args: unknown[]) => Promise<unknown>
/** The client, seen loosely: both majors. */
export type Ioredis = Readonly<Record<string, Run>> & {
  on(event: string, listener: (...args: unknown[]) => void): void
  disconnect(): void
}
type Chain = Readonly<Record<string, (...args: unknown[]) => Chain>> & { exec(): Promise<unknown> }

/** Method and arguments; asked twice where that changes nothing. */
const CALLS: readonly (readonly [string, ...unknown[]])[] = [
  ['set', 'k', 'value'],
  ['get', 'k'],
  ['getBuffer', 'k'],
  ['set', 'k', 'é✓', 'EX', 100],
  ['get', 'k'],
  ['set', 'k', 'no', 'NX'],
  ['set', 'lock', 'me', 'PX', 5000, 'NX'],
  ['get', 'lock'],
  ['mset', { a: '1', b: '2' }],
  ['mget', 'a', 'b', 'none'],
  ['mgetBuffer', 'a', 'b'],
  ['incr', 'counter'],
  ['incrby', 'counter', 10],
  ['get', 'counter'],
  ['append', 'k', '+'],
  ['strlen', 'k'],
  ['getrange', 'k', 0, 2],
  ['setex', 'session:1', 60, '{"user":1}'],
  ['get', 'session:1'],
  ['expire', 'a', 100],
  ['persist', 'a'],
  ['exists', 'a', 'none'],
  ['type', 'a'],
  ['hset', 'h', { f: 'v', g: '1' }],
  ['hgetall', 'h'],
  ['hgetallBuffer', 'h'],
  ['hget', 'h', 'f'],
  ['hmget', 'h', 'f', 'none'],
  ['hincrby', 'h', 'g', 2],
  ['hgetall', 'h'],
  ['hdel', 'h', 'f'],
  ['hkeys', 'h'],
  ['hgetall', 'none'],
  ['rpush', 'l', 'a', 'b', 'c'],
  ['lrange', 'l', 0, -1],
  ['lpop', 'l'],
  ['llen', 'l'],
  ['sadd', 's', '10', '20'], // numbers keep their order
  ['smembers', 's'],
  ['sismember', 's', '10'],
  ['zadd', 'z', 1, 'one', 2, 'two'],
  ['zrange', 'z', 0, -1, 'WITHSCORES'],
  ['zscore', 'z', 'two'],
  ['zrangebyscore', 'z', '-inf', '+inf', 'LIMIT', 0, 1],
  ['xadd', 'x', '1-1', 'f', 'v'],
  ['xrange', 'x', '-', '+'],
  ['pfadd', 'p', 'a'],
  ['pfcount', 'p'],
  ['geoadd', 'geo', 13.4, 52.5, 'Berlin'],
  ['geopos', 'geo', 'Berlin'],
  ['eval', 'return redis.call("GET", KEYS[1])', 1, 'k'],
  ['eval', 'redis.call("SET", KEYS[1], ARGV[1]) return 1', 1, 'k', 'by script'],
  ['get', 'k'],
  ['scan', 0, 'MATCH', 'session:*', 'COUNT', 1000],
  ['select', 2],
  ['get', 'k'],
  ['set', 'k', 'two'],
  ['get', 'k'],
  ['select', 0],
  ['get', 'k'],
  ['lpush', 'k', 'wrong type'],
  ['get'],
  ['hget', 'k', 'f'],
  ['del', 'k', 'none'],
  ['get', 'k'],
  ['unlink', 'h', 's'],
  ['smembers', 's'],
  ['call', 'SET', 'called', 'yes'],
  ['call', 'GET', 'called'],
  ['echo', 'hello'],
  ['ping'],
]

/** @returns a line for each question */
export async function askIoredis(open: () => Ioredis): Promise<string[]> {
  const told: string[] = []
  const client = open()
  const other = open()
  for (const [method, ...args] of CALLS) {
    for (let i = 0; i < 2; i += 1)
      told.push(`${method} ${inspect(args)}: ${await answer(() => (client[method] as Run)(...args))}`)
  }
  await (client['set'] as Run)('t', '1')
  const pipeline = (client['pipeline'] as unknown as () => Chain)()
  told.push(
    `pipeline: ${await answer(() =>
      chain(pipeline, [
        ['set', 'q', 'x'],
        ['get', 'q'],
        ['get', 't'],
        ['hget', 'q', 'f'],
        ['mget', 'q', 't'],
      ]),
    )}`,
  )
  const multi = (client['multi'] as unknown as () => Chain)()
  told.push(
    `multi: ${await answer(() =>
      chain(multi, [
        ['set', 'q', 'y'],
        ['get', 'q'],
        ['incr', 't'],
      ]),
    )}`,
  )
  told.push(`watch: ${await answer(() => watched(client, other))}`)
  told.push(`messages: ${await answer(() => messages(client, other))}`)
  told.push(
    `together: ${await answer(() => Promise.all(Array.from({ length: 50 }, (_, i) => (client['get'] as Run)(i % 2 ? 'q' : 't'))))}`,
  )
  client.disconnect()
  other.disconnect()
  return told
}

async function answer(ask: () => Promise<unknown>): Promise<string> {
  try {
    return inspect(await ask(), { depth: 6, breakLength: Number.POSITIVE_INFINITY })
  } catch (error) {
    return `threw ${String(error)}`
  }
}

function chain(made: Chain, calls: readonly (readonly string[])[]): Promise<unknown> {
  for (const [method, ...args] of calls) (made[method as string] as (...args: unknown[]) => Chain)(...args)
  return made.exec()
}

async function watched(client: Ioredis, other: Ioredis): Promise<unknown> {
  await (client['watch'] as Run)('w')
  const before = await (client['get'] as Run)('w')
  await (other['set'] as Run)('w', 'changed')
  const multi = (client['multi'] as unknown as () => Chain)()
  return [before, await chain(multi, [['set', 'w', 'mine']]), await (client['get'] as Run)('w')]
}

async function messages(client: Ioredis, other: Ioredis): Promise<unknown> {
  const got = new Promise((resolve) => other.on('message', (...args) => resolve(args)))
  const subscribed = await (other['subscribe'] as Run)('news')
  const heard = await (client['publish'] as Run)('news', 'hello')
  const message = await got
  const left = await (other['unsubscribe'] as Run)()
  return [subscribed, heard, message, left, await (other['get'] as Run)('q')]
}
