/** The audit over two levels: what the second level says where no origin can, and no alarm about what others read. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type Machine, openMachine } from '../support/l2-here.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

const AUDIT = { share: 1, perSecond: 10_000 }
const BUDGET = { budget: '1m', tags: ['product:7'] } as const

let server: RedisHere

beforeAll(async () => {
  server = await startRedis()
})

afterAll(() => server.stop())

async function open(): Promise<Machine> {
  const machine = await openMachine(server.url, { audit: AUDIT })
  onTestFinished(() => machine.close())
  return machine
}

async function down(): Promise<never> {
  throw new Error('down')
}

describe('audit over two levels', () => {
  it('hears from a newer reading there what the origin cannot say, and leaves it where it is', async () => {
    const [a, b] = [await open(), await open()]
    await a.cache.fetch('k', BUDGET, async () => 'old')
    await a.written()
    await b.cache.fetch('k', { ...BUDGET, skip: 'read' }, async () => 'new')
    await b.written()

    // A comparison that the second level answers too late says nothing: the next answer is looked at.
    await until(async () => {
      expect(await a.cache.fetch('k', BUDGET, down)).toMatchObject({ data: 'old', cached: true })
      return a.count('auditOutdated') > 0
    }, 'the audit to compare')
    expect(a.cache.peek('k')).toBe('old')
    expect(a.count('stalenessViolations')).toBe(0)
  })

  it('raises no alarm while two machines read, write and invalidate what they share', { timeout: 20_000 }, async () => {
    const machines = [await open(), await open()]
    let version = 0
    const end = Date.now() + 3000
    const live = async ({ cache }: Machine): Promise<void> => {
      while (Date.now() < end) {
        const key = `k${Math.floor(Math.random() * 8)}`
        await cache.fetch(key, { budget: '300ms', tags: [`t${key}`] }, async () => {
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 10))
          return `${key} ${version}`
        })
        const dice = Math.random()
        if (dice < 0.1) version += 1
        if (dice < 0.05) await cache.invalidate({ tags: [`t${key}`] })
        else if (dice < 0.07) await cache.delete(key)
        else if (dice < 0.09) await cache.set(key, `set ${version}`, { budget: '300ms' })
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 4))
      }
    }
    await Promise.all(machines.flatMap((machine) => [live(machine), live(machine), live(machine)]))

    for (const { cache, count } of machines) {
      expect(count('auditCurrent') + count('auditOutdated')).toBeGreaterThan(100)
      expect(cache.engine.audit?.violations()).toEqual([])
    }
    expect(machines.reduce((sum, { count }) => sum + count('l2Hits'), 0)).toBeGreaterThan(10)
  })
})
