/** Refreshing ahead before a real origin: who reads in time waits no more, and whose requests are never sent again. */
import { request } from 'undici'
import { describe, expect, it } from 'vitest'
import { createVirtualClock, settle, type VirtualClock } from '../../src/model/virtual-clock.ts'
import { type GatewayHere, gatewayBefore, originHere, type Wish } from '../support/gateway-here.ts'

interface Asked {
  readonly url: string
  readonly cookie: string | undefined
  readonly ifNoneMatch: string | undefined
}

const TTL_S = 10
const STEP_MS = 1000
const STEPS = 200
const KEYS = 4

async function start(wish: Wish): Promise<{ here: GatewayHere; asked: Asked[]; clock: VirtualClock }> {
  const asked: Asked[] = []
  const clock = createVirtualClock()
  const origin = await originHere(({ url = '', headers }, response) => {
    asked.push({ url, cookie: headers.cookie, ifNoneMatch: headers['if-none-match'] })
    const isKnown = headers['if-none-match'] === '"1"'
    response
      .writeHead(isKnown ? 304 : 200, { 'cache-control': `max-age=${TTL_S}`, etag: '"1"' })
      .end(isKnown ? undefined : 'body')
  })
  return { asked, clock, here: await gatewayBefore(origin, wish, clock) }
}

/** Several keys, so that there is something to learn from. @returns how often one was not a hit in the second half */
async function readOften({ here, clock }: { here: GatewayHere; clock: VirtualClock }, headers: Record<string, string> = {}) {
  let others = 0
  for (let step = 0; step < STEPS; step += 1) {
    for (let key = 0; key < KEYS; key += 1) {
      const { body, headers: fields } = await request(`${here.url}/${key}`, { headers })
      await body.dump()
      if (step > STEPS / 2 && fields['x-cache'] !== 'HIT') others += 1
    }
    for (let ms = 0; ms < STEP_MS; ms += 50) {
      clock.advance(50)
      await settle(8)
    }
    while (here.gateway.cache.engine.refreshes.size > 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return others
}

describe.each([true, false])('refreshing ahead at a gateway, lane %s', (lane) => {
  const routes = [{ name: 'all', match: { path: '/*' } }]

  it('spares who reads often the wait, and asks with a condition', async () => {
    const stand = await start({ lane, refreshAhead: true, routes })
    const others = await readOften(stand)
    const { aheadRead = 0, aheadWasted = 0 } = stand.here.gateway.cache.stats().counts

    expect(others).toBeLessThanOrEqual(KEYS)
    expect(aheadRead).toBeGreaterThan(20)
    expect(aheadWasted).toBeLessThanOrEqual(2)
    expect(stand.asked.filter(({ ifNoneMatch }) => ifNoneMatch === '"1"').length).toBeGreaterThan(20)
  }, 60_000)

  it('never asks in the name of somebody who showed who he is', async () => {
    const stand = await start({ lane, refreshAhead: true, routes })
    const others = await readOften(stand, { cookie: 'session=1' })

    expect(others).toBeGreaterThan(20)
    expect(stand.here.gateway.cache.engine.ahead.size).toBe(0)
    expect(stand.asked.filter(({ cookie }) => cookie !== 'session=1')).toEqual([])
  }, 60_000)

  it('is off on a route that says so', async () => {
    const off = [{ name: 'all', match: { path: '/*' }, refreshAhead: false }]
    const { here } = await start({ lane, refreshAhead: true, routes: off })
    await (await request(`${here.url}/a`)).body.dump()

    expect(here.gateway.cache.engine.memory.size).toBe(1)
    expect(here.gateway.cache.engine.ahead.size).toBe(0)
  })
})
