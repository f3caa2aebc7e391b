/**
 * Reads requests of the Redis protocol from chunks as they come: where each begins and ends, and where its arguments stand.
 *
 * Floor 1, room wire. Makes no strings, and nothing at all for a request that lies whole within a chunk. Bytes handed out
 * are never written to again here: whoever gives chunks that are used again must copy what is kept. The same requests come
 * out however the bytes are cut. Limits and faults are those of Redis 7 (networking.c): trailing CRLF of a bulk is not
 * looked at, a line with a zero byte never ends. Keeps at most the bytes of one unfinished request.
 */
import {
  faultReply,
  MAX_ARGUMENTS,
  MAX_LINE_BYTES,
  type RequestFault,
  UNTRUSTED_ARGUMENTS,
  UNTRUSTED_BULK_BYTES,
} from './resp-fault.ts'
import { inlineRequest } from './resp-inline.ts'
import { parseLength } from './resp-length.ts'
import { type RequestLimits, UNLIMITED } from './resp-limits.ts'

export { REQUEST_LIMITS, type RequestLimits } from './resp-limits.ts'

/** Nothing more to be had from what was pushed. */
export const NEEDS_MORE = 0
/** A request is whole: `bytes`, `start`, `end`, `count`, `starts`, `ends`. */
export const REQUEST = 1
/** A request larger than `largeBytes` has begun: `stream()` it, or go on and it is collected. */
export const LARGE = 2
/** More bytes of a request that is streamed: `bytes`, `start`, `end`, `isLast`. */
export const PIECE = 3
/** It cannot be read: write `faultText` and hang up. Stays. */
export const BROKEN = 4
export type RequestStep = typeof NEEDS_MORE | typeof REQUEST | typeof LARGE | typeof PIECE | typeof BROKEN

const CR = 0x0d
const LF = 0x0a
const DOLLAR = 0x24
const STAR = 0x2a
const ZERO = 0x30
const EMPTY = Buffer.alloc(0)
const FIRST_ARGUMENTS = 16
const FIRST_KEPT_BYTES = 256
/** Digits read without looking for their end first. */
const SHORT = 9
/** Results of reading a line. */
const LINE_OPEN = -1
const LINE_BAD = -2

/** See the module's header. */
export class RequestScanner {
  /** What `start`, `end`, `starts` and `ends` point into. */
  bytes: Buffer = EMPTY
  /** The request, its first byte and the one behind it; for LARGE and PIECE the part of it that is there. */
  start = 0
  end = 0
  /** Arguments found; with LARGE those before the one that is not whole. */
  count = 0
  /** Arguments the request says it has. */
  declared = 0
  /** Argument i is `bytes[starts[i] … ends[i])`; its line `$…` begins 2 bytes behind the argument before. Grows: do not keep. */
  starts: Int32Array = new Int32Array(FIRST_ARGUMENTS)
  ends: Int32Array = new Int32Array(FIRST_ARGUMENTS)
  /** Every argument ends in CRLF (Redis does not look): else its raw form must not be kept as a reply. */
  isExact = true
  /** It came as a line; `bytes` holds the request that the line stands for. */
  isInline = false
  /** With PIECE: the streamed request ends here. */
  isLast = false
  /** The client has authenticated itself, or need not. Counts from the next line on. */
  isTrusted: boolean
  fault: RequestFault | undefined
  readonly limits: RequestLimits
  #got = 0
  #data: Buffer = EMPTY
  #limit = 0
  #at = 0
  /** Arguments still to come; 0 between requests. */
  #left = 0
  /** Length of the argument being read; -1 while its line is not read. */
  #bulk = -1
  /** The number that was read last. */
  #value = 0
  /** With a streamed request: bytes of the present argument and its end that have not come. */
  #skip = 0
  /** No end of the present line stands before this. */
  #looked = 0
  /** The data is a buffer of our own, which may be appended to. */
  #isOwn = false
  #isAnnounced = false
  #isStreaming = false

  /** @param isTrusted see there */
  constructor(limits: RequestLimits, isTrusted: boolean) {
    this.limits = limits
    this.isTrusted = isTrusted
  }

