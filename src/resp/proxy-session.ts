/**
 * One client of the front: his requests answered from memory where that is sure, all else passed on in order.
 *
 * Floor 4, room resp. One connection to the upstream for each of a client's, so that whatever a connection is to Redis it
 * is here too. No socket, no promise, no clock of its own: bytes come in with the time at which they were read. A hit is
 * answered only when nothing that the client asked before is still under way: replies keep the order that Redis gives
 * them, and what they show never runs backwards.
 */
import { BROKEN, LARGE, NEEDS_MORE, PIECE, type RequestLimits, RequestScanner } from '../wire/resp-request.ts'
import { Reader } from './coherence-reader.ts'
import { Pending } from './pending.ts'
import { Dispatch, type LoginGate } from './proxy-dispatch.ts'
import { ProxyInbound } from './proxy-inbound.ts'
import type { Hit } from './reply-cache.ts'
import { ProxySender } from './proxy-sender.ts'
import type { ProxyShared } from './proxy-shared.ts'
import { ProxyState } from './proxy-state.ts'
import { Subscriber } from './proxy-subscriber.ts'
import { type ByteSink, Gather, lengthOf } from './session-gather.ts'

/** What a session asks of the connections on both sides. */
export interface ProxyPort {
  /** Towards the client. */
  readonly client: ByteSink
  /** Towards the upstream; holds what is written before the connection stands. */
  readonly upstream: ByteSink
  /** The client lets so much wait that no more is answered from memory: then it waits in Redis. */
  readonly isBehind: boolean
  /** Stops and starts reading the client. */
  holdClient(isHeld: boolean): void
  /** Stops and starts reading the upstream. */
  holdUpstream(isHeld: boolean): void
  /** Ends the client's connection when what was written has left, and the upstream's with it. */
  end(reason: string): void
  /** How long his next attempt to log in has to wait, ms. */
  loginDelayMs(): number
  /** An attempt has ended. */
  login(isRight: boolean): void
  /** Runs once after so many ms. */
  later(ms: number, run: () => void): void
}

/**
 * Replies owed to one client before he is not read any further. So many because some clients send all of a pipeline before they
 * read any of its replies: until then it waits where it would wait without us, in Redis.
 */
const MAX_OWED = 1_048_576

/** What the present chunk's readings may get from memory. */
const NO = 0
const YES = 1
/** As soon as memory has followed. */
const SOON = 2

/** See the module's header. */
export class ProxySession {
  readonly #shared: ProxyShared
  readonly #port: ProxyPort
  readonly #reader = new Reader()
  readonly #scanner: RequestScanner
  readonly #pending = new Pending()
  readonly #out: Gather
  readonly #state: ProxyState
  readonly #sender: ProxySender
  readonly #inbound: ProxyInbound
  readonly #dispatch: Dispatch
  /** Chunks that came while requests were held. */
  #waiting: Buffer[] = []
  /** A request stands framed in the scanner and is next. */
  #isFramed = false
  #isHeld = false
  #isFull = false
  #isEnded = false
  /** An attempt to log in has waited its time. */
  #mayLogin = false
  #now = 0
  /** Where the connection to the upstream leads; memory answers only where the tracking connection leads there, too. */
  place: string | undefined

