/**
 * Every command whose reply may be kept, on every type of value and at the edges: from memory as from Redis, byte for byte.
 *
 * Asked of the server itself and through the front, in RESP2 and RESP3: first (it passes), again (it is a hit), after a
 * write through the front (at once), and after a write by others (as soon as their push is there).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CommandRow, CommandTable } from '../../src/resp/command-table.ts'
import { type FrontHere, RawRedis, request, startFront } from '../support/front-here.ts'
import type { RedisReply } from '../../src/tier/redis-client.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

let redis: RedisHere
let front: FrontHere

beforeAll(async () => {
  redis = await startRedis()
  front = await startFront(redis.url)
})
afterAll(async () => {
  await front.stop()
  await redis.stop()
})

const LONG = 'x'.repeat(70_000)

/** A key of each type, and how it is made. */
const VALUES: Readonly<Record<string, readonly (readonly (string | Buffer)[])[]>> = {
  text: [['SET', 'text', 'hello world']],
  empty: [['SET', 'empty', '']],
  number: [['SET', 'number', '-42']],
  binary: [['SET', 'binary', Buffer.from([0, 255, 13, 10, 36, 49])]],
  long: [['SET', 'long', LONG]],
  dying: [['SET', 'dying', 'soon', 'PX', '600000']],
  hash: [['HSET', 'hash', 'f', 'v', 'g', '1', '', 'empty', 'n', '1.50']],
  wide: [['HSET', 'wide', ...Array.from({ length: 300 }, (_, i) => [`field${i}`, `value${i}`]).flat()]],
  list: [['RPUSH', 'list', 'a', 'b', 'c', '', 'a']],
  set: [['SADD', 'set', 'a', 'b', '3']],
  zset: [['ZADD', 'zset', '1', 'a', '2.5', 'b', '-inf', 'c', '3', 'd']],
  stream: [
    ['XADD', 'stream', '1-1', 'f', 'v'],
    ['XADD', 'stream', '2-1', 'f', 'w', 'g', 'x'],
  ],
  // PFCOUNT writes down what it has counted.
  log: [
    ['PFADD', 'log', 'a', 'b', 'c'],
    ['PFCOUNT', 'log'],
  ],
  geo: [['GEOADD', 'geo', '13.361389', '38.115556', 'Palermo', '15.087269', '37.502669', 'Catania']],
  missing: [],
}

/** Arguments behind the key, for each command that is kept. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  ...each(['get', 'strlen', 'hgetall', 'hkeys', 'hvals', 'hlen', 'llen', 'smembers', 'scard', 'zcard', 'xlen', 'pfcount'], ['']),
  ...each(['type', 'exists', 'expiretime', 'pexpiretime'], ['']),
  mget: ['', 'text missing hash', 'text text'],
  getrange: ['0 -1', '0 0', '-3 -1', '5 2', '0 999999', 'x 1'],
  substr: ['0 -1', '1 3'],
  getbit: ['0', '7', '100000', '-1'],
  bitcount: ['', '0 -1', '1 3', '0 9 BIT', '0'],
  bitpos: ['1', '0', '1 2', '1 0 -1 BIT', '2'],
  bitfield_ro: ['GET u8 0', 'GET i5 3 GET u4 0', 'SET u8 0 1'],
  hget: ['f', 'nosuch', ''],
  hmget: ['f g', 'nosuch', 'f nosuch f'],
  hexists: ['f', 'nosuch'],
  hstrlen: ['f', 'nosuch'],
  lrange: ['0 -1', '1 1', '5 9', '-2 -1', 'a b'],
  lindex: ['0', '-1', '99'],
  lpos: ['a', 'a RANK -1', 'a COUNT 0', 'nosuch', 'nosuch COUNT 0'],
  sismember: ['a', 'nosuch'],
  sunion: ['', 'set', 'missing'],
  sdiff: ['', 'set', 'missing'],
  sinter: ['', 'set', 'missing'],
  lcs: ['text', 'number LEN', 'text IDX MINMATCHLEN 2', ''],
  smismember: ['a nosuch b'],
  zrange: ['0 -1', '0 -1 WITHSCORES', '0 0 REV', '-inf +inf BYSCORE LIMIT 0 2', '[a [z BYLEX', '9 10'],
  zrevrange: ['0 -1', '0 1 WITHSCORES'],
  zrangebyscore: ['-inf +inf', '(1 3 WITHSCORES', 'a b'],
  zrevrangebyscore: ['+inf -inf', '3 (1 LIMIT 0 1'],
  zrangebylex: ['- +', '[a (c'],
  zrevrangebylex: ['+ -', '(c [a'],
  zcount: ['-inf +inf', '(1 2'],
  zlexcount: ['- +', '[a [b'],
  zrank: ['a', 'nosuch'],
  zrevrank: ['a', 'nosuch'],
  zscore: ['a', 'c', 'nosuch'],
  zmscore: ['a nosuch b'],
  xrange: ['- +', '- + COUNT 1', '2 +', 'x +'],
  xrevrange: ['+ -', '+ - COUNT 1'],
  geopos: ['Palermo nosuch', ''],
  geodist: ['Palermo Catania', 'Palermo Catania km', 'Palermo nosuch'],
  geohash: ['Palermo Catania nosuch'],
  geosearch: ['FROMLONLAT 15 37 BYRADIUS 200 km ASC', 'FROMMEMBER Palermo BYBOX 400 400 km ASC WITHCOORD WITHDIST'],
  georadius_ro: ['15 37 200 km ASC WITHDIST'],
  georadiusbymember_ro: ['Palermo 200 km ASC'],
}

/** What changes each key, told by its name. */
const CHANGES: readonly (readonly string[])[] = [
  ['APPEND', 'text', '!'],
  ['SET', 'empty', 'full'],
  ['SETRANGE', 'binary', '2', 'zz'],
  ['APPEND', 'long', 'y'],
  ['DEL', 'dying'],
  ['HSET', 'hash', 'f', 'w'],
  ['HDEL', 'wide', 'field7'],
  ['LPUSH', 'list', 'new'],
  ['SREM', 'set', 'a'],
  ['ZINCRBY', 'zset', '10', 'a'],
  ['XADD', 'stream', '*', 'f', 'later'],
  ['PFADD', 'log', 'd', 'e'],
  ['PFCOUNT', 'log'],
  ['ZREM', 'geo', 'Palermo'],
  ['SET', 'missing', 'here'],
]
const CHANGES_BACK: readonly (readonly string[])[] = [
  ['DEL', 'missing', 'list'],
  ['HSET', 'hash', 'f', 'x'],
  ['RENAME', 'text', 'elsewhere'],
  ['COPY', 'set', 'zset', 'REPLACE'],
  ['SET', 'stream', 'now text'],
  ['XADD', 'binary', '*', 'f', 'wrong type'],
  ['PEXPIRE', 'wide', '500000'],
]

