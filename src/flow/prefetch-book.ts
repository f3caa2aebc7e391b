/**
 * What one route spends on prefetching: its budget, its odds, whether it pays, how the origin stands.
 *
 * Floor 3, room flow. One for what is learned and one for what origins hint at: each has its own budget.
 */
import type { PrefetchSettings } from './prefetch-options.ts'
import { PredictBudget } from './predict-budget.ts'
import { PrefetchOdds } from './prefetch-odds.ts'
import type { PrefetchPace } from './prefetch-pace.ts'
import type { Lesson } from './prefetch-rules.ts'
import { PrefetchWorth } from './prefetch-worth.ts'

/** By what something is known to come: learned, or said by the origin. */
export type Source = Lesson | 'hint'

/** What was learned too long ago to be held against anybody. */
const FADE_EVERY_MS = 10 * 60_000

/** See the module's header. */
export class PrefetchBook {
  readonly budget: PredictBudget
  readonly worth = new PrefetchWorth()
  readonly pace: PrefetchPace
  /** Prefetches under way. */
  running = 0
  readonly #odds: Readonly<Record<Source, PrefetchOdds>> = {
    key: new PrefetchOdds(),
    shape: new PrefetchOdds(),
    hint: new PrefetchOdds(),
  }
  #fadedAtMs: number

  constructor({ extra, minChance }: PrefetchSettings, parts: { readonly pace: PrefetchPace; readonly nowMs: number }) {
    this.budget = new PredictBudget({ extra, minChance })
    this.pace = parts.pace
    this.#fadedAtMs = parts.nowMs
  }

  /** The chance that something fetched is read, by what it was counted as. */
  chance(source: Source, counted: number): number {
    return this.#odds[source].chance(counted)
  }

  learn(source: Source, counted: number, wasRead: boolean): void {
    this.#odds[source].learn(counted, wasRead)
  }

  /** Forgets what stands against trying again, every now and then. */
  refresh(nowMs: number): void {
    if (nowMs - this.#fadedAtMs < FADE_EVERY_MS) return
    this.#fadedAtMs = nowMs
    for (const odds of Object.values(this.#odds)) odds.fade()
  }
}
