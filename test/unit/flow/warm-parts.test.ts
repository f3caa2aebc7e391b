import { describe, expect, it } from 'vitest'
import { HotBook } from '../../../src/flow/warm-book.ts'
import { WarmBudget, WarmPayoff } from '../../../src/flow/warm-budget.ts'
import { createCalendar } from '../../../src/flow/warm-calendar.ts'
import { packWarmth, unpackWarmth } from '../../../src/flow/warm-saved.ts'
import { OriginPulse } from '../../../src/flow/origin-pulse.ts'
import fc from 'fast-check'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const START = Date.UTC(2026, 0, 5)

function bookOf(maxKeys = 100, maxBytes = 1e9): HotBook {
  const book = new HotBook({ maxKeys, maxBytes, halfLifeMs: DAY_MS, calendar: createCalendar('UTC') })
  book.watch(START)
  return book
}

const loaded = (ask: string | (() => Promise<void>), storedAt = START) => ({ ask, route: 0, storedAt, freshMs: 60_000 })

describe('the book of hot keys', () => {
  it('counts with decay: after a half-life a read is worth half', () => {
    const book = bookOf()
    const hot = book.loaded('a', loaded('a'), START)
    book.read(hot, 8, START)

    expect(book.heatOf(hot, START + DAY_MS)).toBeCloseTo(4)
    book.read(hot, 1, START + DAY_MS)
    expect(hot.heat).toBeCloseTo(5)
  })

  it('tells the rate of a steady reader, young or old, and nothing of one read', () => {
    const book = bookOf()
    const steady = book.loaded('steady', loaded('s'), START)
    book.read(steady, 1, START)
    const once = book.loaded('once', loaded('o'), START)
    book.read(once, 1, START)
    for (let hour = 1; hour <= 96; hour += 1) {
      book.read(steady, 10, START + hour * HOUR_MS)
      const perHour = book.rateOf(steady, START + hour * HOUR_MS) * HOUR_MS
      if (hour > 4) expect(perHour).toBeGreaterThan(9)
      if (hour > 4) expect(perHour).toBeLessThan(11)
    }
    expect(book.rateOf(once, START + HOUR_MS)).toBeLessThan(1e-12)
  })

  it('keeps the hot ones and its bounds, whatever comes by once', () => {
    const book = bookOf(50)
    for (let at = 0; at < 10; at += 1) book.read(book.loaded(`hot${at}`, loaded(`hot${at}`), START), 20, START)
    for (let at = 0; at < 5000; at += 1) {
      book.read(book.loaded(`cold${at}`, loaded(`cold${at}`), START + at), 1, START + at)
      expect(book.size).toBeLessThanOrEqual(50)
    }
    expect(
      book
        .hottest(START + 5000)
        .slice(0, 10)
        .every(({ key }) => key.startsWith('hot')),
    ).toBe(true)
  })

  it('is bounded in bytes, and knows them to the last', () => {
    const book = bookOf(1000, 20_000)
    for (let at = 0; at < 500; at += 1) book.loaded(`key${at % 90}`, loaded('words '.repeat(at % 7) + (at % 90)), START + at)
    expect(book.bytes).toBeLessThanOrEqual(22_000)
    for (const { key } of book.hottest(START)) book.drop(key)
    expect(book.bytes).toBe(0)
  })

  it('follows what is asked for with the same words to its new key', () => {
    const book = bookOf()
    const before = book.loaded('variant of an old index', loaded('GET /a'), START)
    book.read(before, 7, START)
    const after = book.loaded('variant of a new index', loaded('GET /a'), START)

    expect(after).toBe(before)
    expect(book.size).toBe(1)
    expect(book.get('variant of a new index')?.heat).toBe(7)
  })

  it('learns a day only when it was watched, and survives a clock that is stepped', () => {
    const book = bookOf()
    const hot = book.loaded('a', loaded('a'), START)
    for (let day = 0; day < 5; day += 1) {
      for (let hour = 0; hour < 24; hour += 1) {
        book.watch(START + day * DAY_MS + hour * HOUR_MS)
        if (hour === 6) book.read(hot, 2, START)
      }
    }
    book.watch(START + 5 * DAY_MS)
    expect(hot.rhythm.isSound).toBe(true)
    const known = hot.rhythm.chance(6, 1)
    for (const step of [400 * DAY_MS, -400 * DAY_MS, 3 * DAY_MS, 0]) book.watch(START + 5 * DAY_MS + step)

    expect(hot.rhythm.chance(6, 1)).toBe(known)
    expect(hot.rhythm.isSound).toBe(true)
  })
})

