/** Each anti-pattern in a small log that has it, and in the same log put right. */
import { describe, expect, it } from 'vitest'
import type { Access } from '../../../src/advice/access.ts'
import { analyze } from '../../../src/advice/analysis.ts'
import { Intake } from '../../../src/advice/intake.ts'
import type { FindingKind } from '../../../src/model/finding.ts'
import { createRandom, type Random } from '../../../src/model/random.ts'

const START_MS = Date.UTC(2026, 0, 5)
const FACTS = { source: 'made.log', skippedLines: 0, origin: 'http://127.0.0.1:3000' }

/** What a log's requests have of their own: their number, their moment, and dice. */
interface Moment {
  readonly at: number
  readonly atMs: number
  readonly random: Random
}

/** A log of so many requests. */
function log(lines: number, everyMs: number, make: (moment: Moment) => Partial<Access>): Access[] {
  const random = createRandom(lines)
  return Array.from({ length: lines }, (_, at) => {
    const atMs = START_MS + at * everyMs
    const usual = { method: 'GET', target: '/', status: 200, bytes: 100, client: '', digest: '', traits: [] }
    return { ...usual, atMs, ...make({ at, atMs, random }) }
  })
}

function findingsOf(accesses: readonly Access[]): { kind: FindingKind; route?: string | undefined; evidence: object }[] {
  const intake = new Intake()
  for (const access of accesses) intake.take(access)
  return [...analyze(intake.end(), FACTS).findings]
}

const kindsOf = (accesses: readonly Access[]): FindingKind[] => findingsOf(accesses).map(({ kind }) => kind)
const pick = (random: Random, most: number): number => Math.floor(random() * most)

/** Items of which each changes after so long. */
const items = (path: string, { at, atMs, random }: Moment, changeMs: number): Partial<Access> => {
  const id = 100 + pick(random, 10)
  const notes = { cacheControl: 'max-age=60', ofConnection: 1 + (at % 40) }
  return { target: `/${path}/${id}`, digest: `${path} ${id} ${Math.floor((atMs + id * 977) / changeMs)}`, notes }
}

const languages = (vary: string | undefined, { random }: Moment): Partial<Access> => {
  const [id, language] = [100 + pick(random, 10), ['de', 'en', 'fr'][pick(random, 3)] as string]
  const traits = [['header:accept-language', language]] as const
  return { target: `/texts/${id}`, digest: `${id} ${language}`, traits, ...(vary !== undefined && { notes: { vary } }) }
}

const persons = (cacheControl: string, { random }: Moment): Partial<Access> => {
  const user = `u${pick(random, 20)}`
  return { target: '/basket', digest: `basket of ${user}`, traits: [['user', user]], notes: { cacheControl } }
}

const profiles = (cacheControl: string | undefined, people: number, { random }: Moment): Partial<Access> => {
  const id = 1000 + pick(random, people)
  return { target: `/profiles/${id}`, digest: `profile ${id}`, ...(cacheControl !== undefined && { notes: { cacheControl } }) }
}

const swr = (cacheControl: string, moment: Moment): Partial<Access> => ({
  ...items('rates', moment, 40_000),
  notes: { cacheControl },
})

