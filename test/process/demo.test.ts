/**
 * The demo as a user starts it: free ports, a report with real figures, writes that are seen at once, an end without
 * orphans.
 */
import { afterEach, describe, expect, it } from 'vitest'
import { type Running, startCli } from '../support/cli-process.ts'

const ANY_PORTS = ['--listen', '127.0.0.1:0', '--api', '127.0.0.1:0']
const running: Running[] = []

afterEach(async () => {
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
  it('shows a new price at once, written through the gateway or to the shop itself', { timeout: 120_000 }, async () => {
    const started = demo('--small', '--json', '--seconds', '1')
    const { places } = JSON.parse(await started.line((line) => line.startsWith('{')))
    const read = async (path: string) => {
      const answer = await fetch(places.gateway + path, { headers: { cookie: 'session=demo' } })
      return {
        cache: answer.headers.get('x-cache'),
        age: answer.headers.get('age'),
        timing: answer.headers.get('server-timing'),
        body: JSON.parse(await answer.text()),
      }
    }
    const write = (base: string, price: number) =>
      fetch(`${base}/api/products/42`, { method: 'PUT', headers: { cookie: 'session=demo' }, body: JSON.stringify({ price }) })
    const paths = ['/api/products/42', '/api/quote/42', '/api/products?sort=-price&perPage=5']

    for (const [base, price] of [
      [places.gateway, 9_000_001],
      [places.shop, 9_000_003],
    ] as const) {
      for (const path of paths) await read(path)
      const before = await Promise.all(paths.map(read))
      expect((await write(base, price)).status).toBe(200)
      const [product, quote, list] = await Promise.all(paths.map(read))

      expect(before.map((one) => one.cache)).toEqual(['HIT', 'HIT', 'HIT'])
      expect(before.map((one) => one.timing)).toEqual([null, null, null])
      expect(product?.body.price).toBe(price)
      expect(quote?.body.listPrice).toBe(price)
      expect(list?.body.products[0].id).toBe(42)
      expect([product?.cache, quote?.cache, list?.cache]).toEqual(['MISS', 'MISS', 'MISS'])
    }
  })

  it('keeps sessions apart and profiles out of memory', { timeout: 120_000 }, async () => {
    const started = demo('--small', '--json', '--seconds', '1')
    const { places } = JSON.parse(await started.line((line) => line.startsWith('{')))
    const read = async (path: string, cookie?: string) => {
      const answer = await fetch(places.gateway + path, cookie === undefined ? {} : { headers: { cookie } })
      return { status: answer.status, cache: answer.headers.get('x-cache'), text: await answer.text() }
    }

    const owner = await read('/api/v1/dashboard', 'session=demo')
    const viewer = await read('/api/v1/dashboard', 'session=demo-viewer')
    const nobody = await read('/api/v1/dashboard')
    const [first, second] = [await read('/api/profile', 'session=demo'), await read('/api/profile', 'session=demo')]

    expect(owner.text).toContain('revenue')
    expect(viewer.text).not.toContain('revenue')
    expect(nobody.status).toBe(401)
    expect([first.cache, second.cache]).toEqual(['BYPASS', 'BYPASS'])
  })

  it('names a busy port and takes a free one; ends without orphans', { timeout: 120_000 }, async () => {
    const first = demo('--small', '--json', '--seconds', '1')
    const taken = JSON.parse(await first.line((line) => line.startsWith('{'))).places
    const second = startCli([
      'demo',
      '--small',
      '--seconds',
      '1',
      '--once',
      '--listen',
      new URL(taken.gateway).host,
      '--api',
      '127.0.0.1:0',
    ])
    running.push(second)
    const notice = await second.line((line) => line.startsWith('Port '))
    const { code, out } = await second.ended

    first.child.kill('SIGTERM')
    const end = await first.ended

    expect(notice).toMatch(new RegExp(`^Port ${new URL(taken.gateway).port} is in use: the gateway listens on \\d+ instead\\.$`))
    expect(code).toBe(0)
    expect(out).toMatch(/\d+ × faster at p50/)
    expect(out).toMatch(/cached +\d+ +[\d.]+ %/)
    expect(end.code).toBe(0)
    expect(await isUp(taken.gateway)).toBe(false)
    expect(await isUp(taken.shop)).toBe(false)
  })

  it('ends the shop and the gateway even when it is killed', { timeout: 120_000 }, async () => {
    const started = demo('--small', '--json', '--seconds', '1')
    const { places } = JSON.parse(await started.line((line) => line.startsWith('{')))

    started.child.kill('SIGKILL')
    await started.ended

    await expect.poll(() => Promise.all([isUp(places.gateway), isUp(places.shop)]), { timeout: 15_000 }).toEqual([false, false])
  })
})
