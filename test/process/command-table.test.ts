/**
 * The command table against the real Redis: where keys stand, and which replies are kept.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/model/clock.ts'
import type { CommandTable } from '../../src/resp/command-table.ts'
import { findKeys, KeyPlaces } from '../../src/resp/command-table-keys.ts'
import { ListWords } from '../../src/resp/command-table-words.ts'
import { SocketDoor, SocketLine } from '../support/coherence-sockets.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

let redis: RedisHere
let door: SocketDoor
let line: SocketLine
let table: CommandTable

beforeAll(async () => {
  redis = await startRedis()
  door = new SocketDoor(redis.port, systemClock())
  await until(() => door.state === 'on', 'the tracking connection')
  line = new SocketLine(redis.port, door)
  table = door.tracking.upstream?.table as CommandTable
})

afterAll(async () => {
  line.close()
  door.close()
  await redis.stop()
})

/** Commands whose keys stand in every kind of place. */
const COMMANDS = `
get k|set k v|mset a 1 b 2 c 3|msetnx a 1 b 2|del a b c|unlink a b|exists a b|getex k ex 5|append k v|incr k|setrange k 1 v
bitop and d a b|bitcount k|bitfield k get u4 0|pfmerge d a b|pfcount a b|lcs a b|touch a b|rename a b|copy a b|move k 1
object encoding k|memory usage k|type k|expire k 5|persist k|dump k|restore k 0 v|sort k|sort k store d|sort k by w limit 0 1 store d
sort k by nosort get # get p_* alpha store d|sort_ro k|hset k f v|hgetall k|hmget k f g|lpush k v|lmove a b left right|rpoplpush a b
blmove a b left right 0|blpop a b 0|brpop a b c 0|brpoplpush a b 0|lmpop 2 a b left|blmpop 0 2 a b left count 3|linsert k before p v
sadd k v|sinter a b|sinterstore d a b|sintercard 2 a b limit 1|smove a b v|sunionstore d a|sdiff a b|spop k
zadd k 1 v|zrangestore d s 0 1|zunion 2 a b|zunionstore d 2 a b weights 1 2|zinterstore d 2 a b|zdiff 2 a b|zdiffstore d 2 a b
zintercard 2 a b|zmpop 2 a b min|bzmpop 0 2 a b min|bzpopmin a b 0|zincrby k 1 v|zrangebyscore k 0 1
geoadd k 1 1 v|georadius k 1 1 1 km|georadius k 1 1 1 km store d|georadius k 1 1 1 km storedist d|georadiusbymember k m 1 km store d
geosearchstore d s frommember m byradius 1 km|geosearch k frommember m byradius 1 km
xadd k * f v|xread count 2 streams a b 0 0|xreadgroup group g c count 1 streams a b > >|xreadgroup group streams c streams a 0
xrange k - +|xlen k|xgroup create k g $|xinfo stream k|xpending k g|xautoclaim k g c 0 0|xtrim k maxlen 1|xack k g 1-1
eval s 2 a b x|evalsha s 1 a|eval s 0|eval_ro s 2 a b|fcall f 1 a x|migrate h 1 k 0 5|migrate h 1 "" 0 5 keys a b|spublish c m
`
  .trim()
  .split(/[|\n]/)
  .map((row) => row.split(' ').map((word) => (word === '""' ? '' : word)))

describe('the command table', () => {
  it('finds the keys that Redis itself finds', async () => {
    for (const words of COMMANDS) {
      const truth = await line.direct('COMMAND', 'GETKEYS', ...words)
      const isKeyless = truth.startsWith('ERR') || !truth.includes('$')
      const rule = table.rule(new ListWords().of(words))
      const places = new KeyPlaces()
      for (const spec of rule.keys) findKeys(spec, new ListWords().of(words), places)
      const found = new Set(places.indexes.map((index) => words[index]))
      const expected = new Set(isKeyless ? [] : [...truth.matchAll(/\$\d+\r\n([^\r]*)/g)].map(([, key]) => key))

      found.delete('') // MIGRATE of several keys
      if (words[0] === 'spublish') expected.clear() // its channel is told as a key; nothing stands there
      expect([words.join(' '), [...found].toSorted()]).toEqual([words.join(' '), [...expected].toSorted()])
    }
  })

  it('knows every command and subcommand that the server has', async () => {
    expect(table.size).toBe(Number(await line.direct('COMMAND', 'COUNT')))
  })

  it('keeps just these', () => {
    const kept = table.list().filter(({ isKept }) => isKept)

    expect(
      kept
        .map(({ name }) => name)
        .toSorted()
        .join(' '),
    ).toMatchInlineSnapshot(
      `"bitcount bitfield_ro bitpos exists expiretime geodist geohash geopos georadius_ro georadiusbymember_ro geosearch get getbit getrange hexists hget hgetall hkeys hlen hmget hstrlen hvals lcs lindex llen lpos lrange mget pexpiretime pfcount scard sdiff sinter sismember smembers smismember strlen substr sunion type xlen xrange xrevrange zcard zcount zlexcount zmscore zrange zrangebylex zrangebyscore zrank zrevrange zrevrangebylex zrevrangebyscore zrevrank zscore"`,
    )
  })

  it('keeps no command that takes time, chance or more than its keys into its reply', () => {
    const never =
      'ttl pttl object|idletime dump srandmember hrandfield randomkey scan hscan xpending xinfo|stream memory|usage sort_ro time'
    for (const name of never.split(' ')) {
      const rule = table.list().find((one) => one.name === name)

      expect([name, rule?.isKept]).toEqual([name, false])
    }
  })
})
