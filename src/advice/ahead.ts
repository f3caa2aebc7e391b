/**
 * What refreshing ahead would buy a route: the engine's own statistics, odds and budget over the log's time.
 *
 * Floor 4, room advice. One period for all keys, memory without a limit. 128 bytes a key while it runs.
 */
import { type Cell, Odds } from '../flow/predict-odds.ts'
import { AheadBudget, type AheadBudgetOptions, type AheadQuestion } from '../flow/ahead-budget.ts'
import { arrivalsAt, closePeriod, noteRead, READ_TICK_SHIFT } from '../shelf/arrivals.ts'
import { ARRIVALS, LAST_READ, ROW_SHIFT } from '../shelf/row.ts'
import { Wheel, type WheelPlace } from '../shelf/wheel.ts'
import type { Windows } from './replay.ts'
import type { Trace } from './trace.ts'

/** What came of requests, and what the origin was asked. */
export interface AheadServed {
  requests: number
  stale: number
  misses: number
  origin: number
}

interface Open {
  readonly cell: Cell
  readonly question: AheadQuestion
  readonly untilMs: number
  wasRead: boolean
}

const MIN_CHANCE = 0.1
const SLOTS = 2048
/** Of the window: how exact moments are. */
const TICKS = 1000

/** @param trace of one route */
export function replayAhead({ ids, atMs, distinct }: Trace, windows: Windows, extra: number): AheadServed {
  const replay = new AheadReplay(distinct, windows, { extra, minChance: MIN_CHANCE })
  const served: AheadServed = { requests: ids.length, stale: 0, misses: 0, origin: 0 }
  for (let i = 0; i < ids.length; i += 1) {
    const nowMs = (atMs[i] as number) - (atMs[0] as number)
    served.origin += replay.advance(nowMs)
    const got = replay.ask(ids[i] as number, nowMs)
    if (got === 'fresh') continue
    served.origin += 1
    if (got === 'stale') served.stale += 1
    else served.misses += 1
  }
  return served
}

/** Keys by number, and a time that is handed in. */
export class AheadReplay {
  readonly #windows: Windows
  readonly #odds = new Odds()
  readonly #budget: AheadBudget
  readonly #rows: Int32Array
  readonly #endMs: Float64Array
  readonly #open: (Open | undefined)[] = []
  readonly #places: (WheelPlace | undefined)[] = []
  readonly #wheel: Wheel<number>
  #now = 0
  #refreshed = 0

  constructor(distinct: number, windows: Windows, options: AheadBudgetOptions) {
    this.#windows = windows
    this.#budget = new AheadBudget(options)
    this.#rows = new Int32Array(distinct << ROW_SHIFT)
    this.#endMs = new Float64Array(distinct).fill(Number.NEGATIVE_INFINITY)
    const tickMs = Math.max(1, windows.freshMs / TICKS)
    this.#wheel = new Wheel({ tickMs, slots: SLOTS, maxItems: Math.max(1, distinct * 2), nowMs: 0 })
  }

  /** Everything that falls due until then. @returns refreshes */
  advance(nowMs: number): number {
    this.#refreshed = 0
    this.#now = nowMs
    this.#wheel.turn(nowMs, this.#onDue)
    return this.#refreshed
  }

  /** @returns what the request gets; what is not fresh costs a request to the origin */
  ask(id: number, nowMs: number): 'fresh' | 'stale' | 'miss' {
    const end = this.#endMs[id] as number
    const open = this.#open[id]
    if (open !== undefined && nowMs < open.untilMs) open.wasRead = true
    if (nowMs < end) {
      this.#note(id, nowMs)
      return 'fresh'
    }
    this.#settle(id, 1)
    this.#budget.missed()
    this.#note(id, nowMs)
    this.#endMs[id] = nowMs + this.#windows.freshMs
    this.#wait(id, nowMs + this.#windows.freshMs)
    return nowMs < end + this.#windows.staleMs ? 'stale' : 'miss'
  }

  #wait(id: number, atMs: number): void {
    const former = this.#places[id]
    if (former !== undefined) this.#wheel.drop(former)
    this.#places[id] = this.#wheel.set(id, atMs)
  }

  readonly #onDue = (id: number): void => {
    this.#places[id] = undefined
    const { freshMs } = this.#windows
    const end = this.#endMs[id] as number
    if (end > this.#now) return // stored again since
    const open = this.#open[id]
    const isOver = open !== undefined && !open.question.granted && open.untilMs <= this.#now && end < open.untilMs
    const at = id << ROW_SHIFT
    const arrivals = arrivalsAt(this.#rows, at)
    this.#settle(id, arrivals.reads)
    if (isOver) return
    const sinceMs = Math.max(0, end - ((this.#rows[at | LAST_READ] as number) << READ_TICK_SHIFT))
    const cell = this.#odds.cell(arrivals, sinceMs, freshMs)
    closePeriod(this.#rows, at)
    const question = this.#budget.ask(this.#odds.chance(cell), arrivals.reads)
    this.#open[id] = { cell, question, wasRead: false, untilMs: end + freshMs }
    if (question.granted) {
      this.#refreshed += 1
      this.#endMs[id] = end + freshMs
    }
    this.#wait(id, end + freshMs)
  }

  /** @param reads of the period, if there were any */
  #settle(id: number, reads: number): void {
    const open = this.#open[id]
    if (open === undefined) return
    this.#open[id] = undefined
    this.#odds.learn(open.cell, open.wasRead)
    this.#budget.settle(open.question, open.wasRead ? Math.max(1, reads) : 0)
  }

  #note(id: number, nowMs: number): void {
    const at = id << ROW_SHIFT
    const tick = Math.floor(nowMs / 2 ** READ_TICK_SHIFT) | 0
    if (this.#rows[at | LAST_READ] === 0 && this.#rows[at | ARRIVALS] === 0) this.#rows[at | LAST_READ] = tick
    if (this.#rows[at | LAST_READ] !== tick || this.#rows[at | ARRIVALS] === 0) noteRead(this.#rows, at, tick)
  }
}
