/**
 * Where bodies wait to be compressed: so many at once, so many bytes in all, and what is more is turned away.
 *
 * Floor 1, room wire. Whoever is turned away goes without: nothing waits for a place, and nobody waits for the work. Work
 * begins in the order it came. A piece of work is charged the bytes it was taken with until it has ended.
 */

/** Bounds of a press. */
export interface PressOptions {
  /** Bodies worked on at once; each takes one of libuv's threads, which names and files need too. */
  readonly concurrency: number
  /** Bytes of bodies waiting or worked on. */
  readonly maxBytes: number
  /** Told of every change of the bytes held; for whoever keeps the books of all memory. */
  readonly onCharge?: ((bytes: number) => void) | undefined
}

/** See the module's header. */
export class Press {
  readonly #concurrency: number
  readonly #maxBytes: number
  readonly #onCharge: ((bytes: number) => void) | undefined
  readonly #waiting: (() => void)[] = []
  #running = 0
  #bytes = 0

  constructor({ concurrency, maxBytes, onCharge }: PressOptions) {
    this.#concurrency = concurrency
    this.#maxBytes = maxBytes
    this.#onCharge = onCharge
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
    return this.#bytes + bytes > this.#maxBytes
  }

  /** @returns what the work gives, or undefined when it was turned away */
  take<T>(bytes: number, work: () => Promise<T>): Promise<T> | undefined {
    if (this.isFull(bytes)) return undefined
    this.#charge(bytes)
    return new Promise<T>((resolve, reject) => {
      const start = (): void => {
        this.#running += 1
        work()
          .finally(() => this.#end(bytes))
          .then(resolve, reject)
      }
      if (this.#running < this.#concurrency) start()
      else this.#waiting.push(start)
    })
  }

  #end(bytes: number): void {
    this.#running -= 1
    this.#charge(-bytes)
    if (this.#running < this.#concurrency) this.#waiting.shift()?.()
  }

  #charge(bytes: number): void {
    this.#bytes += bytes
    this.#onCharge?.(bytes)
  }
}
