/**
 * Every policy on one trace: what it spares, and what it costs.
 */
import { AHEAD_DEFAULTS } from '../../src/flow/ahead-options.ts'
import { createRandom } from '../../src/model/random.ts'
import { Ahead } from './ahead.ts'
import { LastTenth, Oracle, Plain, XFetch } from './policies.ts'
import { type Policy, replay, type Tally } from './replay.ts'
import type { Subject } from './traces.ts'

const MIN_CHANCE = AHEAD_DEFAULTS.minChance
const LOAD_MS = 200
/** The budget that stale windows are compared at. */
const STALE_EXTRA = 0.15

/** One policy on one trace with one TTL. */
export interface Row {
  readonly trace: string
  readonly isRandom: boolean
  readonly ttl: number
  readonly policy: string
  readonly missShare: number
  readonly staleShare: number
  /** Beyond the plain policy with the same windows. */
  readonly extra: number
  /** Share of the oracle's spared misses; undefined with stale windows. */
  readonly gain: number | undefined
  /** Stale answers against stale-while-revalidate alone. */
  readonly staleRatio: number | undefined
}

/** How they are compared. */
export interface CompareWish {
  readonly ttls: readonly number[]
  /** Budgets of extra requests. */
  readonly extras: readonly number[]
  readonly learn: number
}

/** Without stale windows, and with one of one TTL. */
export function* compareAll(subject: Subject, { ttls, extras, learn }: CompareWish): Generator<Row> {
  for (const ttl of ttls) {
    yield* compare(subject, { ttl, extras, learn, staleMs: 0 })
    yield* compare(subject, { ttl, extras: extras.includes(STALE_EXTRA) ? extras : [STALE_EXTRA], learn, staleMs: ttl * 1000 })
  }
}

interface Comparison {
  readonly ttl: number
  readonly staleMs: number
  readonly extras: readonly number[]
  readonly learn: number
}

function* compare({ name: trace, isRandom, requests }: Subject, { ttl, staleMs, extras, learn }: Comparison): Generator<Row> {
  const wish = { distinct: requests.distinct, ttlMs: ttl * 1000, staleMs }
  const on = (policy: Policy): Tally => replay(requests, policy, learn)
  const plain = on(new Plain(wish))
  const oracle = staleMs === 0 ? on(new Oracle(wish, requests)) : undefined
  const row = (policy: string, tally: Tally): Row => ({
    trace,
    isRandom,
    ttl,
    policy,
    missShare: tally.misses / tally.requests,
    staleShare: tally.stale / tally.requests,
    extra: tally.origin / plain.origin - 1,
    gain: oracle === undefined ? undefined : (plain.misses - tally.misses) / (plain.misses - oracle.misses),
    staleRatio: staleMs === 0 || plain.stale === 0 ? undefined : tally.stale / plain.stale,
  })
  const base = new Plain(wish)
  yield row(base.name, plain)
  const others: Policy[] = [new LastTenth(wish), new XFetch(wish, { random: createRandom(1), loadMs: LOAD_MS })]
  for (const extra of extras) others.push(new Ahead(wish, { extra, minChance: MIN_CHANCE }))
  for (const policy of others) yield row(staleMs > 0 ? `${policy.name}, swr` : policy.name, on(policy))
  if (oracle !== undefined) yield row('oracle', oracle)
}
