/**
 * Random commands by group: each template makes the arguments of one command.
 */
import type { RespDice } from './resp-dice.ts'

export type Template = (dice: RespDice) => string[]

const str = (d: RespDice): string => d.keyOf('s')
const hash = (d: RespDice): string => d.keyOf('h')
const list = (d: RespDice): string => d.keyOf('l')
const set = (d: RespDice): string => d.keyOf('m')
const zset = (d: RespDice): string => d.keyOf('z')
const any = (d: RespDice): string => d.keyOf(d.one(['s', 'h', 'l', 'm', 'z']))
const expiry = (d: RespDice): string[] => {
  const wide = d.one(['1000', '5000', '100000', '0', '-1', d.integer()])
  return d.one([
    ['EX', wide],
    ['PX', `${wide}000`],
    ['EXAT', d.one(['4000000000', '1', '0'])],
    ['PXAT', d.one(['4000000000000', '1', '-5'])],
  ])
}

export const STRINGS: readonly Template[] = [
  (d) => ['SET', str(d), d.value()],
  (d) => ['SET', str(d), d.value(), ...d.some(['NX', 'XX', 'GET', 'KEEPTTL'], 0.25), ...(d.chance(0.3) ? expiry(d) : [])],
  (d) => ['get', str(d)],
  (d) => ['GETEX', str(d), ...(d.chance(0.5) ? expiry(d) : d.some(['PERSIST']))],
  (d) => ['GETDEL', str(d)],
  (d) => ['GETSET', str(d), d.value()],
  (d) => ['MGET', ...d.many(1, 4, () => any(d))],
  (d) => ['MSET', ...d.many(1, 3, () => [str(d), d.value()])],
  (d) => ['MSETNX', ...d.many(1, 3, () => [str(d), d.value()])],
  (d) => [d.one(['INCR', 'DECR']), str(d)],
  (d) => [d.one(['INCRBY', 'DECRBY']), str(d), d.integer()],
  (d) => ['INCRBYFLOAT', str(d), d.float()],
  (d) => ['APPEND', str(d), d.value()],
  (d) => ['STRLEN', str(d)],
  (d) => [d.one(['GETRANGE', 'SUBSTR']), str(d), d.integer(), d.integer()],
  (d) => ['SETRANGE', str(d), d.one(['0', '1', '5', '100', '-1', 'x']), d.value()],
  (d) => ['SETEX', str(d), d.one(['1000', '0', '-1', 'x', d.integer()]), d.value()],
  (d) => ['PSETEX', str(d), d.one(['1000000', '0', '-1', 'x']), d.value()],
  (d) => ['SETNX', str(d), d.value()],
]

export const KEYS: readonly Template[] = [
  (d) => [d.one(['DEL', 'UNLINK']), ...d.many(1, 2, () => any(d))],
  (d) => [d.one(['EXISTS', 'TOUCH']), ...d.many(1, 3, () => any(d))],
  (d) => ['TYPE', any(d)],
  (d) => ['OBJECT', 'ENCODING', any(d)],
  (d) => [
    d.one(['EXPIRE', 'PEXPIRE']),
    any(d),
    d.one(['1000000', '5000000', '0', '-1', 'x', '9223372036854775807']),
    ...d.some(['NX', 'XX', 'GT', 'LT'], 0.15),
  ],
  (d) => ['EXPIREAT', any(d), d.one(['4000000000', '1', '-1', '4100000000']), ...d.some(['NX', 'XX', 'GT', 'LT', 'YY'], 0.1)],
  (d) => ['PEXPIREAT', any(d), d.one(['4000000000000', '1'])],
  (d) => [d.one(['TTL', 'PTTL', 'EXPIRETIME', 'PEXPIRETIME', 'PERSIST']), any(d)],
  (d) => [d.one(['RENAME', 'RENAMENX']), any(d), any(d)],
  (d) => ['COPY', any(d), any(d), ...d.some(['REPLACE'], 0.5), ...(d.chance(0.2) ? ['DB', d.one(['0', '1', '16', 'x'])] : [])],
  (d) => ['MOVE', any(d), d.one(['1', '0', '99'])],
  (d) => ['KEYS', d.pattern()],
  () => ['DBSIZE'],
  () => ['RANDOMKEY'],
  (d) => [
    'SCAN',
    d.one(['0', 'x', '']),
    ...(d.chance(0.5) ? ['MATCH', d.pattern()] : []),
    ...(d.chance(0.3) ? ['COUNT', d.count()] : []),
  ],
]

