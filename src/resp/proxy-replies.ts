/**
 * The way back: what the upstream sends, frame by frame to whom it belongs.
 *
 * Floor 4, room resp. Bytes for the client leave as they came, whole runs of them at once; our own questions' answers are
 * cut out. Everything that a reply decides (a write that is done, a reading that may be kept, the connection's state)
 * happens before its bytes are handed on, in this very callback.
 */
import { ReplyScanner } from '../wire/resp-reply.ts'
import type { Reading } from './proxy-reading.ts'
import { type Expect, EXPECT, type Pending } from './pending.ts'
import type { Gather } from './session-gather.ts'
import type { Subscriber } from './proxy-subscriber.ts'

/** First bytes of a reply that a state change looks at. */
const HEAD_BYTES = 64
/** Confirmations and answers of ours that are read whole; a channel's name is part of them. */
const MAX_LOOK_BYTES = 1024 * 1024

/** What the relay tells, before the bytes in question are handed on. */
export interface ReplyEvents {
  /** The first bytes of a frame; `nothing`: of one that answers nothing. */
  begins(kind: Expect, item: unknown): void
  /** The frame is whole. @param head its first bytes where `kind` is of a state change, else empty */
  ends(kind: Expect, item: unknown, head: string): void
  /** The life of a key that a reading named. */
  timed(reading: Reading, frame: Buffer): void
  /** The upstream's bytes cannot be read any further. */
  broken(reason: string): void
}

/** What a relay works with. */
export interface RelayParts {
  readonly pending: Pending
  readonly out: Gather
  readonly subscriber: Subscriber
  readonly events: ReplyEvents
}

/** See the module's header. */
export class ReplyRelay {
  readonly #parts: RelayParts
  readonly #scanner = new ReplyScanner()
  #chunk: Buffer = Buffer.alloc(0)
  /** Bytes of the chunk to be passed on, not yet written. */
  #runStart = 0
  #runEnd = 0
  /** What the present frame is. */
  #kind: Expect = EXPECT.nothing
  /** The present frame is read whole before it is known what becomes of it. */
  #isLooking = false
  #looked: Buffer[] = []
  #lookedBytes = 0
  /** No frame is read any more: bytes pass as they are. */
  #isRaw = false

  constructor(parts: RelayParts) {
    this.#parts = parts
  }

  /** Frames are no longer told apart once everything that is owed has been sent. */
  becomeRaw(): void {
    this.#isRaw = true
  }

  /** Takes a chunk; `out` is flushed. */
  push(chunk: Buffer): void {
    const { pending, out, events } = this.#parts
    this.#chunk = chunk
    this.#runStart = this.#runEnd = 0
    const scanner = this.#scanner
    if (this.#isRaw && pending.size === 0 && scanner.isIdle) {
      events.begins(EXPECT.nothing, undefined)
      out.put(chunk, 0, chunk.length)
      out.flush()
      return
    }
    scanner.push(chunk)
    while (scanner.next()) {
      if (scanner.isFirst) this.#begin()
      this.#piece()
      if (scanner.isLast) this.#end()
      if (this.#isRaw && pending.size === 0 && scanner.isIdle) {
        this.#pass(scanner.end, chunk.length)
        break
      }
    }
    this.#endRun()
    out.flush()
    if (scanner.broken !== undefined) events.broken(scanner.broken)
  }

  /** Sends what is known already and stands first. */
  drain(): void {
    const { pending, out } = this.#parts
    while (pending.kind === EXPECT.local) {
      this.#endRun()
      const bytes = pending.item as Buffer
      out.put(bytes, 0, bytes.length)
      pending.shift()
    }
  }

  #begin(): void {
    const { pending, subscriber, events } = this.#parts
    const scanner = this.#scanner
    this.#kind = scanner.isPush ? EXPECT.nothing : pending.kind
    const kind = this.#kind
    this.#isLooking = kind === EXPECT.ttl || subscriber.looksAt(scanner.type, kind)
    if (kind !== EXPECT.ttl) events.begins(kind, pending.item)
  }

  #piece(): void {
    const { start, end, bytes } = this.#scanner
    if (this.#isLooking) {
      this.#look(bytes, start, end)
      return
    }
    if (this.#kind === EXPECT.fill) (this.#parts.pending.item as Reading).take(bytes, start, end)
    else if (hasHead(this.#kind) && this.#lookedBytes < HEAD_BYTES) this.#keepHead(bytes, start, end)
    this.#pass(start, end)
  }

  #end(): void {
    const kind = this.#kind
    if (this.#isLooking) this.#judge()
    else if (kind !== EXPECT.nothing) {
      const { item } = this.#parts.pending
      this.#parts.events.ends(kind, item, hasHead(kind) ? this.#headText() : '')
      this.#settle()
    }
  }

  /** The frame was the answer to what stood first. */
  #settle(): void {
    const { pending } = this.#parts
    pending.shift()
    if (pending.kind === EXPECT.local) this.drain()
  }

  /** A frame read whole: ours, or the client's after all. */
  #judge(): void {
    const { pending, subscriber, events } = this.#parts
    const frame = this.#looked.length === 1 ? (this.#looked[0] as Buffer) : Buffer.concat(this.#looked)
    this.#forget()
    this.#isLooking = false
    if (this.#kind === EXPECT.ttl) {
      events.timed(pending.item as Reading, frame)
      this.#settle()
      return
    }
    const verdict = subscriber.judge(frame, this.#kind)
    if (verdict !== 'ours') {
      this.#endRun()
      this.#parts.out.put(frame, 0, frame.length)
    }
    if (verdict === 'reply') events.ends(this.#kind, pending.item, frame.toString('latin1', 0, HEAD_BYTES))
    if (verdict !== 'aside') this.#settle()
  }

  #look(bytes: Buffer, start: number, end: number): void {
    this.#looked.push(bytes.subarray(start, end))
    this.#lookedBytes += end - start
    if (this.#lookedBytes <= HEAD_BYTES) return
    if (this.#kind !== EXPECT.ttl && !this.#parts.subscriber.needsWhole(this.#looked[0] as Buffer)) this.#stopLooking()
    else if (this.#lookedBytes > MAX_LOOK_BYTES) this.#parts.events.broken('a confirmation has no end')
  }

  /** It is a message, and may be long: it passes. */
  #stopLooking(): void {
    this.#isLooking = false
    this.#kind = EXPECT.nothing
    this.#endRun()
    for (const bytes of this.#looked) this.#parts.out.put(bytes, 0, bytes.length)
    this.#forget()
  }

  #keepHead(bytes: Buffer, start: number, end: number): void {
    this.#looked.push(bytes.subarray(start, Math.min(end, start + HEAD_BYTES)))
    this.#lookedBytes += end - start
  }

  #headText(): string {
    const text = Buffer.concat(this.#looked).toString('latin1', 0, HEAD_BYTES)
    this.#forget()
    return text
  }

  #forget(): void {
    this.#looked = []
    this.#lookedBytes = 0
  }

  /** Adds to the run of bytes to be passed on. */
  #pass(start: number, end: number): void {
    if (start !== this.#runEnd) {
      this.#endRun()
      this.#runStart = start
    }
    this.#runEnd = end
  }

  #endRun(): void {
    if (this.#runEnd > this.#runStart) this.#parts.out.put(this.#chunk, this.#runStart, this.#runEnd)
    this.#runStart = this.#runEnd
  }
}

/** Whether its first bytes are asked for. */
function hasHead(kind: Expect): boolean {
  return kind === EXPECT.state || kind === EXPECT.exec
}
