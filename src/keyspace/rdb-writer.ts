/**
 * Writes lengths, strings and numbers in the forms of Redis's dumps.
 *
 * Floor 3, room keyspace. Into one buffer that grows and is used again.
 */
import { packLzf } from './rdb-lzf.ts'

const FIRST_BYTES = 64 * 1024
/** A buffer that grew beyond is not kept. */
const KEPT_BYTES = 1 << 20
const LONG_32 = 0x80
const LONG_64 = 0x81
const INTEGER = 0xc0
const PACKED = 0xc3
/** Shorter strings are never packed. */
const LEAST_PACKED = 21
const MOST_DIGITS = 11
const INTEGER_32 = /^(?:0|-?[1-9][0-9]{0,9})$/

/** See the module's header. */
export class RdbWriter {
  readonly #packs: boolean
  #bytes = Buffer.allocUnsafe(FIRST_BYTES)
  #used = 0

  /** @param packs long strings, as Redis does */
  constructor(packs: boolean) {
    this.#packs = packs
  }

  get used(): number {
    return this.#used
  }

  /** Bytes it holds on to. */
  get held(): number {
    return this.#bytes.byteLength
  }

  byte(value: number): this {
    this.#need(1)
    this.#bytes[this.#used++] = value
    return this
  }

  length(value: number): this {
    this.#need(9)
    const bytes = this.#bytes
    if (value < 1 << 6) bytes[this.#used++] = value
    else if (value < 1 << 14) {
      bytes[this.#used++] = (1 << 6) | (value >>> 8)
      bytes[this.#used++] = value & 0xff
    } else if (value < 2 ** 32) {
      bytes[this.#used++] = LONG_32
      this.#used = bytes.writeUInt32BE(value, this.#used)
    } else {
      bytes[this.#used++] = LONG_64
      this.#used = bytes.writeBigUInt64BE(BigInt(value), this.#used)
    }
    return this
  }

  double(value: number): this {
    this.#need(8)
    this.#used = this.#bytes.writeDoubleLE(value, this.#used)
    return this
  }

  u32(value: number): this {
    this.#need(4)
    this.#used = this.#bytes.writeUInt32LE(value, this.#used)
    return this
  }

  /** A string of bytes as latin1. */
  text(text: string): this {
    const { length } = text
    if (length <= MOST_DIGITS && this.#integer(text)) return this
    if (this.#packs && length >= LEAST_PACKED) return this.#block(Buffer.from(text, 'latin1'))
    this.length(length)
    this.#need(length)
    this.#used += this.#bytes.write(text, this.#used, 'latin1')
    return this
  }

  /** A string that stands in bytes. */
  block(bytes: Uint8Array, start = 0, end = bytes.length): this {
    if (end - start <= MOST_DIGITS || this.#packs) {
      const part = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
      if (part.length <= MOST_DIGITS && this.#integer(part.toString('latin1'))) return this
      if (this.#packs && part.length >= LEAST_PACKED) return this.#block(part)
    }
    return this.length(end - start).raw(bytes, start, end)
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array, start = 0, end = bytes.length): this {
    this.#need(end - start)
    this.#bytes.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), this.#used)
    this.#used += end - start
    return this
  }

  /** What was written; a view that holds until the next writing. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#used)
  }

  /** A copy of what was written; begins anew. */
  take(): Buffer {
    const taken = Buffer.from(this.view())
    this.clear()
    return taken
  }

  clear(): void {
    this.#used = 0
    if (this.#bytes.byteLength > KEPT_BYTES) this.#bytes = Buffer.allocUnsafe(FIRST_BYTES)
  }

  #block(bytes: Uint8Array): this {
    const packed = packLzf(bytes)
    if (packed === undefined) return this.length(bytes.length).raw(bytes)
    return this.byte(PACKED).length(packed.length).length(bytes.length).raw(packed)
  }

  #integer(text: string): boolean {
    if (!INTEGER_32.test(text)) return false
    const value = Number(text)
    if (value !== (value | 0)) return false
    this.#need(5)
    const bytes = this.#bytes
    const form = value === (value << 24) >> 24 ? 0 : value === (value << 16) >> 16 ? 1 : 2
    bytes[this.#used++] = INTEGER | form
    this.#used = bytes.writeIntLE(value, this.#used, 1 << form)
    return true
  }

  #need(bytes: number): void {
    const { byteLength } = this.#bytes
    if (this.#used + bytes <= byteLength) return
    const grown = Buffer.allocUnsafe(Math.max(byteLength * 2, this.#used + bytes))
    this.#bytes.copy(grown, 0, 0, this.#used)
    this.#bytes = grown
  }
}
