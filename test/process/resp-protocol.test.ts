import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../../src/model/random.ts'
import { ReplyScanner } from '../../src/wire/resp-reply.ts'
import { BROKEN, NEEDS_MORE, REQUEST, REQUEST_LIMITS, RequestScanner } from '../../src/wire/resp-request.ts'
import { type RedisHere, startRedis } from '../support/redis-here.ts'
import { dream, REQUESTS } from '../support/resp-fuzz.ts'

/** The long form: FORECACHE_FUZZ=100000. */
const INPUTS = Number(process.env['FORECACHE_FUZZ'] ?? 1500)
const SEED = Number(process.env['FORECACHE_SEED'] ?? Date.now() % 1_000_000)
const AT_ONCE = 25
const LONG_MS = 3600 * 1000

/** Commands with no reply, several or a very long one, or that take the server out of the conversation. */
const LEFT_OUT =
  /shutdown|quit|monitor|subscribe|^\W*b[lrz]|blpop|blmove|debug|client|post|host:|wait|slaveof|replicaof|sync|hello|auth|reset|cluster|failover|config|exec|multi|command/i

/** What this scanner makes of it: how many requests, and what is said before hanging up. */
function expectation(input: Buffer, isTrusted: boolean): { requests: number; fault: string } {
  const scanner = new RequestScanner({ ...REQUEST_LIMITS }, isTrusted)
  scanner.push(input)
  for (let requests = 0; ; requests += 1) {
    const step = scanner.next()
    if (step === REQUEST) continue
    if (step === BROKEN) return { requests, fault: scanner.faultText }
    if (step === NEEDS_MORE) return { requests, fault: '' }
    // LARGE: it will not be whole.
    requests -= 1
  }
}

/** Everything the server says. @param isEnding hang up behind the input; else the server must */
function converse(port: number, input: Buffer, isEnding: boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const said: Buffer[] = []
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () =>
      isEnding ? socket.end(input) : socket.write(input),
    )
    socket.on('data', (chunk: Buffer) => said.push(chunk))
    socket.once('end', () => socket.end())
    socket.once('error', reject)
    socket.once('close', () => resolve(Buffer.concat(said)))
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no end after ${JSON.stringify(input.toString('latin1'))}`)))
  })
}

function framesOf(said: Buffer): string[] {
  const scanner = new ReplyScanner()
  const frames: string[] = []
  scanner.push(said)
  while (scanner.next()) frames.push(said.toString('latin1', scanner.start, scanner.end))
  return frames
}

describe(`the protocol's faults beside the real Redis, seed ${SEED}`, () => {
  let open: RedisHere
  let locked: RedisHere
  beforeAll(async () => {
    open = await startRedis()
    locked = await startRedis()
    await locked.command('CONFIG', 'SET', 'requirepass', 'secret')
  })
  afterAll(async () => {
    await open.stop()
    await locked.stop()
  })

  it(
    `sees as many requests in ${INPUTS} mutations of real traffic, and faults in the same words at the same place`,
    async () => {
      const random = createRandom(SEED)
      let tried = 0
      const talk = async (): Promise<void> => {
        while (tried < INPUTS) {
          const input = dream(random, REQUESTS)
          if (LEFT_OUT.test(input.toString('latin1'))) continue
          tried += 1
          const isTrusted = tried % 4 !== 0
          const { requests, fault } = expectation(input, isTrusted)
          const frames = framesOf(await converse((isTrusted ? open : locked).port, input, true))
          const found = { replies: frames.length, fault: fault === '' ? '' : frames.at(-1) }
          const expected = { replies: requests + (fault === '' ? 0 : 1), fault }
          expect({ input: JSON.stringify(input.toString('latin1')), ...found }).toEqual({
            input: JSON.stringify(input.toString('latin1')),
            ...expected,
          })
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, talk))
    },
    LONG_MS,
  )

  it.each([
    '*a\r\n',
    '*\r\n',
    '*-0\r\n',
    '*01\r\n',
    '*1 \r\n',
    '*2147483648\r\n',
    '*9223372036854775808\r\n',
    '*1\r\n+PING\r\n',
    '*1\r\n\n4\r\n',
    '*1\r\n$\r\n',
    '*1\r\n$-1\r\n',
    '*1\r\n$04\r\nPING\r\n',
    '*1\r\n$536870913\r\n',
    'SET "a\r\n',
    "SET 'a'b\r\n",
    'GET "\\x4"a"\r\n',
    '*111…',
    '*1\r\n$111…',
    'xxx…',
    `PING\r\n*1\r\n$4\r\nPING\r\n*x\r\nPING\r\n`,
  ])('is hung up on by Redis with the same words: %j', async (text) => {
    const input = Buffer.from(
      text.replace(/.…/, (dots) => (dots[0] as string).repeat(70_000)),
      'latin1',
    )
    const { requests, fault } = expectation(input, true)
    const frames = framesOf(await converse(open.port, input, false))
    expect(fault).toMatch(/^-ERR Protocol error: /)
    expect(frames).toHaveLength(requests + 1)
    expect(frames.at(-1)).toBe(fault)
  })

  it.each(['*11\r\n', '*1\r\n$16385\r\n'])('is hung up on before a password with the same words: %j', async (text) => {
    const input = Buffer.from(text, 'latin1')
    const said = await converse(locked.port, input, false)
    expect(said.toString('latin1')).toBe(expectation(input, false).fault)
  })

  it.each([
    'PING \t hello\\x41 "a\\x41\\n\\q\\"" \'it\\\'s\'\r\n',
    'ECHO a"b c"\r\n',
    "ECHO a'b c'\n",
    'ECHO \x0bx\x0by\x0c\r\n',
    '   \r\nPING\r\n',
    '*-1\r\n*0\r\nPING\r\n',
    '*2\r\n$4\r\nECHO\r\n$2\r\nabXY*1\r\n$4\r\nPING\r\n',
    '*-9223372036854775808\r\nPING\r\n',
  ])('is read in the same words: %j', async (text) => {
    const input = Buffer.from(text, 'latin1')
    const theirs = framesOf(await converse(open.port, input, true))
    const scanner = new RequestScanner({ ...REQUEST_LIMITS }, true)
    scanner.push(input)
    const ours: Buffer[] = []
    while (scanner.next() === REQUEST) ours.push(Buffer.from(scanner.bytes.subarray(scanner.start, scanner.end)))
    expect(framesOf(await converse(open.port, Buffer.concat(ours), true))).toEqual(theirs)
    expect(theirs).toHaveLength(ours.length)
  })
})
