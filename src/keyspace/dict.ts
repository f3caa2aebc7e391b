/**
 * A dictionary that can be scanned while it changes and drawn from at random.
 *
 * Floor 3, room keyspace. Keys stand in a dense array beside their places: look-up, change and a random draw are O(1).
 * While `ordered`, removal closes the gap and the order of insertion holds (small dictionaries only: O(n)); later the last
 * key takes the gap, so that a scan from the end to the beginning meets every key that stood there all the while.
 */

/** See the module's header. Keys are bytes as latin1 text. */
export class Dict<V> {
  readonly #places = new Map<string, number>()
  readonly #keys: string[] = []
  readonly #values: V[] = []
  #ordered: boolean

  constructor(ordered: boolean) {
    this.#ordered = ordered
  }

  get size(): number {
    return this.#keys.length
  }

  /** Keys in their places; not to be changed. */
  get keys(): readonly string[] {
    return this.#keys
  }

  /** Values in the places of their keys; not to be changed. */
  get values(): readonly V[] {
    return this.#values
  }

  /** From now on removal is O(1) and the order is unspecified. */
  forgetOrder(): void {
    this.#ordered = false
  }

  has(key: string): boolean {
    return this.#places.has(key)
  }

  get(key: string): V | undefined {
    const place = this.#places.get(key)
    return place === undefined ? undefined : this.#values[place]
  }

  /** @returns whether the key is new */
  set(key: string, value: V): boolean {
    const place = this.#places.get(key)
    if (place !== undefined) {
      this.#values[place] = value
      return false
    }
    this.#places.set(key, this.#keys.length)
    this.#keys.push(key)
    this.#values.push(value)
    return true
  }

  /** @returns whether it was there */
  delete(key: string): boolean {
    const place = this.#places.get(key)
    if (place === undefined) return false
    this.#places.delete(key)
    if (this.#ordered) this.#close(place)
    else this.#fill(place)
    return true
  }

  clear(): void {
    this.#places.clear()
    this.#keys.length = 0
    this.#values.length = 0
  }

  /**
   * One step of a scan: places from `cursor` downwards.
   *
   * @param cursor 0 at the beginning, then what the last step returned
   * @param count places to visit, at least 1
   * @returns the next cursor; 0: done
   */
  scan(cursor: number, count: number, visit: (key: string, value: V) => void): number {
    let place = cursor === 0 ? this.#keys.length : Math.min(cursor, this.#keys.length)
    const end = Math.max(0, place - count)
    while (place > end) {
      place -= 1
      visit(this.#keys[place] as string, this.#values[place] as V)
    }
    return end
  }

  #close(place: number): void {
    this.#keys.splice(place, 1)
    this.#values.splice(place, 1)
    for (let i = place; i < this.#keys.length; i += 1) this.#places.set(this.#keys[i] as string, i)
  }

  #fill(place: number): void {
    const key = this.#keys.pop() as string
    const value = this.#values.pop() as V
    if (place === this.#keys.length) return
    this.#keys[place] = key
    this.#values[place] = value
    this.#places.set(key, place)
  }
}
