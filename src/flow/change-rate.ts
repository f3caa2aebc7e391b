/**
 * How often something changes, from comparisons of two readings each: the gap between them, and whether they differed.
 *
 * Floor 3, room flow. Changes are taken to come at random at one rate (Poisson); of a gap that held one it is not known how
 * many it held. With gaps of one length the estimate is that of J. Cho and H. Garcia-Molina, "Estimating frequency of
 * change", ACM TOIT 3(3), 2003, section 4.2: -ln((n - X + 0.5) / (n + 0.5)) / gap, which does not break down where all
 * comparisons differed and has hardly any bias from a dozen of them on. With gaps of many lengths it is their likeliest rate
 * (section 5.2), with the same half of a quiet gap added, so that both are one where the gaps are equal. Pure; about 2 µs
 * for two classes of gaps.
 */

/** Comparisons; gaps with a change are given in classes of about one length. */
export interface Evidence {
  readonly changed: readonly GapClass[]
  /** Comparisons that found nothing new. */
  readonly quiet: number
  /** All their gaps, ms. */
  readonly quietMs: number
}

export interface GapClass {
  readonly count: number
  /** Mean length, ms. */
  readonly gapMs: number
}

/** What is known without these comparisons: so many changes in so long a time. */
export interface Prior {
  readonly changes: number
  readonly ms: number
}

const MIN_RATE = 1e-13
const MAX_RATE = 1
const ROUNDS = 48
const HALF = 0.5

/** Changes a ms; 0 where none was seen. */
export function estimateRate(evidence: Evidence): number {
  const changes = countOf(evidence.changed)
  if (changes === 0) return 0
  const changedMs = evidence.changed.reduce((sum, { count, gapMs }) => sum + count * gapMs, 0)
  const meanMs = (changedMs + evidence.quietMs) / (changes + evidence.quiet)
  return rootOf(evidence.changed, evidence.quietMs + meanMs * HALF, 0)
}

/**
 * The rate to go by where too low a one does harm: as if one change more had come than was seen, and never 0. With a prior
 * it is the mean of what the rate may be (changes that are seldom against the gaps; a gamma prior); without one, `changes` is 1
 * and `ms` 0.
 */
export function cautiousRate({ changed, quietMs }: Evidence, prior: Prior): number {
  return rootOf(changed, quietMs + prior.ms, prior.changes)
}

/** Where `changes / λ + Σ count · gap / (e^(λ·gap) - 1)` equals the quiet time; it falls with λ. */
function rootOf(changed: readonly GapClass[], quietMs: number, changes: number): number {
  let [low, high] = [Math.log(MIN_RATE), Math.log(MAX_RATE)]
  for (let round = 0; round < ROUNDS; round += 1) {
    const middle = (low + high) / 2
    const rate = Math.exp(middle)
    let sum = changes / rate
    for (const { count, gapMs } of changed) sum += (count * gapMs) / Math.expm1(Math.min(700, rate * gapMs))
    if (sum > quietMs) low = middle
    else high = middle
  }
  return Math.exp((low + high) / 2)
}

function countOf(changed: readonly GapClass[]): number {
  return changed.reduce((sum, { count }) => sum + count, 0)
}

/** How long after a reading the chance that it has changed stays at or under `chance`, ms. */
export function safeMs(rate: number, chance: number): number {
  return -Math.log1p(-chance) / rate
}

/** The chance that it has changed so long after its reading. */
export function changeChance(rate: number, ms: number): number {
  return -Math.expm1(-rate * ms)
}
