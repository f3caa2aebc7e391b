/**
 * A node's clock in a drill: the world's time, and timers that ring when the node is due.
 */
import type { Clock, Timer } from '../../../src/model/clock.ts'
import type { World } from './world.ts'

/** Longer ones never come due in a drill. */
const LONGEST_MS = 999
const NEVER = Number.POSITIVE_INFINITY
const NO_TIMER: Timer = { cancel: () => {} }

interface Alarm extends Timer {
  at: number
  readonly run: () => void
}

/** See the module's header. */
export class Alarms {
  readonly clock: Clock
  readonly #world: World
  #waiting: Alarm[] = []

  constructor(world: World) {
    this.#world = world
    this.clock = {
      now: () => world.now,
      coarse: () => world.now,
      wall: () => world.now,
      after: (ms, run) => this.#set(ms, run),
      get tick() {
        return world.tick
      },
    }
  }

  clear(): void {
    this.#waiting.length = 0
  }

  ring(): void {
    const { now } = this.#world
    for (let i = this.#waiting.length - 1; i >= 0; i -= 1) {
      const alarm = this.#waiting[i]
      if (alarm === undefined || (alarm.at > now && alarm.at < NEVER)) continue
      this.#waiting.splice(i, 1)
      if (alarm.at <= now) alarm.run()
    }
  }

  #set(ms: number, run: () => void): Timer {
    if (ms > LONGEST_MS) return NO_TIMER
    const alarm: Alarm = {
      at: this.#world.now + ms,
      run,
      cancel: () => {
        alarm.at = NEVER
      },
    }
    this.#waiting.push(alarm)
    return alarm
  }
}
