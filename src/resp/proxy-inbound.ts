/**
 * What a client's replies mean: writes that are done, readings to keep, what the connection has become.
 *
 * Floor 4, room resp. What wakes a waiting client (a message, a blocking command's reply) is held until memory has followed:
 * whoever he wakes in turn, on any connection, reads nothing from before it.
 */
import type { Reader } from './coherence-reader.ts'
import { type Expect, EXPECT, type Pending } from './pending.ts'
import type { Effect } from './proxy-effect.ts'
import type { Reading } from './proxy-reading.ts'
import { ReplyRelay } from './proxy-replies.ts'
import type { ProxySender } from './proxy-sender.ts'
import type { ProxyShared } from './proxy-shared.ts'
import type { ProxyState, StateChange } from './proxy-state.ts'
import type { Subscriber } from './proxy-subscriber.ts'
import { parseTime } from './proxy-time.ts'
import { type Gather, lengthOf } from './session-gather.ts'

/** What it works with. */
export interface InboundParts {
  readonly shared: ProxyShared
  readonly reader: Reader
  readonly pending: Pending
  readonly subscriber: Subscriber
  readonly sender: ProxySender
  readonly state: ProxyState
  /** Towards the client. */
  readonly out: Gather
  readonly port: { holdUpstream(isHeld: boolean): void; end(reason: string): void }
}

/** What EXEC does. */
export interface Execution {
  readonly effect: Effect
  readonly change: StateChange
}

/** The key is, or will be, with another server. */
const REDIRECTION = /^-(MOVED|ASK) /
const DENIED = Buffer.from('-NOPERM')
const ERROR = 0x2d

/** See the module's header. */
export class ProxyInbound {
  readonly #parts: InboundParts
  readonly #relay: ReplyRelay
  /** Chunks held until memory has followed. */
  #held: Buffer[] = []
  #isHeld = false
  #isLeaving = false
  #isFinishing = false
  #isClosed = false
  #now = 0

  constructor(parts: InboundParts) {
    this.#parts = parts
    const { pending, out, subscriber } = parts
    this.#relay = new ReplyRelay({
      ...{ pending, out, subscriber },
      events: {
        begins: (kind, item) => this.#begins(kind, item),
        ends: (kind, item, head) => this.#ends(kind, item, head),
        timed: (reading, frame) => this.#timed(reading, frame),
        broken: (reason) => parts.port.end(reason),
      },
    })
  }

  /** Bytes of replies that are held. */
  get heldBytes(): number {
    return lengthOf(this.#held, 0)
  }

  /** Frames are no longer told apart once everything that is owed has been sent. */
  becomeRaw(): void {
    this.#relay.becomeRaw()
  }

  /** Takes what the upstream sent. */
  push(chunk: Buffer, now: number): void {
    if (this.#isHeld) this.#held.push(chunk)
    else if (!this.#wakes || this.#isProven(chunk)) this.#take(chunk, now)
  }

  /** Ends the connection as soon as nothing is owed any more. */
  leave(): void {
    this.#isLeaving = true
    if (this.#parts.pending.size > 0) return
    this.#parts.out.flush()
    this.#parts.port.end('the client broke the protocol')
  }

  /** The upstream sends nothing any more: the client goes as soon as he has what was held. */
  finish(): void {
    this.#isFinishing = true
    if (!this.#isHeld) this.#parts.port.end('the upstream ended the connection')
  }

  /** Nothing is relayed any more. */
  close(): void {
    this.#isClosed = true
    this.#held = []
  }

  #take(chunk: Buffer, now: number): void {
    this.#now = now
    this.#relay.push(chunk)
    if (this.#isLeaving) this.leave()
  }

  /** Whether what comes may wake somebody who then asks elsewhere. */
  get #wakes(): boolean {
    const { shared, subscriber, pending, sender } = this.#parts
    const { causality } = shared.coherence
    if (causality !== 'session') return causality === 'strict'
    return sender.hasLetGo || subscriber.isUsed || pending.kind === EXPECT.wake || pending.kind === EXPECT.wakeWrite
  }

  /** @returns whether memory has followed, or is off; else the chunk is held until then */
  #isProven(chunk: Buffer): boolean {
    const { shared, reader, port } = this.#parts
    reader.isReading = true // a fence is needed now, not when he asks
    shared.coherence.learned(reader)
    let isProven = false
    let isNow = true
    shared.coherence.whenProven(reader.watermark, () => {
      isProven = true
      if (!isNow) this.#release()
    })
    isNow = false
    if (isProven) return true
    shared.counts.fenced += 1
    this.#isHeld = true
    this.#held.push(chunk)
    port.holdUpstream(true)
    return false
  }

  #release(): void {
    this.#isHeld = false
    if (this.#isClosed) return
    const held = this.#held
    this.#held = []
    const now = this.#parts.shared.now()
    for (const chunk of held) this.#take(chunk, now)
    if (this.#isFinishing) this.finish()
    else this.#parts.port.holdUpstream(false)
  }

  #begins(kind: Expect, item: unknown): void {
    const { sender, shared, reader } = this.#parts
    switch (kind) {
      case EXPECT.write:
      case EXPECT.wakeWrite:
        sender.done(item as Effect)
        if ((item as Effect).teaches) shared.coherence.learned(reader)
        return
      case EXPECT.exec:
        sender.done((item as Execution).effect)
        shared.coherence.learned(reader)
        return
      case EXPECT.news:
      case EXPECT.wake:
      case EXPECT.nothing:
        shared.coherence.learned(reader)
        return
      default:
    }
  }

  #ends(kind: Expect, item: unknown, head: string): void {
    if (kind === EXPECT.state) (item as StateChange)(head)
    else if (kind === EXPECT.exec) (item as Execution).change(head)
    else if (kind === EXPECT.fill) this.#read(item as Reading)
  }

  #read(reading: Reading): void {
    const { shared, reader, state } = this.#parts
    const bytes = reading.whole()
    if (bytes !== undefined && bytes[0] !== ERROR) state.isProven = true
    else if (bytes !== undefined && isRedirection(bytes)) shared.coherence.redirected()
    if (bytes?.[0] === ERROR && REDIRECTION.test(bytes.toString('latin1', 0, 8))) shared.coherence.redirected()
    const isNews = bytes === undefined || shared.cache.replied(reading, { bytes, start: 0, end: bytes.length }, this.#now)
    if (isNews) shared.coherence.learned(reader)
  }

  #timed(reading: Reading, frame: Buffer): void {
    const { shared, reader } = this.#parts
    if (frame.subarray(0, DENIED.length).equals(DENIED)) reader.isUntimed = true
    shared.cache.timed(reading, parseTime(frame), this.#now)
  }
}

/** Slots have moved: `-MOVED 866 host:port`, `-ASK …`. */
function isRedirection(bytes: Buffer): boolean {
  const head = bytes.toString('latin1', 0, 7)
  return head === '-MOVED ' || head.startsWith('-ASK ')
}
