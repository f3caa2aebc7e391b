/**
 * Prefetching as forecache's rules and budget would have it, over a plain TTL: what was spared, what it cost, how much of it was
 * read.
 */
import { PredictBudget } from '../../src/flow/predict-budget.ts'
import { PrefetchOdds } from '../../src/flow/prefetch-odds.ts'
import { PrefetchRules } from '../../src/flow/prefetch-rules.ts'
import type { Trace } from '../trace/formats.ts'
import type { Timed } from './replay.ts'

/** What came of it, behind the part that was learned on. */
export interface PrefetchTally {
  /** Misses of a plain TTL. */
  readonly plain: number
  readonly misses: number
  readonly prefetched: number
  readonly read: number
}

/** What is not read within this counts as wasted: later it would have been asked for by others anyway. */
const PATIENCE_MS = 60_000

interface Pending {
  readonly counted: number
  readonly chance: number
  readonly untilMs: number
}

/** @param clients who asked; undefined: all are taken for one */
export function replayPrefetch(
  { ids, atMs, distinct }: Timed,
  clients: Trace['clients'],
  wish: { readonly ttlMs: number; readonly extra: number; readonly minChance: number; readonly learn: number },
): PrefetchTally {
  const { ttlMs, extra, minChance, learn } = wish
  const rules = new PrefetchRules()
  const odds = new PrefetchOdds()
  const budget = new PredictBudget({ extra, minChance })
  const [plainEnd, end] = [new Float64Array(distinct).fill(-1), new Float64Array(distinct).fill(-1)]
  const pending = new Map<number, Pending>()
  const beforehand = new Set<number>()
  const tally = { plain: 0, misses: 0, prefetched: 0, read: 0 }
  const first = Math.floor(ids.length * learn)
  for (let i = 0; i < ids.length; i += 1) {
    const [id, now] = [ids[i] as number, atMs[i] as number]
    const counts = i >= first ? 1 : 0
    for (const [waiting, { counted, chance, untilMs }] of pending) {
      if (untilMs > now) break // all live equally long: in the order of their ends
      pending.delete(waiting)
      odds.learn(counted, false)
      budget.settle(false, { chance, gap: 0 })
    }
    if (now >= (plainEnd[id] as number)) {
      tally.plain += counts
      plainEnd[id] = now + ttlMs
    }
    const waited = pending.get(id)
    if (beforehand.delete(id) && now < (end[id] as number)) tally.read += counts
    if (waited !== undefined) {
      pending.delete(id)
      odds.learn(waited.counted, true)
      budget.settle(true, { chance: waited.chance, gap: 0 })
    }
    if (now >= (end[id] as number)) {
      tally.misses += counts
      budget.missed()
      end[id] = now + ttlMs
    }
    for (const { key, chance: counted } of rules.follow(String(clients?.[i] ?? 0), String(id), now)) {
      const next = Number(key)
      const chance = odds.chance(counted)
      if (now < (end[next] as number) || chance < minChance || !budget.grants(chance)) continue
      end[next] = now + ttlMs
      pending.set(next, { counted, chance, untilMs: now + Math.min(ttlMs, PATIENCE_MS) })
      beforehand.add(next)
      tally.prefetched += counts
    }
  }
  return tally
}
