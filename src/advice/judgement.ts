/**
 * What requests say of a dimension: it decides, it does not, or there is too little to tell.
 *
 * Floor 4, room advice. A dimension is held irrelevant only when one that decides one answer in seven would have shown
 * itself with a confidence of 95 %; in doubt it is unclear, and counts.
 */
import type { GapCount, Gathered } from './gathered.ts'

/** For people and programs. */
export interface Evidence {
  /** Answers that were back with another value of the dimension between them, all the rest being alike; where values hardly
   * come twice, requests that follow each other. And those of which the answers differed. */
  readonly pairs: number
  readonly differing: number
  /** The same with one value throughout: what answers do by themselves. */
  readonly repeats: number
  readonly repeatsDiffering: number
}

export type Verdict = 'deciding' | 'irrelevant' | 'unclear'

export interface Judgement {
  readonly verdict: Verdict
  /** 0 to 1. */
  readonly confidence: number
}

/** So many without a difference: 1 - 0.95 ** 59 > 0.95. */
const MIN_PAIRS = 59
const MIN_DIFFERING = 3
/** Standard deviations: from here up it decides, below the other it may be chance. */
const DECIDES = 4
const CHANCE = 3.3
/** Of pairs, of which time is a part: a little more. */
const PAIRS_DECIDE = 5
/** Share of answers that something irrelevant may decide at most, as far as anybody can tell. */
const MAX_SHARE = 0.15
const SEEN = 0.05
const ONE_SIDED_95 = 1.645
/** From here up what answers do by themselves is known, not guessed. */
const KNOWN = 30
/** Values that come twice so seldom have no yardstick. */
const HARDLY = 0.01
const MIN_RETURNS = 3
/** Gaps in which more than this differ say nothing of what is left where there is no gap. */
const MAX_RATE = 0.6

const UNCLEAR: Judgement = { verdict: 'unclear', confidence: 0 }

/** @param isTelling whether answers of this route tell anything apart */
export function judgeGathered(found: Gathered, isTelling: boolean): Judgement {
  const judgement = judge(found)
  return judgement.verdict === 'irrelevant' && !isTelling ? UNCLEAR : judgement
}

/** What a judgement went by. */
export function evidenceOf(found: Gathered): Evidence {
  const { between, betweenDiffering, alike, alikeDiffering } = found
  if (between >= MIN_PAIRS) {
    return { pairs: between, differing: betweenDiffering, repeats: alike, repeatsDiffering: alikeDiffering }
  }
  const [others, repeats] = [found.others(), found.repeats()]
  return { pairs: others.pairs, differing: others.differing, repeats: repeats.pairs, repeatsDiffering: repeats.differing }
}

function judge(found: Gathered): Judgement {
  const byThree = judgeBetween(found)
  if (byThree.verdict !== 'unclear') return byThree
  const { z, share, upper, telling } = found.excess()
  if (z >= PAIRS_DECIDE && share * telling >= MIN_DIFFERING) return { verdict: 'deciding', confidence: 1 - tailOf(z) }
  if (found.repeats().pairs <= found.others().pairs * HARDLY) return judgeAlone(found)
  if (telling < MIN_PAIRS || z >= CHANCE || upper >= MAX_SHARE) return UNCLEAR
  return { verdict: 'irrelevant', confidence: confidenceOf(telling) }
}

/** By three in a row, of which time has no part. */
function judgeBetween({ between, betweenDiffering, alike, alikeDiffering }: Gathered): Judgement {
  const decides = compare(
    { share: betweenDiffering / between, of: between },
    { share: (alikeDiffering + 0.5) / (alike + 2), of: alike + 2 },
  )
  if (betweenDiffering >= MIN_DIFFERING && between >= 2 * MIN_DIFFERING && decides.z >= DECIDES)
    return { verdict: 'deciding', confidence: 1 - tailOf(decides.z) }
  if (between < MIN_PAIRS) return UNCLEAR
  const usual = alike >= KNOWN ? alikeDiffering / alike : 0
  const { z, error } = compare({ share: betweenDiffering / between, of: between }, { share: usual, of: Math.max(1, alike) })
  const above = Math.max(0, betweenDiffering / between - usual) + ONE_SIDED_95 * error
  if (between * (1 - usual) < MIN_PAIRS || z >= CHANCE || above >= MAX_SHARE * (1 - usual)) return UNCLEAR
  return { verdict: 'irrelevant', confidence: confidenceOf(between * (1 - usual)) }
}

/** A share of so many. */
interface Share {
  readonly share: number
  readonly of: number
}

function compare(one: Share, other: Share): { z: number; error: number } {
  const both = (one.share * one.of + other.share * other.of) / (one.of + other.of)
  const error = Math.sqrt(both * (1 - both) * (1 / one.of + 1 / other.of))
  return { z: error > 0 ? (one.share - other.share) / error : 0, error }
}

/**
 * Values hardly repeat, such as those that bust caches. Time alone does not bring back what was; and what it changes is the
 * less the shorter the gap: what is left where there is none is what the dimension decides.
 */
function judgeAlone(found: Gathered): Judgement {
  const gaps = found.gaps()
  const all = gaps.reduce((sum, one) => sum + one.differing, 0)
  if (found.returns >= MIN_RETURNS && found.returns > all * 0.1)
    return { verdict: 'deciding', confidence: 1 - 0.5 ** found.returns }
  const near = gaps.filter(({ pairs, differing }) => differing <= pairs * MAX_RATE)
  const { pairs, differing } = sumOf(near)
  const left = interceptOf(near, found.preciseMs)
  const isAgreed = pairs - differing >= MIN_PAIRS
  if (!isAgreed || left.value - CHANCE * left.error > 0 || left.value + ONE_SIDED_95 * left.error >= MAX_SHARE) return UNCLEAR
  return { verdict: 'irrelevant', confidence: confidenceOf(pairs - differing) }
}

function sumOf(gaps: readonly GapCount[]): { pairs: number; differing: number } {
  return gaps.reduce((sum, one) => ({ pairs: sum.pairs + one.pairs, differing: sum.differing + one.differing }), {
    pairs: 0,
    differing: 0,
  })
}

/** Of a straight line through the shares that differ, weighted by pairs: what it says of no gap at all. */
function interceptOf(gaps: readonly GapCount[], preciseMs: number): { value: number; error: number } {
  let [n, x, y, xx, xy] = [0, 0, 0, 0, 0]
  for (const { gap, pairs, differing, sumMs } of gaps) {
    const ms = gap === 0 ? preciseMs / 3 : sumMs / pairs // two within one tick are a third of it apart, on average
    n += pairs
    x += pairs * ms
    y += differing
    xx += pairs * ms * ms
    xy += differing * ms
  }
  if (n === 0) return { value: 1, error: 1 }
  const spread = xx - (x * x) / n
  const slope = spread > 0 ? Math.max(0, (xy - (x * y) / n) / spread) : 0
  const share = (y + 1) / (n + 2)
  const error = Math.sqrt(share * (1 - share) * (1 / n + (slope > 0 ? (x / n) ** 2 / spread : 0)))
  return { value: Math.max(0, y / n - (slope * x) / n), error }
}

function confidenceOf(pairs: number): number {
  return 1 - (1 - SEEN) ** pairs
}

/** An upper bound of the normal law's tail. */
function tailOf(z: number): number {
  return 0.5 * Math.exp((-z * z) / 2)
}
