/**
 * Two kinds of pairs compared at like distances in time: how much more often those of one kind differ.
 *
 * Floor 4, room advice. N. Mantel, W. Haenszel, "Statistical Aspects of the Analysis of Data from Retrospective Studies of
 * Disease", JNCI 1959: what time changes falls out, since it changes both alike. A stratum is five numbers: pairs of the same
 * value, those of them that differ, pairs of another value, those of them that differ, and the time between these, summed.
 */

/** Strata: powers of two of a millisecond. */
export const GAPS = 48
/** Numbers of a stratum. */
export const STRATUM = 5

/** What was found. */
export interface Excess {
  /** Standard deviations above nothing. */
  readonly z: number
  /** Share of the answers that differ for the other value's sake, and the upper end of it (95 %). */
  readonly share: number
  readonly upper: number
  /** Pairs that would have shown it. */
  readonly telling: number
}

/** The stratum of two requests. */
export function gapOf(gapMs: number): number {
  return gapMs <= 0 ? 0 : Math.min(GAPS - 1, 32 - Math.clz32(Math.min(gapMs, 0x7fffffff)))
}

const ONE_SIDED_95 = 1.645
/** Nothing in so many is still compatible with three: the rule of three. */
const RULE_OF_THREE = 3

export function excess(strata: Float64Array): Excess {
  let [above, variance, telling] = [0, 0, 0]
  for (let at = 0; at < strata.length; at += STRATUM) {
    const [same, sameDiffering, other, otherDiffering] = strata.subarray(at, at + STRATUM) as unknown as Stratum
    const all = same + other
    if (same === 0 || other === 0 || all < 2) continue
    const differing = sameDiffering + otherDiffering
    above += otherDiffering - (other * differing) / all
    variance += (same * other * differing * (all - differing)) / (all * all * (all - 1))
    telling += (other * (same - sameDiffering)) / all
  }
  const upper = Math.max(0, above) + ONE_SIDED_95 * Math.sqrt(variance) + RULE_OF_THREE
  return {
    z: variance === 0 ? 0 : above / Math.sqrt(variance),
    share: telling === 0 ? 0 : above / telling,
    upper: telling === 0 ? 1 : upper / telling,
    telling,
  }
}

type Stratum = readonly [same: number, sameDiffering: number, other: number, otherDiffering: number]