export const HASHES: readonly Template[] = [
  (d) => [d.one(['HSET', 'HMSET']), hash(d), ...d.many(1, 4, () => [d.member(), d.value()])],
  (d) => ['HSETNX', hash(d), d.member(), d.value()],
  (d) => ['HGET', hash(d), d.member()],
  (d) => ['HMGET', hash(d), ...d.many(1, 4, () => d.member())],
  (d) => [d.one(['HGETALL', 'HKEYS', 'HVALS', 'HLEN']), hash(d)],
  (d) => ['HDEL', hash(d), ...d.many(1, 3, () => d.member())],
  (d) => [d.one(['HEXISTS', 'HSTRLEN']), hash(d), d.member()],
  (d) => ['HINCRBY', hash(d), d.member(), d.integer()],
  (d) => ['HINCRBYFLOAT', hash(d), d.member(), d.float()],
  (d) => ['HRANDFIELD', hash(d), ...(d.chance(0.7) ? [d.count()] : []), ...d.some(['WITHVALUES'], 0.3)],
  (d) => ['HSCAN', hash(d), '0', ...(d.chance(0.5) ? ['MATCH', d.pattern()] : [])],
  (d) => ['HSET', hash(d), ...d.many(400, 700, () => [`f${d.below(2000)}`, 'v'])],
]

export const LISTS: readonly Template[] = [
  (d) => [d.one(['LPUSH', 'RPUSH', 'LPUSHX', 'RPUSHX']), list(d), ...d.many(1, 4, () => d.value())],
  (d) => [d.one(['LPOP', 'RPOP']), list(d), ...(d.chance(0.4) ? [d.count()] : [])],
  (d) => ['LLEN', list(d)],
  (d) => ['LRANGE', list(d), d.integer(), d.integer()],
  (d) => ['LINDEX', list(d), d.integer()],
  (d) => ['LSET', list(d), d.integer(), d.value()],
  (d) => ['LREM', list(d), d.integer(), d.value()],
  (d) => ['LTRIM', list(d), d.one(['0', '1', '-3', d.integer()]), d.one(['-1', '5', '-2', d.integer()])],
  (d) => ['LINSERT', list(d), d.one(['BEFORE', 'AFTER', 'x']), d.value(), d.value()],
  (d) => [
    'LPOS',
    list(d),
    d.value(),
    ...(d.chance(0.4) ? ['RANK', d.integer()] : []),
    ...(d.chance(0.4) ? ['COUNT', d.count()] : []),
    ...(d.chance(0.2) ? ['MAXLEN', d.count()] : []),
  ],
  (d) => ['LMOVE', list(d), list(d), d.one(['LEFT', 'RIGHT', 'x']), d.one(['LEFT', 'RIGHT'])],
  (d) => ['RPOPLPUSH', list(d), list(d)],
  (d) => [
    'LMPOP',
    d.one(['1', '2', '0', 'x', '5']),
    list(d),
    list(d),
    d.one(['LEFT', 'RIGHT']),
    ...(d.chance(0.4) ? ['COUNT', d.count()] : []),
  ],
]

