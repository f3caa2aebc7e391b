/**
 * Randomness, handed in: jitter, sampling and schedules take a `Random`; tests give a seeded one.
 *
 * Floor 0, room model.
 */

/** Uniform in [0, 1). */
export type Random = () => number

/** A small seeded generator (mulberry32, public domain): good enough for schedules and jitter, never for secrets. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
