/**
 * The demo as a user starts it: free ports, a report with real figures, writes that are seen at once, an end without
 * orphans.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Running, startCli } from '../support/cli-process.ts'

const ANY_PORTS = ['--listen', '127.0.0.1:0', '--api', '127.0.0.1:0']
const running: Running[] = []

afterAll(async () => {
  for (const one of running) one.child.kill('SIGTERM')
  await Promise.all(running.splice(0).map((one) => one.ended))
})

function demo(...argv: string[]): Running {
  const started = startCli(['demo', ...ANY_PORTS, ...argv])
  running.push(started)
  return started
}

async function isUp(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  )
}

describe('demo: the report', () => {
  it('holds the waterfall, percentiles of each kind of answer and the ratio, and ends with --once', {
    timeout: 120_000,
  }, async () => {
    const { code, out, err } = await demo('--once', '--json', '--seconds', '3').ended
    const report = JSON.parse(out)

    expect([code, err]).toEqual([0, ''])
    expect(report.waterfall.without.stages.map((stage: { name: string }) => stage.name)).toEqual([
      'session',
      'permissions',
      'flags',
      'query',
      'serialize',
      'HTTP and rest',
    ])
    expect(report.waterfall.with.stages.map((stage: { name: string }) => stage.name)).toEqual(['forecache', 'HTTP and rest'])
    expect(report.waterfall.with.xCache).toEqual({ HIT: 400 })
    expect(report.waterfall.ratio).toBeGreaterThan(1)
    for (const kind of ['cached', 'stale', 'uncached']) {
      const { count, p50, p95, p99 } = report.load.classes[kind]
      expect(count).toBeGreaterThan(0)
      expect(0 < p50 && p50 <= p95 && p95 <= p99).toBe(true)
    }
    expect(report.load.failures).toEqual({})
    expect(report.load.statuses).toEqual({ 200: report.load.requests })
    expect(await isUp(report.places.gateway)).toBe(false)
    expect(await isUp(report.places.shop)).toBe(false)
  })
})

describe('demo: what a newcomer tries', () => {
  let started: Running
  let places: { gateway: string; api: string; shop: string }

  beforeAll(async () => {
    started = demo('--small', '--json', '--seconds', '1')
    places = JSON.parse(await started.line((line) => line.startsWith('{'))).places
  })

  async function read(path: string, cookie = 'session=demo') {
    const answer = await fetch(places.gateway + path, { headers: { cookie } })
    const [cache, timing] = ['x-cache', 'server-timing'].map((name) => answer.headers.get(name))
    return { status: answer.status, cache, timing, body: JSON.parse(await answer.text()) }
  }

  async function write(base: string, price: number) {
    const body = JSON.stringify({ price })
    return (await fetch(`${base}/api/products/42`, { method: 'PUT', headers: { cookie: 'session=demo' }, body })).status
  }

  it.each([
    ['through the gateway', 9_000_001, () => places.gateway],
    ['to the shop itself', 9_000_003, () => places.shop],
  ])('shows a new price at once, written %s', async (_, price, base) => {
    const paths = ['/api/products/42', '/api/quote/42', '/api/products?sort=-price&perPage=5']
    await Promise.all(paths.map((path) => read(path)))
    const before = await Promise.all(paths.map((path) => read(path)))

    expect(await write(base(), price)).toBe(200)
    const [product, quote, list] = await Promise.all(paths.map((path) => read(path)))

    // Lists are fresh for two seconds only, which a busy machine may need.
    for (const one of before) expect(['HIT', 'STALE']).toContain(one.cache)
    expect(before.map((one) => one.timing)).toEqual([null, null, null])
    expect(product?.body.price).toBe(price)
    expect(quote?.body.listPrice).toBe(price)
    expect(list?.body.products[0].id).toBe(42)
    expect([product?.cache, quote?.cache, list?.cache]).toEqual(['MISS', 'MISS', 'MISS'])
  })

  it('keeps sessions apart and profiles out of memory', async () => {
    const owner = await read('/api/v1/dashboard')
    const viewer = await read('/api/v1/dashboard', 'session=demo-viewer')
    const nobody = await read('/api/v1/dashboard', 'theme=dark')
    const [first, second] = [await read('/api/profile'), await read('/api/profile')]

    expect(JSON.stringify(owner.body)).toContain('revenue')
    expect(JSON.stringify(viewer.body)).not.toContain('revenue')
    expect(nobody.status).toBe(401)
    expect([first.cache, second.cache]).toEqual(['BYPASS', 'BYPASS'])
  })

  it('names a busy port and takes a free one; ends without orphans', async () => {
    const busy = new URL(places.gateway).host
    const second = startCli(['demo', '--small', '--seconds', '1', '--once', '--listen', busy, '--api', '127.0.0.1:0'])
    running.push(second)
    const { code, out } = await second.ended

    started.child.kill('SIGTERM')
    const end = await started.ended

    expect(out).toMatch(new RegExp(`Port ${new URL(places.gateway).port} is in use: the gateway listens on \\d+ instead\\.\n`))
    expect(out).toMatch(/\d+ × faster at p50/)
    expect(out).toMatch(/cached +\d+ +[\d.]+ %/)
    expect([code, end.code]).toEqual([0, 0])
    expect(await isUp(places.gateway)).toBe(false)
    expect(await isUp(places.shop)).toBe(false)
  })

  it('ends the shop and the gateway even when it is killed', async () => {
    const killed = demo('--small', '--json', '--seconds', '1')
    const report = JSON.parse(await killed.line((line) => line.startsWith('{')))

    killed.child.kill('SIGKILL')
    await killed.ended

    const up = () => Promise.all([isUp(report.places.gateway), isUp(report.places.shop)])
    await expect.poll(up, { timeout: 15_000 }).toEqual([false, false])
  })
})
