import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, expect, it } from 'vitest'
import { parseServerTiming, Stages } from '../../../src/cli/demo/shop/stages.ts'
import { drawWaterfall, measureWaterfall } from '../../../src/cli/demo/waterfall.ts'

const closing: (() => void)[] = []
afterAll(() => {
  for (const close of closing) close()
})

async function listen(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('stages: what Server-Timing says', () => {
  it('is read back as it was written', async () => {
    let now = 0
    const stages = new Stages(() => now)
    await stages.run('session', async () => {
      now += 1.5
    })
    await expect(
      stages.run('query', async () => {
        now += 20
        throw new Error('broken')
      }),
    ).rejects.toThrow('broken')

    expect(parseServerTiming(stages.header())).toEqual([
      { name: 'session', ms: 1.5 },
      { name: 'query', ms: 20 },
    ])
  })

  it('leaves out what has no duration', () => {
    expect(parseServerTiming('miss, db;dur=53, app;desc="x", ;dur=1, cache;desc=a;dur=2')).toEqual([{ name: 'db', ms: 53 }])
  })
})

describe('waterfall: the same request with and without', () => {
  it('takes stages from the shop and from hits alone, and the ratio from the medians', async () => {
    let asked = 0
    const shop = await listen((_, response) => {
      setTimeout(() => response.setHeader('server-timing', 'query;dur=20').end('{}'), 21)
    })
    const gateway = await listen((_, response) => {
      asked += 1
      const head =
        asked === 4 ? { 'x-cache': 'MISS', 'server-timing': 'query;dur=20' } : { 'x-cache': 'HIT', 'x-cache-latency': '50' }
      response.writeHead(200, head).end('{}')
    })

    const measured = await measureWaterfall({ shop, gateway, path: '/d', headers: {}, rounds: 4, perRound: 3 })

    expect(measured.without.total.count).toBe(4)
    expect(measured.without.stages.map((stage) => stage.name)).toEqual(['query', 'HTTP and rest'])
    expect(measured.with.total.count).toBe(12)
    expect(measured.with.xCache).toEqual({ HIT: 11, MISS: 1 })
    expect(measured.with.stages[0]).toEqual({ name: 'forecache', ms: 0.05 })
    expect(measured.ratio).toBeCloseTo(measured.without.total.p50 / measured.with.total.p50, 6)
    expect(drawWaterfall(measured)).toMatch(/ {4}query +20\.0 ms {2}█{44}\n/)
  })

  it('fails with the answer when the dashboard is refused', async () => {
    const shop = await listen((_, response) => response.writeHead(401).end('no session'))

    await expect(measureWaterfall({ shop, gateway: shop, path: '/d', headers: {}, rounds: 1, perRound: 1 })).rejects.toThrow(
      '/d was answered 401: no session',
    )
  })
})
