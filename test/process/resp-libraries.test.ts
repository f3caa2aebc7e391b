/**
 * Libraries that keep sessions, limit rates, lock and cache in a Redis: with the embedded mode in its place, each program
 * gets the same answers.
 */
import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Running, startCli } from '../support/cli-process.ts'
import { keepBento, keepCacheManager, keepKeyv, keepSessions } from '../support/libraries/caches.ts'
import {
  limitExpress,
  limitFastify,
  limitFlexiblyByIoredis,
  limitFlexiblyByNodeRedis,
  lock,
} from '../support/libraries/limits.ts'
import { tell } from '../support/libraries/talk.ts'
import { type RedisHere, startRedis } from '../support/redis-here.ts'
import { RawResp } from '../support/resp-frames.ts'

const run = promisify(execFile)
const DJANGO = join(import.meta.dirname, '..', 'support', 'libraries', 'django.py')

let redis: RedisHere
let here: Running
let port: number

beforeAll(async () => {
  here = startCli(['serve', '--resp', '127.0.0.1:0', '--api', '127.0.0.1:0'])
  const [line, started] = await Promise.all([here.line((text) => text.includes('"ready"')), startRedis()])
  redis = started
  port = Number(String((JSON.parse(line) as { readonly resp: string }).resp).split(':')[1])
})

afterAll(async () => {
  here.child.kill('SIGTERM')
  await Promise.all([redis.stop(), here.ended])
})

beforeEach(async () => {
  for (const at of [redis.port, port]) {
    const client = await RawResp.open(at)
    for (const command of [['FLUSHALL'], ['SCRIPT', 'FLUSH']]) await client.command(...command)
    client.close()
  }
})

/** Debian's own, which has Debian's packages, before any other. */
function python(): string {
  const found = ['/usr/bin/python3', 'python3'].find((name) => spawnSync(name, ['-c', 'import redis']).status === 0)
  if (found !== undefined) return found
  throw new Error('this test needs redis-py: apt-get install python3-redis')
}

describe('libraries with the embedded mode', () => {
  it.each([
    ['express-session and connect-redis', keepSessions],
    ['keyv and @keyv/redis', keepKeyv],
    ['cache-manager', keepCacheManager],
    ['bentocache with its bus', keepBento],
    ['express-rate-limit and rate-limit-redis', limitExpress],
    ['rate-limiter-flexible by ioredis', limitFlexiblyByIoredis],
    ['rate-limiter-flexible by node-redis', limitFlexiblyByNodeRedis],
    ['@fastify/rate-limit', limitFastify],
    ['redlock', lock],
  ])('%s: the same answers', async (_, program) => {
    // Act
    const expected = await tell(program, redis.port)
    const got = await tell(program, port)

    // Assert
    expect(expected.length).toBeGreaterThan(5)
    expect(expected.join('\n')).not.toMatch(/TypeError|not a function/) // the program itself is right
    expect(got).toEqual(expected)
  })

  it("Django's way with redis-py: the same answers", async () => {
    // Arrange
    const program = python()

    // Act
    const [expected, got] = await Promise.all([redis.port, port].map((at) => run(program, [DJANGO, String(at)])))

    // Assert
    expect(expected?.stdout.split('\n').length).toBeGreaterThan(20)
    expect(got?.stdout).toBe(expected?.stdout)
  })
})
