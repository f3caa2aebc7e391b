/**
 * A process in virtual time, which may stand still.
 */
import type { Clock } from '../../src/model/clock.ts'

/** A process: everything in it happens only while it runs. */
export class Process {
  readonly clock: Clock
  readonly #random: () => number
  #waiting: (() => void)[] = []
  isStopped = false
  isDead = false

  constructor(clock: Clock, random: () => number) {
    this.#random = random
    this.clock = {
      now: () => clock.now(),
      coarse: () => clock.coarse(),
      wall: () => clock.wall(),
      get tick() {
        return clock.tick
      },
      after: (ms, run) => {
        let isCancelled = false
        const timer = clock.after(ms, () => this.do(() => isCancelled || run()))
        const cancel = (): void => {
          isCancelled = true
          timer.cancel()
        }
        return { cancel }
      },
    }
  }

  do(run: () => void): void {
    if (this.isDead) return
    if (this.isStopped) this.#waiting.push(run)
    else run()
  }

  /** Goes on: each kind of work in its order, kinds mixed by chance. */
  resume(): void {
    this.isStopped = false
    const waiting = this.#waiting
    this.#waiting = []
    if (this.#random() < 0.5) waiting.reverse() // timers before messages, or after them
    for (const run of waiting) this.do(run)
  }
}
