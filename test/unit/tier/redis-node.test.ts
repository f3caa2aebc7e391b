import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../../src/model/virtual-clock.ts'
import type { RedisConnection } from '../../../src/tier/redis-client.ts'
import { CONNECTIONS, NODE_LIMITS, RedisNode } from '../../../src/tier/redis-node.ts'

const INFO = { mode: 'standalone', runId: 'r', role: 'master' } as const
const ADDRESS = { host: 'h', port: 1 }
const GREETING_MS = 800

/** A server behind a way on which each greeting takes its time; what fails is said by the place of the attempt. */
function behindSlowWay(fails: (attempt: number) => boolean = () => false) {
  const clock = createVirtualClock()
  const at = { clock, attempts: 0, open: 0, states: [] as boolean[] }
  const open = (): Promise<RedisConnection> => {
    at.attempts += 1
    const isRefused = fails(at.attempts)
    return new Promise((resolve, reject) => {
      clock.after(GREETING_MS, () => {
        if (isRefused) return reject(new Error('refused'))
        at.open += 1
        const connection = { address: ADDRESS, info: INFO, send: async () => 'OK', subscribe: async () => {} }
        resolve({ ...connection, destroy: () => void (at.open -= 1) })
      })
    })
  }
  const parts = { clock, random: () => 0, limits: NODE_LIMITS, locate: () => ADDRESS, open, refuse: () => undefined }
  const node = new RedisNode({ ...parts, onState: (isUp) => void at.states.push(isUp) }, ADDRESS)
  return { ...at, node, now: () => at }
}

describe('a server kept connected', () => {
  it('is up after one greeting, however many connections it has: they are opened together', async () => {
    const { clock, node, now } = behindSlowWay()

    await clock.advanceAsync(GREETING_MS)

    expect(node.isUp).toBe(true)
    expect(now().open).toBe(CONNECTIONS)
    node.close()
    expect(now().open).toBe(0)
  })

  it('comes back behind a slow way after one greeting when it was dropped', async () => {
    const { clock, node, now } = behindSlowWay()
    await clock.advanceAsync(GREETING_MS)
    node.drop('silent')
    expect(node.isUp).toBe(false)

    await clock.advanceAsync(NODE_LIMITS.retryMs + GREETING_MS)

    expect(now().states).toEqual([true, false, true])
    expect(now().open).toBe(CONNECTIONS)
  })

  it('keeps none of its connections open where one of them cannot be had, and tries again', async () => {
    const { clock, node, now } = behindSlowWay((attempt) => attempt === 2)
    await clock.advanceAsync(GREETING_MS)
    expect([node.isUp, now().open]).toEqual([false, 0])

    await clock.advanceAsync(NODE_LIMITS.retryMs + GREETING_MS)

    expect([node.isUp, now().open, now().attempts]).toEqual([true, CONNECTIONS, CONNECTIONS * 2])
  })
})
