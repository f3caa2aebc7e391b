/**
 * Real clients through the front: what each one answers an application is what it answers before Redis itself.
 *
 * ioredis 5 and 6, node-redis 5 and 6 (RESP2 and RESP3), redis-py, redis-cli and redis-benchmark, each with the commands of
 * an ordinary day, every question twice: the second answer may come from memory.
 */
import { execFile, spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { askIoredis, type Ioredis } from '../support/front/everyday-ioredis.ts'
import { askNodeRedis, type NodeRedis } from '../support/front/everyday-node-redis.ts'
import { type FrontHere, startFront } from '../support/front-here.ts'
import { type RedisHere, startRedis } from '../support/redis-here.ts'

const require = createRequire(import.meta.url)
const run = promisify(execFile)
const PYTHON = join(import.meta.dirname, '..', 'support', 'front', 'everyday.py')

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
beforeEach(() => Promise.all([direct.command('FLUSHALL'), behind.command('FLUSHALL')]))

/** Debian's own, which has Debian's packages, before any other. */
function python(): string {
  const found = ['/usr/bin/python3', 'python3'].find((name) => spawnSync(name, ['-c', 'import redis']).status === 0)
  if (found !== undefined) return found
  throw new Error('this test needs redis-py: apt-get install python3-redis')
}

describe('front: real clients', () => {
  it.each(['ioredis5', 'ioredis6'])('%s gets the same answers', async (name) => {
    const { default: Redis } = require(name) as { default: new (options: object) => Ioredis }
    const ask = (port: number): Promise<string[]> => askIoredis(() => new Redis({ host: '127.0.0.1', port }))

    const wanted = await ask(direct.port)

    expect(await ask(front.port)).toEqual(wanted)
  })

  it.each([
    ['redis5', 2],
    ['redis5', 3],
    ['redis6', 2],
    ['redis6', 3],
  ])('%s in RESP%i gets the same answers', async (name, RESP) => {
    const { createClient } = require(name as string) as { createClient: (options: object) => NodeRedis }
    const ask = (port: number): Promise<string[]> =>
      askNodeRedis(async () => {
        const client = createClient({ RESP, socket: { host: '127.0.0.1', port } })
        await (client['connect'] as () => Promise<unknown>)()
        return client
      })

    const wanted = await ask(direct.port)

    expect(await ask(front.port)).toEqual(wanted)
  })

  it('redis-py gets the same answers', async () => {
    const ask = async (port: number): Promise<string> => (await run(python(), [PYTHON, String(port)])).stdout

    const wanted = await ask(direct.port)

    expect(await ask(front.port)).toBe(wanted)
    expect(wanted.split('\n').length).toBeGreaterThan(60)
  })

  it.each([[[]], [['-3']]])('redis-cli %j gets the same answers', async (flags) => {
    const lines = [
      'SET k v',
      'GET k',
      'GET k',
      'HSET h f v',
      'HGETALL h',
      'HGETALL h',
      'LPUSH l a',
      'LRANGE l 0 -1',
      'INCR k',
      'GET k',
      'NOSUCH',
      'MULTI',
      'GET k',
      'EXEC',
      'SELECT 1',
      'GET k',
    ]
    const ask = async (port: number): Promise<string> => {
      const child = run('redis-cli', ['-p', String(port), ...flags])
      child.child.stdin?.end(`${lines.join('\n')}\n`)
      return (await child).stdout
    }

    const wanted = await ask(direct.port)

    expect(await ask(front.port)).toBe(wanted)
  })

  it('redis-cli --pipe inserts in bulk', async () => {
    const child = run('redis-cli', ['-p', String(front.port), '--pipe'])
    child.child.stdin?.end(Array.from({ length: 20_000 }, (_, i) => `SET key:${i} value:${i}\r\n`).join(''))

    expect((await child).stdout).toContain('errors: 0, replies: 20000')
    expect(await behind.command('DBSIZE')).toBe(20_000)
  })

  it('redis-benchmark runs every test it knows', async () => {
    const { stdout } = await run('redis-benchmark', [
      '-p',
      String(front.port),
      '-n',
      '1000',
      '-q',
      '-P',
      '4',
      '-r',
      '100',
      '--csv',
    ])

    expect(stdout.split('\n').filter((line) => /^"[A-Z]/.test(line)).length).toBeGreaterThan(15)
  })
})
