import { describe, expect, it } from 'vitest'
import { analyze } from '../../../src/advice/analysis.ts'
import { Intake } from '../../../src/advice/intake.ts'
import type { RouteReport } from '../../../src/advice/report.ts'
import { createCache } from '../../../src/flow/cache.ts'
import { requestKey } from '../../../src/key/key.ts'
import { parseKeyPolicy } from '../../../src/key/policy.ts'
import { Fields } from '../../../src/model/fields.ts'
import { createVirtualClock } from '../../../src/model/virtual-clock.ts'
import { parseConfig } from '../../../src/server/config.ts'
import { KNOWN_ROUTES, knownLog, type KnownLogWish } from '../../support/known-log.ts'

const WISH: KnownLogWish = { seed: 7, lines: 100_000, everyMs: 40, digests: true }
const SHORT = { ...WISH, seed: 8, lines: 40_000 }
const FACTS = { source: 'known.log', skippedLines: 0, origin: 'http://127.0.0.1:3000' }

function analyzeKnown(wish: KnownLogWish): ReturnType<typeof analyze> {
  const intake = new Intake()
  for (const access of knownLog(wish)) intake.take(access)
  return analyze(intake.end(), FACTS)
}

describe('an analysis of a log whose truth is known', () => {
  const report = analyzeKnown(WISH)
  const route = (pattern: string): RouteReport => report.routes.find((one) => one.pattern === pattern) as RouteReport

  it('measures how often answers change, within a factor of two where they do so by the clock', () => {
    for (const { pattern, changeMs } of KNOWN_ROUTES) {
      const { everyMs, changed } = route(pattern).change
      if (changeMs === Number.POSITIVE_INFINITY) expect(changed, pattern).toBe(0)
      else expect(everyMs / changeMs, `${pattern}: ${everyMs} for ${changeMs}`).toBeGreaterThan(0.5)
      if (changeMs !== Number.POSITIVE_INFINITY) expect(everyMs / changeMs, `${pattern}: ${everyMs}`).toBeLessThan(2)
    }
  })

  it('writes a configuration that is accepted, with the parameters that do not matter dropped', () => {
    const config = parseConfig({ text: report.config, file: 'forecache.yaml' })
    const products = config.routes.find(({ match }) => match.path === '/api/products/:id')
    expect(products?.key?.query?.drop?.toSorted()).toEqual(['_', 'ref'])
    expect(config.routes.find(({ match }) => match.path === '/articles/:id')?.key?.headers).toEqual(['accept-language'])
    expect(
      config.routes
        .filter(({ strict }) => strict)
        .map(({ match }) => match.path)
        .sort(),
    ).toEqual(['/api/account', '/api/users/:id/orders', '/downloads/:id'])
  })

  it('names what is wrong, and where', () => {
    const found = report.findings.map(({ kind, route: where }) => `${kind} ${where}`)
    expect(found).toEqual(
      expect.arrayContaining([
        'no-normalization /api/search',
        'no-normalization /api/products/:id',
        'missing-vary /articles/:id',
        'per-user /api/account',
        'low-reuse /api/users/:id/orders',
        'large-payloads /downloads/:id',
      ]),
    )
  })

  it('has curves that rise with memory and with the window', () => {
    const isRising = (values: readonly number[]): boolean =>
      values.every((value, at) => at === 0 || value >= (values[at - 1] as number) - 0.01)
    expect(isRising(report.memory.curve.map(({ hitRatio }) => hitRatio))).toBe(true)
    for (const { freshCurve } of report.routes) expect(isRising(freshCurve.map(({ hitRatio }) => hitRatio))).toBe(true)
  })
})

describe('the expected hit ratio', () => {
  it('is within two points of what the cache itself reaches with that log, with memory that is too small too', async () => {
    const report = analyzeKnown(SHORT)
    for (const point of [report.memory.curve[3], report.memory.curve[5], report.memory.curve.at(-1)]) {
      const { bytes, hitRatio } = point as (typeof report.memory.curve)[number]
      const real = await replayReally(report.config, bytes)
      expect(Math.abs(real - hitRatio), `expected ${hitRatio}, really ${real}, with ${bytes} bytes`).toBeLessThan(0.02)
    }
  }, 120_000)
})

/** The log again, through the cache, with the keys and budgets that the configuration says. */
async function replayReally(text: string, maxBytes: number): Promise<number> {
  const clock = createVirtualClock()
  const cache = createCache({ clock, memory: { maxBytes, maxEntryBytes: maxBytes }, values: 'reference' })
  const routes = parseConfig({ text })
    .routes.filter(({ strict }) => strict !== true)
    .map((one) => ({
      ...one,
      pattern: new RegExp(`^${one.match.path.replaceAll(/:id\d*/g, '[^/]+')}$`),
      policy: parseKeyPolicy(one.key ?? {}),
    }))
  let atMs = 0
  for (const { target, bytes, traits, atMs: now } of knownLog(SHORT)) {
    if (atMs > 0) await clock.advance(now - atMs)
    atMs = now
    const path = target.split('?', 1)[0] as string
    const route = routes.find(({ pattern }) => pattern.test(path))
    if (route === undefined) continue
    const fields = Fields.from()
    for (const [name, value] of traits) if (name.startsWith('header:')) fields.append(name.slice(7), value)
    const key = requestKey({ method: 'GET', target, scheme: 'http', authority: 'known', fields }, route.policy) as string
    const value = Buffer.alloc(bytes + HEAD_BYTES - key.length)
    await cache.fetch(key, { budget: route.budget as NonNullable<typeof route.budget> }, () => value)
  }
  const { effectiveHit } = cache.stats().rates
  await cache.close()
  return effectiveHit
}

/** What a response has beside its body, about. */
const HEAD_BYTES = 384
