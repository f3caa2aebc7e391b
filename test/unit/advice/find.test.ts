import { describe, expect, it } from 'vitest'
import type { Access } from '../../../src/advice/access.ts'
import { analyze } from '../../../src/advice/analysis.ts'
import { INTAKE_LIMITS, Intake } from '../../../src/advice/intake.ts'
import type { Report } from '../../../src/advice/report.ts'
import { createMeter, DEFAULT_ROUTE } from '../../../src/model/meter.ts'
import { COUNTER } from '../../../src/model/metric.ts'
import { createRandom } from '../../../src/model/random.ts'
import { readAdvice, sumLarge } from '../../../src/ops/advice.ts'
import { knownLog } from '../../support/known-log.ts'

const FACTS = { source: 'made.log', skippedLines: 0, origin: 'http://127.0.0.1:3000' }
const START_MS = Date.UTC(2026, 0, 5)

function analyzeAll(log: Iterable<Access>, limits = INTAKE_LIMITS): Report {
  const intake = new Intake(limits)
  for (const access of log) intake.take(access)
  return analyze(intake.end(), FACTS)
}

function access(given: Partial<Access>): Access {
  return { atMs: START_MS, method: 'GET', target: '/', status: 200, bytes: 100, client: '', digest: '', traits: [], ...given }
}

const verdictOf = (report: Report, name: string): string | undefined =>
  report.routes[0]?.dimensions.find((one) => one.name === name)?.verdict

describe('in doubt', () => {
  it('a parameter is not irrelevant that was seen to vary but a few times', () => {
    const log = Array.from({ length: 200 }, (_, at) =>
      access({ atMs: START_MS + at * 1000, target: `/a?x=${at % 20 === 0 ? 2 : 1}`, digest: 'same' + (at % 3 === 7 ? at : '') }),
    )

    expect(verdictOf(analyzeAll(log), '?x')).toBe('unclear')
  })

  it('a parameter that decides one answer in thirty does not pass for irrelevant', () => {
    const random = createRandom(4)
    const log = Array.from({ length: 20_000 }, (_, at) => {
      const [id, flag] = [Math.floor(random() * 30), Math.floor(random() * 3)]
      const matters = id === 0 ? ` ${flag}` : ''
      return access({ atMs: START_MS + at * 100, target: `/items/${100 + id}?flag=${flag}`, digest: `${id}${matters}` })
    })

    expect(verdictOf(analyzeAll(log), '?flag')).toBe('deciding')
  })

  it('nothing is irrelevant where all answers have one size', () => {
    const random = createRandom(5)
    const log = Array.from({ length: 5000 }, (_, at) =>
      access({ atMs: START_MS + at * 100, target: `/items/${100 + (at % 9)}?q=${Math.floor(random() * 50)}` }),
    )

    expect(verdictOf(analyzeAll(log), '?q')).toBe('unclear')
  })

  it('what clients get by something that the log does not show is not cached', () => {
    const log = Array.from({ length: 8000 }, (_, at) => {
      const client = (at * 7919) % 13
      return access({ atMs: START_MS + at * 100, target: `/me?n=${at % 2}`, client: `c${client}`, digest: `for ${client}` })
    })
    const report = analyzeAll(log)

    expect(verdictOf(report, 'client')).toBe('deciding')
    expect(verdictOf(report, '?n')).toBe('irrelevant')
    expect(report.config).toContain('strict: true')
    expect(report.findings.map(({ kind }) => kind)).toContain('per-user')
  })

  it('empty logs, writes and failures alone give a report', () => {
    const report = analyzeAll([access({ method: 'POST' }), access({ status: 500 })])

    expect(report.routes[0]).toMatchObject({ requests: 2, reads: 0, writes: 1, failures: 1 })
    expect(report.config).toContain('memory')
  })
})