describe('what is kept of it', () => {
  it('comes back as it was', () => {
    const book = bookOf()
    const hot = book.loaded('http://a/ x', loaded('["http","a","/",[]]'), START)
    book.read(hot, 12, START)
    book.loaded(
      'of a loader',
      loaded(async () => {}),
      START,
    )
    const packed = packWarmth(book, { now: START, wallMs: START, maxKeys: 10, nameOf: () => 'all' })
    const saved = unpackWarmth(packed, 10)

    expect(saved?.keys).toHaveLength(1)
    expect(saved?.keys[0]).toMatchObject({
      key: 'http://a/ x',
      ask: '["http","a","/",[]]',
      heat: 12,
      route: 'all',
      freshMs: 60_000,
    })
    expect(saved?.watched).toBe(1)
  })

  it('is nothing where the bytes are anything else', () => {
    const book = bookOf()
    book.read(book.loaded('a', loaded('a'), START), 3, START)
    const good = packWarmth(book, { now: START, wallMs: START, maxKeys: 10, nameOf: () => '' })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), fc.nat(255), (noise, place, byte) => {
        const changed = Uint8Array.from(good)
        changed[place % changed.length] = byte
        for (const bytes of [noise, changed, good.subarray(0, place % good.length)]) {
          for (const { heat, key } of unpackWarmth(bytes, 10)?.keys ?? [])
            expect([Number.isFinite(heat), key]).toEqual([true, 'a'])
        }
      }),
      { seed: 5 },
    )
  })
})

describe('the budget of warming', () => {
  it('spends in quiet times what clients have earned, and no faster than its rate', () => {
    const budget = new WarmBudget({ extra: 0.125 / 0.86, rate: 2, urgentRate: 100, maxTokens: 50 })
    let taken = 0
    for (let at = 0; at < 1000; at += 1) if (budget.take('quiet', at * 1000)) taken += 1
    expect(taken).toBe(2) // its credit
    for (let load = 0; load < 80; load += 1) budget.earn()
    for (let ms = 0; ms < 1000; ms += 10) if (budget.take('quiet', 2e6 + ms)) taken += 1

    expect(taken).toBeLessThanOrEqual(5)
    for (let at = 0; at < 100; at += 1) if (budget.take('quiet', 3e6 + at * 1000)) taken += 1
    expect(taken).toBe(12)
  })

  it('puts by for hours to come before quiet times may spend, and as much as there are keys', () => {
    const budget = new WarmBudget({ extra: 1 / 0.86, rate: 1000, urgentRate: 100, maxTokens: 50 })
    budget.expect(3)
    for (let load = 0; load < 5; load += 1) budget.earn()
    let [quiet, rhythm] = [0, 0]
    for (let at = 0; at < 20; at += 1) if (budget.take('quiet', at * 1000)) quiet += 1
    for (let at = 20; at < 40; at += 1) if (budget.take('rhythm', at * 1000)) rhythm += 1
    expect([quiet, rhythm]).toEqual([4, 3])
  })

  it('switches off what is not read, tries again later with few, and ever later', () => {
    const payoff = new WarmPayoff(0.5)
    let outcomes = 0
    const spend = (now: number): void => {
      for (outcomes = 0; outcomes < 100 && !payoff.isOff(now); outcomes += 1) payoff.settle(outcomes % 5 === 0, now)
    }
    spend(0)
    expect(outcomes).toBeLessThanOrEqual(20)
    expect(payoff.isOff(HOUR_MS - 1)).toBe(true)
    spend(HOUR_MS)
    expect(outcomes).toBeLessThanOrEqual(8)
    expect(payoff.isOff(HOUR_MS * 3 - 1)).toBe(true)
    for (let at = 0; at < 100; at += 1) payoff.settle(true, HOUR_MS * 3)

    expect(payoff.isOff(HOUR_MS * 3)).toBe(false)
  })
})

describe('the pulse of the origin', () => {
  const answer = (pulse: OriginPulse, tookMs: number, route = 0): void => {
    pulse.began(START)
    pulse.ended(START, route, { tookMs, failed: false })
  }

  it('is itself at any pace, route by route, and shows within three answers that it is not', () => {
    const pulse = new OriginPulse()
    for (let at = 0; at < 200; at += 1) {
      answer(pulse, 20 + (at % 7), 0)
      answer(pulse, 800 + (at % 90), 1)
      expect(pulse.ratio).toBeLessThan(2)
    }
    for (let at = 0; at < 3; at += 1) answer(pulse, 300, 0)
    expect(pulse.ratio).toBeGreaterThan(3)
  })

  it('learns in time that another pace is the usual one', () => {
    const pulse = new OriginPulse()
    for (let at = 0; at < 100; at += 1) answer(pulse, 20)
    for (let at = 0; at < 100; at += 1) answer(pulse, 200)
    expect(pulse.ratio).toBeLessThan(1.3)
  })

  it('counts what is under way, and remembers the most of it', () => {
    const pulse = new OriginPulse()
    for (let at = 0; at < 8; at += 1) pulse.began(START)
    expect(pulse.load(START + HOUR_MS).busy).toBeCloseTo(8)
    for (let at = 0; at < 8; at += 1) pulse.ended(START + HOUR_MS, 0, { tookMs: undefined, failed: at === 7 })
    const { busy, peak } = pulse.load(START + 2 * HOUR_MS)

    expect([busy < 0.1, peak > 7, pulse.underWay, pulse.failedAtMs]).toEqual([true, true, 0, START + HOUR_MS])
  })
})
