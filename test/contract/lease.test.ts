import { afterAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/model/clock.ts'
import { createRandom } from '../../src/model/random.ts'
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import { Leases } from '../../src/tier/leases.ts'
import { parseRedisUrl } from '../../src/tier/redis-address.ts'
import { RedisLeases } from '../../src/tier/redis-leases.ts'
import type { RedisPort } from '../../src/tier/redis-port.ts'
import { createRedis } from '../../src/tier/redis.ts'
import { LeaseModelServer } from '../support/lease-model.ts'
import { startCluster, startRedis } from '../support/redis-here.ts'
import { leaseContract, type LeaseStand } from './lease.ts'

const closers: (() => unknown)[] = []
afterAll(async () => {
  for (const close of closers.reverse()) await close()
})

async function openRedis(url: string): Promise<RedisPort> {
  const redis = createRedis({ target: parseRedisUrl(url), clock: systemClock(), random: createRandom(1) })
  closers.push(() => redis.close())
  expect(await redis.ready(10_000)).toBe(true)
  return redis
}

async function realStand(url: string): Promise<LeaseStand> {
  const redis = await openRedis(url)
  return {
    open: () => new RedisLeases({ redis, prefix: 'test:' }),
    clock: systemClock(),
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    settle: (promise) => promise,
  }
}

leaseContract('memory, as it is meant', async () => {
  const clock = createVirtualClock()
  const server = new LeaseModelServer(clock)
  return {
    open: () => server.open(),
    clock,
    wait: (ms) => clock.advanceAsync(ms),
    settle: async (promise) => {
      let isOpen = true
      const over = (): void => {
        isOpen = false
      }
      promise.then(over, over)
      for (let ms = 0; isOpen && ms < 20_000; ms += 1) await clock.advanceAsync(1)
      return promise
    },
  }
})

leaseContract('one Redis', async () => {
  const server = await startRedis()
  closers.push(() => server.stop())
  return realStand(server.url)
})

leaseContract('a cluster of three masters', async () => {
  const cluster = await startCluster()
  closers.push(() => cluster.stop())
  return realStand(cluster.url)
})

describe('leases in Redis, when things go wrong', () => {
  async function pair(url: string): Promise<[Leases, Leases]> {
    const make = async (): Promise<Leases> => {
      const redis = await openRedis(url)
      const leases = new Leases({
        store: new RedisLeases({ redis, prefix: 'test:' }),
        clock: systemClock(),
        random: createRandom(3),
        leaseMs: 5000,
        waitMs: 20_000,
        maxHoldMs: 60_000,
        deadlineMs: 150,
        onCount: () => {},
      })
      closers.push(() => leases.close())
      return leases
    }
    return [await make(), await make()]
  }
  const question = { name: 'k', stamp: 'log.1', isDead: () => false }

  it('sends who waits away soon after the server has frozen, and asks nobody then', async () => {
    const server = await startRedis()
    closers.push(() => server.stop())
    const [holder, other] = await pair(server.url)
    await holder.ask(question)
    const place = await other.ask(question)
    if (place.role !== 'wait') throw new Error('expected to wait')
    await new Promise((resolve) => setTimeout(resolve, 100))

    server.freeze()
    const frozenAt = performance.now()
    const event = await place.waiter.next()
    const tookMs = performance.now() - frozenAt
    const asked = performance.now()
    const again = await other.ask(question)
    const askedMs = performance.now() - asked
    server.thaw()

    expect(event).toEqual({ kind: 'alone', reason: 'down' })
    expect(tookMs).toBeLessThan(1000)
    expect(again).toEqual({ role: 'alone' })
    expect(askedMs).toBeLessThan(500)
  }, 30_000)

  it('hears of a release although its connection for bells was cut', async () => {
    const server = await startRedis()
    closers.push(() => server.stop())
    const [holder, other] = await pair(server.url)
    const held = await holder.ask(question)
    const place = await other.ask(question)
    if (held.role !== 'hold' || place.role !== 'wait') throw new Error('expected one to hold and one to wait')
    await new Promise((resolve) => setTimeout(resolve, 100))
    await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
    held.lease.release('stored')

    const event = await place.waiter.next()

    expect(event.kind === 'hold' ? event.wasReleased : event.kind === 'over').toBe(true)
  }, 30_000)
})
