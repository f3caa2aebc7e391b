/**
 * Leading a flight for all processes: what its followers here get, those elsewhere who wait get too, as it comes.
 *
 * Floor 4, room http. Nothing goes out before somebody waits. The lease is let go of when the second level has what was
 * stored and those who follow have their last frame; a relay that fails costs the others the stream, never this process.
 */
import type { Engine } from '../flow/engine.ts'
import type { Fill } from '../flow/fill.ts'
import type { Lead } from '../flow/flight.ts'
import type { Lease } from '../tier/lease.ts'
import type { LeaseFrame, LeaseOutcome } from '../tier/lease-store.ts'
import { chunkFrames, endFrame, FRAME, headFrame } from './relay-frame.ts'
import type { Sharing } from './sharing.ts'

/** See the module's header. */
export class LeasedLead implements Lead<Sharing> {
  readonly role = 'lead'
  readonly fill: Fill
  readonly #engine: Engine
  readonly #place: Lead<Sharing>
  readonly #lease: Lease
  #sharing: Sharing | undefined
  #relaying: Promise<void> = Promise.resolve()
  #isOver = false

  /** @param fill opened after the lease was taken */
  constructor(engine: Engine, place: Lead<Sharing>, { lease, fill }: { readonly lease: Lease; readonly fill: Fill }) {
    this.#engine = engine
    this.#place = place
    this.#lease = lease
    this.fill = fill
  }

  answer(value: Sharing, tags?: readonly string[]): void {
    this.#sharing = value
    this.#place.answer(value, tags)
    this.#lease.onAwaited(() => {
      this.#relaying = this.#relay(value)
    })
  }

  fail(error: unknown): void {
    this.#place.fail(error)
    this.#settle('failed')
  }

  /** Nobody failed: who caused it has gone. One of those who wait takes its place. */
  give(error: unknown): void {
    this.#place.fail(error)
    this.#settle('free')
  }

  abandon(): void {
    this.#place.abandon()
    this.#settle('alone')
  }

  end(): void {
    this.#place.end()
    this.#settle(undefined)
  }

  waiters(): number {
    return this.#place.waiters() + (this.#lease.isAwaited ? 1 : 0)
  }

  onEmpty(run: () => void): void {
    this.#place.onEmpty(run)
  }

  #settle(given: LeaseOutcome | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    void this.#release(given)
  }

  async #release(given: LeaseOutcome | undefined): Promise<void> {
    await Promise.resolve() // some end before they answer
    const stored = given === undefined ? await this.#sharing?.stored : undefined
    await this.#relaying
    const outcome = given ?? (stored !== undefined ? 'stored' : this.#sharing?.filling?.broken === true ? 'failed' : 'alone')
    this.#engine.leases?.release(this.#lease, [this.fill.key], outcome)
  }

  async #relay({ plan, filling, stored }: Sharing): Promise<void> {
    // Too much of it has gone by: it will be stored nowhere, and who waits had better ask at once.
    if (filling?.joinable === false) return this.#settle('alone')
    const body = filling?.read()
    try {
      if (body === undefined) {
        const whole = await stored
        if (whole === undefined) return
        await this.#send([headFrame(this.fill, plan), ...chunkFrames(whole.body), endFrame(whole.trailers === undefined)])
        return
      }
      if (!(await this.#send([headFrame(this.fill, plan)]))) return
      for await (const bytes of body) {
        for (const frame of chunkFrames(bytes)) if (!(await this.#send([frame]))) return
      }
      const whole = await stored
      await this.#send([endFrame(whole !== undefined && whole.trailers === undefined)])
    } catch {
      await this.#send([{ kind: FRAME.broken, data: new Uint8Array(0) }])
    } finally {
      void body?.[Symbol.asyncIterator]().return?.()
    }
  }

  #send(frames: readonly LeaseFrame[]): Promise<boolean> {
    const { leases } = this.#engine
    return this.#lease.publish(frames.map((frame) => leases?.close(this.#lease, frame) ?? frame))
  }
}