describe('findings that need more than a log usually tells', () => {
  const log = function* (): Generator<Access> {
    const random = createRandom(6)
    for (let at = 0; at < 40_000; at += 1) {
      const atMs = START_MS + at * 50
      const isFast = random() < 0.5
      const id = Math.floor(random() ** 2 * 40)
      const version = Math.floor((atMs + id * 977) / (isFast ? 40_000 : 4_000_000))
      yield access({
        atMs,
        target: isFast ? `/rates/${100 + id}` : `/terms/${100 + id}`,
        digest: `${isFast} ${id} ${version}`,
        notes: { cacheControl: 'max-age=60, stale-while-revalidate=60', ofConnection: isFast ? 1 : at },
      })
    }
  }
  const report = analyzeAll(log())

  it('names one lifetime for answers that change a hundredfold apart', () => {
    const found = report.findings.find(({ kind }) => kind === 'flat-ttl')

    expect(found?.evidence).toMatchObject({ lifetimeSeconds: 60, fastest: '/rates/:id', slowest: '/terms/:id' })
  })

  it('names stale answers that refreshes ahead would spare', () => {
    expect(report.findings.map(({ kind, route }) => `${kind} ${route}`)).toContain('stale-without-prediction /rates/:id')
  })

  it('names connections that serve one request each, where they do', () => {
    const found = report.findings.filter(({ kind }) => kind === 'connection-per-request')

    expect(found.map(({ route }) => route)).toEqual(['/rates/:id'])
  })
})

describe('a log of more requests than there is room for', () => {
  it('is sampled by keys, and says nothing else', () => {
    const wish = { seed: 9, lines: 150_000, everyMs: 40, digests: true }
    const whole = analyzeAll(knownLog(wish))
    const sampled = analyzeAll(knownLog(wish), { ...INTAKE_LIMITS, maxCells: 1_000_000 })
    for (const { pattern, dimensions } of sampled.routes) {
      const known = whole.routes.find((one) => one.pattern === pattern)?.dimensions ?? []
      for (const { name, verdict } of dimensions) {
        if (verdict !== 'unclear') expect(`${name} ${verdict}`).toBe(`${name} ${known.find((one) => one.name === name)?.verdict}`)
      }
    }
    expect(Math.abs(sampled.expected.hitRatio - whole.expected.hitRatio)).toBeLessThan(0.05)
    expect(sampled.requests).toBe(whole.requests)
  }, 120_000)
})

describe('advice from counters', () => {
  it('tells the large answers of all processes together, by the largest', () => {
    const all = [
      { count: 2, maxBytes: 3_000_000, key: 'http://shop/big' },
      { count: 0, maxBytes: 0, key: '' },
      { count: 1, maxBytes: 5_000_000, key: 'http://shop/bigger' },
    ]

    expect(sumLarge(all)).toEqual({ count: 3, maxBytes: 5_000_000, key: 'http://shop/bigger' })
    expect(readAdvice(createMeter(), sumLarge([])).findings).toEqual([])
  })

  it('names routes of low reuse, of passes, and of stale answers without prediction', () => {
    const meter = createMeter()
    const add = (route: string, counts: Partial<Record<keyof typeof COUNTER, number>>): void => {
      for (const [name, count] of Object.entries(counts))
        meter.add(COUNTER[name as keyof typeof COUNTER], meter.route(route), count)
    }
    add('users', { hits: 3, misses: 997, originRequests: 997 })
    add('cart', { passes: 900, misses: 100, originRequests: 1000 })
    const quiet = { comparedSame: 198, sameSeconds: 11_880, comparedChanged: 2, changedSeconds: 120 }
    const restless = { comparedSame: 40, sameSeconds: 400, comparedChanged: 160, changedSeconds: 1600 }
    add('list', { hits: 800, staleServes: 200, refreshes: 200, revalidations: 198, originRequests: 202, misses: 2, ...quiet })
    add('ticker', { hits: 800, staleServes: 10, refreshes: 200, originRequests: 300, misses: 100, ...restless })
    meter.count(COUNTER.hits, DEFAULT_ROUTE)

    const { routes, findings } = readAdvice(meter, { count: 2, maxBytes: 3_000_000, key: 'http://shop/big' })

    expect(routes.map(({ route }) => route)).toEqual(['default', 'users', 'cart', 'list', 'ticker'])
    expect(findings.map(({ kind, route }) => `${kind} ${route ?? ''}`.trim()).sort()).toEqual([
      'flat-ttl',
      'large-payloads',
      'low-reuse users',
      'never-reused users',
      'per-user cart',
      'stale-without-prediction list',
    ])
  })
})
