/**
 * Work for the second level that nobody waits for: the latest of each key, a bounded number of bytes, a few at once.
 *
 * Floor 3, room flow. Work begins in a later turn than it was given, so that it delays no answer. What finds no room is
 * shed; while the store cannot be reached everything is.
 */
/** One thing to be done. */
export interface Behind {
  readonly key: string
  /** What waiting holds. */
  readonly bytes: number
  /** Never rejects. */
  run(): Promise<void>
}

/** Parts and bounds. */
export interface WriteBehindParts {
  readonly maxBytes: number
  readonly concurrency: number
  /** Whether it makes sense to begin. */
  isUp(): boolean
  /** Hears of the bytes that wait, more or fewer. */
  onCharge(bytes: number): void
  onShed(): void
}

/** Begun in one turn of the event loop. */
const PER_TURN = 8
/** The places of one that waits. */
const PLACE_BYTES = 256

/** See the module's header. */
export class WriteBehind {
  readonly #parts: WriteBehindParts
  readonly #waiting = new Map<string, Behind>()
  #bytes = 0
  #running = 0
  #isArmed = false
  #isClosed = false
  #idle: (() => void)[] = []
  /** What waits or is under way, by its key. */
  readonly #open = new Set<Behind>()
  readonly #settling = new Set<{ readonly works: Set<Behind>; readonly resolve: () => void }>()

  constructor(parts: WriteBehindParts) {
    this.#parts = parts
  }

  /** Bytes of what waits or is under way. */
  get bytes(): number {
    return this.#bytes
  }

  /** What waits or is under way. */
  get size(): number {
    return this.#waiting.size + this.#running
  }

  /** Replaces what waits for the same key. */
  put(work: Behind): void {
    if (this.#isClosed || !this.#parts.isUp()) return this.#parts.onShed()
    const former = this.#waiting.get(work.key)
    const heard = [...this.#settling].filter(({ works }) => former !== undefined && works.has(former))
    for (const { works } of heard) works.add(work) // who waits for the former waits for what replaces it
    if (former !== undefined) this.#take(former)
    if (this.#bytes + work.bytes + PLACE_BYTES > this.#parts.maxBytes) {
      this.#settle(work)
      return this.#parts.onShed()
    }
    this.#waiting.set(work.key, work)
    this.#open.add(work)
    this.#charge(work.bytes + PLACE_BYTES)
    this.#arm()
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    if (this.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  /** Resolves when what waits or is under way now for keys that begin so has come to an end. */
  async settled(prefix: string): Promise<void> {
    const works = new Set([...this.#open].filter(({ key }) => key.startsWith(prefix)))
    if (works.size > 0) await new Promise<void>((resolve) => this.#settling.add({ works, resolve }))
  }

  close(): void {
    this.#isClosed = true
    for (const work of [...this.#waiting.values()]) this.#take(work)
    this.#tellIdle()
  }

  #arm(): void {
    if (this.#isArmed || this.#waiting.size === 0 || this.#running >= this.#parts.concurrency) return
    this.#isArmed = true
    setImmediate(() => {
      this.#isArmed = false
      this.#begin()
    })
  }

  #begin(): void {
    const room = Math.min(PER_TURN, this.#parts.concurrency - this.#running)
    for (const work of [...this.#waiting.values()].slice(0, room)) {
      this.#waiting.delete(work.key)
      if (this.#parts.isUp()) void this.#run(work)
      else {
        this.#end(work)
        this.#parts.onShed()
      }
    }
    this.#arm()
    this.#tellIdle()
  }

  async #run(work: Behind): Promise<void> {
    this.#running += 1
    try {
      await work.run()
    } finally {
      this.#running -= 1
      this.#end(work)
      this.#arm()
      this.#tellIdle()
    }
  }

  #take(work: Behind): void {
    this.#waiting.delete(work.key)
    this.#end(work)
  }

  #end(work: Behind): void {
    this.#charge(-work.bytes - PLACE_BYTES)
    this.#open.delete(work)
    this.#settle(work)
  }

  #settle(work: Behind): void {
    for (const one of this.#settling) {
      one.works.delete(work)
      if (one.works.size > 0) continue
      this.#settling.delete(one)
      one.resolve()
    }
  }

  #charge(bytes: number): void {
    this.#bytes += bytes
    this.#parts.onCharge(bytes)
  }

  #tellIdle(): void {
    if (this.size > 0) return
    const waiting = this.#idle
    this.#idle = []
    for (const resolve of waiting) resolve()
  }
}