export const SETS: readonly Template[] = [
  (d) => ['SADD', set(d), ...d.many(1, 5, () => d.member())],
  (d) => ['SREM', set(d), ...d.many(1, 3, () => d.member())],
  (d) => [d.one(['SMEMBERS', 'SCARD']), set(d)],
  (d) => ['SISMEMBER', set(d), d.member()],
  (d) => ['SMISMEMBER', set(d), ...d.many(1, 3, () => d.member())],
  (d) => ['SMOVE', set(d), set(d), d.member()],
  (d) => [d.one(['SUNION', 'SINTER', 'SDIFF']), ...d.many(1, 3, () => set(d))],
  (d) => [d.one(['SUNIONSTORE', 'SINTERSTORE', 'SDIFFSTORE']), set(d), ...d.many(1, 3, () => set(d))],
  (d) => ['SINTERCARD', d.one(['1', '2', '0', 'x', '3']), set(d), set(d), ...(d.chance(0.4) ? ['LIMIT', d.count()] : [])],
  (d) => ['SRANDMEMBER', set(d), ...(d.chance(0.7) ? [d.count()] : [])],
  (d) => ['SSCAN', set(d), '0', ...(d.chance(0.5) ? ['MATCH', d.pattern()] : [])],
  (d) => ['SADD', set(d), ...d.many(1, 600, () => String(d.below(2000)))],
]

const range = (d: RespDice): string[] => {
  const by = d.one(['', 'BYSCORE'])
  const bound = by === 'BYSCORE' ? d.scoreBound() : d.integer()
  const other = by === 'BYSCORE' ? d.scoreBound() : d.integer()
  const limit = d.chance(0.3) ? ['LIMIT', d.integer(), d.integer()] : []
  return [bound, other, ...(by === '' ? [] : [by]), ...d.some(['REV'], 0.3), ...limit]
}
const flags = (d: RespDice): string[] => d.some(['NX', 'XX', 'GT', 'LT', 'CH'], 0.15)
const joined = (d: RespDice): string[] => {
  const count = 1 + d.below(3)
  const keys = d.many(count, count, () => d.one([zset(d), set(d)]))
  const weights = d.chance(0.3) ? ['WEIGHTS', ...d.many(count, count, () => d.float())] : []
  const aggregate = d.chance(0.3) ? ['AGGREGATE', d.one(['SUM', 'MIN', 'MAX', 'x'])] : []
  return [d.chance(0.9) ? String(count) : d.integer(), ...keys, ...weights, ...aggregate]
}

export const ZSETS: readonly Template[] = [
  (d) => ['ZADD', zset(d), ...flags(d), ...d.many(1, 4, () => [d.float(), d.member()])],
  (d) => ['ZADD', zset(d), ...d.many(1, 4, () => ['0', d.member()])],
  (d) => ['ZADD', zset(d), ...flags(d), 'INCR', d.float(), d.member()],
  (d) => ['ZINCRBY', zset(d), d.float(), d.member()],
  (d) => [d.one(['ZSCORE', 'ZRANK', 'ZREVRANK']), zset(d), d.member()],
  (d) => ['ZMSCORE', zset(d), ...d.many(1, 3, () => d.member())],
  (d) => ['ZREM', zset(d), ...d.many(1, 3, () => d.member())],
  (d) => ['ZCARD', zset(d)],
  (d) => ['ZRANGE', zset(d), ...range(d), ...d.some(['WITHSCORES'], 0.5)],
  (d) => ['ZRANGESTORE', zset(d), zset(d), ...range(d)],
  (d) => ['ZREVRANGE', zset(d), d.integer(), d.integer(), ...d.some(['WITHSCORES'], 0.5)],
  (d) => [
    d.one(['ZRANGEBYSCORE', 'ZREVRANGEBYSCORE']),
    zset(d),
    d.scoreBound(),
    d.scoreBound(),
    ...d.some(['WITHSCORES'], 0.5),
    ...(d.chance(0.3) ? ['LIMIT', d.integer(), d.integer()] : []),
  ],
  (d) => ['ZCOUNT', zset(d), d.scoreBound(), d.scoreBound()],
  (d) => [d.one(['ZPOPMIN', 'ZPOPMAX']), zset(d), ...(d.chance(0.4) ? [d.count()] : [])],
  (d) => [
    'ZMPOP',
    d.one(['1', '2', '0', 'x']),
    zset(d),
    zset(d),
    d.one(['MIN', 'MAX', 'x']),
    ...(d.chance(0.4) ? ['COUNT', d.count()] : []),
  ],
  (d) => ['ZREMRANGEBYRANK', zset(d), d.integer(), d.integer()],
  (d) => ['ZREMRANGEBYSCORE', zset(d), d.scoreBound(), d.scoreBound()],
  (d) => [d.one(['ZUNION', 'ZINTER']), ...joined(d), ...d.some(['WITHSCORES'], 0.6)],
  (d) => [d.one(['ZUNIONSTORE', 'ZINTERSTORE']), zset(d), ...joined(d)],
  (d) => ['ZDIFF', String(1 + d.below(3)), zset(d), zset(d), ...d.some(['WITHSCORES'], 0.6)],
  (d) => ['ZDIFFSTORE', zset(d), '2', zset(d), zset(d)],
  (d) => ['ZINTERCARD', '2', zset(d), zset(d), ...(d.chance(0.4) ? ['LIMIT', d.count()] : [])],
  (d) => ['ZRANDMEMBER', zset(d), ...(d.chance(0.7) ? [d.count()] : []), ...d.some(['WITHSCORES'], 0.3)],
  (d) => ['ZSCAN', zset(d), '0'],
  (d) => ['ZADD', zset(d), ...d.many(100, 150, () => [String(d.below(50)), `m${d.below(300)}`])],
]

