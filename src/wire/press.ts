/**
 * Where bodies wait to be compressed: so many at once, so many bytes in all, and what is more is turned away.
 *
 * Floor 1, room wire. Whoever is turned away goes without: nothing waits for a place, and nobody waits for the work. Work
 * begins in the order it came. A piece of work is charged the bytes it was taken with until it has ended. Where it is paced,
 * it takes no more than a share of a processor's time in the long run; for a while, after a start or a purge, it may take more.
 */
import type { Clock, Timer } from '../model/clock.ts'

/** How much time work may take. */
export interface Pace {
  readonly clock: Clock
  /** Time of work per time that passes, in the long run: 0.25 is a quarter of one processor. */
  readonly share: number
  /** Time of work that may be spent at once after a quiet while, ms. */
  readonly burstMs: number
}

/** Bounds of a press. */
export interface PressOptions {
  /** Bodies worked on at once; each takes one of libuv's threads, which names and files need too. */
  readonly concurrency: number
  /** Bytes of bodies waiting or worked on. */
  readonly maxBytes: number
  /** Default: work begins as soon as there is a place. */
  readonly pace?: Pace
  /** Told of every change of the bytes held; for whoever keeps the books of all memory. */
  readonly onCharge?: ((bytes: number) => void) | undefined
}

/** See the module's header. */
export class Press {
  readonly #options: PressOptions
  readonly #waiting: (() => void)[] = []
  #running = 0
  #bytes = 0
  /** Time of work that may be spent now, ms; below 0 when the last work took longer than there was. */
  #creditMs: number
  #creditAt = 0
  #timer: Timer | undefined

  constructor(options: PressOptions) {
    this.#options = options
    this.#creditMs = options.pace?.burstMs ?? 0
  }

  /** Bytes held by work that waits or runs. */
  get bytes(): number {
    return this.#bytes
  }

  /** Work that waits or runs. */
  get size(): number {
    return this.#running + this.#waiting.length
  }

  /** Whether work of so many bytes would be turned away now. */
  isFull(bytes: number): boolean {
    return this.#bytes + bytes > this.#options.maxBytes
  }

  /** @returns what the work gives, or undefined when it was turned away */
  take<T>(bytes: number, work: () => Promise<T>): Promise<T> | undefined {
    if (this.isFull(bytes)) return undefined
    this.#charge(bytes)
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push(() => {
        const beganAt = this.#now()
        work()
          .finally(() => this.#end(bytes, beganAt))
          .then(resolve, reject)
      })
      this.#next()
    })
  }

  #next(): void {
    const { concurrency } = this.#options
    while (this.#waiting.length > 0 && this.#running < concurrency && this.#timer === undefined) {
      if (this.#rests()) return
      this.#running += 1
      this.#waiting.shift()?.()
    }
  }

  /** Whether the time there was is spent; then work goes on by itself when there is some again. */
  #rests(): boolean {
    const { pace } = this.#options
    if (pace === undefined) return false
    const now = this.#now()
    this.#creditMs = Math.min(pace.burstMs, this.#creditMs + Math.max(0, now - this.#creditAt) * pace.share)
    this.#creditAt = now
    if (this.#creditMs > 0) return false
    this.#timer = pace.clock.after(Math.ceil(-this.#creditMs / pace.share) + 1, () => {
      this.#timer = undefined
      this.#next()
    })
    return true
  }

  #now(): number {
    return this.#options.pace?.clock.now() ?? 0
  }

  #end(bytes: number, beganAt: number): void {
    this.#running -= 1
    this.#creditMs -= Math.max(0, this.#now() - beganAt)
    this.#charge(-bytes)
    this.#next()
  }

  #charge(bytes: number): void {
    this.#bytes += bytes
    this.#options.onCharge?.(bytes)
  }
}
