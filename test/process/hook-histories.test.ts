import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stats } from '../../src/entry/redis.ts'
import { createRandom } from '../../src/model/random.ts'
import { type AnyClient, CLIENTS, openClient, openWay, type Way } from '../support/hook-clients.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

/** HOOK_OPS and HOOK_SEED of the environment make longer or other histories. */
const OPS = Number(process.env['HOOK_OPS'] ?? '20000')
const SEED = Number(process.env['HOOK_SEED'] ?? '1')
const KEYS = 40
const MAX_STALE_MS = 250

let server: RedisHere
let way: Way

beforeAll(async () => {
  server = await startRedis()
  way = await openWay(server.port)
})
afterAll(async () => {
  await way.close()
  await server.stop()
})

/** What is known of one key: each has one writer, so its values are numbers that only grow. */
interface Key {
  readonly name: string
  written: number
  acknowledged: number
  /** When each of the last acknowledged values was, newest last. */
  readonly times: { readonly value: number; readonly at: number }[]
  /** Largest value that anybody in this process was told. */
  told: number
}

describe('hook: histories of many clients', () => {
  it.each([0, 3])('are such as without it, with the tracking connection %i ms late', async (delayMs) => {
    const random = createRandom(SEED)
    const wrapped = await Promise.all(CLIENTS.flatMap((name) => [openClient(name, way.port), openClient(name, way.port)]))
    const direct = await openDirect(server.port)
    await direct.call('FLUSHALL')
    await until(() => stats()?.upstreams.some(({ state }) => state === 'on') === true, 'the tracking connection')
    way.delayTracking(delayMs)
    const keys: Key[] = Array.from({ length: KEYS }, (_, i) => ({
      name: `k${i}`,
      written: 0,
      acknowledged: 0,
      times: [],
      told: 0,
    }))
    const wrong: string[] = []
    const before = stats()?.hits ?? 0
    let left = OPS

    await Promise.all([
      ...wrapped.map((client, index) => worker(client, index)),
      (async () => {
        while (left > 0) {
          await write(direct, keys[Math.floor(random() * 4) * 9] as Key)
          await new Promise((resolve) => setTimeout(resolve, 1))
        }
      })(),
    ])
    way.delayTracking(0)
    for (const client of wrapped) await client.close()
    direct.close()

    expect(wrong.slice(0, 5), `seed ${SEED}`).toEqual([])
    // Memory answered some of it at all: how much is a matter of pace. Behind pushes that are late hardly anything is known in time.
    expect((stats()?.hits ?? 0) - before).toBeGreaterThan(delayMs === 0 ? OPS / 100 : OPS / 1000)

    /** Reads any key, writes its own. Keys 0, 9, 18 and 27 are written by the client that is not wrapped. */
    async function worker(client: AnyClient, index: number): Promise<void> {
      const own = keys.filter((_, i) => i % 9 !== 0 && i % wrapped.length === index)
      while (left > 0) {
        left -= 1
        const key = keys[Math.floor(random() ** 2 * KEYS)] as Key
        if (own.length > 0 && random() < 0.04) await write(client, own[Math.floor(random() * own.length)] as Key)
        else if (random() < 0.1) await readMany(client)
        else await read(client, key)
        if (random() < 0.02) await new Promise((resolve) => setTimeout(resolve, 1))
      }
    }

    async function write(client: { call(...words: string[]): Promise<unknown> }, key: Key): Promise<void> {
      key.written += 1
      const value = key.written
      await client.call('SET', key.name, `${value}`)
      key.acknowledged = value
      key.times.push({ value, at: performance.now() })
      if (key.times.length > 2000) key.times.shift()
    }

    async function read(client: AnyClient, key: Key): Promise<void> {
      const least = leastOf(key)
      judge(key, least, Number(await client.get(key.name)))
    }

    async function readMany(client: AnyClient): Promise<void> {
      const some = [keys[Math.floor(random() * KEYS)], keys[Math.floor(random() * KEYS)]] as Key[]
      const least = some.map(leastOf)
      const values = (await client.mget(...some.map(({ name }) => name))) as unknown[]
      for (const [i, key] of some.entries()) judge(key, least[i] as number, Number(values[i]))
    }

    /** What a read that begins now must at least tell: what this process wrote or was told, and what is old enough. */
    function leastOf(key: Key): number {
      const isForeign = keys.indexOf(key) % 9 === 0
      if (!isForeign) return Math.max(key.told, key.acknowledged)
      const oldEnough = performance.now() - MAX_STALE_MS - 50
      return Math.max(key.told, key.times.findLast(({ at }) => at < oldEnough)?.value ?? 0)
    }

    function judge(key: Key, least: number, value: number): void {
      if (value < least) wrong.push(`${key.name}: told ${value}, after ${least} was known`)
      key.told = Math.max(key.told, value)
    }
  })
})

async function openDirect(port: number): Promise<{ call(...words: string[]): Promise<unknown>; close(): void }> {
  const { createClient } = await import('@redis/client')
  const plain = createClient({ socket: { port, host: '127.0.0.1' }, ...{ [Symbol.for('forecache.own')]: true } })
  await plain.connect()
  return { call: (...words) => plain.sendCommand(words), close: () => plain.destroy() }
}