/** Members of one score only: elsewhere ranges of bytes are unspecified. */
export const LEXES: readonly Template[] = [
  (d) => ['ZADD', 'lex', ...d.many(1, 4, () => ['0', d.member()])],
  (d) => ['ZREM', 'lex', d.member()],
  (d) => [
    d.one(['ZRANGEBYLEX', 'ZREVRANGEBYLEX']),
    'lex',
    d.textBound(),
    d.textBound(),
    ...(d.chance(0.3) ? ['LIMIT', d.integer(), d.integer()] : []),
  ],
  (d) => ['ZRANGE', 'lex', d.textBound(), d.textBound(), 'BYLEX', ...d.some(['REV', 'WITHSCORES'], 0.3)],
  (d) => ['ZRANGESTORE', 'z9', 'lex', d.textBound(), d.textBound(), 'BYLEX', ...d.some(['REV'], 0.3)],
  (d) => ['ZLEXCOUNT', 'lex', d.textBound(), d.textBound()],
  (d) => ['ZREMRANGEBYLEX', 'lex', d.textBound(), d.textBound()],
]

export const CONNECTION: readonly Template[] = [
  (d) => ['PING', ...d.some(['x'], 0.3)],
  (d) => ['ECHO', d.value()],
  (d) => ['SELECT', d.one(['0', '0', '0', '1', '15', '16', '-1', 'x'])],
  () => ['UNWATCH'],
  (d) => ['WATCH', any(d)],
  () => ['MULTI'],
  () => ['EXEC'],
  () => ['DISCARD'],
  (d) => [d.value().replaceAll('\0', '') || 'NONE', d.value()],
  (d) => ['CLIENT', d.one(['GETNAME', 'SETNAME', 'NONE', 'REPLY', 'UNBLOCK']), ...d.some(['a b', 'name', '0'], 0.4)],
  (d) => ['PUBSUB', d.one(['CHANNELS', 'NUMPAT', 'NUMSUB', 'SHARDCHANNELS', 'NONE']), ...d.some(['x', 'y'])],
  (d) => ['PUBLISH', d.value(), d.value()],
  (d) => ['OBJECT', d.one(['FREQ', 'IDLETIME', 'NONE']), 'no such key'],
  (d) => ['CONFIG', d.one(['GET', 'SET', 'NONE']), ...d.some(['maxmemory-samples', '5'], 0.6)],
  (d) => ['SWAPDB', d.one(['0', '1', 'x']), d.one(['0', '1', '99'])],
  (d) => ['WAIT', '0', d.one(['0', '-1', 'x'])],
]

