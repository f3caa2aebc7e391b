/**
 * A member's end of a log between machines.
 *
 * Floor 2, room tier. Three things run side by side, and any of them may hang: listening for the next record on a connection
 * of its own, proving again and again that nothing newer stands in the log (which also reads what the listener missed), and
 * appending what was invalidated here. All of them feed one Follower, which decides. Silence is trusted for `blindAfterMs` from
 * the moment at which a proof was asked for; then this member doubts, asks once more, and is blind if nobody answers within a
 * beat, until the next proof. An answer counts for as long as it can prove anything, `blindAfterMs`, however soon whoever asked
 * went on: a member whose way is slow throughout proves less, and is not blind for it. What it heard meanwhile is applied by
 * then, so what stands may stand on; only a log that has lost something makes it begin anew. Never throws and never rejects
 * into callers.
 */
import type { Clock, Timer } from '../model/clock.ts'
import type { Position } from '../model/entry.ts'
import type { FenceLink, LinkDraft, LinkReceiver, Settled } from '../model/link.ts'
import { Follower, type StreamCounts } from './follower.ts'
import type { Asked } from './horizon.ts'
import type { LogStore, Proof } from './log-store.ts'

/** What a link is made of. */
export interface StreamParts {
  readonly clock: Clock
  readonly store: LogStore
  /** Silence is trusted for so long from its last proof, ms. */
  readonly blindAfterMs: number
  /**
   * A publisher waits so long for its record to have its place, and so long again for the others, ms. Above `blindAfterMs`,
   * whoever has not acknowledged by then doubts already.
   */
  readonly ackMs: number
  /** Hears when this member becomes blind, and when it sees again. */
  onSight?(sees: boolean): void
  /** Hears of what fails by itself. */
  onTrouble?(error: unknown): void
}

/** Records that are being read. */
interface Page {
  isOver: boolean
  /** Whether anything followed. */
  readonly done: Promise<boolean>
}

/** A question that took longer than its deadline by so much was asked by a process that slept. */
const SLEPT = 1.25
/** Then it is taken for blind all the same: nobody waits for ever. */
const MAX_AGAIN = 4
const PAGE = 1000
const RETRY_MS = 20
const MAX_RETRY_MS = 250

/** See the module's header. */
export class StreamLink implements FenceLink {
  readonly #parts: StreamParts
  readonly #everyMs: number
  readonly #follower: Follower
  readonly #pauses = new Set<() => void>()
  #reproving: Promise<boolean> | undefined
  #reading: Page | undefined
  #stopBack: (() => void) | undefined
  #isPumping = false
  #isClosed = false

  constructor(parts: StreamParts) {
    this.#parts = parts
    this.#follower = new Follower({ ...parts, onOther: () => parts.store.redial() })
    this.#everyMs = this.#follower.everyMs
  }

  get counts(): StreamCounts {
    return this.#follower.counts
  }

  get generation(): string {
    return this.#follower.generation
  }

  /** Members known to live, this one among them. */
  get members(): readonly string[] {
    return this.#follower.members
  }

  get expected(): number {
    return this.#follower.expected
  }

  /** Own records that are not in the log yet. */
  get waiting(): number {
    return this.#follower.waiting
  }

  get isBlind(): boolean {
    return this.#follower.isBlind
  }

  start(receiver: LinkReceiver): Position {
    this.#follower.begin(receiver)
    this.#stopBack = this.#parts.store.onBack(() => void this.#prove(this.#everyMs))
    this.#beat()
    this.#watch(this.#parts.blindAfterMs)
    void this.#listen()
    return 0
  }

  publish(draft: LinkDraft): Promise<Settled> {
    return new Promise((resolve) => {
      this.#follower.publish(draft, resolve)
      void this.#pump()
    })
  }

  pending(): Iterable<LinkDraft> {
    return this.#follower.pending()
  }

  catchUp(sequence: Position, deadlineMs: number): Promise<boolean> {
    return this.#readUpTo(sequence, deadlineMs)
  }

  reprove(): Promise<boolean> {
    this.#reproving ??= this.#askAgain().finally(() => (this.#reproving = undefined))
    return this.#reproving
  }

