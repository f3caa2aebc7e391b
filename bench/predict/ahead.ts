/**
 * Refreshing ahead as forecache does it: its own arrival statistics, odds, budget and wheel, over the replay's time.
 */
import { type Cell, Odds } from '../../src/flow/predict-odds.ts'
import { PredictBudget, type PredictBudgetOptions } from '../../src/flow/predict-budget.ts'
import { arrivalsAt, closePeriod, noteRead, READ_TICK_SHIFT } from '../../src/shelf/arrivals.ts'
import { ARRIVALS, LAST_READ, ROW_SHIFT } from '../../src/shelf/row.ts'
import { Wheel } from '../../src/shelf/wheel.ts'
import type { Wish } from './policies.ts'
import { FRESH, MISS, type Outcome, type Policy, STALE } from './replay.ts'

/** A question that is still open: was it read within one more period? */
interface Open {
  cell: Cell
  chance: number
  gap: number
  granted: boolean
  wasRead: boolean
  untilMs: number
}

/** See the module's header. */
export class Ahead implements Policy {
  readonly name: string
  readonly odds = new Odds()
  readonly budget: PredictBudget
  readonly #wish: Wish
  readonly #rows: Int32Array
  readonly #endMs: Float64Array
  readonly #open: (Open | undefined)[] = []
  readonly #wheel: Wheel<number>
  #asked = 0
  #now = 0

  constructor(wish: Wish, options: PredictBudgetOptions) {
    this.name = `ours +${options.extra * 100} %`
    this.#wish = wish
    this.budget = new PredictBudget(options)
    this.#rows = new Int32Array(wish.distinct << ROW_SHIFT)
    this.#endMs = new Float64Array(wish.distinct).fill(Number.NEGATIVE_INFINITY)
    this.#wheel = new Wheel({ tickMs: Math.max(1, wish.ttlMs / 1000), slots: 2048, maxItems: wish.distinct * 2, nowMs: 0 })
  }

  advance(nowMs: number): number {
    this.#asked = 0
    this.#now = nowMs
    this.#wheel.turn(nowMs, this.#onDue)
    return this.#asked
  }

  ask(id: number, nowMs: number): Outcome {
    const end = this.#endMs[id] as number
    const open = this.#open[id]
    if (open !== undefined && nowMs < open.untilMs) open.wasRead = true
    if (nowMs < end) {
      this.#note(id, nowMs)
      return FRESH
    }
    this.#settle(id)
    this.budget.missed()
    this.#note(id, nowMs)
    this.#store(id, nowMs)
    return nowMs < end + this.#wish.staleMs ? STALE : MISS
  }

  readonly #onDue = (id: number): void => {
    const end = this.#endMs[id] as number
    if (end > this.#now) return // stored again since
    const open = this.#open[id]
    if (open !== undefined && !open.granted && open.untilMs <= this.#now && end < open.untilMs) return this.#settle(id)
    this.#settle(id)
    const at = id << ROW_SHIFT
    const { ttlMs } = this.#wish
    const arrivals = arrivalsAt(this.#rows, at)
    const sinceMs = Math.max(0, end - ((this.#rows[at | LAST_READ] as number) << READ_TICK_SHIFT))
    const cell = this.odds.cell(arrivals, sinceMs, ttlMs)
    closePeriod(this.#rows, at)
    const chance = this.odds.chance(cell)
    const granted = this.budget.grants(chance)
    this.#open[id] = { cell, chance, gap: arrivals.gapMs / ttlMs, granted, wasRead: false, untilMs: end + ttlMs }
    if (granted) {
      this.#asked += 1
      this.#endMs[id] = end + ttlMs
    }
    this.#wheel.set(id, end + ttlMs)
  }

  #settle(id: number): void {
    const open = this.#open[id]
    if (open === undefined) return
    this.#open[id] = undefined
    this.odds.learn(open.cell, open.wasRead)
    if (open.granted) this.budget.settle(open.wasRead, open)
  }

  #store(id: number, nowMs: number): void {
    this.#endMs[id] = nowMs + this.#wish.ttlMs
    this.#wheel.set(id, nowMs + this.#wish.ttlMs)
  }

  #note(id: number, nowMs: number): void {
    const at = id << ROW_SHIFT
    const tick = Math.floor(nowMs) >> READ_TICK_SHIFT
    if (this.#rows[at | LAST_READ] === 0 && this.#rows[at | ARRIVALS] === 0) this.#rows[at | LAST_READ] = tick
    if (this.#rows[at | LAST_READ] !== tick || (this.#rows[at | ARRIVALS] as number) === 0) noteRead(this.#rows, at, tick)
  }
}
