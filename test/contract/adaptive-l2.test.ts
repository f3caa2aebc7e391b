/** Routes taken out of the second level, over a real Redis; and what another machine loaded as what the next reading is compared with. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Machine, openMachine } from '../support/l2-here.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

let server: RedisHere
const machines: Machine[] = []

beforeAll(async () => {
  server = await startRedis()
})

afterAll(() => server.stop())

afterEach(async () => {
  await Promise.all(machines.splice(0).map((machine) => machine.close()))
  await server.command('FLUSHALL')
})

async function open(options: Parameters<typeof openMachine>[1] = {}): Promise<Machine> {
  const machine = await openMachine(server.url, options)
  machines.push(machine)
  return machine
}

const BUDGET_MS = 40

describe('a route that the second level cannot help', () => {
  it('stays in memory alone, but for the keys that go on trying', async () => {
    const a = await open({ budget: BUDGET_MS, adaptive: { demote: 'l2' } })
    const { adaptive } = a.cache.engine
    let key = 0
    // Nobody reads anything twice.
    await until(() => {
      for (let at = 0; at < 20; at += 1) void a.cache.fetch(`k${(key += 1)}`, async () => 'v'.repeat(300))
      return adaptive.routes()[0]?.flaw === 'never-reused'
    }, 'the route to be known')
    await a.written()
    const written = a.count('l2Writes')
    const more = Array.from({ length: 160 }, (_, at) => `more${at}`)
    await Promise.all(more.map((name) => a.cache.fetch(name, { budget: '1m' }, async () => name)))
    await a.written()

    const out = a.count('demotedL2')
    expect(out).toBeGreaterThan(120)
    expect(a.count('l2Writes') - written).toBeLessThan(40)
    expect(more.every((name) => a.cache.peek(name) === name)).toBe(true)
    expect(a.count('demotedCache')).toBe(0)
  }, 30_000)

  it('is forgotten by an invalidation like anything else, on every machine', async () => {
    const [a, b] = [await open({ adaptive: { demote: 'l2' } }), await open()]
    await a.cache.fetch('k', { tags: ['t'] }, async () => 1)
    await a.written()
    expect((await b.cache.get('k'))?.data).toBe(1)
    await b.cache.invalidate({ tags: ['t'] })

    expect((await a.cache.fetch('k', { tags: ['t'] }, async () => 2)).data).toBe(2)
  })
})

describe('what another machine loaded', () => {
  it('is what the next reading here is compared with', async () => {
    const [a, b] = [await open(), await open()]
    await a.cache.fetch('k', { budget: '1m' }, async () => 'v'.repeat(300))
    await a.cache.fetch('small', { budget: '1m' }, async () => 7)
    await a.written()
    for (const key of ['k', 'small']) await b.cache.fetch(key, { budget: '1m' }, async () => 'never')
    await b.cache.fetch('k', { budget: '1m', skip: 'read' }, async () => 'v'.repeat(300))
    await b.cache.fetch('small', { budget: '1m', skip: 'read' }, async () => 8)

    expect(b.count('l2Hits')).toBe(2)
    expect([b.count('comparedSame'), b.count('comparedChanged')]).toEqual([1, 1])
  })
})
