/** What an api port reads at once is bounded and on the books. */
import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { ACCOUNT, Ledger } from '../../../src/model/ledger.ts'
import { Intake } from '../../../src/server/intake.ts'
import { cacheApiHere } from '../../support/cache-api-here.ts'

describe('intake', () => {
  it('takes up to its bound and not a byte more, and again what was released', () => {
    const ledger = new Ledger()
    const intake = new Intake(ledger, 100)
    intake.take(60)
    intake.take(40)

    expect(() => intake.take(1)).toThrow(expect.objectContaining({ code: 'FC_GATEWAY_BUSY', status: 503 }))
    expect([intake.bytes, ledger.of(ACCOUNT.requests)]).toEqual([100, 100])
    intake.release(60)
    intake.take(60)
    intake.release(100)
    expect([intake.bytes, ledger.total]).toEqual([0, 0])
  })

  it('charges contents while they come, and nothing when requests have ended, however they did', async () => {
    const { ask, port, cache } = await cacheApiHere()
    const { ledger } = cache.engine
    await ask('PUT', '/cache/k', { body: 'x'.repeat(100_000) })
    await ask('PUT', '/cache/k?ttl=wrong', { body: 'x'.repeat(1000) })
    const leaving = request({ port, method: 'PUT', path: '/cache/k', headers: { 'content-length': 100_000 } })
    leaving.on('error', () => {})
    leaving.write('x'.repeat(50_000))
    await expect.poll(() => ledger.of(ACCOUNT.requests)).toBeGreaterThan(0)
    leaving.destroy()

    await expect.poll(() => ledger.of(ACCOUNT.requests)).toBe(0)
    expect((await ask('GET', '/cache/k')).bytes).toHaveLength(100_000)
  })
})
