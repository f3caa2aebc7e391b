/**
 * What pairs of requests say of a dimension: it decides, it does not, or there is too little to tell.
 *
 * Floor 4, room advice. A dimension is held irrelevant only when one that decides one answer in twenty would have shown itself
 * with a confidence of 95 %; anything above what answers change by themselves makes it at least unclear.
 */

/** Pairs of requests that follow each other and agree in all the rest. */
export interface Evidence {
  /** With another value of the dimension, and those whose answers differed. */
  readonly pairs: number
  readonly differing: number
  /** With the same value: what answers change by themselves. */
  readonly repeats: number
  readonly repeatsDiffering: number
  /** Answers that gave way to another and were the next one again: no change in time does that. */
  readonly returns: number
}

export type Verdict = 'deciding' | 'irrelevant' | 'unclear'

export interface Judgement {
  readonly verdict: Verdict
  /** 0 to 1. */
  readonly confidence: number
}

/** Share of answers that a dimension has to decide to be seen. */
const SEEN = 0.05
/** So many pairs without a difference: 1 - 0.95 ** 59 > 0.95. */
const MIN_PAIRS = 59
const MIN_DIFFERING = 3
const MAX_ERROR = 0.001
/** Where answers change more often than this by themselves, nothing can be said to be irrelevant. */
const MAX_UNREST = 0.3
/** Most values were seen once: more than this is not the change of time. */
const MOSTLY = 0.5
const MIN_RETURNS = 3
/** How far above what was seen the change of time may lie: one in two thousand is farther. */
const SIGMAS = 3.3
/** Pairs that are enough to go by the nearest alone. */
const NEAREST = 200

const UNCLEAR: Judgement = { verdict: 'unclear', confidence: 0 }

/** What was gathered, as evidence. */
export interface EvidenceSource {
  /** Of pairs within a gap that holds at least so many with another value; of all where none is given. */
  evidence(nearest?: number): Evidence
}

/**
 * By all pairs, and by those nearest in time, between which little has changed by itself.
 *
 * @param isTelling whether answers of this route tell anything apart
 */
export function judgeGathered(source: EvidenceSource, isTelling: boolean): Judgement {
  const all = source.evidence()
  if (all.pairs === 0) return UNCLEAR
  if (all.repeats >= MIN_PAIRS) {
    const found = judge(all, isTelling)
    if (found.verdict !== 'unclear') return found
  }
  return judge(source.evidence(NEAREST), isTelling)
}

function judge(evidence: Evidence, isTelling: boolean): Judgement {
  const { pairs, differing, repeats } = evidence
  if (pairs < MIN_PAIRS && repeats < MIN_PAIRS) return UNCLEAR // fingerprints that are alike by chance make a few pairs, too
  const excess = repeats >= MIN_PAIRS ? judgeAgainstRepeats(evidence) : judgeAlone(evidence)
  if (excess.verdict === 'deciding') return excess
  const isQuiet = differing <= pairs * MAX_UNREST
  if (excess.verdict === 'unclear' || !isTelling || !isQuiet || pairs < MIN_PAIRS) return UNCLEAR
  return { verdict: 'irrelevant', confidence: 1 - (1 - SEEN) ** pairs }
}

/** Values repeat: what requests with the same value differ in is what time changed. */
function judgeAgainstRepeats({ pairs, differing, repeats, repeatsDiffering }: Evidence): Judgement {
  const upper = (repeatsDiffering + SIGMAS * Math.sqrt(repeatsDiffering + 1) + 2) / repeats
  const error = tailOf(differing, Math.min(1, upper) * pairs)
  if (differing >= MIN_DIFFERING && error < MAX_ERROR) return { verdict: 'deciding', confidence: 1 - error }
  const likely = tailOf(differing, ((repeatsDiffering + 0.5) / repeats) * pairs)
  return { verdict: likely < MAX_ERROR ? 'unclear' : 'irrelevant', confidence: 1 - likely }
}

/** Values hardly repeat, such as those that bust caches: time alone does not bring back what was. */
function judgeAlone({ pairs, differing, returns }: Evidence): Judgement {
  if (differing < MIN_DIFFERING)
    return { verdict: differing === 0 || differing < pairs * 0.005 ? 'irrelevant' : 'unclear', confidence: 0 }
  if (differing > pairs * MOSTLY) return { verdict: 'deciding', confidence: 1 - MOSTLY ** differing }
  if (returns >= MIN_RETURNS && returns > differing * 0.1) return { verdict: 'deciding', confidence: 1 - 0.5 ** returns }
  return { verdict: returns === 0 ? 'irrelevant' : 'unclear', confidence: 0 }
}

/** The chance of at least `count` where `expected` are: Poisson's tail, by the normal law where many are expected. */
function tailOf(count: number, expected: number): number {
  if (count <= expected) return 1
  if (expected > 200) {
    const z = (count - 0.5 - expected) / Math.sqrt(expected)
    return 0.5 * Math.exp((-z * z) / 2) // an upper bound for z >= 0
  }
  let term = Math.exp(-expected)
  let below = 0
  for (let k = 0; k < count; k += 1) {
    below += term
    term *= expected / (k + 1)
  }
  return Math.max(0, 1 - below)
}
