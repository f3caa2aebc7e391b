/**
 * A hashed timer wheel: many moments, most of which are moved or dropped before they come.
 *
 * Floor 1, room shelf. A moment falls into the slot of its tick modulo the wheel's size; each turn of the hand looks at one
 * slot's chain and takes what is due, leaving what is meant for a later round. Setting and dropping cost O(1) and no
 * allocation once the tables have grown; a turn costs the chain of its slot. Varghese and Lauck, "Hashed and Hierarchical
 * Timing Wheels", SOSP 1987, scheme 6.
 */

/** Names an item in the wheel; used again after it came or was dropped. */
export type WheelPlace = number

const NONE = -1
const FIRST_PLACES = 256

/** See the module's header. */
export class Wheel<T> {
  readonly #tickMs: number
  readonly #slots: Int32Array
  readonly #mask: number
  readonly #maxItems: number
  #next = new Int32Array(FIRST_PLACES)
  #previous = new Int32Array(FIRST_PLACES)
  #dueMs = new Float64Array(FIRST_PLACES)
  #items: (T | undefined)[] = []
  #free = NONE
  #used = 0
  #size = 0
  /** The tick that the hand has come to, all of it included. */
  #hand: number

  /**
   * @param tickMs moments within one tick come together, late by up to one
   * @param slots a power of two
   */
  constructor(options: { readonly tickMs: number; readonly slots: number; readonly maxItems: number; readonly nowMs: number }) {
    this.#tickMs = options.tickMs
    this.#slots = new Int32Array(options.slots).fill(NONE)
    this.#mask = options.slots - 1
    this.#maxItems = options.maxItems
    this.#hand = Math.floor(options.nowMs / options.tickMs)
  }

  /** Items that wait. */
  get size(): number {
    return this.#size
  }

  /** @returns undefined where there is no room */
  set(item: T, atMs: number): WheelPlace | undefined {
    if (this.#size >= this.#maxItems) return undefined
    const place = this.#take()
    this.#items[place] = item
    this.#dueMs[place] = atMs
    this.#size += 1
    this.#link(place)
    return place
  }

  /** What waits there. */
  at(place: WheelPlace): T | undefined {
    return this.#items[place]
  }

  drop(place: WheelPlace): void {
    if (this.#items[place] === undefined) return
    this.#unlink(place)
    this.#give(place)
  }

  /** Brings the hand to `nowMs` and hands out what has come due meanwhile; items may be set and dropped while it does. */
  turn(nowMs: number, onDue: (item: T) => void): void {
    const until = Math.floor(nowMs / this.#tickMs)
    // After a long pause every slot is due once: going round more often would find nothing new.
    let tick = Math.max(this.#hand + 1, until - this.#mask)
    for (; tick <= until; tick += 1) {
      this.#hand = tick
      this.#turnSlot(tick & this.#mask, nowMs, onDue)
    }
    this.#hand = Math.max(this.#hand, until)
  }

  #turnSlot(slot: number, nowMs: number, onDue: (item: T) => void): void {
    const due: T[] = []
    for (let place = this.#slots[slot] as number; place !== NONE; ) {
      const next = this.#next[place] as number
      if ((this.#dueMs[place] as number) <= nowMs) {
        due.push(this.#items[place] as T)
        this.#unlink(place)
        this.#give(place)
      }
      place = next
    }
    for (const item of due) onDue(item)
  }

  #link(place: number): void {
    // Never behind the hand: it would wait for a whole round.
    const tick = Math.max(Math.ceil((this.#dueMs[place] as number) / this.#tickMs), this.#hand + 1)
    const slot = tick & this.#mask
    const first = this.#slots[slot] as number
    this.#next[place] = first
    this.#previous[place] = ~slot
    if (first !== NONE) this.#previous[first] = place
    this.#slots[slot] = place
  }

  #unlink(place: number): void {
    const next = this.#next[place] as number
    const previous = this.#previous[place] as number
    if (next !== NONE) this.#previous[next] = previous
    if (previous < 0) this.#slots[~previous] = next
    else this.#next[previous] = next
  }

  #take(): number {
    if (this.#free !== NONE) {
      const place = this.#free
      this.#free = this.#next[place] as number
      return place
    }
    if (this.#used === this.#next.length) this.#grow()
    this.#used += 1
    return this.#used - 1
  }

  #give(place: number): void {
    this.#items[place] = undefined
    this.#next[place] = this.#free
    this.#free = place
    this.#size -= 1
  }

  #grow(): void {
    const places = this.#next.length * 2
    const [next, previous, dueMs] = [new Int32Array(places), new Int32Array(places), new Float64Array(places)]
    next.set(this.#next)
    previous.set(this.#previous)
    dueMs.set(this.#dueMs)
    this.#next = next
    this.#previous = previous
    this.#dueMs = dueMs
  }
}
