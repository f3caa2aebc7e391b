/**
 * The judge of what readers are shown: every promise of coherence as a check of one hit against the server's history.
 *
 * A hit is judged by the newest state that bears its value. What each reader knows is carried as a number of changes: all
 * that had happened when what he was told was written.
 */
import type { VirtualClock } from '../../src/model/virtual-clock.ts'
import type { State, TrackedRedis } from './tracked-redis.ts'

/** What a reader knows. */
export class Knowledge {
  /** Changes up to here have been told of, by values that he has seen. */
  known = 0
  /** By name: the last state that he wrote himself, and how many writes of his are under way. */
  readonly own = new Map<string, number>()
  readonly underWay = new Map<string, number>()
}

/** What is promised. */
export interface Promised {
  readonly maxStaleMs: number
  readonly isCausal: boolean
}

/** See the module's header. */
export class Judge {
  readonly #redis: TrackedRedis
  readonly #clock: VirtualClock
  readonly #promised: Promised
  /** By key: changes that pushes which have arrived have told of. */
  readonly #pushed = new Map<string, number>()
  #pushedAll = 0
  /** By name: changes that were confirmed through this process, to anybody. */
  readonly #confirmed = new Map<string, number>()
  /** By key: how many invalidations there were when it was last named. */
  readonly #invalidated = new Map<string, number>()
  invalidations = 0
  hits = 0
  readonly faults: string[] = []

  constructor(redis: TrackedRedis, clock: VirtualClock, promised: Promised) {
    this.#redis = redis
    this.#clock = clock
    this.#promised = promised
  }

  /** A push has been taken in. */
  pushed(names: readonly string[] | 'everything', index: number): void {
    if (names === 'everything') this.#pushedAll = index
    else for (const name of names) this.#pushed.set(name, index)
  }

  /** Another door has invalidated keys, and was told so. */
  invalidated(keys: readonly string[]): void {
    this.invalidations += 1
    for (const key of keys) this.#invalidated.set(key, this.invalidations)
  }

  /** A reader is given what was asked for when there were so many invalidations. */
  believed(key: string, since: number): void {
    if ((this.#invalidated.get(key) ?? 0) > since) this.#fault(`${key}: believed though it was invalidated`)
  }

  /** A write through this process is about to be confirmed. @param db undefined: in any */
  confirmed(name: string, index: number): void {
    this.#confirmed.set(name, Math.max(index, this.#confirmed.get(name) ?? 0))
  }

  /** A reader was told a value by the server: he knows what it tells of. */
  learns(reader: Knowledge, of: { readonly db: number; readonly key: string; readonly value: number }): void {
    // Absence has many states: it tells of the first.
    const state = this.#redis.states(of.db, of.key).find(({ value }) => value === of.value)
    if (state !== undefined) reader.known = Math.max(reader.known, state.index)
  }

  /** A reader is shown a value from memory. */
  shown(reader: Knowledge, { db, key, value }: { readonly db: number; readonly key: string; readonly value: number }): void {
    this.hits += 1
    const name = `${db} ${key}`
    const states = this.#redis.states(db, key)
    const state = this.#stateOf(db, key, value)
    if (state === undefined) return this.#fault(`${name}: ${value} was never there`)
    const next = states[states.indexOf(state) + 1]
    const now = this.#clock.now()
    // What was replaced meanwhile is late news: its successor's time was asked for.
    const isReplaced = states.slice(states.indexOf(state) + 1).some((later) => later.value !== 0)
    if (state.endsAt < now && !isReplaced) this.#fault(`${name}: ${value} outlived its time by ${now - state.endsAt} ms`)
    if (next !== undefined) {
      if (now - next.at > this.#promised.maxStaleMs) this.#fault(`${name}: ${value} was replaced ${now - next.at} ms ago`)
      if (Math.max(this.#pushed.get(key) ?? 0, this.#pushedAll) >= next.index)
        this.#fault(`${name}: ${value} though the push had come`)
      if ((this.#confirmed.get(name) ?? 0) >= next.index) this.#fault(`${name}: ${value} though its replacement was confirmed`)
      if ((reader.own.get(name) ?? 0) >= next.index) this.#fault(`${name}: ${value} is older than the reader's own`)
      if (this.#promised.isCausal && reader.known >= next.index)
        this.#fault(`${name}: ${value} is older than what the reader knew`)
    }
    if ((reader.underWay.get(name) ?? 0) > 0) this.#fault(`${name}: ${value} from memory behind the reader's own write`)
    this.learns(reader, { db, key, value })
  }

  /** A reader is shown what another one's question was answered. @param knew what he knew when he joined */
  joined(
    of: { readonly db: number; readonly key: string; readonly value: number },
    knew: { readonly known: number; readonly own: number },
  ): void {
    const states = this.#redis.states(of.db, of.key)
    const next = states[states.findLastIndex((state) => state.value === of.value) + 1]
    if (next === undefined) return
    if (knew.own >= next.index) this.#fault(`${of.key}: joined what is older than the reader's own`)
    if (this.#promised.isCausal && knew.known >= next.index) this.#fault(`${of.key}: joined what is older than the reader knew`)
  }

  #stateOf(db: number, key: string, value: number): State | undefined {
    return this.#redis.states(db, key).findLast((state) => state.value === value)
  }

  #fault(text: string): void {
    this.faults.push(`at ${this.#clock.now().toFixed(2)}: ${text}`)
  }
}
