/**
 * One who waits for a lease: what happens to it, one event after the other, until it has an end.
 *
 * Floor 2, room tier. Bells wake it; that one is lost costs no more than the time the lease has left, when it asks again:
 * a dead holder has exactly one successor then. It ends within `waitMs` of the last sign of progress, whatever happens, and at
 * once when the store cannot be reached. Never rejects.
 */
import type { Clock, Timer } from '../model/clock.ts'
import type { Random } from '../model/random.ts'
import type { Lease } from './lease.ts'
import type { LeaseAnswer, LeaseBell, LeaseFrame, LeaseOutcome, LeaseRead } from './lease-store.ts'

/** What happens. All but the first two end it. */
export type LeaseEvent =
  /** Some of what the holder has got, without a gap. @property takenAt its reading began then or later, `clock.now()` */
  | { readonly kind: 'frames'; readonly frames: readonly LeaseFrame[]; readonly takenAt: number }
  /** Another holds it now; frames begin anew. */
  | { readonly kind: 'restart' }
  | { readonly kind: 'over'; readonly outcome: LeaseOutcome }
  /** This one holds it now. */
  | { readonly kind: 'hold'; readonly lease: Lease; readonly wasReleased: boolean }
  /** Nobody is waited for any longer: too long, the store is away, or more was written than one who reads is kept for. */
  | { readonly kind: 'alone'; readonly reason: 'late' | 'down' | 'behind' }

/** What a waiter works with. */
export interface WaiterParts {
  readonly clock: Clock
  readonly random: Random
  readonly waitMs: number
  ask(): Promise<LeaseAnswer & { readonly lease?: Lease }>
  read(token: string, after: number): Promise<LeaseRead>
  /** Hears of the bytes of frames that were read and not taken yet, more or fewer. */
  onHeld(bytes: number): void
  onEnd(waiter: Waiter): void
}

/** Asked again at least so long after the last answer, ms. */
const MIN_ASK_MS = 25
const SPREAD_MS = 25
/** No more is read while so much of it waits to be taken: who takes slowly holds up himself alone. */
const AHEAD_BYTES = 256 * 1024

/** See the module's header. */
export class Waiter {
  readonly name: string
  readonly #parts: WaiterParts
  readonly #events: LeaseEvent[] = []
  #token: string
  #after = 0
  #wantsFrames = false
  #isReading = false
  #isAsking = false
  #isDirty = false
  #over: LeaseOutcome | undefined
  /** Bytes of frames among the events. */
  #held = 0
  #ended = false
  #wake: (() => void) | undefined
  #askTimer: Timer | undefined
  #endTimer: Timer

  constructor(name: string, holder: { readonly token: string; readonly leftMs: number }, parts: WaiterParts) {
    this.name = name
    this.#parts = parts
    this.#token = holder.token
    this.#endTimer = parts.clock.after(parts.waitMs, () => this.end({ kind: 'alone', reason: 'late' }))
    this.#askIn(holder.leftMs)
  }