describe('front: replies from memory', () => {
  it.each([2, 3])('are those of Redis in RESP%i, for every command that is kept and every type', async (version) => {
    await redis.command('FLUSHALL')
    for (const made of Object.values(VALUES)) for (const words of made) await redis.command(...words)
    const [direct, through, other] = [new RawRedis(redis.port), new RawRedis(front.port), new RawRedis(redis.port)]
    for (const one of [direct, through]) await one.ask('HELLO', String(version))
    const hitsBefore = await hits()
    const questions = allQuestions()

    await compare(questions, direct, through)
    await compare(questions, direct, through)
    expect((await hits()) - hitsBefore).toBeGreaterThan(questions.length / 5) // all others are errors, which nobody keeps

    for (const words of CHANGES) await through.ask(...words)
    await compare(questions, direct, through)
    for (const words of CHANGES_BACK) await other.ask(...words)
    await until(async () => (await difference(questions, direct, through)) === undefined, 'the push')
    await compare(questions, direct, through)
    for (const one of [direct, through, other]) one.close()
  })

  it('asks about every command that is kept', async () => {
    const rows = texts(await redis.command('COMMAND')) as CommandRow[]
    const kept = new CommandTable(rows).list().filter((rule) => rule.isKept && !rule.name.includes('.'))

    expect(kept.map(({ name }) => name).filter((name) => ARGUMENTS[name] === undefined)).toEqual([])
  })
})

function texts(reply: RedisReply): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString('latin1')
  return Array.isArray(reply) ? reply.map(texts) : reply
}

function each(names: readonly string[], variants: readonly string[]): Record<string, readonly string[]> {
  return Object.fromEntries(names.map((name) => [name, variants]))
}

function allQuestions(): string[][] {
  return Object.entries(ARGUMENTS).flatMap(([name, variants]) =>
    variants.flatMap((variant) => Object.keys(VALUES).map((key) => [name, key, ...(variant === '' ? [] : variant.split(' '))])),
  )
}

async function hits(): Promise<number> {
  return front.gateway.cache.engine.meter.read('respHits')
}

async function compare(questions: readonly string[][], direct: RawRedis, through: RawRedis): Promise<void> {
  expect(await difference(questions, direct, through)).toBeUndefined()
}

/** The first question that is answered otherwise. Asked one by one, so that hits need not wait behind anything. */
async function difference(questions: readonly string[][], direct: RawRedis, through: RawRedis): Promise<unknown> {
  direct.send(Buffer.concat(questions.map((words) => request(...words))))
  const wanted = await direct.take(questions.length, 20_000)
  for (const [i, words] of questions.entries()) {
    const got = await through.ask(...words)
    if (got !== wanted[i]) return { question: words.join(' '), got: got.slice(0, 200), wanted: wanted[i]?.slice(0, 200) }
  }
  return undefined
}
