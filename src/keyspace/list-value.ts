/**
 * A list: elements in order.
 *
 * Floor 3, room keyspace. Both ends are O(1); LINSERT, LREM and LTRIM are O(n), as in Redis.
 */
import { Deque } from './deque.ts'
import { CONTAINER_BYTES, ELEMENT_BYTES } from './limits.ts'

/** See the module's header. */
export class ListValue {
  readonly kind = 'list'
  readonly encoding = 'quicklist'
  readonly #elements = new Deque<string>()
  /** What it is charged. */
  bytes = CONTAINER_BYTES

  get size(): number {
    return this.#elements.size
  }

  /** @param index from 0 to size - 1 */
  at(index: number): string {
    return this.#elements.at(index)
  }

  /** @param index from 0 to size - 1 */
  put(index: number, element: string): void {
    this.bytes += element.length - this.at(index).length
    this.#elements.put(index, element)
  }

  push(element: string, atHead: boolean): void {
    if (atHead) this.#elements.unshift(element)
    else this.#elements.push(element)
    this.bytes += element.length + ELEMENT_BYTES
  }

  /** The list is not empty. */
  pop(atHead: boolean): string {
    const element = (atHead ? this.#elements.shift() : this.#elements.pop()) as string
    this.bytes -= element.length + ELEMENT_BYTES
    return element
  }

  insert(index: number, element: string): void {
    this.#elements.insert(index, element)
    this.bytes += element.length + ELEMENT_BYTES
  }

  /** Keeps the elements of [from, end). */
  trim(from: number, end: number): void {
    this.#elements.keep(from, Math.max(from, end))
    this.#count()
  }

  /** Removes up to `most` elements equal to the given one, from the tail if wanted. @returns how many */
  remove(element: string, how: { readonly most: number; readonly fromTail: boolean }): number {
    const gone = new Set<number>()
    const { size } = this
    for (let i = 0; i < size && gone.size < how.most; i += 1) {
      const place = how.fromTail ? size - 1 - i : i
      if (this.at(place) === element) gone.add(place)
    }
    if (gone.size === 0) return 0
    let place = -1
    this.#elements.filter(() => {
      place += 1
      return !gone.has(place)
    })
    this.#count()
    return gone.size
  }

  copy(): ListValue {
    const other = new ListValue()
    for (let i = 0; i < this.size; i += 1) other.push(this.at(i), false)
    return other
  }

  #count(): void {
    let bytes = CONTAINER_BYTES
    for (let i = 0; i < this.size; i += 1) bytes += this.at(i).length + ELEMENT_BYTES
    this.bytes = bytes
  }
}
