/**
 * What an application asks of node-redis in a day, each question told with its answer.
 */
import { inspect } from 'node:util'

type Run = (...args: unknown[]) => Promise<unknown>
/** The client, seen loosely: both majors. */
export type NodeRedis = Readonly<Record<string, Run>>
type Chain = Readonly<Record<string, (...args: unknown[]) => Chain>> & { exec(): Promise<unknown> }

const CALLS: readonly (readonly [string, ...unknown[]])[] = [
  ['set', 'k', 'value'],
  ['get', 'k'],
  ['set', 'k', 'é✓', { expiration: { type: 'EX', value: 100 } }],
  ['get', 'k'],
  ['set', 'k', 'no', { condition: 'NX' }],
  ['setNX', 'lock', 'me'],
  ['get', 'lock'],
  ['mSet', { a: '1', b: '2' }],
  ['mGet', ['a', 'b', 'none']],
  ['incr', 'counter'],
  ['incrBy', 'counter', 10],
  ['get', 'counter'],
  ['append', 'k', '+'],
  ['strLen', 'k'],
  ['getRange', 'k', 0, 2],
  ['setEx', 'session:1', 60, '{"user":1}'],
  ['get', 'session:1'],
  ['expire', 'a', 100],
  ['persist', 'a'],
  ['exists', ['a', 'none']],
  ['type', 'a'],
  ['hSet', 'h', { f: 'v', g: '1' }],
  ['hGetAll', 'h'],
  ['hGet', 'h', 'f'],
  ['hmGet', 'h', ['f', 'none']],
  ['hIncrBy', 'h', 'g', 2],
  ['hGetAll', 'h'],
  ['hDel', 'h', 'f'],
  ['hKeys', 'h'],
  ['hGetAll', 'none'],
  ['rPush', 'l', ['a', 'b', 'c']],
  ['lRange', 'l', 0, -1],
  ['lPop', 'l'],
  ['lLen', 'l'],
  ['sAdd', 's', ['10', '20']], // numbers keep their order
  ['sMembers', 's'],
  ['sIsMember', 's', '10'],
  [
    'zAdd',
    'z',
    [
      { score: 1, value: 'one' },
      { score: 2, value: 'two' },
    ],
  ],
  ['zRangeWithScores', 'z', 0, -1],
  ['zScore', 'z', 'two'],
  ['xAdd', 'x', '1-1', { f: 'v' }],
  ['xRange', 'x', '-', '+'],
  ['pfAdd', 'p', 'a'],
  ['pfCount', 'p'],
  ['geoAdd', 'geo', { longitude: 13.4, latitude: 52.5, member: 'Berlin' }],
  ['geoPos', 'geo', 'Berlin'],
  ['eval', 'return redis.call("GET", KEYS[1])', { keys: ['k'] }],
  ['eval', 'redis.call("SET", KEYS[1], ARGV[1]) return 1', { keys: ['k'], arguments: ['by script'] }],
  ['get', 'k'],
  ['scan', '0', { MATCH: 'session:*', COUNT: 1000 }],
  ['select', 2],
  ['get', 'k'],
  ['set', 'k', 'two'],
  ['get', 'k'],
  ['select', 0],
  ['get', 'k'],
  ['lPush', 'k', 'wrong type'],
  ['hGet', 'k', 'f'],
  ['del', ['k', 'none']],
  ['get', 'k'],
  ['unlink', ['h', 's']],
  ['sMembers', 's'],
  ['sendCommand', ['SET', 'called', 'yes']],
  ['sendCommand', ['GET', 'called']],
  ['echo', 'hello'],
  ['ping'],
]

/** @returns a line for each question */
export async function askNodeRedis(open: () => Promise<NodeRedis>): Promise<string[]> {
  const told: string[] = []
  const client = await open()
  const other = await open()
  for (const [method, ...args] of CALLS) {
    for (let i = 0; i < 2; i += 1)
      told.push(`${method} ${inspect(args)}: ${await answer(() => (client[method] as Run)(...args))}`)
  }
  const multi = (client['multi'] as unknown as () => Chain)()
  const queued = (multi['set'] as (...args: unknown[]) => Chain)('q', 'y')
  told.push(`multi: ${await answer(() => (queued['get'] as (key: string) => Chain)('q').exec())}`)
  told.push(`messages: ${await answer(() => messages(client, other))}`)
  told.push(`together: ${await answer(() => Promise.all(Array.from({ length: 50 }, () => (client['get'] as Run)('q'))))}`)
  for (const one of [client, other]) await (one['close'] as Run)()
  return told
}

async function answer(ask: () => Promise<unknown>): Promise<string> {
  try {
    return inspect(await ask(), { depth: 6, breakLength: Number.POSITIVE_INFINITY })
  } catch (error) {
    return `threw ${String(error)}`
  }
}

async function messages(client: NodeRedis, other: NodeRedis): Promise<unknown> {
  let tell: (args: unknown[]) => void = () => undefined
  const got = new Promise<unknown[]>((resolve) => {
    tell = resolve
  })
  await (other['subscribe'] as Run)('news', (...args: unknown[]) => tell(args))
  const heard = await (client['publish'] as Run)('news', 'hello')
  const message = await got
  await (other['unsubscribe'] as Run)('news')
  return [heard, message, await (other['get'] as Run)('q')]
}
