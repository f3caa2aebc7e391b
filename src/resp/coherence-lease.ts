/**
 * The lease: up to which moment every change in the upstream has been heard of, proven by PINGs on the tracking connection.
 *
 * Floor 4, room resp. Redis puts the push of a change on the wire before the answer to any PING that it runs in a later turn:
 * so the send time of the newest answered PING is a moment up to which all is known, and a silent or half-open connection
 * lets the lease run out by itself. PINGs double as fences: numbered over all lives of the connection, so that no clocks are
 * compared. At most two are on their way; sent only while somebody reads. A server whose threads send replies before the
 * turn's pushes may answer the first PING behind a reply too early: there a PING proves what was before the answered one it
 * was sent behind.
 */
import type { Clock, Timer } from '../model/clock.ts'

/** What is asked of the tracking connection. */
export interface FencePort {
  /** Sends a PING now; its answer is told by `Lease.proven`, in order. */
  ping(): void
  /** Asks whether the rules of access are as they were; answered by `Coherence.granted`. */
  askGrants(): void
}

/** Without a question for so long no heartbeat is sent, ms. */
const IDLE_MS = 1000
/** Heartbeats in one span of allowed staleness. */
const BEATS = 5
const MAX_UNDER_WAY = 2

/** A PING. */
interface Sent {
  readonly number: number
  readonly sentMs: number
}
const NOTHING: Sent = { number: 0, sentMs: Number.NEGATIVE_INFINITY }

/** See the module's header. */
export class Lease {
  readonly #clock: Clock
  readonly #beatMs: number
  readonly #underWay: (Sent & { readonly behind: Sent })[] = []
  /** The newest that was answered. */
  #heard: Sent = NOTHING
  #isThreaded = false
  #port: FencePort | undefined
  #timer: Timer | undefined
  #wanted = 0
  #sentMs = Number.NEGATIVE_INFINITY
  /** Number of the newest PING that was sent, and of the newest fence behind which all is known. */
  sent = 0
  answered = 0
  /** Up to then every change has been heard of; -Infinity: nothing is being heard. */
  provenMs = Number.NEGATIVE_INFINITY
  /** When somebody last asked. */
  usedMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, maxStaleMs: number) {
    this.#clock = clock
    this.#beatMs = maxStaleMs / BEATS
  }

  /** Whether the tracking connection stands and has been proven once. */
  get isOn(): boolean {
    return this.provenMs !== Number.NEGATIVE_INFINITY
  }

  /** Changes are being heard from now on; the first PING is sent at once. @param isThreaded see the module's header */
  open(port: FencePort, isThreaded: boolean): void {
    this.#port = port
    this.#isThreaded = isThreaded
    this.renew()
  }

  /** Nothing is heard any more. */
  close(): void {
    this.#port = undefined
    this.#underWay.length = 0
    this.#heard = NOTHING
    this.#wanted = 0
    this.provenMs = Number.NEGATIVE_INFINITY
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** Somebody asks at `now`: keeps the heart beating for a while. */
  use(now: number): void {
    this.usedMs = now
    if (this.#timer === undefined && this.#port !== undefined) this.#arm()
  }

  /** Sees to it that `answered` gets to a fence: PINGs are sent now, or when earlier ones are answered. */
  fence(fence: number): void {
    if (fence <= (this.#isThreaded ? this.answered : this.sent)) return
    this.#wanted = Math.max(this.#wanted, fence)
    this.#pingFor()
  }

  /** Sees to it that a lease is on its way. */
  renew(): void {
    if (this.#underWay.length === 0) this.fence(this.sent + 1)
  }

  /** Asks for the rules of access. */
  askGrants(): void {
    this.#port?.askGrants()
  }

  /** The oldest PING under way was answered. */
  proven(): void {
    const one = this.#underWay.shift()
    if (one === undefined) return
    const proven = this.#isThreaded ? one.behind : one
    if (proven !== NOTHING) {
      this.answered = proven.number
      this.provenMs = proven.sentMs
    }
    this.#heard = { number: one.number, sentMs: one.sentMs }
    this.#pingFor()
  }

  /** Sends one where one is wanted and has room. */
  #pingFor(): void {
    const reached = this.#isThreaded ? this.answered : this.sent
    const room = this.#isThreaded ? 1 : MAX_UNDER_WAY
    if (this.#wanted > reached && this.#underWay.length < room) this.#ping()
  }

  #ping(): void {
    const port = this.#port
    if (port === undefined) return
    this.sent += 1
    const sentMs = this.#clock.now() // read before it is written: a lease begins no later than its question
    this.#sentMs = sentMs
    this.#underWay.push({ number: this.sent, sentMs, behind: this.#heard })
    port.ping()
  }

  #arm(): void {
    this.#timer = this.#clock.after(this.#beatMs, () => {
      this.#timer = undefined
      const now = this.#clock.now()
      if (this.#port === undefined || now - this.usedMs > IDLE_MS) return
      if (now - this.#sentMs >= this.#beatMs / 2 && this.#underWay.length < MAX_UNDER_WAY) this.#ping()
      if (this.#port !== undefined) this.#arm()
    })
  }
}