  constructor(shared: ProxyShared, port: ProxyPort, limits: RequestLimits) {
    this.#shared = shared
    this.#port = port
    this.#scanner = new RequestScanner(limits, true)
    const subscriber = new Subscriber()
    const [reader, pending] = [this.#reader, this.#pending]
    this.#state = new ProxyState(subscriber)
    this.#out = new Gather(shared.clientRoom, port.client)
    const out = new Gather(shared.upstreamRoom, port.upstream)
    this.#sender = new ProxySender({ shared, reader, pending, state: this.#state, out })
    this.#inbound = new ProxyInbound({
      ...{ shared, reader, pending, subscriber, port },
      sender: this.#sender,
      state: this.#state,
      out: this.#out,
    })
    this.#dispatch = new Dispatch({
      ...{ shared, sender: this.#sender, state: this.#state, pending, subscriber, inbound: this.#inbound },
      gate: this.#gate(),
    })
  }

  /** Replies that are owed. */
  get owed(): number {
    return this.#pending.visible
  }

  /** Bytes kept of a request that is not whole, of those that are held, and of replies that are. */
  get heldBytes(): number {
    return lengthOf(this.#waiting, this.#scanner.keptBytes + this.#inbound.heldBytes)
  }

  /** Database, user, protocol, as far as they are known. */
  get state(): Readonly<ProxyState> {
    return this.#state
  }

  /** Requests. @param now `clock.now()` */
  fromClient(chunk: Buffer, now: number): void {
    this.#now = now
    if (this.#isHeld || this.#isFull) {
      this.#waiting.push(chunk)
      return
    }
    this.#scanner.push(chunk)
    this.#run()
  }

  /** Replies. */
  fromUpstream(chunk: Buffer, now: number): void {
    this.#now = now
    this.#inbound.push(chunk, now)
    if (this.#isFull && this.#pending.size < MAX_OWED / 2) {
      this.#isFull = false
      this.#goOn()
    }
  }

  /** The connections are gone: what was under way may or may not have happened. */
  close(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#inbound.close()
    this.#sender.abandon()
  }

  /** The upstream is gone: the client follows behind all that it sent. */
  finish(): void {
    this.#inbound.finish()
  }

  /** Answers each reply that is owed with an error: the upstream cannot be reached. */
  refuse(text: string): void {
    const count = this.#pending.visible
    for (let i = 0; i < count; i += 1) this.#out.text(text)
    this.#out.flush()
  }

  /** Reads requests as far as they are here. */
  #run(): void {
    const scanner = this.#scanner
    this.#sender.begin(this.#now)
    let may = this.#may()
    while (!this.#isFull) {
      const step = this.#isFramed ? 1 : scanner.next()
      this.#isFramed = false
      if (step === NEEDS_MORE) {
        if (this.#waiting.length === 0) break
        scanner.push(this.#waiting.shift() as Buffer)
        continue
      }
      if (step > 1) {
        if (!this.#special(step)) break
      } else if (may !== NO) {
        const hit = this.#find()
        if (hit === undefined) {
          if (!this.#pass()) break
        } else if (may === YES) {
          this.#tell(hit)
          // What others have just asked for may tell of more than memory has followed yet.
          if (this.#shared.coherence.served(this.#reader, hit.fence)) may = this.#may()
          continue
        } else if (this.#await() || !this.#pass()) break // passed: memory is off by now
      } else if (!this.#pass()) break
      may = NO
    }
    this.#out.flush()
    this.#sender.flush()
  }

  #tell(hit: Hit): void {
    this.#shared.counts.hits += 1
    if (this.#shared.hot.isSampled()) this.#sender.touch(this.#scanner)
    if (hit.isStable) this.#out.put(hit.bytes, hit.start, hit.end)
    else this.#out.putCopy(hit.bytes, hit.start, hit.end)
  }

  /** The reply to the framed request, if memory has it. */
  #find(): Hit | undefined {
    const scanner = this.#scanner
    if (!this.#shared.mayBeKept(scanner)) return undefined
    return this.#shared.cache.find(this.#sender.partition, scanner, this.#now)
  }

  /** Whether readings may be answered from memory: asked once for a chunk. */
  #may(): typeof NO | typeof YES | typeof SOON {
    const [state, reader] = [this.#state, this.#reader]
    reader.isAside = !state.isPlain || this.place !== this.#shared.place
    if (reader.isAside || this.#pending.visible > 0 || !state.isProven || this.#port.isBehind) return NO
    if (this.#sender.partition < 0) return NO
    if (this.#shared.coherence.mayHit(reader, this.#now)) return YES
    return this.#shared.coherence.isBehind(reader, this.#now) ? SOON : NO
  }

  /** Holds a request that memory could answer until it has followed. @returns false: it never will */
  #await(): boolean {
    const { coherence, counts } = this.#shared
    let isNow = true
    let isProven = false
    coherence.whenProven(this.#reader.watermark, () => {
      isProven = true
      if (isNow) return
      this.#isHeld = false
      this.#isFramed = true
      this.#goOn()
    })
    isNow = false
    if (isProven) return false
    counts.fenced += 1
    this.#hold()
    return true
  }

  /** Requests are read again. */
  #goOn(): void {
    if (this.#isEnded || this.#isHeld || this.#isFull) return
    this.#now = this.#shared.now()
    this.#run()
    if (!this.#isHeld && !this.#isFull) this.#port.holdClient(false)
  }

  /** @returns false: nothing more is read for now */
  #pass(): boolean {
    if (!this.#dispatch.pass(this.#scanner)) return false
    if (this.#pending.size < MAX_OWED) return !this.#isHeld
    this.#isFull = true
    this.#port.holdClient(true)
    return true
  }

  /** Attempts to log in: one at a time, and each behind the pause that earlier ones have earned. */
  #gate(): LoginGate {
    const port = this.#port
    const release = (isFramed: boolean): void => {
      this.#isHeld = false
      this.#isFramed = isFramed
      this.#goOn()
    }
    return {
      admit: () => {
        const ms = this.#mayLogin ? 0 : port.loginDelayMs()
        this.#mayLogin = ms > 0
        if (ms <= 0) return true
        this.#hold()
        port.later(ms, () => release(true))
        return false
      },
      sent: () => this.#hold(),
      ended: (isRight) => {
        port.login(isRight)
        queueMicrotask(() => release(false)) // the reply itself has to leave first
      },
    }
  }

  #hold(): void {
    this.#isHeld = true
    this.#port.holdClient(true)
  }

  /** @returns false: nothing more is read */
  #special(step: number): boolean {
    const scanner = this.#scanner
    if (step === LARGE) {
      this.#dispatch.passBegun(scanner)
      scanner.stream()
      return true
    }
    if (step === PIECE) {
      this.#sender.send(scanner)
      return true
    }
    if (step === BROKEN) this.#break()
    return false
  }

  /** What cannot be read is answered behind all that is owed, in Redis's words, and the connection ends. */
  #break(): void {
    if (this.#isEnded) return
    this.#shared.counts.broken += 1
    const text = Buffer.from(this.#scanner.faultText, 'latin1')
    if (this.#pending.visible > 0) this.#pending.pushLocal(text)
    else this.#out.put(text, 0, text.length)
    this.#inbound.leave()
  }
}
