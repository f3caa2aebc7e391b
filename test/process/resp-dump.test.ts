/**
 * DUMP and RESTORE beside the real Redis: each takes what the other gives, and values of every form come back whole.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createRandom } from '../../src/model/random.ts'
import { type EmbeddedHere, startEmbedded } from '../support/embedded-here.ts'
import { type RedisHere, startOriginal } from '../support/redis-here.ts'
import { RawResp, textOfFrame } from '../support/resp-frames.ts'

let redis: RedisHere
let here: EmbeddedHere
let real: RawResp
let ours: RawResp

beforeAll(async () => {
  ;[redis, here] = await Promise.all([startOriginal(), startEmbedded()])
  ;[real, ours] = await Promise.all([RawResp.open(redis.port), RawResp.open(here.port)])
})

afterAll(async () => {
  real.close()
  ours.close()
  await Promise.all([redis.stop(), here.stop()])
})

beforeEach(async () => {
  for (const one of [real, ours]) await one.command('FLUSHALL')
})

const numbered = (count: number, name: (i: number) => string): string[] => Array.from({ length: count }, (_, i) => name(i))
const BYTES = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i))
const LONG = numbered(3000, (i) => `${(i * 2_654_435_761) % 4_294_967_296}`).join('')
const INTEGERS = [
  ...['0', '1', '-1', '127', '128', '-128', '-129', '4095', '4096', '-4096', '-4097', '32767', '32768', '-32768', '-32769'],
  ...['8388607', '8388608', '-8388608', '-8388609', '2147483647', '2147483648', '-2147483648', '-2147483649'],
  ...['9007199254740993', '9223372036854775807', '-9223372036854775808'],
]
const TEXTS = [
  ...[...INTEGERS, '', 'x', '01', '-0', '+1', '9223372036854775808', '1.5', 'ü', BYTES, BYTES.repeat(70), LONG],
  ...['a'.repeat(20), 'a'.repeat(21), 'ab'.repeat(400), 'a'.repeat(100_000), `${LONG}${LONG}`],
  ...[12, 31, 32, 33, 63, 64, 127, 128, 4095, 4096, 16_382, 16_383, 16_384, 70_000].map((length) =>
    LONG.slice(0, length).padEnd(length, 'q'),
  ),
]

/** The command that makes the key `k`, by what it tries. */
const MADE: readonly (readonly [name: string, command: readonly string[]])[] = [
  ...TEXTS.map((text, i) => [`string ${i} of ${text.length} bytes`, ['SET', 'k', text]] as const),
  ['number made by INCRBYFLOAT', ['INCRBYFLOAT', 'k', '3.5']],
  ['number', ['INCRBY', 'k', '12345678901']],
  ['list of integers', ['RPUSH', 'k', ...INTEGERS]],
  ['list of texts', ['RPUSH', 'k', ...TEXTS]],
  ['list of many', ['RPUSH', 'k', ...numbered(5000, (i) => `element ${i}`)]],
  ['set of integers of 16 bits', ['SADD', 'k', '3', '-5', '100', '32767']],
  ['set of integers of 32 bits', ['SADD', 'k', '3', '-5', '32768']],
  ['set of integers of 64 bits', ['SADD', 'k', '3', '-9223372036854775808', '9223372036854775807', '9007199254740993']],
  ['set of many integers', ['SADD', 'k', ...numbered(2000, String)]],
  ['set of texts', ['SADD', 'k', ...TEXTS]],
  ['hash, small', ['HSET', 'k', ...INTEGERS.flatMap((text) => [text, `v${text}`])]],
  ['hash with long values', ['HSET', 'k', ...TEXTS.flatMap((text) => [text, text])]],
  ['hash of many', ['HSET', 'k', ...numbered(2000, (i) => `${i}`)]],
  ['hash of one empty field', ['HSET', 'k', '', '']],
  [
    'sorted set, small',
    ['ZADD', 'k', '1', 'a', '-inf', 'b', 'inf', 'c', '0.1', 'd', '1e300', 'e', '-1.5e-7', 'f', '3', '7', '-0', 'z'],
  ],
  ['sorted set of whole scores', ['ZADD', 'k', '1', 'a', '-5', '7', '3000000000', 'b', '-0', 'c']],
  ['sorted set, large', ['ZADD', 'k', ...numbered(600, (i) => (i % 2 === 0 ? String(i / 3) : `m${i}`))]],
  ['sorted set with a long member', ['ZADD', 'k', '1.25', LONG, '-0', 'x', 'inf', 'y']],
]

