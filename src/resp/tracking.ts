/**
 * T: the one connection per upstream, process and user on which Redis tells what has changed.
 *
 * Floor 4, room resp. A state machine over a port, because sockets live one floor up: connect, HELLO 3, CLIENT TRACKING ON
 * BCAST, what the server is and which commands it has, the first PING; then it carries pushes, fences, looks at the rules
 * of access and touches hot keys. Silence ends it, its end voids everything that is kept, and it comes back with growing
 * pauses. Where the server or our rights do not allow it, it says so once and looks again now and then.
 */
import type { Clock, Timer } from '../model/clock.ts'
import { textOf } from '../model/errors.ts'
import type { Random } from '../model/random.ts'
import type { Coherence } from './coherence.ts'
import type { HotKeys } from './coherence-touch.ts'
import { TrackingLife, type Upstream } from './tracking-life.ts'
import type { TrackingPort } from './tracking-port.ts'
import { Toucher } from './tracking-touch.ts'

/** `on`: memory may answer. `refused`: it may not as things are; looked at again now and then. */
export type TrackingState = 'connecting' | 'on' | 'waiting' | 'refused' | 'closed'

/** What it is made of. */
export interface TrackingParts {
  readonly coherence: Coherence
  readonly port: TrackingPort
  readonly clock: Clock
  readonly random: Random
  readonly username: string | undefined
  readonly password: string | undefined
  /** Prefixes of the keys that are kept; none: all. Other keys must not be filled. */
  readonly prefixes: readonly string[]
  /** Keys that are read from memory and have to stay hot in the upstream. */
  readonly hot?: HotKeys | undefined
  /** Each change of state, once. */
  readonly onState: (state: TrackingState, reason: string) => void
}

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5000
/** Where it was refused it is tried again so often. */
const REFUSED_PAUSE_MS = 60_000

/** See the module's header. */
export class Tracking {
  readonly #parts: TrackingParts
  #life: TrackingLife | undefined
  #toucher: Toucher | undefined
  #pause: Timer | undefined
  #failures = 0
  #state: TrackingState = 'closed'
  #reason = ''

  constructor(parts: TrackingParts) {
    this.#parts = parts
  }

  /** What is known of the upstream while it is `on`. */
  get upstream(): Upstream | undefined {
    return this.#life?.upstream
  }

  get state(): TrackingState {
    return this.#state
  }

  /** Connects, once; it stays up by itself until `close`. */
  open(): void {
    if (this.#state === 'closed') this.#connect()
  }

  /**
   * Asks how long keys of a database still live: for readings that were sent elsewhere without PTTL behind them.
   *
   * @param told once for each key, in order; as PTTL answers, NaN where it does not
   */
  lifetimes(database: number, keys: readonly (string | Uint8Array)[], told: (pttlMs: number) => void): void {
    if (this.#life === undefined) for (const _ of keys) told(Number.NaN)
    else this.#life.lifetimes(database, keys, told)
  }

  /** Ends it for good. */
  close(): void {
    this.#pause?.cancel()
    this.#drop()
    this.#tell('closed', 'closed')
  }

  /** Whatever was wrong may be right now, such as a changed address: does not wait for the pause to be over. */
  retry(): void {
    if (this.#state !== 'waiting' && this.#state !== 'refused') return
    this.#pause?.cancel()
    this.#connect()
  }

  #connect(): void {
    this.#tell('connecting', '')
    const { port, clock, coherence, prefixes, username, password } = this.#parts
    const life = new TrackingLife({
      ...{ clock, coherence, prefixes, login: { username, password } },
      onProven: () => this.#proven(life),
      onEnd: (reason, isLasting) => {
        if (this.#life === life) this.#fail(reason, isLasting)
      },
    })
    this.#life = life
    try {
      life.start(port)
    } catch (error) {
      this.#fail(textOf(error instanceof Error ? error.message : error), false)
    }
  }

  #proven(life: TrackingLife): void {
    const { clock, hot } = this.#parts
    this.#failures = 0
    if (hot !== undefined) this.#toucher = new Toucher({ clock, hot, life })
    this.#tell('on', '')
  }

  #fail(reason: string, isLasting: boolean): void {
    this.#drop()
    this.#failures += 1
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures - 1, 10))
    const pauseMs = isLasting ? REFUSED_PAUSE_MS : longest * (0.5 + this.#parts.random() / 2)
    this.#pause = this.#parts.clock.after(pauseMs, () => this.#connect())
    this.#tell(isLasting ? 'refused' : 'waiting', reason)
  }

  #drop(): void {
    const life = this.#life
    this.#life = undefined
    this.#toucher?.close()
    this.#toucher = undefined
    life?.end()
  }

  #tell(state: TrackingState, reason: string): void {
    if (state === this.#state && reason === this.#reason) return
    // While it only comes and goes on trying, the same complaint is not repeated.
    const isAgain = state === 'connecting' && (this.#state === 'waiting' || this.#state === 'refused')
    this.#state = state
    if (isAgain || (state !== 'on' && reason === this.#reason && reason !== '')) return
    this.#reason = reason
    this.#parts.onState(state, reason)
  }
}
