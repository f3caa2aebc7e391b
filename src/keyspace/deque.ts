/**
 * Elements in order, taken and given at both ends in O(1), reached by index in O(1).
 *
 * Floor 3, room keyspace. A ring in an array whose length is a power of two; inserting and removing inside move the
 * elements behind, O(n). It shrinks when three quarters are free.
 */

const LEAST = 8

/** See the module's header. */
export class Deque<T> {
  #ring: (T | undefined)[] = new Array<T | undefined>(LEAST)
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  /** @param index from 0 to size - 1 */
  at(index: number): T {
    return this.#ring[(this.#head + index) & (this.#ring.length - 1)] as T
  }

  /** @param index from 0 to size - 1 */
  put(index: number, value: T): void {
    this.#ring[(this.#head + index) & (this.#ring.length - 1)] = value
  }

  push(value: T): void {
    if (this.#size === this.#ring.length) this.#resize(this.#ring.length * 2)
    this.#ring[(this.#head + this.#size) & (this.#ring.length - 1)] = value
    this.#size += 1
  }

  unshift(value: T): void {
    if (this.#size === this.#ring.length) this.#resize(this.#ring.length * 2)
    this.#head = (this.#head - 1) & (this.#ring.length - 1)
    this.#ring[this.#head] = value
    this.#size += 1
  }

  pop(): T | undefined {
    if (this.#size === 0) return undefined
    const place = (this.#head + this.#size - 1) & (this.#ring.length - 1)
    const value = this.#ring[place]
    this.#ring[place] = undefined
    this.#size -= 1
    this.#shrink()
    return value
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined
    const value = this.#ring[this.#head]
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.#size -= 1
    this.#shrink()
    return value
  }

  /** @param index from 0 to size */
  insert(index: number, value: T): void {
    this.push(value)
    for (let i = this.#size - 1; i > index; i -= 1) this.put(i, this.at(i - 1))
    this.put(index, value)
  }

  /** Keeps the elements of [from, end). */
  keep(from: number, end: number): void {
    const kept = new Deque<T>()
    for (let i = from; i < end; i += 1) kept.push(this.at(i))
    this.#take(kept)
  }

  /** Keeps what the predicate wants; it is asked from front to back. */
  filter(wanted: (value: T) => boolean): void {
    const kept = new Deque<T>()
    for (let i = 0; i < this.#size; i += 1) if (wanted(this.at(i))) kept.push(this.at(i))
    this.#take(kept)
  }

  #take(other: Deque<T>): void {
    this.#ring = other.#ring
    this.#head = other.#head
    this.#size = other.#size
  }

  #shrink(): void {
    if (this.#ring.length > LEAST && this.#size * 4 < this.#ring.length) this.#resize(this.#ring.length / 2)
  }

  #resize(places: number): void {
    const ring = new Array<T | undefined>(places)
    for (let i = 0; i < this.#size; i += 1) ring[i] = this.at(i)
    this.#ring = ring
    this.#head = 0
  }
}
