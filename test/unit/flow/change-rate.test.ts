/** The estimate of a rate of changes against processes whose rate is known; the tables of its bias are printed. */
import { describe, expect, it } from 'vitest'
import { cautiousRate, changeChance, type Evidence, estimateRate, safeMs } from '../../../src/flow/change-rate.ts'
import { createRandom, type Random } from '../../../src/model/random.ts'
import { noteChange, readChange } from '../../../src/shelf/change-word.ts'

const ROUNDS = 3000
const GAP_MS = 1000

interface Bias {
  /** Changes seen for each gap: what one would count. */
  readonly counted: number
  readonly estimated: number
  /** From the word in an entry's row. */
  readonly word: number
}

/** Mean of what is estimated, against the true rate. @param changes in one mean gap */
function biasOf(changes: number, how: { gaps: number; drawGap: (random: Random) => number; seed: number }): Bias {
  const random = createRandom(how.seed)
  const sum = { counted: 0, estimated: 0, word: 0 }
  for (let round = 0; round < ROUNDS; round += 1) {
    const changed: { count: number; gapMs: number }[] = []
    let [quiet, quietMs, word, allMs] = [0, 0, 0, 0]
    for (let at = 0; at < how.gaps; at += 1) {
      const gapMs = how.drawGap(random)
      const hasChanged = random() < changeChance(changes / GAP_MS, gapMs)
      allMs += gapMs
      if (hasChanged) changed.push({ count: 1, gapMs })
      else [quiet, quietMs] = [quiet + 1, quietMs + gapMs]
      word = noteChange(word, hasChanged, gapMs)
    }
    sum.counted += changed.length / allMs
    sum.estimated += estimateRate({ changed, quiet, quietMs })
    sum.word += estimateRate(evidenceOf(word))
  }
  const against = (value: number): number => (value / ROUNDS) * (GAP_MS / changes)
  return { counted: against(sum.counted), estimated: against(sum.estimated), word: against(sum.word) }
}

function evidenceOf(word: number): Evidence {
  const { seen, changed, quietMs, changedMs } = readChange(word)
  const quiet = seen - changed
  return { changed: changed === 0 ? [] : [{ count: changed, gapMs: changedMs }], quiet, quietMs: quiet * quietMs }
}

const EVEN = (): number => GAP_MS
const AT_RANDOM = (random: Random): number => Math.max(1, -Math.log(1 - random()) * GAP_MS)

describe('the estimate of a rate of changes', () => {
  it.each([
    ['equal gaps', EVEN, 0.06],
    ['gaps at random', AT_RANDOM, 0.12],
  ])('has hardly any bias with %s, where counting what was seen has much', (name, drawGap, tolerance) => {
    const rows = [0.05, 0.2, 0.5, 1].flatMap((changes) =>
      [6, 12, 50].map((gaps) => ({ changes, gaps, ...biasOf(changes, { gaps, drawGap, seed: 7 }) })),
    )
    const shown = rows.map(
      ({ changes, gaps, counted, estimated, word }) =>
        `${changes}\t${gaps}\t${counted.toFixed(2)}\t${estimated.toFixed(2)}\t${word.toFixed(2)}`,
    )
    console.info(`${name}, seed 7\nchanges a gap\tgaps\tcounted\testimated\tin the row\n${shown.join('\n')}`)

    for (const row of rows.filter(({ gaps }) => gaps >= 12)) {
      expect(Math.abs(row.estimated - 1), JSON.stringify(row)).toBeLessThan(tolerance)
      expect(Math.abs(row.word - 1), JSON.stringify(row)).toBeLessThan(tolerance)
    }
    expect(rows.at(-1)?.counted).toBeLessThan(0.7)
  })

  it('is what Cho and Garcia-Molina say, where all gaps are equal', () => {
    for (const [n, x] of [
      [10, 3],
      [10, 10],
      [50, 1],
    ] as const) {
      const evidence = { changed: [{ count: x, gapMs: GAP_MS }], quiet: n - x, quietMs: (n - x) * GAP_MS }

      expect(estimateRate(evidence) * GAP_MS).toBeCloseTo(-Math.log((n - x + 0.5) / (n + 0.5)), 6)
    }
  })

  it('never says that nothing changes, where it has to be careful', () => {
    const quiet = { changed: [], quiet: 10, quietMs: 10 * GAP_MS }

    expect(estimateRate(quiet)).toBe(0)
    expect(cautiousRate(quiet, { changes: 1, ms: 0 })).toBeCloseTo(1 / (10 * GAP_MS), 8)
  })

  it('turns a rate into a window at whose end the chance is what was asked for', () => {
    expect(changeChance(1 / 60_000, safeMs(1 / 60_000, 0.1))).toBeCloseTo(0.1, 10)
  })
})

describe('what is learned in an entry’s row', () => {
  it('follows a rate that changes, for its counts fade', () => {
    const random = createRandom(3)
    let word = 0
    const live = (changes: number, gaps: number): void => {
      for (let at = 0; at < gaps; at += 1) word = noteChange(word, random() < changeChance(changes / GAP_MS, GAP_MS), GAP_MS)
    }
    live(1, 500)
    const before = estimateRate(evidenceOf(word)) * GAP_MS
    live(0.05, 500)

    expect(before).toBeGreaterThan(0.7)
    expect(estimateRate(evidenceOf(word)) * GAP_MS).toBeLessThan(0.12)
  })

  it('keeps a mean of gaps that moves by less than a level', () => {
    let word = 0
    for (let at = 0; at < 60; at += 1) word = noteChange(word, false, 1000)
    for (let at = 0; at < 300; at += 1) word = noteChange(word, false, 1300)

    expect(readChange(word).quietMs / 1300).toBeGreaterThan(0.95)
    expect(readChange(word).quietMs / 1300).toBeLessThan(1.05)
  })
})