/** Makes the key `k` of any kind, with elements at the edges of every form. */
function randomCommand(random: () => number): readonly string[] {
  const draw = (below: number): number => Math.floor(random() * below)
  const integer = (): string => String(BigInt.asIntN(64, BigInt(draw(2 ** 32)) * BigInt(draw(2 ** 32))) >> BigInt(draw(64)))
  const bytes = (): string => String.fromCharCode(...Array.from({ length: draw(80) }, () => draw(256)))
  const words = (): string => Array.from({ length: draw(40) }, () => ['ab', 'x', 'hello ', '\0'][draw(4)]).join('')
  const long = (): string => words().repeat(draw(60))
  const text = (): string => [integer, bytes, words, integer, random() < 0.2 ? long : bytes][draw(5)]?.() ?? ''
  const many = Array.from({ length: 1 + draw(random() < 0.2 ? 700 : 40) }, text)
  const score = (): string =>
    [() => integer(), () => String(random() * 10 ** draw(30) - 5), () => ['inf', '-inf', '-0'][draw(3)] ?? ''][draw(3)]?.() ?? '0'
  const made: readonly (() => readonly string[])[] = [
    () => ['SET', 'k', random() < 0.3 ? long() : text()],
    () => ['RPUSH', 'k', ...many],
    () => ['SADD', 'k', ...(random() < 0.5 ? many : many.map(integer))],
    () => ['HSET', 'k', ...many.flatMap((one) => [one, text()])],
    () => ['ZADD', 'k', ...many.flatMap((one) => [score(), one])],
  ]
  return made[draw(made.length)]?.() ?? []
}

/** What a key holds, as a client sees it. */
async function look(at: RawResp): Promise<readonly string[]> {
  const type = (await at.command('TYPE', 'k')).text
  const ask: Readonly<Record<string, readonly string[]>> = {
    string: ['GET', 'k'],
    list: ['LRANGE', 'k', '0', '-1'],
    set: ['SMEMBERS', 'k'],
    hash: ['HGETALL', 'k'],
    zset: ['ZRANGE', 'k', '0', '-1', 'WITHSCORES'],
  }
  const frame = await at.command(...(ask[type] ?? ['PING']))
  const pairs = (frame.members ?? []).map(textOfFrame)
  const content = orderOf(type, pairs)
  return [type, (await at.command('OBJECT', 'ENCODING', 'k')).text, frame.text, ...content]
}

/** Sets and hashes in any order. */
function orderOf(type: string, rows: readonly string[]): readonly string[] {
  if (type === 'set') return rows.toSorted()
  return type === 'hash' ? rows.flatMap((one, i) => (i % 2 === 0 ? [`${one} ${rows[i + 1]}`] : [])).toSorted() : rows
}

