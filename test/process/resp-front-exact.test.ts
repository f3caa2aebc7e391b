/**
 * The front against Redis itself: the same bytes sent to both, the same bytes expected back.
 *
 * Each scenario runs on two servers that know nothing of each other: one asked directly, one behind the front.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FrontHere, RawRedis, request, startFront } from '../support/front-here.ts'
import { type RedisHere, startRedis } from '../support/redis-here.ts'

/** What one client sends: a command a line, words between spaces, `!` before bytes as they are; and how long Redis takes, ms. */
type Step = readonly [client: string, lines: string, takesMs?: number]

let direct: RedisHere
let behind: RedisHere
let front: FrontHere

beforeAll(async () => {
  ;[direct, behind] = await Promise.all([startRedis(), startRedis()])
  front = await startFront(behind.url)
})
afterAll(async () => {
  await front.stop()
  await Promise.all([direct.stop(), behind.stop()])
})

/**
 * Everything each client got, step by step.
 *
 * @param wanted what to wait for; without it a step ends when nothing comes any more
 */
async function play(port: number, steps: readonly Step[], wanted?: readonly string[]): Promise<string[]> {
  const clients = new Map<string, RawRedis>()
  const told: string[] = []
  for (const [name, lines, takesMs = 5] of steps) {
    let client = clients.get(name)
    if (client === undefined) clients.set(name, (client = new RawRedis(port)))
    const commands = lines
      .split('\n')
      .map((line) => (line.startsWith('!') ? Buffer.from(`${line.slice(1)}\r\n`) : request(...line.split(' '))))
    client.send(Buffer.concat(commands))
    await new Promise((resolve) => setTimeout(resolve, takesMs))
    if (wanted === undefined) await allQuiet([...clients.values()])
    for (const [other, one] of clients) told.push(await toldTo(one, `${lines} → ${other}: `, wanted?.[told.length]))
  }
  for (const client of clients.values()) client.close()
  return told
}

/** Nothing has come to any of them for a while. */
async function allQuiet(clients: readonly RawRedis[]): Promise<void> {
  const seen = (): number => clients.reduce((sum, { frames, isClosed }) => sum + frames.length + Number(isClosed), 0)
  for (let before = -1; before !== seen(); ) {
    before = seen()
    await new Promise((resolve) => setTimeout(resolve, 60))
  }
}

/** What a client was told since he was last asked. */
async function toldTo(client: RawRedis, before: string, wanted: string | undefined): Promise<string> {
  const text = (frames: readonly string[]): string => level(`${before}${frames.join('')}${client.isClosed ? ' (closed)' : ''}`)
  const frames = await client.quiet(0)
  for (let i = 0; i < 300 && wanted !== undefined && text(frames) !== wanted; i += 1) frames.push(...(await client.quiet(10)))
  return text(frames)
}

/** Names that differ by nature; and the PINGs of the front's own connection, which a monitor sees whenever somebody reads. */
function level(told: string): string {
  return told
    .replace(/\+\d{10}\.\d+ \[0 [^\]]*\] "PING"\r\n/g, '')
    .replace(/(\$2\r\nid\r\n:)\d+/g, '$1ID')
    .replace(/\d{10}\.\d+ \[(\d+) [^\]]*\]/g, 'TIME [$1]')
}

