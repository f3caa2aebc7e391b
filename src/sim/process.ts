/**
 * A process in virtual time: it runs, stands still, dies and begins another life.
 *
 * Floor 1, room sim. Everything in it happens through its clock or because a message reached it. While it stands still both
 * wait; then it goes on with timers or messages first, and messages in any order: they lie in many sockets. What belonged to a former life never happens.
 */
import type { Clock, Timer } from '../model/clock.ts'
import type { VirtualClock } from '../model/virtual-clock.ts'
import type { Chance } from './chance.ts'

/** What wakes a process. */
export type Cause = 'timer' | 'message'

/** What a process lives in. */
export interface ProcessParts {
  readonly name: string
  readonly clock: VirtualClock
  readonly chance: Chance
  /** How far its clocks are from the world's, ms. */
  readonly skewMs?: number
}

/** See the module's header. */
export class Process {
  readonly name: string
  /** Its own time: steady and wall clock are skewed against those of others, timers fire only while it runs. */
  readonly clock: Clock
  readonly #chance: Chance
  #timers: (() => void)[] = []
  #messages: (() => void)[] = []
  #life = 1
  #isDead = false
  #stops = 0
  #wallShiftMs = 0

  constructor({ name, clock, chance, skewMs = 0 }: ProcessParts) {
    this.name = name
    this.#chance = chance
    this.clock = {
      now: () => clock.now() + skewMs,
      coarse: () => clock.coarse() + skewMs,
      wall: () => clock.wall() + Math.floor(skewMs + this.#wallShiftMs),
      get tick() {
        return clock.tick
      },
      after: (ms, run) => this.#after(clock, ms, run),
    }
  }

  /** Counts its lives; another one after every crash. */
  get life(): number {
    return this.#life
  }

  get isDead(): boolean {
    return this.#isDead
  }

  get isRunning(): boolean {
    return !this.#isDead && this.#stops === 0
  }

  /** Runs now, or when the process goes on; never if this life ends before. */
  do(cause: Cause, run: () => void): void {
    if (this.#isDead) return
    if (this.#stops > 0) (cause === 'timer' ? this.#timers : this.#messages).push(run)
    else run()
  }

  /** What is only to be done in the life that is now. */
  bound(cause: Cause, run: () => void): () => void {
    const life = this.#life
    return () => {
      if (life === this.#life) this.do(cause, run)
    }
  }

  /** Stands still, as SIGSTOP or a long collection makes it; each call wants its `resume`. */
  pause(): void {
    this.#stops += 1
  }

  /** Goes on. */
  resume(): void {
    if (this.#stops === 0) return
    this.#stops -= 1
    if (this.#stops > 0) return
    const [timers, messages] = [this.#timers, this.#messages]
    this.#timers = []
    this.#messages = []
    this.#shuffle(messages)
    const isTimersFirst = timers.length === 0 || messages.length === 0 || this.#chance.hits(0.5)
    for (const run of isTimersFirst ? [...timers, ...messages] : [...messages, ...timers]) run()
  }

  /** Dies at once; nothing of this life happens any more. */
  crash(): void {
    this.#isDead = true
    this.#life += 1
    this.#stops = 0
    this.#timers = []
    this.#messages = []
  }

  /** Begins another life, with nothing left of the former. */
  restart(): void {
    this.#isDead = false
  }

  /** Steps its wall clock alone, as an administrator or NTP would. */
  stepWall(byMs: number): void {
    this.#wallShiftMs += byMs
  }

  #shuffle(messages: (() => void)[]): void {
    for (let at = messages.length - 1; at > 0; at -= 1) {
      const other = this.#chance.below(at + 1)
      const message = messages[at] as () => void
      messages[at] = messages[other] as () => void
      messages[other] = message
    }
  }

  #after(clock: VirtualClock, ms: number, run: () => void): Timer {
    if (this.#isDead) return { cancel: () => {} }
    let isCancelled = false
    const fire = this.bound('timer', () => isCancelled || run())
    const timer = clock.after(ms, fire)
    return {
      cancel: () => {
        isCancelled = true
        timer.cancel()
      },
    }
  }
}
