/**
 * A real gateway under real traffic, every hit looked at: no false alarm. Five seconds, or FORECACHE_AUDIT_SECONDS.
 */
import { request } from 'undici'
import { describe, expect, it } from 'vitest'
import { gatewayBefore, originHere } from '../support/gateway-here.ts'

const SECONDS = Number(process.env.FORECACHE_AUDIT_SECONDS ?? 5)
const CLIENTS = 8
const PATHS = 20

async function wait(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}

describe('audit of a clean gateway', () => {
  it(`raises no alarm in ${SECONDS} s`, { timeout: (SECONDS + 30) * 1000 }, async () => {
    const versions = new Map<string, number>()
    let audits = 0
    const url = await originHere((incoming, response) => {
      const path = incoming.url ?? '/'
      if (incoming.headers['forecache-audit'] !== undefined) audits += 1
      const version = versions.get(path) ?? 0
      const etag = `"${version}"`
      const isKnown = incoming.headers['if-none-match'] === etag
      if (Math.random() < 0.02) return void response.writeHead(503).end()
      const fields = { 'cache-control': 'max-age=1, stale-while-revalidate=2', vary: 'accept-language', etag }
      const answer = (): unknown =>
        response.writeHead(isKnown ? 304 : 200, fields).end(isKnown ? undefined : `${path} ${version}`)
      if (Math.random() < 0.1) setTimeout(answer, 50)
      else answer()
    })
    const routes = [{ name: 'all', match: { path: '/p/:id' }, tags: ['p:{id}'] }]
    const { gateway, url: front } = await gatewayBefore(url, { routes, audit: { share: 1, perSecond: 10_000, concurrency: 64 } })
    const { engine } = gateway.cache
    const end = Date.now() + SECONDS * 1000

    const client = async (): Promise<void> => {
      while (Date.now() < end) {
        const id = Math.floor(Math.random() * PATHS)
        const headers = { 'accept-language': Math.random() < 0.5 ? 'de' : 'en', 'accept-encoding': 'gzip' }
        const { body } = await request(`${front}/p/${id}`, { headers })
        await body.dump()
        if (Math.random() < 0.05) versions.set(`/p/${id}`, (versions.get(`/p/${id}`) ?? 0) + 1)
        if (Math.random() < 0.02) engine.invalidate({ tags: [`p:${id}`], soft: Math.random() < 0.3 })
        if (Math.random() < 0.01) engine.invalidate({ urls: [`${front}/p/${id}`] })
        await wait(Math.random() * 4)
      }
    }
    await Promise.all(Array.from({ length: CLIENTS }, client))

    const { auditCurrent, auditOutdated, auditInconclusive, auditSkipped } = engine.meter.totals()
    console.log(`audit: ${audits} questions in ${SECONDS} s`, { auditCurrent, auditOutdated, auditInconclusive, auditSkipped })
    expect(auditCurrent + auditOutdated).toBeGreaterThan(50 * SECONDS)
    expect(engine.audit?.violations()).toEqual([])
    expect(engine.meter.read('stalenessViolations')).toBe(0)
  })
})