  /** What happens next. After the end: that it is over. */
  async next(): Promise<LeaseEvent> {
    while (this.#events.length === 0) {
      if (this.#ended) return { kind: 'alone', reason: 'late' }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const event = this.#events.shift() as LeaseEvent
    if (event.kind === 'frames') this.#take(event)
    return event
  }

  /** From now on what the holder has got is read as it comes. */
  follow(): void {
    this.#wantsFrames = true
    this.#read()
  }

  /** Nobody wants to hear of it any more. */
  leave(): void {
    this.end({ kind: 'alone', reason: 'late' })
    for (const event of this.#events.splice(0)) {
      if (event.kind === 'hold') event.lease.release('free')
      else if (event.kind === 'frames') this.#take(event)
    }
  }

  bell(bell: LeaseBell): void {
    if (bell.kind === 'taken') {
      if (bell.token !== this.#token) void this.again()
      return
    }
    if (bell.kind === 'over' && bell.outcome === 'free') void this.again()
    else if (bell.kind === 'over') {
      if (!this.#wantsFrames || bell.token !== this.#token) return this.end({ kind: 'over', outcome: bell.outcome })
      this.#over = bell.outcome // after what is still to be read
      this.#read()
    } else if (bell.kind === 'frames' && bell.token === this.#token) this.#read()
  }

  /** Asks how things stand; takes the lease where it is free. */
  async again(): Promise<void> {
    if (this.#ended || this.#isAsking) return
    this.#isAsking = true
    this.#askTimer?.cancel()
    try {
      const answer = await this.#parts.ask()
      if (answer.isHeld) {
        const { lease, wasReleased } = answer
        if (this.#ended)
          lease?.release('free') // nobody is left to use it
        else if (lease !== undefined) this.end({ kind: 'hold', lease, wasReleased })
        return
      }
      if (this.#ended) return
      if (answer.token !== this.#token) {
        this.#token = answer.token
        if (this.#after > 0) this.#tell({ kind: 'restart' })
        this.#after = 0
        if (this.#wantsFrames) this.#read()
      }
      this.#askIn(answer.leftMs)
    } catch {
      this.end({ kind: 'alone', reason: 'down' })
    } finally {
      this.#isAsking = false
    }
  }

  end(event: LeaseEvent): void {
    if (this.#ended) return
    this.#ended = true
    this.#askTimer?.cancel()
    this.#endTimer.cancel()
    this.#tell(event)
    this.#parts.onEnd(this)
  }

  #askIn(leftMs: number): void {
    const { clock, random } = this.#parts
    this.#askTimer = clock.after(Math.max(MIN_ASK_MS, leftMs) + random() * SPREAD_MS, () => void this.again())
  }

  #read(): void {
    if (this.#ended) return
    this.#isDirty = true
    if (!this.#isReading) void this.#readOn()
  }

  async #readOn(): Promise<void> {
    this.#isReading = true
    try {
      while (this.#isDirty && !this.#ended && this.#held < AHEAD_BYTES) {
        this.#isDirty = false
        const token = this.#token
        const askedAt = this.#parts.clock.now()
        const { first, frames, ageMs } = await this.#parts.read(token, this.#after)
        if (token !== this.#token) this.#isDirty = true
        else if (frames.length > 0 && first !== this.#after + 1) this.end({ kind: 'alone', reason: 'behind' })
        else if (frames.length > 0) {
          this.#after += frames.length
          this.#isDirty = true // until nothing is left
          this.#hold(bytesOf(frames))
          this.#progress()
          this.#tell({ kind: 'frames', frames, takenAt: askedAt - ageMs })
        } else if (this.#over !== undefined) this.end({ kind: 'over', outcome: this.#over })
      }
    } catch {
      this.end({ kind: 'alone', reason: 'down' })
    } finally {
      this.#isReading = false
    }
  }

  #hold(bytes: number): void {
    this.#held += bytes
    this.#parts.onHeld(bytes)
  }

  #take({ frames }: LeaseEvent & { readonly kind: 'frames' }): void {
    const wasFull = this.#held >= AHEAD_BYTES
    this.#hold(-bytesOf(frames))
    if (!wasFull || this.#held >= AHEAD_BYTES || this.#ended) return
    this.#progress()
    this.#read()
  }

  /** Time runs while the other one is waited for, not while what came from it waits here. */
  #progress(): void {
    const { clock, waitMs } = this.#parts
    this.#endTimer.cancel()
    if (this.#held >= AHEAD_BYTES) return
    this.#endTimer = clock.after(waitMs, () => this.end({ kind: 'alone', reason: 'late' }))
  }

  #tell(event: LeaseEvent): void {
    this.#events.push(event)
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}

function bytesOf(frames: readonly LeaseFrame[]): number {
  return frames.reduce((sum, { data }) => sum + data.byteLength, 0)
}
