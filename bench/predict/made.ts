/**
 * Traces made by seeds, of every kind that sites are like, so that what was learned from a few real ones is judged on others too.
 */
import { createRandom, type Random } from '../../src/model/random.ts'
import type { Trace } from '../trace/formats.ts'

/** A made trace. */
export interface Made {
  readonly name: string
  /** Nothing can be learned from it: no key is likelier than another. */
  readonly isRandom: boolean
  readonly trace: Trace
}

const HOUR = 3_600_000
const REQUESTS = 40_000

/** @returns each kind once; the same seed gives the same traces */
export function madeTraces(seed: number): Made[] {
  const kinds: readonly (readonly [name: string, make: (random: Random) => Trace])[] = [
    ['steady, zipf 0.6', (random) => drawn(random, { keys: 5000, skew: 0.6, perSecond: () => 8 })],
    ['steady, zipf 0.9', (random) => drawn(random, { keys: 5000, skew: 0.9, perSecond: () => 8 })],
    ['steady, zipf 1.2', (random) => drawn(random, { keys: 5000, skew: 1.2, perSecond: () => 8 })],
    ['by the hour', (random) => drawn(random, { keys: 2000, skew: 0.9, perSecond: (at) => 4 + 3.8 * Math.sin((at / HOUR) * 6) })],
    ['bursts', bursts],
    ['churn', churn],
    ['polled', polled],
    ['pages', pages],
    ['one key', (random) => drawn(random, { keys: 1, skew: 1, perSecond: () => 0.1, requests: 4000 })],
    ['tiny', (random) => drawn(random, { keys: 10, skew: 0.9, perSecond: () => 1, requests: 40 })],
    ['many keys', (random) => drawn(random, { keys: 200_000, skew: 0.5, perSecond: () => 50, requests: 100_000 })],
    ['random', (random) => drawn(random, { keys: 20_000, skew: 0, perSecond: () => 10 })],
    ['random, few keys', (random) => drawn(random, { keys: 300, skew: 0, perSecond: () => 1 })],
  ]
  return kinds.map(([name, make], at) => ({
    name,
    isRandom: name === 'random',
    trace: make(createRandom(seed * 1000 + at)),
  }))
}

interface Drawing {
  readonly keys: number
  /** Zipf's exponent. */
  readonly skew: number
  readonly perSecond: (atMs: number) => number
  readonly requests?: number
}

/** Each request for itself. */
function drawn(random: Random, { keys, skew, perSecond, requests = REQUESTS }: Drawing): Trace {
  const draft = new Draft()
  const draw = createZipf(random, keys, skew)
  let atMs = 0
  for (let i = 0; i < requests; i += 1) {
    atMs += (wait(random) * 1000) / perSecond(atMs)
    draft.push(draw(), atMs)
  }
  return draft.end()
}

/** Keys wake up, are asked for many times within minutes, and sleep. */
function bursts(random: Random): Trace {
  const draft = new Draft()
  for (let burst = 0; burst < 1500; burst += 1) {
    const key = Math.floor(random() * 800)
    const gapMs = 1000 * 10 ** (random() * 2)
    let atMs = random() * 8 * HOUR
    for (let left = 3 + wait(random) * 25; left > 0; left -= 1) draft.push(key, (atMs += wait(random) * gapMs))
  }
  return draft.end()
}

/** What is popular is another thing every quarter of an hour. */
function churn(random: Random): Trace {
  const draft = new Draft()
  const draw = createZipf(random, 1500, 1)
  let atMs = 0
  for (let i = 0; i < REQUESTS; i += 1) {
    atMs += wait(random) * 200
    draft.push(draw() + Math.floor(atMs / (HOUR / 4)) * 700, atMs)
  }
  return draft.end()
}

/** Dashboards and phones that ask in fixed steps. */
function polled(random: Random): Trace {
  const draft = new Draft()
  for (let key = 0; key < 300; key += 1) {
    const everyMs = [7, 20, 45, 60, 120, 400][key % 6] as number
    const untilMs = (0.2 + random()) * 3 * HOUR
    for (let atMs = random() * HOUR; atMs < untilMs; atMs += everyMs * 1000 * (0.9 + random() * 0.2)) draft.push(key, atMs)
  }
  return draft.end()
}

/** Pages and what belongs to them, by people who come and go. */
function pages(random: Random): Trace {
  const draft = new Draft()
  const draw = createZipf(random, 400, 0.9)
  for (let visit = 0; visit < 2500; visit += 1) {
    let atMs = random() * 6 * HOUR
    for (let left = 1 + wait(random) * 3; left > 0; left -= 1) {
      const page = draw()
      for (let part = 0; part < 1 + (page % 4); part += 1) draft.push(page * 4 + part, atMs + part * 150)
      atMs += wait(random) * 40_000
    }
  }
  return draft.end()
}

/** Exponential with mean 1. */
function wait(random: Random): number {
  return -Math.log(1 - random())
}

function createZipf(random: Random, keys: number, skew: number): () => number {
  const cumulated = new Float64Array(keys)
  let sum = 0
  for (let rank = 0; rank < keys; rank += 1) cumulated[rank] = sum += (rank + 1) ** -skew
  return () => {
    const drawn = random() * sum
    let [low, high] = [0, keys - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((cumulated[middle] as number) < drawn) low = middle + 1
      else high = middle
    }
    return low
  }
}

class Draft {
  readonly #requests: (readonly [key: number, atMs: number])[] = []

  push(key: number, atMs: number): void {
    this.#requests.push([key, atMs])
  }

  end(): Trace {
    const sorted = this.#requests.sort((a, b) => a[1] - b[1])
    const known = new Map<number, number>()
    const ids = Int32Array.from(sorted, ([key]) => {
      const id = known.get(key) ?? known.size
      known.set(key, id)
      return id
    })
    const first = sorted[0]?.[1] ?? 0
    const atMs = Float64Array.from(sorted, ([, at]) => at - first)
    return { ids, distinct: known.size, sizes: undefined, atMs, clients: undefined, names: [], format: 'made', skipped: 0 }
  }
}
