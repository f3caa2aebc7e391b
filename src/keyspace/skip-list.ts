/**
 * Members in the order of (score, bytes of the member), with their ranks: a skip list with spans.
 *
 * Floor 3, room keyspace. Insertion, removal, rank and the n-th member are O(log n) on average (Pugh, 1990; spans as in
 * Redis's sorted sets). Members are unique: the caller keeps them in a dictionary beside.
 */
import type { Random } from '../model/random.ts'

const MAX_LEVEL = 32
const GROWTH = 0.25

/** A member with its place. */
export interface SkipNode {
  readonly member: string
  readonly score: number
  /** The one before; undefined: it is the first. */
  before: SkipNode | undefined
  readonly next: (SkipNode | undefined)[]
  readonly spans: number[]
}

/** See the module's header. */
export class SkipList {
  readonly #head: SkipNode = nodeOf('', 0, MAX_LEVEL)
  readonly #random: Random
  readonly #path: SkipNode[] = new Array<SkipNode>(MAX_LEVEL).fill(this.#head)
  readonly #ranks: number[] = new Array<number>(MAX_LEVEL).fill(0)
  #levels = 1
  #size = 0
  #tail: SkipNode | undefined

  constructor(random: Random) {
    this.#random = random
  }

  get size(): number {
    return this.#size
  }

  get first(): SkipNode | undefined {
    return this.#head.next[0]
  }

  get last(): SkipNode | undefined {
    return this.#tail
  }

  /** @param member not in the list */
  insert(score: number, member: string): void {
    this.#descend((node) => isBefore(node, score, member))
    const levels = this.#draw()
    const node = nodeOf(member, score, levels)
    const behind = this.#ranks[0] as number
    for (let i = 0; i < levels; i += 1) {
      const left = this.#path[i] as SkipNode
      node.next[i] = left.next[i]
      left.next[i] = node
      node.spans[i] = (left.spans[i] as number) - (behind - (this.#ranks[i] as number))
      left.spans[i] = behind - (this.#ranks[i] as number) + 1
    }
    for (let i = levels; i < this.#levels; i += 1) {
      const left = this.#path[i] as SkipNode
      left.spans[i] = (left.spans[i] as number) + 1
    }
    const left = this.#path[0] as SkipNode
    node.before = left === this.#head ? undefined : left
    const right = node.next[0]
    if (right === undefined) this.#tail = node
    else right.before = node
    this.#size += 1
  }

  /** @returns whether it was there */
  remove(score: number, member: string): boolean {
    this.#descend((node) => isBefore(node, score, member))
    const node = (this.#path[0] as SkipNode).next[0]
    if (node === undefined || node.score !== score || node.member !== member) return false
    for (let i = 0; i < this.#levels; i += 1) {
      const left = this.#path[i] as SkipNode
      if (left.next[i] === node) {
        left.spans[i] = (left.spans[i] as number) + (node.spans[i] as number) - 1
        left.next[i] = node.next[i]
      } else {
        left.spans[i] = (left.spans[i] as number) - 1
      }
    }
    const right = node.next[0]
    if (right === undefined) this.#tail = node.before
    else right.before = node.before
    while (this.#levels > 1 && this.#head.next[this.#levels - 1] === undefined) this.#levels -= 1
    this.#size -= 1
    return true
  }

  /** @returns place from 0, of a member that is there */
  rank(score: number, member: string): number {
    this.#descend((node) => isBefore(node, score, member))
    return this.#ranks[0] as number
  }

  /** @param place from 0 */
  at(place: number): SkipNode | undefined {
    let left = this.#head
    let passed = 0
    for (let i = this.#levels - 1; i >= 0; i -= 1) {
      for (let node = left.next[i]; node !== undefined && passed + (left.spans[i] as number) <= place + 1; node = left.next[i]) {
        passed += left.spans[i] as number
        left = node
      }
      if (passed === place + 1) return left
    }
    return undefined
  }

  /** The number of members for which `isLower` holds; it must hold for a beginning of the list. */
  countLower(isLower: (node: SkipNode) => boolean): number {
    this.#descend(isLower)
    return this.#ranks[0] as number
  }

  #descend(isLower: (node: SkipNode) => boolean): void {
    let left = this.#head
    let passed = 0
    for (let i = this.#levels - 1; i >= 0; i -= 1) {
      for (let node = left.next[i]; node !== undefined && isLower(node); node = left.next[i]) {
        passed += left.spans[i] as number
        left = node
      }
      this.#ranks[i] = passed
      this.#path[i] = left
    }
  }

  #draw(): number {
    let levels = 1
    while (levels < MAX_LEVEL && this.#random() < GROWTH) levels += 1
    for (let i = this.#levels; i < levels; i += 1) {
      this.#ranks[i] = 0
      this.#path[i] = this.#head
      this.#head.spans[i] = this.#size
    }
    if (levels > this.#levels) this.#levels = levels
    return levels
  }
}

function isBefore(node: SkipNode, score: number, member: string): boolean {
  return node.score < score || (node.score === score && node.member < member)
}

function nodeOf(member: string, score: number, levels: number): SkipNode {
  return {
    member,
    score,
    before: undefined,
    next: new Array<SkipNode | undefined>(levels).fill(undefined),
    spans: new Array<number>(levels).fill(0),
  }
}
