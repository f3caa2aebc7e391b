/**
 * Those who ask: what was chosen waits in line, the urgent first, and is asked for as the gate, the budget and the outcomes allow.
 *
 * Floor 3, room flow. A key is asked for once a choice, however it ends. Bounded by the keys that are remembered.
 */
import { COUNTER, type CounterName } from '../model/metric.ts'
import type { Entry } from '../model/entry.ts'
import type { HotBook, HotKey } from './warm-book.ts'
import { isUrgent, type WarmBudget, type WarmCause } from './warm-budget.ts'
import { type Choice, freshEnd } from './warm-choice.ts'
import { type Hold, WarmGate } from './warm-gate.ts'
import type { WarmOutcomes } from './warm-outcomes.ts'
import type { WarmPartsInput } from './warm-parts.ts'

/** What a crew works with. */
export interface WarmCrewParts extends WarmPartsInput {
  readonly book: HotBook
  readonly budget: WarmBudget
  readonly outcomes: WarmOutcomes
  /** Counts how often a key was read until now: asking for it reads it too. */
  look(hot: HotKey): void
}

const RANK: Readonly<Record<WarmCause, number>> = { bump: 0, start: 1, rhythm: 2, quiet: 3 }
const COUNTED: Readonly<Record<WarmCause, CounterName>> = {
  bump: 'warmBump',
  start: 'warmStart',
  rhythm: 'warmRhythm',
  quiet: 'warmQuiet',
}
const HELD: Readonly<Partial<Record<Hold, CounterName>>> = {
  slow: 'warmHeldSlow',
  failed: 'warmHeldFailed',
  memory: 'warmHeldMemory',
}
/** Readings in a row that left nothing to store: then it is not asked for any more. */
const MAX_FAILURES = 4

/** See the module's header. */
export class WarmCrew {
  readonly #parts: WarmCrewParts
  readonly #gate: WarmGate
  #line: Choice[] = []
  readonly #chosen = new Set<string>()
  /** Being asked for now. */
  readonly #own = new Map<HotKey, Choice>()
  #ask: ((words: string) => Promise<void>) | undefined
  #rename: (key: string) => string = (key) => key
  #isSighted: () => boolean = () => true
  #held: Hold | undefined

  constructor(parts: WarmCrewParts) {
    this.#parts = parts
    const { clock, pulse, governor, settings } = parts
    const { slowAt, concurrency } = settings
    this.#gate = new WarmGate({ clock, pulse, governor, slowAt, concurrency, isSighted: () => this.#isSighted() })
  }

  get waiting(): number {
    return this.#line.length
  }

  /** Nothing waits, nothing is under way. */
  get isIdle(): boolean {
    return this.#line.length === 0 && this.#own.size === 0
  }

  teach(ask: (words: string) => Promise<void>): void {
    this.#ask = ask
  }

  follow(rename: (key: string) => string): void {
    this.#rename = rename
  }

  /** Says whether invalidations of others would be heard of. */
  heed(isSighted: () => boolean): void {
    this.#isSighted = isSighted
  }

  isOwn(hot: HotKey): boolean {
    return this.#own.has(hot)
  }

