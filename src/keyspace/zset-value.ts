/**
 * A sorted set: members with scores, in the order of score and bytes.
 *
 * Floor 3, room keyspace. A dictionary gives the score in O(1), a skip list the order and the ranks in O(log n).
 */
import type { Random } from '../model/random.ts'
import { Dict } from './dict.ts'
import { CONTAINER_BYTES, ELEMENT_BYTES, type PackingLimits } from './limits.ts'
import { SkipList } from './skip-list.ts'

/** What a sorted set needs beside its members. */
export interface ZsetParts {
  readonly limits: PackingLimits
  readonly random: Random
}

const NODE_BYTES = 96

/** See the module's header. */
export class ZsetValue {
  readonly kind = 'zset'
  readonly list: SkipList
  readonly dict = new Dict<number>(false)
  readonly #parts: ZsetParts
  #packed: boolean
  /** What it is charged. */
  bytes = CONTAINER_BYTES

  /** @param packed it begins in the small form */
  constructor(parts: ZsetParts, packed = true) {
    this.#parts = parts
    this.#packed = packed
    this.list = new SkipList(parts.random)
  }

  get size(): number {
    return this.dict.size
  }

  get encoding(): string {
    return this.#packed ? 'listpack' : 'skiplist'
  }

  get isPacked(): boolean {
    return this.#packed
  }

  score(member: string): number | undefined {
    return this.dict.get(member)
  }

  /** Sets the score. @returns whether the member is new */
  set(member: string, given: number): boolean {
    const former = this.dict.get(member)
    if (former === undefined && this.#packed) this.#makeRoom(member)
    const score = this.#packed ? given + 0 : given // the small form knows no negative zero
    if (former === undefined) {
      this.bytes += member.length + ELEMENT_BYTES + NODE_BYTES
    } else {
      if (former === score) return false
      this.list.remove(former, member)
    }
    this.list.insert(score, member)
    this.dict.set(member, score)
    return former === undefined
  }

  delete(member: string): boolean {
    const score = this.dict.get(member)
    if (score === undefined) return false
    this.list.remove(score, member)
    this.bytes -= member.length + ELEMENT_BYTES + NODE_BYTES
    return this.dict.delete(member)
  }

  /** Place from 0, or undefined. */
  rank(member: string): number | undefined {
    const score = this.dict.get(member)
    return score === undefined ? undefined : this.list.rank(score, member)
  }

  /** Leaves the small form for good. */
  unpack(): void {
    this.#packed = false
  }

  /** The same in the small form if it fits, else itself. */
  packed(): ZsetValue {
    const { zsetEntries, zsetValueBytes } = this.#parts.limits
    if (this.size > zsetEntries || this.dict.keys.some((member) => member.length > zsetValueBytes)) return this
    const other = new ZsetValue(this.#parts)
    for (let node = this.list.first; node !== undefined; node = node.next[0]) other.set(node.member, node.score)
    return other
  }

  copy(): ZsetValue {
    const other = new ZsetValue(this.#parts)
    other.#packed = this.#packed
    for (let node = this.list.first; node !== undefined; node = node.next[0]) other.set(node.member, node.score)
    return other
  }

  #makeRoom(member: string): void {
    const { zsetEntries, zsetValueBytes } = this.#parts.limits
    if (this.dict.size + 1 > zsetEntries || member.length > zsetValueBytes) this.#packed = false
  }
}
