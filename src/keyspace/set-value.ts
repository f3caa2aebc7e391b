/**
 * A set: members, each once.
 *
 * Floor 3, room keyspace. As long as it holds few integers only, it lists them by size.
 */
import { Dict } from './dict.ts'
import { compareIntegers, isInteger64 } from './integer.ts'
import { CONTAINER_BYTES, ELEMENT_BYTES, type PackingLimits } from './limits.ts'

/** See the module's header. */
export class SetValue {
  readonly kind = 'set'
  readonly dict = new Dict<undefined>(false)
  readonly #limits: PackingLimits
  #integers: boolean
  /** What it is charged. */
  bytes = CONTAINER_BYTES

  /** @param first the member it is made for: decides the form */
  constructor(limits: PackingLimits, first = '0') {
    this.#limits = limits
    this.#integers = isInteger64(first)
  }

  get size(): number {
    return this.dict.size
  }

  get encoding(): string {
    return this.#integers ? 'intset' : 'hashtable'
  }

  get isIntegers(): boolean {
    return this.#integers
  }

  /** Members in the order in which they are listed. */
  members(): readonly string[] {
    return this.#integers ? [...this.dict.keys].sort(compareIntegers) : this.dict.keys
  }

  has(member: string): boolean {
    return this.dict.has(member)
  }

  /** @returns whether it is new */
  add(member: string): boolean {
    if (this.#integers && !isInteger64(member)) this.#integers = false
    if (!this.dict.set(member, undefined)) return false
    this.bytes += member.length + ELEMENT_BYTES
    if (this.#integers && this.dict.size > this.#limits.setIntegers) this.#integers = false
    return true
  }

  delete(member: string): boolean {
    if (!this.dict.delete(member)) return false
    this.bytes -= member.length + ELEMENT_BYTES
    return true
  }

  copy(): SetValue {
    const other = new SetValue(this.#limits)
    other.#integers = this.#integers
    for (const member of this.dict.keys) other.add(member)
    return other
  }
}