const bitOffset = (d: RespDice): string => d.one(['0', '1', '7', '8', '100', '-1', 'x', '#1', '4294967296', String(d.below(300))])
const field = (d: RespDice): string[] => [
  d.one(['i8', 'u8', 'i64', 'u63', 'u1', 'i5', 'u64', 'x', 'u0']),
  d.one(['0', '1', '9', '#0', '#1', '#3', '100', '-1', 'x']),
]

export const BITS: readonly Template[] = [
  (d) => ['SETBIT', str(d), bitOffset(d), d.one(['0', '1', '1', '2', 'x'])],
  (d) => ['GETBIT', str(d), bitOffset(d)],
  (d) => [
    'BITCOUNT',
    str(d),
    ...(d.chance(0.6) ? [d.integer(), d.integer(), ...(d.chance(0.5) ? [d.one(['BIT', 'BYTE', 'x'])] : [])] : []),
  ],
  (d) => [
    'BITPOS',
    str(d),
    d.one(['0', '1', '2', 'x']),
    ...(d.chance(0.6) ? [d.integer()] : []),
    ...(d.chance(0.5) ? [d.integer()] : []),
    ...(d.chance(0.3) ? [d.one(['BIT', 'BYTE', 'x'])] : []),
  ],
  (d) => ['BITOP', d.one(['AND', 'OR', 'XOR', 'NOT', 'x']), str(d), ...d.many(1, 3, () => str(d))],
  (d) => [
    d.one(['BITFIELD', 'BITFIELD', 'BITFIELD_RO']),
    str(d),
    ...d.many(0, 3, () =>
      d.one([
        ['GET', ...field(d)],
        ['SET', ...field(d), d.integer()],
        ['INCRBY', ...field(d), d.integer()],
        ['OVERFLOW', d.one(['WRAP', 'SAT', 'FAIL', 'x'])],
      ]),
    ),
  ],
]

export const SKETCHES: readonly Template[] = [
  (d) => ['PFADD', d.keyOf('p'), ...d.many(0, 4, () => d.value())],
  (d) => ['PFADD', d.keyOf('p'), ...d.many(50, 900, () => `e${d.below(100_000)}`)],
  (d) => ['PFCOUNT', ...d.many(1, 3, () => d.keyOf('p'))],
  (d) => ['PFMERGE', d.keyOf('p'), ...d.many(0, 2, () => d.keyOf('p'))],
  (d) => ['GET', d.keyOf('p')],
  (d) => ['DEL', d.keyOf('p')],
]

export const SORTS: readonly Template[] = [
  (d) => ['RPUSH', 'n', ...d.many(1, 5, () => String(d.below(20)))],
  (d) => ['MSET', ...d.many(1, 4, () => [`w_${d.below(20)}`, String(d.below(50))])],
  (d) => ['HSET', `o_${d.below(20)}`, 'f', d.value(), 'g', String(d.below(9))],
  (d) => [
    d.one(['SORT', 'SORT', 'SORT_RO']),
    d.one(['n', 'n', list(d), set(d), zset(d), str(d)]),
    ...d.some(['DESC', 'ASC'], 0.3),
    ...(d.chance(0.3) ? ['LIMIT', d.integer(), d.integer()] : []),
    ...(d.chance(0.5)
      ? ['ALPHA', ...(d.chance(0.3) ? ['STORE', list(d)] : [])]
      : d.chance(0.6)
        ? ['BY', d.one(['w_*', 'o_*->g', 'nosort', 'o_*->', '*'])]
        : []),
    ...(d.chance(0.3) ? ['GET', d.one(['#', 'w_*', 'o_*->f', 'x'])] : []),
  ],
  (d) => ['DEL', d.one(['n', 'w_3', 'o_3'])],
]

export const ALL_TEMPLATES: readonly (readonly Template[])[] = [
  BITS,
  SKETCHES,
  SORTS,
  STRINGS,
  KEYS,
  HASHES,
  LISTS,
  SETS,
  ZSETS,
  LEXES,
  CONNECTION,
]