  /** Appends what still waits, as far as the deadline allows; answers whoever waits; takes this member out. */
  async close(deadlineMs: number): Promise<void> {
    if (this.#isClosed) return
    const endAt = this.#parts.clock.now() + deadlineMs
    while (this.waiting > 0 && this.#parts.clock.now() < endAt) await this.#pause(RETRY_MS)
    this.#isClosed = true
    this.#stopBack?.()
    for (const wake of [...this.#pauses]) wake()
    this.#follower.close()
    await this.#parts.store.leave(deadlineMs)
  }

  #beat(): void {
    if (this.#isClosed) return
    void this.#prove(this.#everyMs)
    this.#parts.clock.after(this.#everyMs, () => this.#beat())
  }

  /** Doubts when silence may be trusted no longer. Who asks before this timer has run is stopped by the moment itself. */
  #watch(ms: number): void {
    const { clock } = this.#parts
    clock.after(ms, () => {
      if (this.#isClosed) return
      const leftMs = this.#follower.provenUntil - clock.now()
      if (leftMs > 0) return this.#watch(leftMs)
      if (!this.isBlind) {
        this.#follower.doubt()
        void this.reprove()
      }
      this.#watch(this.#everyMs)
    })
  }

  /**
   * Asks; a later answer counts all the same. Whoever asks waits before he asks anew, so that few questions are under way.
   *
   * @param patienceMs how long the answer is waited for here
   * @returns whether silence may be trusted now
   */
  async #prove(patienceMs: number): Promise<boolean> {
    const asked = this.#follower.ask()
    // On a slow way the answer to an earlier question has come meanwhile, and is as good.
    const sees = (await this.#within(this.#question(asked), patienceMs)) || this.#follower.look()
    if (!sees) this.#follower.unproven(asked)
    return sees
  }

  /** @returns whether silence may be trusted when the answer is here, and all of which it tells is applied */
  async #question(asked: Asked): Promise<boolean> {
    const { store, blindAfterMs } = this.#parts
    let proof: Proof
    try {
      proof = await store.prove(blindAfterMs)
    } catch (error) {
      this.#follower.trouble(error)
      return false
    }
    if (this.#isClosed) return false
    if (this.#follower.proven(proof, asked) === 'behind') await this.#readUpTo(proof.last, blindAfterMs)
    void this.#pump()
    return this.#follower.look()
  }

  async #askAgain(): Promise<boolean> {
    const { clock } = this.#parts
    let askedAt = clock.now()
    let sees = await this.#prove(this.#everyMs)
    // A process that slept meanwhile has an answer from before: it asks from where it woke, however often it sleeps.
    for (let again = 0; again < MAX_AGAIN && !sees && clock.now() - askedAt > this.#everyMs * SLEPT; again += 1) {
      askedAt = clock.now()
      sees = await this.#prove(this.#everyMs)
    }
    if (!sees) this.#follower.goBlind(askedAt)
    return sees
  }

  async #listen(): Promise<void> {
    const { store, blindAfterMs } = this.#parts
    const follower = this.#follower
    let pauseMs = RETRY_MS
    while (!this.#isClosed) {
      if (follower.generation === '') {
        await this.#pause(this.#everyMs / 10)
        continue
      }
      try {
        const { rows, acknowledgements } = await store.listen(follower.position, blindAfterMs / 2)
        if (this.#isClosed) return
        const last = follower.take(rows)
        if (last === 'gap' || last === 'other') {
          await this.#prove(this.#everyMs)
          if (follower.take(rows) === 'other') await this.#hearElsewhere()
        }
        follower.hear(acknowledgements)
        pauseMs = RETRY_MS
      } catch (error) {
        follower.trouble(error)
        await this.#pause(pauseMs)
        pauseMs = Math.min(MAX_RETRY_MS, pauseMs * 2)
      }
    }
  }

  /** What was heard is of a log that is no more: from a server that does not know it has been replaced. */
  async #hearElsewhere(): Promise<void> {
    this.#parts.store.redial()
    await this.#pause(RETRY_MS)
  }

  /**
   * Readers share one question: many who wait for one record do not read it once each. One that was not answered within a beat
   * may be lost, and is shared no longer.
   */
  async #readUpTo(target: Position, deadlineMs: number): Promise<boolean> {
    const { clock } = this.#parts
    const endAt = clock.now() + deadlineMs
    const { generation } = this.#follower
    while (this.#follower.position < target) {
      const leftMs = endAt - clock.now()
      if (leftMs <= 0 || this.#isClosed || this.#follower.generation !== generation) return false
      const isShared = this.#reading !== undefined
      const reading = (this.#reading ??= this.#read(leftMs))
      const moved = await this.#within(reading.done, Math.min(leftMs, this.#everyMs))
      if (reading.isOver && !moved && !isShared) return false
      if (this.#reading === reading) this.#reading = undefined
    }
    return this.#follower.generation === generation
  }

  #read(deadlineMs: number): Page {
    const page: Page = { isOver: false, done: this.#readPage(deadlineMs).finally(() => (page.isOver = true)) }
    return page
  }

  /** @returns whether anything followed */
  async #readPage(deadlineMs: number): Promise<boolean> {
    const { position, generation } = this.#follower
    try {
      return this.#follower.takePage(await this.#parts.store.read(position, PAGE, deadlineMs), { position, generation })
    } catch (error) {
      this.#follower.trouble(error)
      return false
    }
  }

  #within(work: Promise<boolean>, ms: number): Promise<boolean> {
    const { clock } = this.#parts
    return new Promise((resolve) => {
      // One turn later than the timer: after a pause of this process, answers that lie ready are read first.
      const timer = clock.after(ms, () => void clock.after(0, () => resolve(false)))
      void work.then((moved) => {
        timer.cancel()
        resolve(moved)
      })
    })
  }

  async #pump(): Promise<void> {
    if (this.#isPumping || this.#isClosed || this.generation === '') return
    this.#isPumping = true
    let pauseMs = RETRY_MS
    while (this.waiting > 0 && !this.#isClosed) {
      if (await this.#append()) pauseMs = RETRY_MS
      else {
        await this.#pause(pauseMs)
        pauseMs = Math.min(MAX_RETRY_MS, pauseMs * 2)
      }
    }
    this.#isPumping = false
  }

  /** @returns whether the next one may go at once */
  async #append(): Promise<boolean> {
    const { store, blindAfterMs } = this.#parts
    const batch = this.#follower.batch()
    try {
      const appended = await store.append(batch.generation, batch.texts, blindAfterMs)
      if (this.#follower.appended(batch, appended) === 'done') return true
      return (await this.#prove(this.#everyMs)) && this.generation !== batch.generation
    } catch (error) {
      this.#follower.trouble(error)
      return false
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel()
        this.#pauses.delete(wake)
        resolve()
      }
      const timer: Timer = this.#parts.clock.after(ms, wake)
      this.#pauses.add(wake)
    })
  }
}
