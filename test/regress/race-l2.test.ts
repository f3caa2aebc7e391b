/**
 * Fills, invalidations and promotions over two levels, racing on machines that share one real Redis.
 *
 * After an invalidation that every machine has acknowledged, no read that begins later, on any of them, gets older data:
 * not from memory, not from the second level, not from a load or a write that was under way. Memory is kept small, so that
 * most reads go through the second level.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRandom, type Random } from '../../src/model/random.ts'
import { type Machine, openMachine } from '../support/l2-here.ts'
import { type RedisHere, type RedisSet, startCluster, startRedis } from '../support/redis-here.ts'

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f']
const LIMITS = { memory: { maxEntries: 3 }, l2: { deadline: '1s' } }
const SEED = Number(process.env['FORECACHE_SEED'] ?? 1)
const STEPS = 400
const CALLERS = 8

async function pause(random: Random, mostMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, random() * mostMs))
}

interface History {
  readonly random: Random
  readonly machines: readonly Machine[]
  /** What the origin holds now. */
  readonly origin: Map<string, number>
  /** What every read that begins now must have reached. */
  readonly floor: Map<string, number>
  readonly faults: string[]
  acknowledged: number
}

async function write(history: History, key: string): Promise<void> {
  const { random, machines, origin, floor } = history
  const version = (origin.get(key) ?? 0) + 1
  origin.set(key, version)
  const machine = machines[Math.floor(random() * machines.length)] as Machine
  const target = random() < 0.5 ? { keys: [key] } : { tags: [`tag:${key}`] }
  const { nodes } = await machine.cache.engine.invalidateEverywhere(target)
  if (nodes.acknowledged < nodes.expected || nodes.expected < machines.length) return
  history.acknowledged += 1
  floor.set(key, Math.max(version, floor.get(key) ?? 0))
}

async function read(history: History, key: string): Promise<void> {
  const { random, machines, origin, floor, faults } = history
  const index = Math.floor(random() * machines.length)
  const least = floor.get(key) ?? 0
  const budget = random() < 0.3 ? ({ fresh: 5, stale: '1h' } as const) : '1h'
  const result = await (machines[index] as Machine).cache.fetch(key, { budget, tags: [`tag:${key}`] }, async () => {
    const version = origin.get(key) ?? 0
    await pause(random, 15)
    return version
  })
  if (result.data < least) faults.push(`${key} on ${index}: ${result.data} instead of ${least}, cached ${result.cached}`)
}

async function run(url: string, seed: number): Promise<{ history: History; hits: number }> {
  const machines = await Promise.all([1, 2, 3].map(() => openMachine(url, LIMITS)))
  const random = createRandom(seed)
  const history: History = { random, machines, origin: new Map(), floor: new Map(), faults: [], acknowledged: 0 }
  let left = STEPS
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      const key = KEYS[Math.floor(random() * KEYS.length)] as string
      await (random() < 0.12 ? write(history, key) : read(history, key))
      await pause(random, 4)
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  const hits = machines.reduce((sum, machine) => sum + machine.count('l2Hits'), 0)
  await Promise.all(machines.map((machine) => machine.close()))
  return { history, hits }
}

describe('races over two levels', () => {
  let server: RedisHere
  let cluster: RedisSet

  beforeAll(async () => {
    ;[server, cluster] = await Promise.all([startRedis(), startCluster()])
  }, 60_000)

  afterAll(() => Promise.all([server.stop(), cluster.stop()]))

  it.each([SEED, SEED + 1, SEED + 2])('bring nothing back on one Redis, seed %i', async (seed) => {
    const { history, hits } = await run(server.url, seed)

    expect(history.faults).toEqual([])
    expect(history.acknowledged).toBeGreaterThan(10)
    expect(hits).toBeGreaterThan(10)
  })

  it(`bring nothing back on a cluster, seed ${SEED}`, async () => {
    const { history, hits } = await run(cluster.url, SEED)

    expect(history.faults).toEqual([])
    expect(history.acknowledged).toBeGreaterThan(10)
    expect(hits).toBeGreaterThan(10)
  })
})