const CASES: readonly (readonly [kind: FindingKind, wrong: readonly Access[], right: readonly Access[], what: string])[] = [
  [
    'flat-ttl',
    log(3000, 200, (one) => (one.at % 2 === 0 ? items('rates', one, 20_000) : items('terms', one, 400_000))),
    log(3000, 200, (one) => (one.at % 2 === 0 ? items('rates', one, 40_000) : items('terms', one, 60_000))),
    'changes that are alike',
  ],
  [
    'flat-ttl',
    log(3000, 200, (one) => (one.at % 2 === 0 ? items('rates', one, 10_000) : items('logos', one, 1e12))),
    log(3000, 200, (one) => ({
      ...(one.at % 2 === 0 ? items('rates', one, 10_000) : items('logos', one, 1e12)),
      notes: { cacheControl: one.at % 2 === 0 ? 'max-age=1' : 'max-age=86400' },
    })),
    'a lifetime for each, one of which never changes',
  ],
  [
    'missing-vary',
    log(2000, 500, (one) => languages(undefined, one)),
    log(2000, 500, (one) => languages('Accept-Encoding, Accept-Language', one)),
    'a Vary that names the field',
  ],
  [
    'missing-vary',
    log(2000, 500, (one) => languages('Accept-Encoding', one)),
    log(2000, 500, (one) => languages('*', one)),
    'a Vary of everything',
  ],
  [
    'no-normalization',
    log(2000, 500, ({ random }) => {
      const id = 100 + pick(random, 10)
      return { target: `/items?id=${id}&ref=${pick(random, 1e9)}`, digest: `item ${id}` }
    }),
    log(2000, 500, ({ random }) => {
      const [id, size] = [100 + pick(random, 10), pick(random, 3)]
      return { target: `/items?id=${id}&size=${size}`, digest: `item ${id} ${size}` }
    }),
    'parameters that all decide',
  ],
  [
    'no-normalization',
    log(2000, 500, ({ at, random }) => {
      const [id, page] = [100 + pick(random, 20), pick(random, 5)]
      return { target: at % 2 === 0 ? `/items?id=${id}&page=${page}` : `/items?page=${page}&id=${id}`, digest: `${id} ${page}` }
    }),
    log(2000, 500, ({ at, atMs, random }) => {
      const id = 100 + pick(random, 10)
      const query = at === 700 ? `page=1&id=${id}` : `id=${id}&page=1`
      return { target: `/items?${query}`, digest: `${id} ${Math.floor((atMs + id * 977) / 40_000)}` }
    }),
    'another order once, and answers that are stale often',
  ],
  [
    'stale-without-prediction',
    log(4000, 200, (one) => swr('max-age=10, stale-while-revalidate=60', one)),
    log(4000, 200, (one) => swr('max-age=10', one)),
    'no stale-while-revalidate',
  ],
  [
    'stale-without-prediction',
    log(4000, 200, (one) => swr('max-age=10, stale-while-revalidate=60', one)),
    log(4000, 200, (one) => ({ ...profiles('max-age=10, stale-while-revalidate=60', 2500, one) })),
    'answers that prediction cannot help',
  ],
  [
    'per-user',
    log(2000, 500, (one) => persons('public, max-age=60', one)),
    log(2000, 500, (one) => persons('private, max-age=60', one)),
    'answers that are said to be private',
  ],
  [
    'per-user',
    log(2000, 500, ({ random }) => ({ target: '/me', digest: `${pick(random, 20)}`, client: '10.0.0.1' })).map((one) => ({
      ...one,
      client: `10.0.0.${one.digest}`,
    })),
    log(2000, 500, ({ random }) => ({ target: '/news', digest: 'news', client: `10.0.0.${pick(random, 20)}` })),
    'many who get the same',
  ],
  [
    'low-reuse',
    log(1000, 500, (one) => profiles(undefined, 1e9, one)),
    log(1000, 500, (one) => profiles(undefined, 100, one)),
    'reads that come again',
  ],
  [
    'low-reuse',
    log(1000, 500, (one) => profiles('max-age=60', 1e9, one)),
    log(1000, 500, (one) => profiles('no-store', 1e9, one)),
    'answers that are never stored',
  ],
  [
    'large-payloads',
    log(200, 500, ({ at }) => ({
      target: `/reports/${100 + (at % 5)}`,
      digest: `${at % 5}`,
      bytes: at % 5 === 0 ? 3_000_000 : 900,
    })),
    log(200, 500, ({ at }) => ({ target: `/reports/${100 + (at % 5)}`, digest: `${at % 5}`, bytes: 1024 * 1024 })),
    'answers of just a MiB',
  ],
  [
    'connection-per-request',
    log(200, 500, ({ at }) => ({ target: `/items/${100 + (at % 5)}`, digest: `${at % 5}`, notes: { ofConnection: 1 } })),
    log(200, 500, ({ at }) => ({
      target: `/items/${100 + (at % 5)}`,
      digest: `${at % 5}`,
      notes: { ofConnection: 1 + (at % 20) },
    })),
    'connections of twenty requests',
  ],
  [
    'changes-every-time',
    log(400, 500, ({ at }) => ({ target: `/clock/${100 + (at % 3)}`, digest: `${at}` })),
    log(400, 500, ({ at, atMs }) => ({ target: `/clock/${100 + (at % 3)}`, digest: `${at % 3} ${Math.floor(atMs / 20_000)}` })),
    'changes now and then',
  ],
]

describe('an anti-pattern is named where it is, and not where it was put right', () => {
  const cases = CASES.map(([kind, wrong, right, what]) => [kind, what, wrong, right] as const)

  it.each(cases)('%s, and not with %s', (kind, what, wrong, right) => {
    expect(kindsOf(wrong), 'the log that has it').toContain(kind)
    expect(kindsOf(right), what).not.toContain(kind)
  })

  it('each with the evidence it goes by', () => {
    for (const [kind, wrong] of CASES) {
      const found = findingsOf(wrong).filter((one) => one.kind === kind)
      for (const { evidence } of found) expect(Object.values(evidence).length, kind).toBeGreaterThan(1)
    }
  })

  it('and nothing at all in a log that is well', () => {
    const well = log(3000, 200, (one) => items('items', one, 600_000))

    expect(kindsOf(well)).toEqual([])
  })

  it('no Vary is asked for where the field names who asks', () => {
    const accesses = log(2000, 500, ({ random }) => {
      const who = `Bearer ${pick(random, 20)}`
      return { target: '/basket', digest: who, traits: [['header:authorization', who]] }
    })

    expect(kindsOf(accesses)).toEqual(['per-user'])
  })
})
