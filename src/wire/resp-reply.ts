/**
 * Finds where replies of the Redis protocol end, without reading them: RESP2 and RESP3, every type, nested.
 *
 * Floor 1, room wire. A state machine over bytes: keeps no byte, makes nothing but one number per open level. What it says
 * of a chunk are pieces of frames: `isFirst` and `isLast` both hold for a frame that lies whole within the chunk. An
 * attribute belongs to the reply behind it. Types as redis.io/docs/reference/protocol-spec has them, streamed ones too.
 */
import { parseLength } from './resp-length.ts'

/** First bytes of the types. */
export const TYPE = {
  simple: 0x2b,
  error: 0x2d,
  integer: 0x3a,
  bulk: 0x24,
  array: 0x2a,
  null: 0x5f,
  boolean: 0x23,
  double: 0x2c,
  bigNumber: 0x28,
  bulkError: 0x21,
  verbatim: 0x3d,
  map: 0x25,
  set: 0x7e,
  push: 0x3e,
  attribute: 0x7c,
} as const

const CR = 0x0d
const LF = 0x0a
const ZERO = 0x30
const STREAMED = 0x3f
const CHUNK = 0x3b
const STREAM_END = 0x2e
const MAX_DEPTH = 1024
/** Longest line that carries a count or a length. */
const MAX_LENGTH_LINE = 32
/** Numbers read without looking twice. */
const MAX_PLAIN_DIGITS = 15
/** A simple line without an end within so many bytes is not Redis. */
const MAX_SIMPLE_BYTES = 512 * 1024 * 1024
/** Levels: so many values to come; these need a closing mark instead. */
const OPEN_ENDED = Number.POSITIVE_INFINITY
const OPEN_CHUNKS = -1

/** States of #state. */
const AT_TYPE = 0
const IN_LENGTH = 1
const IN_SIMPLE = 2
const IN_BULK = 3

/** See the module's header. */
export class ReplyScanner {
  /** The chunk, and where this piece of a frame lies in it. */
  bytes: Buffer = Buffer.alloc(0)
  start = 0
  end = 0
  /** The piece begins a frame; it ends one. */
  isFirst = false
  isLast = false
  /** First byte of the frame; behind attributes that of the reply itself once it is known. */
  type = 0
  /** Bytes of a bulk frame by its own word, -1 for null; NaN for any other frame or while its line is not read. */
  declaredBytes = Number.NaN
  /** Why the bytes are no replies; stays. */
  broken: string | undefined
  #at = 0
  #state: number = AT_TYPE
  /** Type of the value whose line is being read. */
  #kind = 0
  /** Bytes of the present bulk and its end still to come. */
  #skip = 0
  /** A line of a length that was cut. */
  readonly #line = Buffer.allocUnsafe(MAX_LENGTH_LINE)
  #lineBytes = 0
  #simpleBytes = 0
  /** Values still to come of each open level. */
  readonly #levels: number[] = []
  #isOpen = false

  /** The frame is a push: no request is answered by it. */
  get isPush(): boolean {
    return this.type === TYPE.push
  }

  /** No frame is half read. */
  get isIdle(): boolean {
    return !this.#isOpen
  }

  /** Gives what was read; only when `next` has said false. */
  push(chunk: Buffer): void {
    this.bytes = chunk
    this.#at = 0
  }

