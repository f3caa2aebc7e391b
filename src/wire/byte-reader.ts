/**
 * Reads what wire/byte-writer wrote, from bytes that may be anything.
 *
 * Floor 1, room wire. Throws FC_L2_ENVELOPE and nothing else. Never takes more memory than the bytes it is given justify:
 * a length is believed only where so many bytes are left. Blocks are views, not copies.
 */
import { ForecacheError } from '../model/errors.ts'

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** See the module's header. */
export class ByteReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#bytes.byteLength - this.#at
  }

  whole(): number {
    let value = 0
    let factor = 1
    for (;;) {
      const byte = this.#bytes[this.#at]
      if (byte === undefined) throw broken('it ends within a number')
      this.#at += 1
      value += (byte & 0x7f) * factor
      if (!Number.isSafeInteger(value)) throw broken('a number is too large')
      if (byte < 0x80) return value
      factor *= 0x80
    }
  }

  number(): number {
    this.#need(8)
    const value = this.#bytes.readDoubleBE(this.#at)
    this.#at += 8
    return value
  }

  /** A number that says how long: at least 0, not NaN; it may be infinite. */
  span(): number {
    const value = this.number()
    if (!(value >= 0)) throw broken('a length of time is none')
    return value
  }

  flag(): boolean {
    const value = this.whole()
    if (value > 1) throw broken('a flag is neither 0 nor 1')
    return value === 1
  }

  text(): string {
    try {
      return UTF8.decode(this.block())
    } catch (error) {
      throw error instanceof ForecacheError ? error : broken('a text is not UTF-8')
    }
  }

  block(): Uint8Array {
    const bytes = this.whole()
    this.#need(bytes)
    const value = this.#bytes.subarray(this.#at, this.#at + bytes)
    this.#at += bytes
    return value
  }

  /** What is left. */
  rest(): Uint8Array {
    const value = this.#bytes.subarray(this.#at)
    this.#at = this.#bytes.byteLength
    return value
  }

  texts(): string[] {
    return this.list(() => this.text())
  }

  list<T>(read: () => T): T[] {
    const count = this.whole()
    if (count > this.left) throw broken('a list is longer than its bytes')
    const values: T[] = []
    for (let i = 0; i < count; i += 1) values.push(read())
    return values
  }

  maybe<T>(read: () => T): T | undefined {
    return this.flag() ? read() : undefined
  }

  /** Nothing may be left. */
  end(): void {
    if (this.left > 0) throw broken(`${this.left} bytes are left over`)
  }

  #need(bytes: number): void {
    if (bytes > this.left) throw broken('it ends too early')
  }
}

/** What cannot be read. */
export function broken(reason: string): ForecacheError {
  return new ForecacheError('FC_L2_ENVELOPE', { reason })
}
