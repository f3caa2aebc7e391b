/**
 * Coalescing inside one process: the first caller of a key leads, the others wait for its answer.
 *
 * Floor 3, room flow. One flight per key and epoch: an invalidation that names a flight takes it out of the table, so
 * callers who waited already may get its answer, and whoever comes later starts another. A failed flight leaves the
 * table before its promise settles. Waiting lists and the table are bounded; a flight that its leader forgot is taken
 * out after `maxMs`. Costs one Map lookup per joining caller and no timer per caller.
 */
import type { Clock, Timer } from '../model/clock.ts'
import type { Position } from '../model/entry.ts'
import type { EventHub } from '../model/event.ts'
import type { LogRecord } from '../model/log.ts'
import { type Fence, names } from '../tier/fence.ts'
import type { Fill } from './fill.ts'

/** Bounds of flights. */
export interface FlightLimits {
  /** Callers that may wait for one flight. */
  readonly maxWaiters: number
  /** Flights at once. */
  readonly maxFlights: number
  /** A flight older than this leaves the table and sends its followers away, ms. */
  readonly maxMs: number
}

/** An answer and the tags learned with it. */
interface Answer<T> {
  readonly value: T
  readonly tags: readonly string[]
}

interface Flight<T> {
  readonly fill: Fill
  readonly settled: Promise<Answer<T> | undefined>
  settle: (answer: Answer<T> | undefined) => void
  reject: (error: unknown) => void
  waiters: number
  onEmpty: (() => void) | undefined
  timer: Timer | undefined
}

/** The caller leads: it asks the origin and must call `answer`, `fail` or `abandon`, then `end`. */
export interface Lead<T> {
  readonly role: 'lead'
  readonly fill: Fill
  /** Hands the answer to followers; `tags` are those learned from it. Followers may still join until `end`. */
  answer(value: T, tags?: readonly string[]): void
  /** Followers fail with the same error. Ends the flight. */
  fail(error: unknown): void
  /** Followers are sent away to find an answer of their own (private answer, leader cancelled). Ends the flight. */
  abandon(): void
  /** Takes the flight out of the table. Idempotent. */
  end(): void
  /** Callers waiting now. */
  waiters(): number
  /** Called each time the last waiter leaves before the answer. */
  onEmpty(run: () => void): void
}

/** The caller follows. */
export interface Follow<T> {
  readonly role: 'follow'
  /** When the flight began its reading. */
  readonly fill: Fill
  /**
   * The leader's answer, or undefined when this caller must find its own: private answer, forgotten flight, or an
   * invalidation of the answer's tags between the flight's asOf and this caller's arrival. Rejects with the leader's error.
   */
  wait(): Promise<T | undefined>
  /** Whether this caller may take an answer with which these tags were learned. */
  mayTake(tags: readonly string[]): boolean
  /** This caller no longer waits. */
  leave(): void
}

/** No place left: the caller gets a clear error or a reserve, never a stampede. */
export interface Full {
  readonly role: 'full'
  readonly waiters: number
}

/** A caller with his request and all that waits for its answer; measured, see docs/decisions/011. */
const CALLER_BYTES = 18 * 1024

/** See the module's header. */
export class Flights {
  readonly #table = new Map<string, Flight<unknown>>()
  readonly #fence: Fence
  readonly #clock: Clock
  readonly #events: EventHub
  readonly #limits: FlightLimits
  /** Callers that joined a flight instead of asking the origin. */
  joined = 0
  #waiting = 0
  /** Set while nothing may be shared: every caller leads a flight of his own that nobody finds. */
  alone = false

  constructor(parts: { fence: Fence; clock: Clock; events: EventHub; limits: FlightLimits }) {
    this.#fence = parts.fence
    this.#clock = parts.clock
    this.#events = parts.events
    this.#limits = parts.limits
    this.#fence.onAppend((record) => this.#detachNamed(record))
  }

  /** Flights in the table. */
  get size(): number {
    return this.#table.size
  }