  /** To be written before hanging up, as latin1; empty where Redis hangs up without a word. */
  get faultText(): string {
    return this.fault === undefined ? '' : faultReply(this.fault, this.#got)
  }

  /** Bytes kept of a request that is not whole. */
  get keptBytes(): number {
    return this.#isOwn ? this.#data.length : 0
  }

  /** No request is half read. */
  get isIdle(): boolean {
    return this.#at >= this.#limit && this.#left === 0 && !this.#isStreaming
  }

  /** Gives what was read; only when `next` has said NEEDS_MORE. */
  push(chunk: Buffer): void {
    if (this.#isOwn) this.#append(chunk)
    else {
      this.#data = chunk
      this.#limit = chunk.length
      this.#at = 0
      this.#looked = 0
    }
    this.bytes = this.#data
  }

  next(): RequestStep {
    if (this.isInline) this.#leaveInline()
    if (this.#isStreaming) return this.#piece()
    if (this.fault !== undefined) return BROKEN
    for (;;) {
      if (this.#left === 0) {
        if (this.#at >= this.#limit) return this.#drop()
        this.start = this.#at
        this.count = 0
        const begun = this.#data[this.#at] === STAR ? this.#begin() : this.#line()
        if (begun === LINE_OPEN) return this.#keep()
        if (begun === LINE_BAD) return BROKEN
        if (this.isInline) return REQUEST
        if (this.#left === 0) continue
      }
      const step = this.#arguments()
      if (step === LINE_BAD) return BROKEN
      if (step === LINE_OPEN) return this.#unfinished()
      this.end = this.#at
      return REQUEST
    }
  }

  /** After LARGE, whose part has been taken over: the rest of this request comes as PIECEs and is not kept. */
  stream(): void {
    this.#isStreaming = true
    this.#skip = 0
    if (this.#bulk >= 0) {
      this.#skip = this.#at + this.#bulk + 2 - this.#limit
      this.#left -= 1
    }
    this.#bulk = -1
    this.#at = this.#looked = this.end
  }

  /** `*n`. @returns the place behind the line, LINE_OPEN or LINE_BAD */
  #begin(): number {
    const behind = this.#number('bigCount')
    if (behind < 0) return behind
    const declared = this.#value
    if (!(declared <= MAX_ARGUMENTS)) return this.#break('count')
    if (declared > UNTRUSTED_ARGUMENTS && !this.isTrusted) return this.#break('untrustedCount')
    this.#at = this.#looked = behind
    this.#left = declared > 0 ? declared : 0
    this.declared = this.#left
    this.isExact = true
    this.#isAnnounced = false
    return behind
  }

  /** Reads arguments as far as there are bytes. @returns LINE_OPEN, LINE_BAD or anything else when all are there */
  #arguments(): number {
    const data = this.#data
    const limit = this.#limit
    while (this.#left > 0) {
      if (this.#bulk < 0) {
        const at = this.#length()
        if (at < 0) return at
        this.#at = at
        this.#bulk = this.#value
      }
      const end = this.#at + this.#bulk
      if (end + 2 > limit) return LINE_OPEN
      if (data[end] !== CR || data[end + 1] !== LF) this.isExact = false
      if (this.count === this.starts.length) this.#widen()
      this.starts[this.count] = this.#at
      this.ends[this.count] = end
      this.count += 1
      this.#at = end + 2
      this.#looked = this.#at
      this.#bulk = -1
      this.#left -= 1
    }
    return 0
  }

  /** `$n`. @returns the place behind the line, LINE_OPEN or LINE_BAD; the length in #value */
  #length(): number {
    const at = this.#number('bigLength')
    if (at < 0) return at
    const first = this.#data[this.#at] as number
    if (first !== DOLLAR) {
      this.#got = first
      return this.#break('expected')
    }
    if (!(this.#value >= 0 && this.#value <= this.limits.maxBulkBytes)) return this.#break('length')
    if (this.#value > UNTRUSTED_BULK_BYTES && !this.isTrusted) return this.#break('untrustedLength')
    return at
  }

  /** The number behind the first byte of the line at #at, into #value. */
  #number(tooLong: RequestFault): number {
    const data = this.#data
    let at = this.#at + 1
    const last = Math.min(at + SHORT, this.#limit - 2)
    let value = (data[at] as number) - ZERO
    // Leading zeros, and lines that begin with a zero byte and so never end, are for the long way.
    if (at < last && value > 0 && value <= 9 && data[this.#at] !== 0) {
      for (at += 1; at <= last; at += 1) {
        const digit = (data[at] as number) - ZERO
        if (digit < 0 || digit > 9) break
        value = value * 10 + digit
      }
      if (at <= last && data[at] === CR) {
        this.#value = value
        return at + 2
      }
    }
    return this.#longNumber(tooLong)
  }

  #longNumber(tooLong: RequestFault): number {
    const end = this.#find(CR)
    if (end === LINE_OPEN) return LINE_OPEN
    if (end - this.#at > MAX_LINE_BYTES) return this.#break(tooLong)
    if (end + 2 > this.#limit) return LINE_OPEN
    this.#value = parseLength(this.#data, this.#at + 1, end)
    return end + 2
  }

  /** Where the byte that ends the present line stands, LINE_OPEN when it is not there; beyond the limit when it cannot come in time. */
  #find(byte: number): number {
    const data = this.#data
    const limit = this.#limit
    const last = Math.min(limit, this.#at + MAX_LINE_BYTES + 1)
    let i = this.#looked < this.#at ? this.#at : this.#looked
    while (i < last && data[i] !== byte && data[i] !== 0) i += 1
    this.#looked = i
    if (i < last && data[i] === byte) return i
    return limit - this.#at > MAX_LINE_BYTES ? this.#at + MAX_LINE_BYTES + 1 : LINE_OPEN
  }

  /** An inline command, or a line without words. */
  #line(): number {
    const lf = this.#find(LF)
    if (lf === LINE_OPEN) return LINE_OPEN
    if (lf - this.#at > MAX_LINE_BYTES) return this.#break('bigInline')
    const end = lf > this.#at && this.#data[lf - 1] === CR ? lf - 1 : lf
    const request = inlineRequest(this.#data.subarray(this.#at, end))
    if (request === undefined) return this.#break('quotes')
    this.#at = lf + 1
    this.#looked = this.#at
    if (request.length > 0) this.#enterInline(request)
    return this.#at
  }

  /** The made request is read as any other, then the data again. */
  #enterInline(request: Buffer): void {
    const inner = new RequestScanner(UNLIMITED, true)
    inner.push(request)
    inner.next()
    this.bytes = request
    this.start = 0
    this.end = request.length
    this.count = inner.count
    this.declared = inner.count
    this.starts = inner.starts
    this.ends = inner.ends
    this.isExact = true
    this.isInline = true
  }

  #leaveInline(): void {
    this.isInline = false
    this.bytes = this.#data
  }

  /** The present request wants more bytes: announced once when large, else kept. */
  #unfinished(): RequestStep {
    const wanted = this.#bulk < 0 ? this.#limit : this.#at + this.#bulk + 2
    if (wanted - this.start > this.limits.largeBytes && !this.#isAnnounced) {
      this.#isAnnounced = true
      this.end = this.#bulk < 0 ? this.#at : this.#limit
      return LARGE
    }
    return this.#keep()
  }

  #piece(): RequestStep {
    if (this.fault !== undefined) return BROKEN
    this.start = this.#at
    while (this.#left > 0 || this.#skip > 0) {
      if (this.#skip > 0) {
        const taken = Math.min(this.#skip, this.#limit - this.#at)
        this.#at += taken
        this.#skip -= taken
        if (this.#skip > 0) return this.#pieceSoFar()
      } else {
        const behind = this.#length()
        if (behind === LINE_BAD) return BROKEN
        if (behind === LINE_OPEN) return this.#pieceSoFar()
        this.#at = behind
        this.#skip = this.#value + 2
        this.#left -= 1
      }
      this.#looked = this.#at
    }
    this.#isStreaming = false
    this.end = this.#at
    this.isLast = true
    return PIECE
  }

  #pieceSoFar(): RequestStep {
    this.end = this.#at
    this.isLast = false
    if (this.end > this.start) return PIECE
    return this.#at < this.#limit ? this.#keep() : this.#drop()
  }

  /** Everything was read. */
  #drop(): typeof NEEDS_MORE {
    this.#data = this.bytes = EMPTY
    this.#isOwn = false
    this.#at = this.#limit = this.#looked = 0
    return NEEDS_MORE
  }

  /** What stands from `start` on must wait for more. */
  #keep(): RequestStep {
    const kept = this.#limit - this.start
    if (kept > this.limits.maxRequestBytes) {
      this.fault = 'tooMuch'
      return BROKEN
    }
    if (!this.#isOwn || this.start > 0) this.#move(Math.max(kept * 2, FIRST_KEPT_BYTES))
    return NEEDS_MORE
  }

  /** Behind what is kept. Room for what was announced is made only in proportion to what has come. */
  #append(chunk: Buffer): void {
    const need = this.#limit + chunk.length
    if (need > this.#data.length) {
      const wanted = this.#bulk < 0 ? 0 : this.#at + this.#bulk + 2
      this.#move(Math.max(need * 2, Math.min(wanted, need * 4)))
    }
    chunk.copy(this.#data, this.#limit)
    this.#limit = need
  }

  /** What stands from `start` on becomes the beginning of a buffer of our own. */
  #move(capacity: number): void {
    const from = this.start
    const own = Buffer.allocUnsafe(capacity)
    this.#data.copy(own, 0, from, this.#limit)
    for (let i = 0; i < this.count; i += 1) {
      this.starts[i] = (this.starts[i] as number) - from
      this.ends[i] = (this.ends[i] as number) - from
    }
    this.#data = own
    this.#isOwn = true
    this.#limit -= from
    this.#at -= from
    this.#looked -= from
    this.start = 0
  }

  #widen(): void {
    const wider = this.starts.length * 2
    const starts = new Int32Array(wider)
    starts.set(this.starts)
    this.starts = starts
    const ends = new Int32Array(wider)
    ends.set(this.ends)
    this.ends = ends
  }

  #break(fault: RequestFault): typeof LINE_BAD {
    this.fault = fault
    return LINE_BAD
  }
}
