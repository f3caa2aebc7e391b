/**
 * The same conversations through a gateway with the fast lane and through one of `node:http` alone: the same answers byte for
 * byte but for what tells the time, the same fate of the connection, the same requests at the origin, the same counts.
 *
 * FORECACHE_LANE_RUNS: conversations per configuration (100); FORECACHE_LANE_SEED: the first one's seed.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { makeCertificate, writeCertificate } from '../support/certificate.ts'
import { GATEWAY, type Step } from '../support/lane-case.ts'
import { type Duel, GATEWAY_MATTER, startDuel } from '../support/lane-duel.ts'

const RUNS = Number(process.env['FORECACHE_LANE_RUNS'] ?? 100)
const SEED = Number(process.env['FORECACHE_LANE_SEED'] ?? Date.now() % 1_000_000)

const ROUTES = [
  { name: 'tiered', match: { path: '/:u/A1' }, key: { tier: { header: 'X-Tier', tiers: ['gold', 'none'], anonymous: 'none' } } },
  { name: 'written', match: { path: '/:u/h1' }, readYourWrites: true, tags: ['u:{u}', 'red'] },
  { name: 'strict', match: { path: '/:u/D1' }, strict: true },
  { name: 'brief', match: { path: '/:u/h2' }, budget: { fresh: '10s', stale: '1m', onError: '2m' } },
  { name: 'spoken', match: { path: '/:u/F2' }, key: { locale: { offered: ['en', 'de'], default: 'en' }, cookies: ['theme'] } },
  { name: 'counted', match: { path: '/:u/G1' }, key: { query: { keep: ['a'], unordered: ['a'] }, headers: ['X-Var'] } },
  { name: 'coded', match: { path: '/:u/A2' }, key: { encoding: ['br', 'gzip'], query: { keep: ['a'] } } },
]
const CONFIGURATIONS: [name: string, values: Readonly<Record<string, unknown>>][] = [
  ['no options', {}],
  ['routes of every kind', { routes: ROUTES }],
  ['a trusted proxy and measured latency', { headers: { trust: ['loopback'], latency: 'request' } }],
  ['latency on every answer', { headers: { latency: 'on' } }],
  ['the conformance profile', { profile: 'conformance', routes: ROUTES.slice(1, 2) }],
]

async function duel(values: Readonly<Record<string, unknown>>, options?: Parameters<typeof startDuel>[1]): Promise<Duel> {
  const started = await startDuel(values, options)
  onTestFinished(() => started.close())
  return started
}

describe(`lane and node:http, conversations from seed ${SEED}`, () => {
  for (const [name, values] of CONFIGURATIONS) {
    it(`do the same with ${name}`, { timeout: 20_000 + RUNS * 200 }, async () => {
      const { judgeSeeds, remains } = await duel(values)

      expect(await judgeSeeds(SEED, RUNS)).toEqual([])
      expect(await remains()).toEqual([])
    })
  }

  it('tell the same age and time to live while answers grow old', { timeout: 30_000 }, async () => {
    const { judge } = await duel({})
    const get = (name: string): string => `GET /uuuuuuu/${name} HTTP/1.1\r\nHost: a.test\r\n\r\n`
    const names = ['h1', 'p2', 'o3', 'a4', 'z5']
    const steps: Step[] = names.map((name) => ({ kind: 'aside', bytes: get(name) }))
    for (const ms of [400, 700, 3000, 5500, 400, 1000, 9000, 30_000, 49_000, 1000, 300_000, 190_000, 900, 8000, 2000, 700]) {
      steps.push({ kind: 'forward', ms }, { kind: 'send', pieces: [names.map(get).join('')] }, { kind: 'await' })
    }

    expect(await judge(steps)).toBeUndefined()
  })

  it('do the same over TLS', { timeout: 20_000 + RUNS * 400 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'forecache-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const door = { ...GATEWAY, secure: true }
    const { judgeSeeds, remains } = await duel(
      { tls: writeCertificate(folder, makeCertificate()) },
      { matter: { ...GATEWAY_MATTER, door } },
    )

    // More of a head that was refused came while the refusal was still to be encrypted: the connection was cut.
    expect(await judgeSeeds(60_727, 1)).toEqual([])
    expect(await judgeSeeds(SEED, Math.ceil(RUNS / 2))).toEqual([])
    expect(await remains()).toEqual([])
  })

  it('tell nothing apart where both are node:http: the comparison itself is steady', async () => {
    const { judgeSeeds } = await duel({}, { lanes: [false, false] })

    expect(await judgeSeeds(SEED, Math.ceil(RUNS / 4))).toEqual([])
  })
})
