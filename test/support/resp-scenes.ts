/**
 * What several connections do together: waiting, messages, transactions. Steps are told in order, each with who acts.
 */

/** `[connection, …arguments]`; a connection alone: it is to have got a frame by now. `?` before the name: it sends and waits. */
export type Step = readonly [who: string, ...args: readonly string[]]

export interface Scene {
  readonly name: string
  /** RESP version of every connection. */
  readonly version: '2' | '3'
  readonly steps: readonly Step[]
}

const BOTH: readonly Omit<Scene, 'version'>[] = [
  {
    name: 'one who waits for a list is served by a push',
    steps: [['?a', 'BLPOP', 'l1', 'l2', '0'], ['b', 'RPUSH', 'l2', 'x', 'y'], ['a'], ['b', 'LRANGE', 'l2', '0', '-1']],
  },
  {
    name: 'those who wait are served in the order in which they came',
    steps: [
      ['?a', 'BLPOP', 'l', '0'],
      ['?c', 'BRPOP', 'l', '0'],
      ['b', 'RPUSH', 'l', '1', '2', '3'],
      ['a'],
      ['c'],
      ['b', 'LLEN', 'l'],
    ],
  },
  {
    name: 'a chain of moves that wait',
    steps: [
      ['?a', 'BLMOVE', 'x', 'y', 'LEFT', 'RIGHT', '0'],
      ['?c', 'BRPOPLPUSH', 'y', 'z', '0'],
      ['b', 'LPUSH', 'x', 'v'],
      ['a'],
      ['c'],
      ['b', 'LRANGE', 'z', '0', '-1'],
      ['b', 'EXISTS', 'x', 'y'],
    ],
  },
  {
    name: 'a move whose target has become another type',
    steps: [
      ['?a', 'BLMOVE', 'x', 'y', 'LEFT', 'RIGHT', '0'],
      ['b', 'SET', 'y', 'no list'],
      ['b', 'LPUSH', 'x', 'v'],
      ['a'],
      ['b', 'LRANGE', 'x', '0', '-1'],
    ],
  },
  {
    name: 'waiting ends without anything',
    steps: [
      ['?a', 'BLPOP', 'nothing', '0.05'],
      ['a'],
      ['?a', 'BLMOVE', 'nothing', 'x', 'LEFT', 'LEFT', '0.05'],
      ['a'],
      ['?a', 'BZPOPMIN', 'nothing', '0.05'],
      ['a'],
    ],
  },
  {
    name: 'a push inside a transaction is seen at its end',
    steps: [
      ['?a', 'BLPOP', 'l', '0'],
      ['b', 'MULTI'],
      ['b', 'RPUSH', 'l', '1'],
      ['b', 'DEL', 'l'],
      ['b', 'RPUSH', 'l', '2', '3'],
      ['b', 'EXEC'],
      ['a'],
      ['b', 'LRANGE', 'l', '0', '-1'],
    ],
  },
  {
    name: 'nothing waits inside a transaction',
    steps: [
      ['a', 'MULTI'],
      ['a', 'BLPOP', 'l', '0'],
      ['a', 'BLMOVE', 'l', 'm', 'LEFT', 'LEFT', '0'],
      ['a', 'BZPOPMAX', 'z', '0'],
      ['a', 'BLMPOP', '0', '1', 'l', 'LEFT'],
      ['a', 'EXEC'],
    ],
  },
  {
    name: 'sorted sets that are waited for',
    steps: [
      ['?a', 'BZPOPMIN', 'z1', 'z2', '0'],
      ['?c', 'BZMPOP', '0', '2', 'z2', 'z1', 'MAX', 'COUNT', '2'],
      ['b', 'ZADD', 'z2', '1.5', 'a', '2', 'b', '3', 'c'],
      ['a'],
      ['c'],
      ['b', 'ZRANGE', 'z2', '0', '-1', 'WITHSCORES'],
    ],
  },
  {
    name: 'a key of another type does not serve one who waits for a list',
    steps: [['?a', 'BLPOP', 'k', '0'], ['b', 'ZADD', 'k', '1', 'm'], ['b', 'DEL', 'k'], ['b', 'RPUSH', 'k', 'v'], ['a']],
  },
  {
    name: 'a list that comes by RENAME, COPY, SORT and RESTORE-like ways serves',
    steps: [
      ['?a', 'BLPOP', 'k', '0'],
      ['b', 'RPUSH', 'other', 'v', 'w'],
      ['b', 'RENAME', 'other', 'k'],
      ['a'],
      ['b', 'LRANGE', 'k', '0', '-1'],
      ['b', 'DEL', 'k'],
      ['?a', 'BLPOP', 'k', '0'],
      ['b', 'RPUSH', 'o', '2', '1'],
      ['b', 'SORT', 'o', 'STORE', 'k'],
      ['a'],
    ],
  },
  {
    name: 'waking somebody by CLIENT UNBLOCK',
    steps: [
      ['?a', 'BLPOP', 'k', '0'],
      ['b', 'CLIENT', 'UNBLOCK', '$a'],
      ['a'],
      ['?a', 'BLPOP', 'k', '0'],
      ['b', 'CLIENT', 'UNBLOCK', '$a', 'ERROR'],
      ['a'],
      ['b', 'CLIENT', 'UNBLOCK', '$a'],
    ],
  },
  {
    name: 'a watched key that changes stops a transaction',
    steps: [
      ['a', 'WATCH', 'k'],
      ['b', 'SET', 'k', '1'],
      ['a', 'MULTI'],
      ['a', 'SET', 'k', '2'],
      ['a', 'EXEC'],
      ['a', 'GET', 'k'],
      ['a', 'WATCH', 'k'],
      ['a', 'UNWATCH'],
      ['b', 'SET', 'k', '3'],
      ['a', 'MULTI'],
      ['a', 'GET', 'k'],
      ['a', 'EXEC'],
    ],
  },
  {
    name: 'what changes a watched key, and what does not',
    steps: [
      ['b', 'SET', 'k', '1'],
      ...[
        ['DEL', 'nope'],
        ['TOUCH', 'k'],
        ['SET', 'k', '2', 'NX'],
        ['SETRANGE', 'k', '0', ''],
        ['PERSIST', 'k'],
        ['EXPIRE', 'k', '1000'],
        ['APPEND', 'k', ''],
        ['FLUSHALL'],
        ['SWAPDB', '0', '1'],
      ].flatMap((args): Step[] => [
        ['a', 'WATCH', 'k'],
        ['b', ...args],
        ['a', 'MULTI'],
        ['a', 'PING'],
        ['a', 'EXEC'],
        ['b', 'SET', 'k', '1'],
      ]),
    ],
  },
  {
    name: 'errors while queueing and while running',
    steps: [
      ['a', 'MULTI'],
      ['a', 'NOPE'],
      ['a', 'SET', 'k'],
      ['a', 'EXEC'],
      ['a', 'EXEC'],
      ['a', 'MULTI'],
      ['a', 'MULTI'],
      ['a', 'WATCH', 'k'],
      ['a', 'SET', 'k', 'v'],
      ['a', 'INCR', 'k'],
      ['a', 'LPUSH', 'k', 'x'],
      ['a', 'GET', 'k'],
      ['a', 'EXEC'],
      ['a', 'DISCARD'],
      ['a', 'MULTI'],
      ['a', 'DISCARD'],
    ],
  },
  {
    name: 'messages to channels and patterns',
    steps: [
      ['a', 'SUBSCRIBE', 'ch1'],
      ['b', 'PUBLISH', 'ch1', 'hello'],
      ['a'],
      ['a', 'PSUBSCRIBE', 'ch*'],
      ['b', 'PUBLISH', 'ch1', 'twice'],
      ['a'],
      ['a'],
      ['b', 'PUBSUB', 'NUMSUB', 'ch1', 'ch2'],
      ['b', 'PUBSUB', 'CHANNELS'],
      ['b', 'PUBSUB', 'NUMPAT'],
      ['a', 'PING'],
      ['a', 'UNSUBSCRIBE'],
      ['a', 'PUNSUBSCRIBE', 'ch*'],
      ['a', 'PING'],
      ['a', 'UNSUBSCRIBE'],
      ['a', 'PUNSUBSCRIBE'],
      ['a', 'SUNSUBSCRIBE'],
    ],
  },
  {
    name: 'shard channels',
    steps: [
      ['a', 'SSUBSCRIBE', 's1'],
      ['b', 'SPUBLISH', 's1', 'm'],
      ['a'],
      ['b', 'PUBSUB', 'SHARDCHANNELS'],
      ['b', 'PUBSUB', 'SHARDNUMSUB', 's1'],
      ['a', 'SUNSUBSCRIBE', 's1'],
    ],
  },
  {
    name: 'keyspace events',
    steps: [
      ['b', 'CONFIG', 'SET', 'notify-keyspace-events', 'KEA'],
      ['b', 'CONFIG', 'GET', 'notify-keyspace-events'],
      ['a', 'PSUBSCRIBE', '__key*__:*'],
      ['b', 'SET', 'k', 'v'],
      ['a'],
      ['a'],
      ['b', 'DEL', 'k'],
      ['a'],
      ['a'],
      ['b', 'RPUSH', 'l', '1'],
      ['a'],
      ['a'],
      ['b', 'LPOP', 'l'],
      ['a'],
      ['a'],
      ['a'],
      ['a'],
      ['b', 'CONFIG', 'SET', 'notify-keyspace-events', ''],
    ],
  },
  {
    name: 'what a connection is told of itself',
    steps: [
      ['a', 'CLIENT', 'SETNAME', 'me'],
      ['a', 'CLIENT', 'GETNAME'],
      ['a', 'SELECT', '3'],
      ['a', 'SET', 'k', 'v'],
      ['a', 'RESET'],
      ['a', 'GET', 'k'],
      ['a', 'CLIENT', 'GETNAME'],
      ['a', 'SELECT', '3'],
      ['a', 'GET', 'k'],
      ['a', 'AUTH', 'x'],
      ['a', 'AUTH', 'default', 'x'],
      ['a', 'AUTH', 'nobody', 'x'],
      ['a', 'HELLO', '4'],
      ['a', 'HELLO', 'x'],
      ['a', 'HELLO', '3', 'NOPE'],
    ],
  },
  {
    name: 'a large set, hash and sorted set in the other form',
    steps: [
      ['a', 'SADD', 's', ...Array.from({ length: 600 }, (_, i) => String(i))],
      ['a', 'OBJECT', 'ENCODING', 's'],
      ['a', 'SCARD', 's'],
      ['a', 'ZADD', 'z', ...Array.from({ length: 200 }, (_, i) => [String(i), `m${i}`]).flat()],
      ['a', 'OBJECT', 'ENCODING', 'z'],
      ['a', 'ZRANGE', 'z', '100', '105', 'WITHSCORES'],
      ['a', 'ZREVRANK', 'z', 'm7'],
      ['a', 'ZRANGEBYSCORE', 'z', '(50', '60', 'LIMIT', '2', '3'],
      ['a', 'ZREMRANGEBYRANK', 'z', '10', '-10'],
      ['a', 'ZRANGE', 'z', '0', '-1'],
      ['a', 'OBJECT', 'ENCODING', 'z'],
    ],
  },
]

export const SCENES: readonly Scene[] = BOTH.flatMap((scene) => [
  { ...scene, version: '2' as const },
  { ...scene, version: '3' as const },
])
