/**
 * Writes replies of the Redis protocol one behind the other into one buffer, to be sent with one write per chunk read.
 *
 * Floor 1, room wire. The buffer is used again when the caller says that its bytes have left (`settle`); nothing is made
 * per reply. Aggregates of RESP3 are written as arrays where the client speaks RESP2.
 */
import { formatDouble } from './resp-double.ts'

const FIRST_BYTES = 16 * 1024
/** A buffer that grew beyond this is not kept for the next chunk. */
const KEPT_BYTES = 256 * 1024
const CR = 0x0d
const LF = 0x0a
const ZERO = 0x30
const MINUS = 0x2d
/** Bytes of the longest line of a length: type, sign, 19 digits, end. */
const LINE_BYTES = 24
/** Up to here copying byte by byte beats a call. */
const BY_HAND_BYTES = 24

const { copy: copyBytes } = Buffer.prototype

/** See the module's header. */
export class ReplyWriter {
  /** 2 or 3. */
  version: 2 | 3 = 2
  #room: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)
  #used = 0

  /** Bytes written and not yet taken. */
  get length(): number {
    return this.#used
  }

  /** What was written. Send it, then tell `settle` whether it has left. */
  take(): Buffer {
    const taken = this.#room.subarray(0, this.#used)
    this.#used = 0
    return taken
  }

  /** @param hasLeft nobody reads the taken bytes any more: else the next ones go into another buffer */
  settle(hasLeft: boolean): void {
    if (hasLeft && this.#room.length <= KEPT_BYTES) return
    this.#room = Buffer.allocUnsafeSlow(FIRST_BYTES)
  }

  /** Takes back what was written behind `length` bytes. */
  cut(length: number): void {
    this.#used = length
  }

  /** Bytes as they are: whole frames. */
  put(bytes: Uint8Array, start = 0, end = bytes.length): this {
    this.#need(end - start)
    this.#copy(bytes, start, end)
    return this
  }

  /** Room for so many bytes, to be filled by the caller at once. @returns where it begins in `room` */
  reserve(bytes: number): number {
    this.#need(bytes)
    const at = this.#used
    this.#used += bytes
    return at
  }

  /** What `reserve` points into; another one after each call. */
  get room(): Buffer {
    return this.#room
  }

  /** Latin-1 text as it is: `+OK\r\n`. */
  text(line: string): this {
    const length = line.length
    this.#need(length)
    const room = this.#room
    let at = this.#used
    if (length > BY_HAND_BYTES) room.write(line, at, length, 'latin1')
    else for (let i = 0; i < length; i += 1) room[at++] = line.charCodeAt(i)
    this.#used += length
    return this
  }

  simple(text: string): this {
    return this.text(`+${text}\r\n`)
  }

  /** @param text with its code, without line ends: `ERR syntax error` */
  error(text: string): this {
    return this.put(Buffer.from(`-${text}\r\n`))
  }

  /** @param value whole, up to 2^53 */
  integer(value: number): this {
    return this.#line(0x3a, value)
  }

  /** Beyond 2^53, too. */
  bigInteger(value: bigint): this {
    return this.text(`:${value}\r\n`)
  }

  bulk(bytes: Uint8Array, start = 0, end = bytes.length): this {
    this.bulkHead(end - start)
    this.#need(end - start + 2)
    this.#copy(bytes, start, end)
    return this.#end()
  }

  /** The line before so many bytes, which the caller puts with an end behind. */
  bulkHead(bytes: number): this {
    return this.#line(0x24, bytes)
  }

  /** UTF-8. */
  bulkText(text: string): this {
    const bytes = Buffer.byteLength(text)
    this.bulkHead(bytes)
    this.#need(bytes + 2)
    this.#used += this.#room.write(text, this.#used)
    return this.#end()
  }

  array(count: number): this {
    return this.#line(0x2a, count)
  }

  /** @param pairs in RESP2 an array of twice as many */
  map(pairs: number): this {
    return this.version === 3 ? this.#line(0x25, pairs) : this.#line(0x2a, pairs * 2)
  }

  set(count: number): this {
    return this.#line(this.version === 3 ? 0x7e : 0x2a, count)
  }

  push(count: number): this {
    return this.#line(this.version === 3 ? 0x3e : 0x2a, count)
  }

  /** No value where a bulk stands otherwise. */
  null(): this {
    return this.text(this.version === 3 ? '_\r\n' : '$-1\r\n')
  }

  /** No value where an array stands otherwise. */
  nullArray(): this {
    return this.text(this.version === 3 ? '_\r\n' : '*-1\r\n')
  }

  boolean(value: boolean): this {
    if (this.version === 3) return this.text(value ? '#t\r\n' : '#f\r\n')
    return this.integer(value ? 1 : 0)
  }

  /** A score and the like: `%.17g`; a bulk in RESP2. */
  double(value: number): this {
    const text = formatDouble(value)
    return this.text(this.version === 3 ? `,${text}\r\n` : `$${text.length}\r\n${text}\r\n`)
  }

  /** @param form three letters: `txt`, `mkd` */
  verbatim(form: string, bytes: Uint8Array): this {
    if (this.version === 2) return this.bulk(bytes)
    this.#line(0x3d, bytes.length + 4).text(`${form}:`)
    return this.put(bytes).text('\r\n')
  }

  bigNumber(digits: string): this {
    return this.text(this.version === 3 ? `(${digits}\r\n` : `$${digits.length}\r\n${digits}\r\n`)
  }

  #end(): this {
    this.#room[this.#used] = CR
    this.#room[this.#used + 1] = LF
    this.#used += 2
    return this
  }

  #line(type: number, value: number): this {
    this.#need(LINE_BYTES)
    const room = this.#room
    let at = this.#used
    room[at++] = type
    let rest = value
    if (rest < 0) {
      room[at++] = MINUS
      rest = -rest
    }
    if (rest > 0x7fff_ffff) {
      const digits = String(rest)
      for (let i = 0; i < digits.length; i += 1) room[at++] = digits.charCodeAt(i)
    } else at = this.#digits(rest, at)
    room[at] = CR
    room[at + 1] = LF
    this.#used = at + 2
    return this
  }

  #digits(value: number, begin: number): number {
    const room = this.#room
    let end = begin + 1
    for (let bound = 10; bound <= value; bound *= 10) end += 1
    let rest = value
    for (let at = end - 1; at >= begin; at -= 1) {
      const tens = (rest / 10) | 0
      room[at] = ZERO + rest - tens * 10
      rest = tens
    }
    return end
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    const room = this.#room
    let at = this.#used
    this.#used += end - start
    if (end - start > BY_HAND_BYTES) copyBytes.call(bytes, room, at, start, end)
    else for (let i = start; i < end; i += 1) room[at++] = bytes[i] as number
  }

  #need(bytes: number): void {
    const need = this.#used + bytes
    if (need <= this.#room.length) return
    const wider = Buffer.allocUnsafeSlow(Math.max(need, this.#room.length * 2))
    this.#room.copy(wider, 0, 0, this.#used)
    this.#room = wider
  }
}
