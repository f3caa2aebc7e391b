/**
 * Touches in the upstream what is hot in memory, where the upstream forgets by use.
 *
 * Floor 4, room resp. At most one batch in a quarter of a second, on the tracking connection. Whether the server forgets by use is
 * asked when it is first needed and now and then again, because it can be configured while it runs.
 */
import type { Clock, Timer } from '../model/clock.ts'
import type { HotKeys } from './coherence-touch.ts'
import { encodeCommand, forgetsByUse } from './tracking-commands.ts'
import type { TrackingLife } from './tracking-life.ts'
import { ReplyError } from './tracking-reader.ts'

/** What it is made of. */
export interface ToucherParts {
  readonly clock: Clock
  readonly hot: HotKeys
  readonly life: TrackingLife
}

const EVERY_MS = 250
const ASK_EVERY_MS = 30_000

/** See the module's header. */
export class Toucher {
  readonly #parts: ToucherParts
  #timer: Timer
  #askedMs = Number.NEGATIVE_INFINITY
  #forgets = false
  #isRefused = false

  constructor(parts: ToucherParts) {
    this.#parts = parts
    this.#timer = this.#arm()
  }

  close(): void {
    this.#timer.cancel()
  }

  #arm(): Timer {
    return this.#parts.clock.after(EVERY_MS, () => {
      this.#timer = this.#arm()
      const { hot } = this.#parts
      if (hot.size === 0) return
      this.#ask()
      if (this.#forgets && !this.#isRefused) this.#touch()
      else hot.clear()
    })
  }

  #ask(): void {
    const { clock, life } = this.#parts
    if (clock.now() - this.#askedMs < ASK_EVERY_MS) return
    this.#askedMs = clock.now()
    life.ask(encodeCommand(['INFO', 'memory']), (reply) => (this.#forgets = forgetsByUse(reply)))
  }

  #touch(): void {
    const { hot, life } = this.#parts
    const done = (reply: unknown): void => {
      if (reply instanceof ReplyError && reply.text.startsWith('NOPERM')) this.#isRefused = true
    }
    for (const { database, keys } of hot.take()) {
      life.choose(database)
      // Keys of a cluster lie in different slots, and one command names one slot only.
      if (life.upstream?.isClustered === true) for (const key of keys) life.ask(encodeCommand(['TOUCH', key]), done)
      else life.ask(encodeCommand(['TOUCH', ...keys]), done)
    }
  }
}
