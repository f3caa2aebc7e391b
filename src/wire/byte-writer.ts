/**
 * Writes numbers, texts and bytes one behind the other, to be read by wire/byte-reader.
 *
 * Floor 1, room wire. Whole numbers take as many bytes as they need, seven bits each, lowest first; all others eight, big
 * end first; texts and bytes come after their length. Large bytes are not copied before the end.
 */
const GROWS_BY = 256
/** Larger bytes become a part of their own. */
const COPY_UP_TO = 4096

/** See the module's header. */
export class ByteWriter {
  readonly #parts: Uint8Array[] = []
  #room = Buffer.allocUnsafe(GROWS_BY)
  #used = 0
  #bytes = 0

  /** Bytes written. */
  get bytes(): number {
    return this.#bytes + this.#used
  }

  /** @param value whole, 0 to 2^53 - 1 */
  whole(value: number): this {
    let rest = value
    this.#need(8)
    while (rest >= 0x80) {
      this.#room[this.#used++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#room[this.#used++] = rest
    return this
  }

  /** Any number, exactly. */
  number(value: number): this {
    this.#need(8)
    this.#used = this.#room.writeDoubleBE(value, this.#used)
    return this
  }

  flag(value: boolean): this {
    return this.whole(value ? 1 : 0)
  }

  /** A text; half surrogate pairs are not kept. */
  text(value: string): this {
    const bytes = Buffer.byteLength(value)
    this.whole(bytes)
    if (bytes > COPY_UP_TO) return this.#attach(Buffer.from(value))
    this.#need(bytes)
    this.#used += this.#room.write(value, this.#used)
    return this
  }

  block(value: Uint8Array): this {
    this.whole(value.byteLength)
    if (value.byteLength > COPY_UP_TO) return this.#attach(value)
    this.#need(value.byteLength)
    this.#room.set(value, this.#used)
    this.#used += value.byteLength
    return this
  }

  texts(values: readonly string[]): this {
    this.whole(values.length)
    for (const value of values) this.text(value)
    return this
  }

  /** Whether there is a value, and the value. */
  maybe<T>(value: T | undefined, write: (value: T) => void): this {
    this.flag(value !== undefined)
    if (value !== undefined) write(value)
    return this
  }

  /** All of it. */
  finish(): Buffer {
    this.#flush()
    return Buffer.concat(this.#parts, this.#bytes)
  }

  #attach(value: Uint8Array): this {
    this.#flush()
    this.#parts.push(value)
    this.#bytes += value.byteLength
    return this
  }

  #need(bytes: number): void {
    if (this.#used + bytes <= this.#room.byteLength) return
    this.#flush()
    this.#room = Buffer.allocUnsafe(Math.max(GROWS_BY, bytes * 2))
  }

  #flush(): void {
    if (this.#used === 0) return
    this.#parts.push(this.#room.subarray(0, this.#used))
    this.#bytes += this.#used
    this.#room = this.#room.subarray(this.#used)
    this.#used = 0
  }
}
