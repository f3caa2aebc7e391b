/**
 * A hash: fields and their values.
 *
 * Floor 3, room keyspace. Small ones keep the order of insertion; a field that is set again keeps its place.
 */
import { Dict } from './dict.ts'
import { CONTAINER_BYTES, ELEMENT_BYTES, type PackingLimits } from './limits.ts'

/** See the module's header. */
export class HashValue {
  readonly kind = 'hash'
  readonly dict = new Dict<string>(true)
  readonly #limits: PackingLimits
  #packed = true
  /** What it is charged. */
  bytes = CONTAINER_BYTES

  constructor(limits: PackingLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.dict.size
  }

  get encoding(): string {
    return this.#packed ? 'listpack' : 'hashtable'
  }

  get isPacked(): boolean {
    return this.#packed
  }

  /** Leaves the small form if one of the texts is too long for it. */
  makeRoom(texts: readonly string[], from: number): void {
    if (!this.#packed) return
    for (let i = from; i < texts.length; i += 1) {
      if ((texts[i] as string).length > this.#limits.hashValueBytes) return this.#unpack()
    }
  }

  /** @returns whether the field is new */
  set(field: string, value: string): boolean {
    const former = this.dict.get(field)
    this.dict.set(field, value)
    this.bytes += former === undefined ? field.length + value.length + ELEMENT_BYTES : value.length - former.length
    if (this.#packed && this.dict.size > this.#limits.hashEntries) this.#unpack()
    return former === undefined
  }

  delete(field: string): boolean {
    const former = this.dict.get(field)
    if (former === undefined) return false
    this.bytes -= field.length + former.length + ELEMENT_BYTES
    return this.dict.delete(field)
  }

  copy(): HashValue {
    const other = new HashValue(this.#limits)
    if (!this.#packed) other.#unpack()
    const { keys, values } = this.dict
    for (let i = 0; i < keys.length; i += 1) other.set(keys[i] as string, values[i] as string)
    return other
  }

  #unpack(): void {
    this.#packed = false
    this.dict.forgetOrder()
  }
}