  /** @returns whether there is another piece; false also when `broken` */
  next(): boolean {
    if (this.broken !== undefined || this.#at >= this.bytes.length) return false
    this.start = this.#at
    this.isFirst = !this.#isOpen
    if (this.isFirst) {
      this.#isOpen = true
      this.type = this.bytes[this.#at] as number
      this.declaredBytes = Number.NaN
      this.#levels.length = 0
    }
    this.isLast = this.#run()
    this.end = this.#at
    if (this.isLast) this.#isOpen = false
    return this.broken === undefined
  }

  /** @returns whether the frame ended; else the chunk did, or it is broken */
  #run(): boolean {
    const limit = this.bytes.length
    while (this.#at < limit) {
      switch (this.#state) {
        case AT_TYPE:
          this.#begin(this.bytes[this.#at] as number)
          this.#at += 1
          break
        case IN_SIMPLE:
          if (this.#simple(limit) && this.#closed()) return true
          break
        case IN_LENGTH:
          if (this.#length(limit) && this.#closed()) return true
          break
        default: {
          const taken = Math.min(this.#skip, limit - this.#at)
          this.#at += taken
          this.#skip -= taken
          if (this.#skip === 0 && this.#closed()) return true
        }
      }
      if (this.broken !== undefined) return false
    }
    return false
  }

  #begin(type: number): void {
    this.#kind = type
    if (this.type === TYPE.attribute && this.#isBehindAttributes()) this.type = type
    switch (type) {
      case TYPE.simple:
      case TYPE.error:
      case TYPE.integer:
      case TYPE.null:
      case TYPE.boolean:
      case TYPE.double:
      case TYPE.bigNumber:
      case STREAM_END:
        this.#state = IN_SIMPLE
        this.#simpleBytes = 0
        break
      case TYPE.bulk:
      case TYPE.bulkError:
      case TYPE.verbatim:
      case TYPE.array:
      case TYPE.map:
      case TYPE.set:
      case TYPE.push:
      case TYPE.attribute:
      case CHUNK:
        this.#state = IN_LENGTH
        this.#lineBytes = 0
        break
      default:
        this.broken = `a reply begins with byte 0x${type.toString(16).padStart(2, '0')}`
    }
  }

  #isBehindAttributes(): boolean {
    return this.#levels.length > 0 && this.#levels.every((left) => left === 1)
  }

  /** To the end of a line that needs no reading. */
  #simple(limit: number): boolean {
    const bytes = this.bytes
    const begin = this.#at
    let at = begin
    while (at < limit && bytes[at] !== LF) at += 1
    this.#simpleBytes += at - begin
    if (this.#simpleBytes > MAX_SIMPLE_BYTES) this.broken = 'a line does not end'
    this.#at = at
    if (at === limit) return false
    this.#at += 1
    if (this.#kind === STREAM_END) return this.#endStream()
    return true
  }

  /** The line of a count or length. @returns whether the value is whole with it */
  #length(limit: number): boolean {
    const bytes = this.bytes
    const begin = this.#at
    let at = begin
    let value = 0
    while (at < limit) {
      const digit = (bytes[at] as number) - ZERO
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
      at += 1
    }
    const digits = at - begin
    const isPlain = digits === 1 || (digits > 1 && digits <= MAX_PLAIN_DIGITS && bytes[begin] !== ZERO)
    if (isPlain && this.#lineBytes === 0 && at + 1 < limit && bytes[at] === CR && bytes[at + 1] === LF) {
      this.#at = at + 2
      return this.#measured(value)
    }
    return this.#slowLength(limit)
  }

  #slowLength(limit: number): boolean {
    while (this.#at < limit) {
      const byte = this.bytes[this.#at] as number
      this.#at += 1
      if (byte === LF) return this.#measured(this.#lineValue())
      if (this.#lineBytes === MAX_LENGTH_LINE) {
        this.broken = 'a length does not end'
        return false
      }
      this.#line[this.#lineBytes++] = byte
    }
    return false
  }

  /** A whole line of a length: NaN for `?`, -1 for null. */
  #lineValue(): number {
    const end = this.#lineBytes - 1
    if (this.#line[end] === CR) {
      if (end === 1 && this.#line[0] === STREAMED) return Number.NaN
      const value = parseLength(this.#line, 0, end)
      if (value >= -1) return value
    }
    this.broken = `a length reads ${JSON.stringify(this.#line.toString('latin1', 0, this.#lineBytes))}`
    return 0
  }

  /** @returns whether the value is whole with its line */
  #measured(value: number): boolean {
    if (this.broken !== undefined) return false
    const isStreamed = Number.isNaN(value)
    switch (this.#kind) {
      case TYPE.bulk:
      case TYPE.bulkError:
      case TYPE.verbatim:
        if (isStreamed) return this.#enter(OPEN_CHUNKS)
        if (this.#levels.length === 0) this.declaredBytes = value
        if (value < 0) return true
        return this.#bulk(value)
      case CHUNK:
        if (this.#levels.at(-1) !== OPEN_CHUNKS || !(value >= 0)) this.broken = 'a chunk stands alone'
        else if (value === 0) {
          this.#levels.pop()
          return true
        }
        return this.#bulk(value)
      case TYPE.map:
      case TYPE.attribute:
        return this.#open(value * 2)
      default:
        return this.#open(value)
    }
  }

  #bulk(bytes: number): boolean {
    this.#skip = bytes + 2
    this.#state = IN_BULK
    return false
  }

  /** An aggregate of so many values, NaN where an end will be told. @returns whether it is whole with its line */
  #open(values: number): boolean {
    this.#state = AT_TYPE
    if (this.#kind === TYPE.attribute) {
      // An attribute is no value: the one it belongs to follows, and closes the level with it.
      if (!(values >= 0)) this.broken = 'an attribute has no length'
      return this.#enter(values + 1)
    }
    if (Number.isNaN(values)) return this.#enter(OPEN_ENDED)
    return values <= 0 || this.#enter(values)
  }

  #enter(count: number): false {
    if (this.#levels.length === MAX_DEPTH) this.broken = `replies nest deeper than ${MAX_DEPTH}`
    else this.#levels.push(count)
    this.#state = AT_TYPE
    return false
  }

  #endStream(): boolean {
    if (this.#levels.at(-1) !== OPEN_ENDED) {
      this.broken = 'an end stands alone'
      return false
    }
    this.#levels.pop()
    return true
  }

  /** A value is whole. @returns whether the frame is with it */
  #closed(): boolean {
    this.#state = AT_TYPE
    const levels = this.#levels
    while (levels.length > 0) {
      const top = levels.length - 1
      const left = levels[top] as number
      if (left === OPEN_ENDED || left === OPEN_CHUNKS) return false
      if (left > 1) {
        levels[top] = left - 1
        return false
      }
      levels.pop()
    }
    return true
  }
}
