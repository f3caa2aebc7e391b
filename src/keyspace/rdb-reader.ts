/**
 * Reads lengths, strings and numbers in the forms of Redis's dumps, from bytes that may be anything.
 *
 * Floor 3, room keyspace. Throws RdbFault and nothing else. A length is believed only where so many bytes are left.
 */
import { RdbFault } from './rdb-fault.ts'
import { unpackLzf } from './rdb-lzf.ts'

const ENCODED = 3
const INT8 = 0
const INT16 = 1
const INT32 = 2
const PACKED = 3
const LONG_32 = 0x80
const LONG_64 = 0x81

/** See the module's header. */
export class RdbReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#bytes.byteLength - this.#at
  }

  byte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw new RdbFault('it ends too early')
    this.#at += 1
    return byte
  }

  /** The next bytes as they are; a view. */
  take(bytes: number): Buffer {
    if (bytes > this.left) throw new RdbFault('it ends too early')
    this.#at += bytes
    return this.#bytes.subarray(this.#at - bytes, this.#at)
  }

  /** How many of something follow. */
  length(): number {
    const first = this.byte()
    if (first >>> 6 === ENCODED) throw new RdbFault('a length is none')
    return this.#lengthOf(first)
  }

  /** How many follow of what takes at least so many bytes each. */
  count(leastBytes = 1): number {
    const count = this.length()
    if (count === 0) throw new RdbFault('a value is empty')
    if (count * leastBytes > this.left) throw new RdbFault('it ends too early')
    return count
  }

  /** A string's bytes. */
  block(): Buffer {
    const first = this.byte()
    if (first >>> 6 !== ENCODED) return this.take(this.#lengthOf(first))
    const form = first & 0x3f
    if (form !== PACKED) return Buffer.from(String(this.#integer(form)))
    const packedBytes = this.length()
    const bytes = this.length()
    return unpackLzf(this.take(packedBytes), bytes)
  }

  /** A string, its bytes as latin1. */
  text(): string {
    return this.block().toString('latin1')
  }

  /** A number of eight bytes; never NaN. */
  double(): number {
    return checked(this.take(8).readDoubleLE(0))
  }

  /** A number as text behind its length: the older form. */
  shownDouble(): number {
    const bytes = this.byte()
    if (bytes === 255) return Number.NEGATIVE_INFINITY
    if (bytes === 254) return Number.POSITIVE_INFINITY
    if (bytes === 253) throw new RdbFault('a score is no number')
    return parseScore(this.take(bytes).toString('latin1'))
  }

  #lengthOf(first: number): number {
    const kind = first >>> 6
    if (kind === 0) return first & 0x3f
    if (kind === 1) return ((first & 0x3f) << 8) | this.byte()
    if (first === LONG_32) return this.take(4).readUInt32BE(0)
    if (first !== LONG_64) throw new RdbFault('a length is none')
    const length = this.take(8).readBigUInt64BE(0)
    if (length > BigInt(Number.MAX_SAFE_INTEGER)) throw new RdbFault('a length is too large')
    return Number(length)
  }

  #integer(form: number): number {
    if (form === INT8) return this.take(1).readInt8(0)
    if (form === INT16) return this.take(2).readInt16LE(0)
    if (form === INT32) return this.take(4).readInt32LE(0)
    throw new RdbFault('a string has an unknown form')
  }
}

const SHOWN = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i

/** A score as C prints it. @throws RdbFault */
export function parseScore(text: string): number {
  if (/^[+-]?inf(?:inity)?$/i.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  if (!SHOWN.test(text)) throw new RdbFault('a score is no number')
  return checked(Number(text))
}

function checked(score: number): number {
  if (Number.isNaN(score)) throw new RdbFault('a score is no number')
  return score
}