const SCENARIOS: Readonly<Record<string, readonly Step[]>> = {
  'plain reads and writes': [
    ['a', 'SET k hello\nGET k\nGET k\nGET k'],
    ['a', 'GET k'],
    ['a', 'GET k\nGET k\nAPPEND k x\nGET k\nGET k'],
    ['b', 'GET k'],
    ['b', 'GET k\nSET k other\nGET k'],
    ['a', 'GET k'],
    ['a', 'GET missing'],
    ['a', 'GET missing\nget k\nGeT k'],
  ],
  'inline commands': [
    ['a', '!SET k "a b"\n!GET k'],
    ['a', '!GET k\n!\n!GET k\n!ping'],
    ['a', '!GET "k'],
  ],
  'wrong commands': [
    ['a', 'GET\nGET a b\nNOSUCH x\nGET k'],
    ['a', 'LPUSH l 1\nGET l\nGET l\nSET l\nGET l'],
    ['a', 'GET l'],
  ],
  databases: [
    ['a', 'SET k zero\nSELECT 1\nSET k one\nGET k'],
    ['a', 'GET k\nSELECT 0\nGET k'],
    ['a', 'GET k'],
    ['a', 'SELECT 1\nGET k'],
    ['a', 'SELECT 99\nGET k'],
    ['a', 'GET k'],
    ['b', 'GET k\nGET k'],
    ['b', 'SWAPDB 0 1\nGET k'],
    ['a', 'GET k'],
    ['a', 'FLUSHDB\nGET k'],
    ['b', 'GET k'],
  ],
  transactions: [
    ['a', 'SET k 1x\nGET k'],
    ['a', 'GET k\nMULTI\nGET k\nSET k 2x\nGET k\nEXEC\nGET k'],
    ['a', 'GET k'],
    ['b', 'GET k'],
    ['a', 'MULTI\nGET k'],
    ['b', 'SET k 3x'],
    ['a', 'GET k\nDISCARD\nGET k'],
    ['a', 'MULTI\nNOSUCH\nGET k\nEXEC\nGET k'],
    ['a', 'WATCH k\nGET k'],
    ['b', 'SET k 4x'],
    ['a', 'MULTI\nSET k 5x\nEXEC\nGET k'],
    ['a', 'EXEC\nDISCARD\nGET k\nMULTI\nMULTI\nGET k\nEXEC x\nGET k'],
    ['a', 'MULTI\nDISCARD x\nGET k\nEXEC\nGET k'],
    ['a', 'MULTI\nSELECT 2\nSET k two\nEXEC\nGET k'],
    ['a', 'GET k'],
    ['a', 'SELECT 0\nGET k'],
    ['a', 'RESET\nGET k'],
    ['a', 'GET k'],
  ],
  'a reset within everything': [
    ['a', 'SET k 1x\nMULTI\nGET k\nRESET\nGET k\nGET k'],
    ['a', 'HELLO 3\nRESET\nGET nothing'],
    ['a', 'GET nothing'],
    ['a', 'RESET\nMULTI\nGET k'],
    ['a', 'GET k\nEXEC'],
  ],
  'two protocols': [
    ['a', 'HSET h f v\nHGETALL h\nHELLO 3\nHGETALL h'],
    ['a', 'HGETALL h\nGET no\nSMEMBERS no\nZADD z 1.5 m\nZSCORE z m'],
    ['a', 'ZSCORE z m\nHELLO 2\nHGETALL h\nZSCORE z m\nGET no'],
    ['a', 'HGETALL h\nHELLO 4\nHGETALL h\nHELLO\nHELLO x'],
    ['a', 'HELLO 3 SETNAME me\nCLIENT GETNAME\nHGETALL h'],
  ],
  'subscribers in RESP2': [
    ['a', 'SET k v\nGET k'],
    ['a', 'GET k\nSUBSCRIBE one two\nPING\nGET k\nPING x'],
    ['b', 'PUBLISH one hello'],
    ['a', 'UNSUBSCRIBE one\nPSUBSCRIBE t*'],
    ['b', 'PUBLISH two *3-looks-like'],
    ['b', 'PUBLISH one nobody'],
    ['a', 'UNSUBSCRIBE\nPUNSUBSCRIBE\nGET k'],
    ['a', 'GET k\nUNSUBSCRIBE\nGET k'],
    ['a', 'SUBSCRIBE\nSUBSCRIBE x\nUNSUBSCRIBE x\nGET k\nUNSUBSCRIBE a b c\nLRANGE k 0 1'],
    ['a', 'RPUSH l message pmessage x\nLRANGE l 0 -1\nSUBSCRIBE x'],
    ['a', 'RESET\nLRANGE l 0 -1\nGET k'],
    ['a', 'SSUBSCRIBE s\nSUNSUBSCRIBE\nGET k'],
    ['a', 'SUBSCRIBE q\nQUIT'],
  ],
  'subscribers in RESP3': [
    ['a', 'HELLO 3\nSET k v\nGET k'],
    ['a', 'GET k\nSUBSCRIBE one two\nPING\nGET k\nPING x'],
    ['b', 'PUBLISH one hello'],
    ['a', 'GET k'],
    ['a', 'UNSUBSCRIBE two\nUNSUBSCRIBE\nGET k\nPSUBSCRIBE t* x*\nGET k\nPUNSUBSCRIBE y'],
    ['b', 'PUBLISH two x\nPUBLISH x y'],
    ['a', 'HELLO 2\nGET k'],
    ['b', 'PUBLISH two again'],
    ['a', 'HELLO 3\nPUNSUBSCRIBE x*\nPUNSUBSCRIBE\nGET k'],
    ['a', 'GET k'],
  ],
  'subscribing within a transaction': [
    ['a', 'SET k v\nMULTI\nSUBSCRIBE one\nEXEC'],
    ['b', 'PUBLISH one hello'],
    ['a', 'GET k\nUNSUBSCRIBE\nGET k'],
  ],
  'a monitor': [
    ['a', 'SET k v\nGET k'],
    ['b', 'GET other'],
    ['a', 'MONITOR'],
    ['b', 'LPUSH l x'],
    ['a', 'PING'],
    ['a', 'RESET\nGET k'],
    ['a', 'GET k'],
  ],
  'replies off': [
    ['a', 'SET k v\nGET k\nCLIENT REPLY OFF\nSET k w\nGET k'],
    ['b', 'GET k'],
    ['a', 'CLIENT REPLY ON\nGET k'],
    ['a', 'CLIENT REPLY SKIP\nSET k x\nGET k'],
    ['b', 'GET k'],
    ['a', 'SET k y\nGET k'],
    ['b', 'GET k'],
    ['b', 'CLIENT REPLY\nGET k\nCLIENT REPLY MAYBE\nGET k'],
  ],
  "a client's own tracking": [
    ['a', 'HELLO 3\nSET k v\nGET k'],
    ['a', 'GET k\nCLIENT TRACKING ON\nGET k'],
    ['b', 'SET k w'],
    ['a', 'GET k'],
    ['b', 'SET k x'],
    ['a', 'CLIENT TRACKING OFF\nGET k'],
    ['a', 'GET k'],
  ],
  'blocking commands': [
    ['a', 'SET k v\nGET k'],
    ['a', 'GET k\nBLPOP q 0\nGET k'],
    ['b', 'SET k w\nRPUSH q job'],
    ['a', 'GET k'],
    ['a', 'BLPOP q 0.05\nGET k', 200],
    ['a', 'BLMOVE q r LEFT LEFT 0'],
    ['b', 'LPUSH q 1'],
    ['a', 'LRANGE r 0 -1\nLRANGE r 0 -1'],
  ],
  'scripts and functions': [
    ['a', 'SET k v\nGET k'],
    ['a', 'GET k\nEVAL return{redis.call("GET",KEYS[1]),redis.call("SET",KEYS[1],"w")} 1 k\nGET k'],
    ['a', 'GET k'],
    ['b', 'GET k\nGET k'],
    ['b', 'EVAL return{redis.call("SET","k","x")} 0'],
    ['a', 'GET k'],
    ['a', 'GET k\nSCRIPT LOAD return{1}\nEVALSHA nosuch 0\nGET k'],
  ],
  'users and rights': [
    ['a', 'SET k v\nSET secret s\nACL SETUSER bob on >pw ~k +@all\nACL SETUSER eve on >pw ~* +get +ping -pttl'],
    ['a', 'GET secret\nGET k'],
    ['a', 'GET secret\nGET k'],
    ['b', 'AUTH bob wrong\nAUTH bob pw\nGET k\nGET secret'],
    ['b', 'GET k\nGET secret'],
    ['c', 'HELLO 3 AUTH eve pw\nGET k\nGET secret'],
    ['c', 'GET k\nGET k'],
    ['c', 'SET k x\nGET k'],
    ['a', 'ACL SETUSER bob resetkeys ~other'],
    ['b', 'GET k'],
    ['b', 'RESET\nGET secret'],
    ['b', 'GET secret'],
    ['a', 'ACL DELUSER bob\nACL DELUSER eve\nGET k'],
  ],
  'the end of a connection': [
    ['a', 'SET k v\nGET k'],
    ['a', 'GET k\nQUIT\nGET k\nGET k'],
    ['b', 'GET k\nCLIENT KILL TYPE pubsub\nCLIENT NO-EVICT on\nGET k'],
  ],
  'broken requests': [
    ['a', 'SET k v\nGET k'],
    ['a', 'GET k\n!*1\n!x3'],
    ['b', 'GET k\n!*x'],
    ['c', 'GET k\n!*3\n!$-1'],
    ['d', '!*-1\n!*0\n!GET k'],
    ['e', 'GET k\nGET k\n!*1048577\n!$3'],
    ['f', 'BLPOP nothing 0.05\n!*1\n!+PING', 200],
  ],
  'other kinds of values': [
    ['a', 'ZADD z 1 a 2 b\nZRANGE z 0 -1\nZRANGE z 0 -1 WITHSCORES\nSADD s m\nSMEMBERS s\nXADD x 1-1 f v\nXRANGE x - +'],
    ['a', 'ZRANGE z 0 -1\nSMEMBERS s\nXRANGE x - +'],
    ['a', 'ZRANGE z 0 -1 WITHSCORES'],
    ['b', 'ZADD z 3 c\nXADD x 2-1 f v\nSADD s n\nDEL s'],
    ['a', 'ZRANGE z 0 -1 WITHSCORES'],
    ['a', 'SMEMBERS s'],
    ['a', 'XRANGE x - +\nMGET a b c\nMGET a b c\nSET b 1x\nMGET a b c'],
    ['a', 'MGET a b c'],
    ['a', 'TYPE z\nTYPE no\nEXISTS z no\nSTRLEN b'],
    ['a', 'TYPE z\nTYPE no\nEXISTS z no\nSTRLEN b'],
  ],
}

describe('front: the same bytes as Redis', () => {
  it.each(Object.entries(SCENARIOS))('%s', async (_, steps) => {
    await Promise.all([direct.command('FLUSHALL'), behind.command('FLUSHALL')])

    const wanted = await play(direct.port, steps)
    const got = await play(front.port, steps, wanted)

    expect(got).toEqual(wanted)
  })
})
