import { request } from 'node:http'
import { afterAll, describe, expect, it } from 'vitest'
import { createCache } from '../../src/flow/cache.ts'
import { createRandom } from '../../src/model/random.ts'
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import { until } from '../support/middleware-client.ts'
import { HOSTS, type Script, type Site } from '../support/middleware-hosts.ts'

const SEED = Number(process.env['FORECACHE_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const REQUESTS = 600
const LIMIT = 60_000

const bodyOf = (id: number): Buffer => Buffer.alloc(200 + id * 3001, 65 + (id % 26))
const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Right, wrong, a 500 of the handler's, or broken off. */
type End = 'right' | 'wrong' | 'failed' | 'broken'

function askOnce(site: Site, id: number, { leaveAfter, ranged }: { leaveAfter: number; ranged: boolean }): Promise<End> {
  return new Promise((resolve) => {
    const req = request(`${site.url}/p${id}`, { agent: false, headers: ranged ? { range: 'bytes=0-99' } : {} }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('error', () => resolve('broken'))
      res.on('end', () => {
        const whole = bodyOf(id)
        const wanted = res.statusCode === 206 ? whole.subarray(0, 100) : whole
        resolve(res.statusCode === 500 ? 'failed' : Buffer.concat(chunks).equals(wanted) ? 'right' : 'wrong')
      })
    })
    req.on('error', () => resolve('broken'))
    req.end()
    if (leaveAfter >= 0) void turns(leaveAfter).then(() => req.destroy())
  })
}

describe(`middleware: whatever breaks, no wrong byte and nothing left behind (FORECACHE_SEED=${SEED})`, () => {
  const { error } = console
  console.error = () => {} // broken streams are told by the adapters of fetch
  afterAll(() => {
    console.error = error
  })

  it.each(HOSTS)('$name: failing handlers, breaking bodies, leaving clients, invalidations, ranges, expiry', async (host) => {
    const random = createRandom(SEED)
    const clock = createVirtualClock()
    const cache = createCache({ clock, memory: { maxBytes: 300_000 } })
    const script: Script = async ({ path }) => {
      const id = Number(/(\d+)/.exec(path)?.[1])
      const bytes = bodyOf(id)
      const headers = { 'content-type': 'text/plain', ...(id % 5 === 0 ? { 'content-length': String(bytes.length) } : {}) }
      await turns(Math.floor(random() * 5))
      if (random() < 0.04) throw new Error('failed')
      if (id % 3 === 0) return { bytes, headers }
      const breaks = random() < 0.04
      return {
        headers,
        chunks: async function* () {
          for (let at = 0; at < bytes.length; at += 9000) {
            if (random() < 0.3) await turns(2)
            if (breaks && at > 9000) throw new Error('broken')
            yield bytes.subarray(at, at + 9000)
          }
        },
      }
    }
    const site = await host.open(script, {
      cache,
      budget: { fresh: '20ms', stale: '60ms', onError: '100ms' },
      limits: { body: LIMIT },
    })
    const ends: End[] = []

    let left = REQUESTS
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        while ((left -= 1) >= 0) {
          if (random() < 0.2) clock.advance(random() * 30)
          if (random() < 0.05) await cache.invalidate({ urls: [`${site.url}/p${Math.floor(random() * 30)}`] })
          ends.push(
            await askOnce(site, Math.floor(random() * 30), {
              leaveAfter: random() < 0.15 ? Math.floor(random() * 40) : -1,
              ranged: random() < 0.1,
            }),
          )
        }
      }),
    )
    await turns(50)
    await clock.advanceAsync(120_000)
    await until(() => cache.stats().flights === 0 && cache.stats().refreshing === 0)
    await site.close()

    expect(ends.filter((end) => end === 'wrong')).toEqual([])
    expect(ends.filter((end) => end === 'right').length).toBeGreaterThan(REQUESTS / 2)
    expect(clock.pending).toBeLessThanOrEqual(1) // the sweeper's
  })
})