describe('DUMP and RESTORE', () => {
  it.each(MADE)('carry over and back: %s', async (_, command) => {
    // Arrange
    await real.command(...command)
    await ours.command(...command)
    const expected = await look(real)
    const fromReal = (await real.command('DUMP', 'k')).text
    const fromOurs = (await ours.command('DUMP', 'k')).text

    // Act
    const replies = [
      await ours.command('RESTORE', 'k', '0', fromReal, 'REPLACE'),
      await real.command('RESTORE', 'k', '0', fromOurs, 'REPLACE'),
    ]

    // Assert
    expect(replies.map(textOfFrame)).toEqual(['+"OK"', '+"OK"'])
    expect(await look(ours)).toEqual(expected)
    expect(await look(real)).toEqual(expected)
  })

  it.each(MADE.filter(([name]) => !/set (?:of texts|of many|, small)|hash (?:with|of many)|sorted set, small/.test(name)))(
    'give the same bytes: %s',
    async (_, command) => {
      // Arrange
      await real.command(...command)
      await ours.command(...command)

      // Act
      const [expected, got] = [await real.command('DUMP', 'k'), await ours.command('DUMP', 'k')]

      // Assert
      expect(Buffer.from(got.text, 'latin1').toString('hex')).toBe(Buffer.from(expected.text, 'latin1').toString('hex'))
    },
  )

  it.each([1, 2, 3])('carry random values over and back (seed %i)', async (seed) => {
    // Arrange
    const random = createRandom(seed)
    for (let i = 0; i < 150; i += 1) {
      const command = randomCommand(random)
      for (const one of [real, ours]) {
        await one.command('DEL', 'k')
        await one.command(...command)
      }
      const expected = await look(real)
      const [fromReal, fromOurs] = [await real.command('DUMP', 'k'), await ours.command('DUMP', 'k')]

      // Act
      const replies = [
        await ours.command('RESTORE', 'k', '0', fromReal.text, 'REPLACE'),
        await real.command('RESTORE', 'k', '0', fromOurs.text, 'REPLACE'),
      ]

      // Assert
      expect([...replies.map(textOfFrame), command]).toEqual(['+"OK"', '+"OK"', command])
      expect(await look(ours)).toEqual(expected)
      expect(await look(real)).toEqual(expected)
    }
  })

  it('refuse and keep times as Redis does', async () => {
    // Arrange
    await real.command('SET', 'k', 'value')
    const payload = (await real.command('DUMP', 'k')).text
    const bad = `${payload.slice(0, -1)}\0`
    const far = String(Date.now() + 100_000)
    const asked: readonly (readonly string[])[] = [
      ['DUMP', 'none'],
      ['RESTORE', 'a', '0', payload],
      ['RESTORE', 'a', '0', payload],
      ['RESTORE', 'a', '0', bad, 'REPLACE'],
      ['RESTORE', 'a', '0', 'short'],
      ['RESTORE', 'b', '-1', payload],
      ['RESTORE', 'b', 'x', payload],
      ['RESTORE', 'b', '0', 'short'],
      ['RESTORE', 'b', '0', payload, 'NEVER'],
      ['RESTORE', 'b', '0', payload, 'IDLETIME'],
      ['RESTORE', 'b', '0', payload, 'IDLETIME', '-1'],
      ['RESTORE', 'b', '0', payload, 'FREQ', '256'],
      ['RESTORE', 'b', '0', payload, 'FREQ', '5', 'IDLETIME', '3'],
      ['RESTORE', 'b', '1', payload, 'ABSTTL'],
      ['EXISTS', 'b'],
      ['RESTORE', 'b', far, payload, 'ABSTTL', 'FREQ', '5'],
      ['PEXPIRETIME', 'b'],
      ['RESTORE', 'b', '1', payload, 'ABSTTL', 'REPLACE'],
      ['EXISTS', 'b'],
      ['RESTORE', 'c', '50000', payload, 'IDLETIME', '7'],
      ['TTL', 'c'],
      ['RESTORE', 'c', '0', payload, 'REPLACE'],
      ['TTL', 'c'],
    ]

    // Act
    const answers = async (at: RawResp): Promise<readonly string[]> => {
      const lines: string[] = []
      for (const command of asked)
        lines.push(`${command.filter((one) => one !== payload).join(' ')}: ${textOfFrame(await at.command(...command))}`)
      return lines
    }

    // Assert
    expect(await answers(ours)).toEqual(await answers(real))
  })
})