  add(choices: readonly Choice[]): void {
    const fresh = choices.filter(({ hot: { key } }) => !this.#chosen.has(key))
    if (fresh.length === 0) return
    for (const { hot } of fresh) this.#chosen.add(hot.key)
    this.#line = [...this.#line, ...fresh].sort((a, b) => RANK[a.cause] - RANK[b.cause])
  }

  /** What was asked for was stored. */
  kept(hot: HotKey, { key, storedAt, budget }: Entry): void {
    const choice = this.#own.get(hot)
    if (choice === undefined) return
    const { cause, neededAtMs } = choice
    const spared = cause === 'quiet' ? Math.min(1, Math.max(0, 1 - (neededAtMs - storedAt) / Math.max(1, budget.freshMs))) : 1
    this.#parts.outcomes.warmed({ key, cause, route: hot.route, storedAt, untilMs: storedAt + budget.freshMs, spared })
    this.#own.delete(hot)
  }

  /** Asks for as much as may be asked for now. */
  run(): void {
    const { clock, budget, outcomes } = this.#parts
    for (let next = this.#line[0]; next !== undefined; next = this.#line[0]) {
      const now = clock.now()
      if (!this.#isWanted(next, now) || !outcomes.allows(next.cause, next.hot.route, now)) {
        this.#leave()
        continue
      }
      const hold = this.#gate.hold(next.cause)
      this.#tell(hold)
      if (hold !== undefined) return this.#wait(hold)
      if (this.#gate.running >= this.#gate.width || !budget.take(next.cause, now)) return
      this.#leave()
      if (this.#start(next)) continue
      if (isUrgent(next.cause)) this.add([next]) // its former reading has not quite ended
      return
    }
  }

  close(): void {
    this.#line = []
    this.#chosen.clear()
    this.#own.clear()
  }

  #leave(): void {
    const gone = this.#line.shift()
    if (gone !== undefined) this.#chosen.delete(gone.hot.key)
  }

  /** What is not urgent is chosen anew when the origin is well again; the urgent waits, until its time is over. */
  #wait(hold: Hold): void {
    if (hold === 'busy' || hold === 'blind') return
    const left = this.#line.filter(({ cause }) => isUrgent(cause))
    for (const { cause, hot } of this.#line) if (!isUrgent(cause)) this.#chosen.delete(hot.key)
    this.#line = left
  }

  #tell(hold: Hold | undefined): void {
    const counted = hold === undefined || hold === this.#held ? undefined : HELD[hold]
    if (counted !== undefined) this.#parts.meter.count(COUNTER[counted])
    if (hold !== 'pause') this.#held = hold
  }

  #isWanted({ hot, cause, untilMs, neededAtMs }: Choice, now: number): boolean {
    const { memory, backoff, flights, budget } = this.#parts
    if (now >= untilMs || (typeof hot.ask === 'string' && this.#ask === undefined)) return false
    if (!budget.affords(cause)) return false
    const key = this.#rename(hot.key)
    if (flights.has(key) || backoff.leftMs(key) > 0) return false
    return freshEnd(memory.look(key)) <= Math.max(neededAtMs, now)
  }

  /** @returns whether it is under way */
  #start(choice: Choice): boolean {
    const { book, refreshes, meter, outcomes, clock } = this.#parts
    const { hot, cause } = choice
    const key = this.#rename(hot.key)
    this.#parts.look(hot)
    outcomes.leave(hot.key, clock.now())
    if (key !== hot.key) book.move(hot, key)
    const { horizon } = this.#parts.fence
    const run = async (): Promise<void> => {
      let isGood = false
      try {
        await (typeof hot.ask === 'string' ? this.#ask?.(hot.ask) : hot.ask(key))
        isGood = true
      } finally {
        this.#ended(choice, isGood, horizon)
      }
    }
    this.#own.set(hot, choice)
    this.#gate.began(choice, hot.route)
    const isStarted = refreshes.start(key, run, hot.route)
    if (isStarted) meter.count(COUNTER[COUNTED[cause]], hot.route)
    else {
      this.#own.delete(hot)
      this.#gate.ended(choice, true)
    }
    return isStarted
  }

  /** @param horizon of the fence when it began */
  #ended(choice: Choice, isGood: boolean, horizon: number): void {
    const { memory, meter, book, clock, fence } = this.#parts
    const { hot } = choice
    this.#gate.ended(choice, isGood)
    hot.rowReads = memory.arrivals(hot.key)?.reads ?? 0
    const isKept = !this.#own.delete(hot)
    if (!isGood) return meter.count(COUNTER.warmFailed, hot.route)
    // It may stand though this reading was not kept: somebody else's was newer, or another process had it.
    if (!isKept && freshEnd(memory.look(hot.key)) <= clock.now()) {
      if (fence.horizon === horizon) hot.failures += 1
      else if (isUrgent(choice.cause)) this.add([choice]) // it was invalidated meanwhile
    }
    if (hot.failures >= MAX_FAILURES) book.drop(hot.key)
    if (this.#line.length > 0) queueMicrotask(() => this.run())
  }
}
