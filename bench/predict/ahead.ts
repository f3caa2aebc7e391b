/**
 * Refreshing ahead as forecache does it: its own arrival statistics, odds, budget and wheel, over the replay's time.
 */
import { AheadReplay } from '../../src/advice/ahead.ts'
import type { AheadBudgetOptions } from '../../src/flow/ahead-budget.ts'
import type { Wish } from './policies.ts'
import { FRESH, MISS, type Outcome, type Policy, STALE } from './replay.ts'

const OUTCOMES = { fresh: FRESH, stale: STALE, miss: MISS }

/** See the module's header. */
export class Ahead implements Policy {
  readonly name: string
  readonly #replay: AheadReplay

  constructor({ distinct, ttlMs, staleMs }: Wish, options: AheadBudgetOptions) {
    this.name = `ours +${options.extra * 100} %`
    this.#replay = new AheadReplay(distinct, { freshMs: ttlMs, staleMs }, options)
  }

  advance(nowMs: number): number {
    return this.#replay.advance(nowMs)
  }

  ask(id: number, nowMs: number): Outcome {
    return OUTCOMES[this.#replay.ask(id, nowMs)]
  }
}