  /** Bytes that loads and their waiting callers hold, about. */
  get heldBytes(): number {
    return (this.#table.size + this.#waiting) * CALLER_BYTES
  }

  /** Whether a flight of this key can be joined now. */
  has(key: string): boolean {
    return this.#table.has(key)
  }

  /**
   * Joins the flight of a key, or starts one.
   *
   * @param key the key
   * @param begin opens the reading; called only when this caller leads
   */
  enter<T>(key: string, begin: () => Fill): Lead<T> | Follow<T> | Full {
    const flight = this.#table.get(key) as Flight<T> | undefined
    if (flight !== undefined) {
      if (flight.waiters >= this.#limits.maxWaiters) return { role: 'full', waiters: flight.waiters }
      return this.#follow(flight)
    }
    if (this.#table.size >= this.#limits.maxFlights) return { role: 'full', waiters: 0 }
    return this.#lead(begin())
  }

  /** Takes every flight out of the table: those who wait are answered, whoever comes now leads his own. */
  scatter(): void {
    for (const flight of [...this.#table.values()]) this.#detach(flight)
  }

  /** Sends every follower away and forgets all flights. */
  close(): void {
    for (const flight of [...this.#table.values()]) {
      this.#remove(flight)
      flight.settle(undefined)
    }
  }

  #lead<T>(fill: Fill): Lead<T> {
    let settle!: (answer: Answer<T> | undefined) => void
    let reject!: (error: unknown) => void
    const settled = new Promise<Answer<T> | undefined>((resolve, fail) => {
      settle = resolve
      reject = fail
    })
    settled.catch(() => {}) // nobody may be waiting
    const flight: Flight<T> = { fill, settled, settle, reject, waiters: 0, onEmpty: undefined, timer: undefined }
    if (!this.alone) this.#table.set(fill.key, flight as Flight<unknown>)
    flight.timer = this.#clock.after(this.#limits.maxMs, () => {
      this.#remove(flight)
      flight.settle(undefined)
    })
    return {
      role: 'lead',
      fill,
      answer: (value, tags = []) => flight.settle({ value, tags }),
      fail: (error) => {
        this.#remove(flight)
        flight.reject(error)
      },
      abandon: () => {
        this.#remove(flight)
        flight.settle(undefined)
      },
      end: () => this.#remove(flight),
      waiters: () => flight.waiters,
      onEmpty: (run) => {
        flight.onEmpty = run
      },
    }
  }

  #follow<T>(flight: Flight<T>): Follow<T> {
    const arrival = this.#fence.horizon
    flight.waiters += 1
    this.#waiting += 1
    this.joined += 1
    if (this.#events.wants('flight:join')) this.#events.emit('flight:join', { key: flight.fill.key })
    let waiting = true
    const leave = (): void => {
      if (!waiting) return
      waiting = false
      flight.waiters -= 1
      this.#waiting -= 1
      if (flight.waiters === 0) flight.onEmpty?.()
    }
    return {
      role: 'follow',
      fill: flight.fill,
      leave,
      mayTake: (tags) => this.#mayTake(flight, tags, arrival),
      wait: async () => {
        try {
          const answer = await flight.settled
          if (answer === undefined || !this.#mayTake(flight, answer.tags, arrival)) return undefined
          return answer.value
        } finally {
          leave()
        }
      },
    }
  }

  /** Tags learned with the answer could not detach the flight while it was under way: judged here. */
  #mayTake<T>(flight: Flight<T>, learned: readonly string[], arrival: Position): boolean {
    const { key, namespace, asOf, tags } = flight.fill
    if (asOf >= arrival) return true
    const reading = { key, namespace, tags: learned.length === 0 ? tags : [...tags, ...learned] }
    if (!this.#fence.namedBetween(reading, asOf, arrival)) return true
    this.#remove(flight)
    return false
  }

  #remove<T>(flight: Flight<T>): void {
    flight.timer?.cancel()
    flight.timer = undefined
    if (this.#table.get(flight.fill.key) === flight) this.#table.delete(flight.fill.key)
  }

  #detachNamed(record: LogRecord): void {
    if (this.#table.size === 0) return
    for (const target of record.targets) {
      if (target.kind === 'key') {
        const flight = this.#table.get(target.key)
        if (flight !== undefined) this.#detach(flight)
        continue
      }
      // A copy: a listener that hears of the detaching may start the next flight at once.
      for (const flight of [...this.#table.values()]) if (names(target, flight.fill)) this.#detach(flight)
    }
  }

  /** Out of the table, but still answering those who wait; the timer goes on so that they are not forgotten. */
  #detach(flight: Flight<unknown>): void {
    this.#table.delete(flight.fill.key)
    if (this.#events.wants('flight:detach')) this.#events.emit('flight:detach', { key: flight.fill.key })
  }
}
