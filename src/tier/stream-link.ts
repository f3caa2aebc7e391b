/**
 * A member's end of a log between machines.
 *
 * Floor 2, room tier. Three things run side by side, and any of them may hang: listening for the next record on a connection
 * of its own, proving again and again that nothing newer stands in the log (which also reads what the listener missed), and
 * appending what was invalidated here. All of them feed one Horizon. Silence is trusted for `blindAfterMs` from a proof;
 * then this member doubts, asks once more within `reproveMs`, and is blind if that fails, until the next proof. What it
 * heard meanwhile is applied by then, so what stands may stand on; only a log that has lost something makes it begin anew.
 * Never throws and never rejects into callers.
 */
import type { Clock, Timer } from '../model/clock.ts'
import type { Position } from '../model/entry.ts'
import type { FenceLink, LinkDraft, LinkReceiver, Settled } from '../model/link.ts'
import { parseDraft } from '../wire/link-draft.ts'
import { type Following, Horizon } from './horizon.ts'
import type { LogRow, LogStore, Proof } from './log-store.ts'
import { Outbox } from './outbox.ts'
import { Replies } from './replies.ts'
import { RollCall } from './roll-call.ts'

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

/** What a link has done since it was made. */
export interface StreamCounts {
  appended: number
  /** Records of others. */
  applied: number
  proofs: number
  failures: number
  /** Times it became blind. */
  blind: number
  /** Times it had to begin anew. */
  renewed: number
}

/** Proofs in each `blindAfterMs`. */
const PROOFS = 4
/** That a member is blind holds for so many beats from the question that failed: by then the next one has. */
const BLIND_BEATS = 3
/** A question that took longer than its deadline by so much was asked by a process that slept. */
const SLEPT = 1.25
const PAGE = 1000
const BATCH = 256
const RETRY_MS = 20
const MAX_RETRY_MS = 250
/** Records read by one who begins; what the shared tier holds from before them is not trusted. */
const BACKLOG = 65_536

/** See the module's header. */
export class StreamLink implements FenceLink {
  readonly counts: StreamCounts = { appended: 0, applied: 0, proofs: 0, failures: 0, blind: 0, renewed: 0 }
  readonly #parts: StreamParts
  readonly #everyMs: number
  readonly #horizon: Horizon
  readonly #outbox = new Outbox()
  readonly #roll: RollCall
  readonly #replies: Replies
  readonly #pauses = new Set<() => void>()
  #receiver: LinkReceiver | undefined
  #reproving: Promise<boolean> | undefined
  #reading: Promise<boolean> | undefined
  #stopBack: (() => void) | undefined
  #isProving = false
  #isPumping = false
  #isBlind = true
  #isClosed = false

  constructor(parts: StreamParts) {
    this.#parts = parts
    this.#everyMs = parts.blindAfterMs / PROOFS
    this.#horizon = new Horizon(parts.blindAfterMs)
    this.#roll = new RollCall(parts.clock, parts.store.member)
    this.#replies = new Replies(parts.store, (error) => this.#trouble(error))
  }

  get generation(): string {
    return this.#horizon.generation
  }

  /** Members known to live, this one among them. */
  get members(): readonly string[] {
    return this.#roll.members
  }

  /** Own records that are not in the log yet. */
  get waiting(): number {
    return this.#outbox.size
  }

  get isBlind(): boolean {
    return this.#isBlind
  }

  start(receiver: LinkReceiver): Position {
    this.#receiver = receiver
    receiver.blind(this.#parts.clock.now() + this.#everyMs * BLIND_BEATS) // nothing is known yet
    this.#stopBack = this.#parts.store.onBack(() => void this.#prove(this.#everyMs))
    this.#beat()
    this.#watch(this.#parts.blindAfterMs)
    void this.#listen()
    return 0
  }

  publish(draft: LinkDraft): Promise<Settled> {
    const { placed, settled } = this.#roll.begin(this.#isBlind ? 0 : this.#parts.ackMs)
    this.#outbox.push(draft, placed)
    void this.#pump()
    return settled
  }

  pending(): Iterable<LinkDraft> {
    return this.#outbox.pending()
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
    while (this.#outbox.size > 0 && this.#parts.clock.now() < endAt) await this.#pause(RETRY_MS)
    this.#isClosed = true
    this.#stopBack?.()
    for (const wake of [...this.#pauses]) wake()
    this.#roll.close()
    await this.#parts.store.leave(deadlineMs)
  }

  #beat(): void {
    if (this.#isClosed) return
    if (!this.#isProving) {
      this.#isProving = true
      void this.#prove(this.#everyMs).finally(() => (this.#isProving = false))
    }
    this.#parts.clock.after(this.#everyMs, () => this.#beat())
  }

  /** Doubts when silence may be trusted no longer. Who asks before this timer has run is stopped by the moment itself. */
  #watch(ms: number): void {
    const { clock, blindAfterMs } = this.#parts
    clock.after(ms, () => {
      if (this.#isClosed) return
      const leftMs = this.#horizon.provenUntil - clock.now()
      if (leftMs > 0) return this.#watch(leftMs)
      if (!this.#isBlind) {
        this.#receiver?.doubt()
        void this.reprove()
      }
      this.#watch(blindAfterMs / PROOFS)
    })
  }

  /** @returns whether silence may be trusted now */
  async #prove(deadlineMs: number): Promise<boolean> {
    const { clock, store } = this.#parts
    const asked = this.#horizon.ask(clock.now())
    let proof: Proof
    try {
      proof = await store.prove(deadlineMs)
    } catch (error) {
      this.#trouble(error)
      if (this.#isBlind) this.#goBlind(asked.at)
      return false
    }
    if (this.#isClosed) return false
    this.counts.proofs += 1
    let judged = this.#horizon.judge(proof, asked)
    if (judged === 'lost') {
      this.#renew(proof.generation, Math.max(proof.floor, proof.last - BACKLOG), proof.last)
      judged = this.#horizon.judge(proof, this.#horizon.ask(asked.at))
    }
    const isSure = (proof.unsureMs ?? 0) <= 0 // who is missing from a list that was lost is not dead for that
    if (judged !== 'moot' && isSure) this.#roll.note(proof.members) // of this log, not of the one before
    if (judged === 'behind') await this.#readUpTo(proof.last, deadlineMs)
    void this.#pump()
    return this.#look()
  }

  /** Tells when there is a new proof. @returns whether silence may be trusted now */
  #look(): boolean {
    const until = this.#horizon.provenUntil
    if (until <= this.#parts.clock.now() || this.#isClosed) return false
    const wasBlind = this.#isBlind
    this.#isBlind = false
    this.#receiver?.prove(until)
    if (wasBlind) this.#parts.onSight?.(true)
    return true
  }

  async #askAgain(): Promise<boolean> {
    const { clock } = this.#parts
    let askedAt = clock.now()
    let sees = await this.#prove(this.#everyMs)
    if (!sees && clock.now() - askedAt > this.#everyMs * SLEPT) {
      // A process that slept meanwhile has an answer from before: it asks from where it woke.
      askedAt = clock.now()
      sees = await this.#prove(this.#everyMs)
    }
    if (!sees) this.#goBlind(askedAt)
    return sees
  }

  /** Said anew after each question that failed: who slept meanwhile must not take it for granted. */
  #goBlind(askedAt: number): void {
    if (this.#isClosed) return
    const saw = !this.#isBlind
    this.#isBlind = true
    this.#receiver?.blind(askedAt + this.#everyMs * BLIND_BEATS)
    if (!saw) return
    this.counts.blind += 1
    this.#parts.onSight?.(false)
  }

  #renew(generation: string, position: Position, silentUpTo: Position): void {
    this.counts.renewed += 1
    const isOther = generation !== this.#horizon.generation
    this.#horizon.restart(generation, position)
    this.#outbox.forget(isOther ? Number.POSITIVE_INFINITY : position)
    if (isOther) {
      this.#roll.restart(generation)
      this.#parts.store.redial()
    }
    this.#replies.restart(generation, silentUpTo)
    this.#receiver?.renew(position)
  }

  async #listen(): Promise<void> {
    const { store, blindAfterMs } = this.#parts
    let pauseMs = RETRY_MS
    while (!this.#isClosed) {
      if (this.#horizon.generation === '') {
        await this.#pause(this.#everyMs / 10)
        continue
      }
      try {
        const { rows, acknowledgements } = await store.listen(this.#horizon.position, blindAfterMs / 2)
        if (this.#isClosed) return
        const last = this.#take(rows)
        if (last === 'gap' || last === 'other') {
          await this.#prove(this.#everyMs)
          if (this.#take(rows) === 'other') await this.#hearElsewhere()
        }
        for (const acknowledgement of acknowledgements) this.#roll.hear(acknowledgement)
        pauseMs = RETRY_MS
      } catch (error) {
        this.#trouble(error)
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

  /** Applies what follows without a gap. @returns how the last one followed */
  #take(rows: readonly LogRow[]): Following {
    let following: Following = 'known'
    for (const row of rows) {
      following = this.#horizon.follow(row.sequence, row.generation)
      if (following === 'known') continue
      if (following !== 'next') break
      this.#apply(row)
      this.#horizon.advance()
    }
    this.#replies.send(this.#horizon.position, this.#everyMs)
    this.#look()
    return following
  }

  #apply({ sequence, member, text }: LogRow): void {
    if (member === this.#parts.store.member) {
      this.#receiver?.reach(sequence, this.#outbox.reach(sequence) ?? parseDraft(text))
      return
    }
    this.counts.applied += 1
    const matched = this.#receiver?.apply({ ...parseDraft(text), sequence }) ?? 0
    this.#replies.note(member, sequence, matched)
  }

  /** Readers share one question at a time: many who wait for one record do not read it once each. */
  async #readUpTo(target: Position, deadlineMs: number): Promise<boolean> {
    const { clock } = this.#parts
    const endAt = clock.now() + deadlineMs
    const { generation } = this.#horizon
    while (this.#horizon.position < target) {
      const leftMs = endAt - clock.now()
      if (leftMs <= 0 || this.#isClosed || this.#horizon.generation !== generation) return false
      const isOwn = this.#reading === undefined
      this.#reading ??= this.#read(leftMs).finally(() => (this.#reading = undefined))
      const moved = await this.#within(this.#reading, leftMs)
      if (!moved && isOwn) return false
    }
    return this.#horizon.generation === generation
  }

  /** @returns whether anything followed */
  async #read(deadlineMs: number): Promise<boolean> {
    const { position, generation } = this.#horizon
    try {
      const rows = await this.#parts.store.read(position, PAGE, deadlineMs)
      if (this.#isClosed || this.#horizon.generation !== generation) return false
      const following = this.#take(rows)
      // The store has left nothing out that it still has: what lies in the gap is gone.
      const next = rows.find(({ sequence }) => sequence > this.#horizon.position)
      if (following === 'gap' && next !== undefined) this.#renew(generation, next.sequence - 1, next.sequence)
      return this.#horizon.position > position
    } catch (error) {
      this.#trouble(error)
      return false
    }
  }

  #within(work: Promise<boolean>, ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = this.#parts.clock.after(ms, () => resolve(false))
      void work.then((moved) => {
        timer.cancel()
        resolve(moved)
      })
    })
  }

  async #pump(): Promise<void> {
    if (this.#isPumping || this.#isClosed || this.#horizon.generation === '') return
    this.#isPumping = true
    let pauseMs = RETRY_MS
    while (this.#outbox.size > 0 && !this.#isClosed) {
      if (await this.#append()) pauseMs = RETRY_MS
      else {
        await this.#pause(pauseMs)
        pauseMs = Math.min(MAX_RETRY_MS, pauseMs * 2)
      }
    }
    this.#isPumping = false
  }

  async #append(): Promise<boolean> {
    const { store, blindAfterMs } = this.#parts
    const { generation } = this.#horizon
    const batch = this.#outbox.head(BATCH)
    try {
      const texts = batch.map(({ text }) => text)
      const appended = await store.append(generation, texts, blindAfterMs / 2)
      const { first } = appended
      if (first === 0) return (await this.#prove(this.#everyMs)) && this.#horizon.generation !== generation
      if (this.#horizon.generation !== generation) return true // stands in a log that is no more: once again
      this.counts.appended += batch.length
      this.#outbox.place(batch, first, appended)
      const { member } = store
      this.#take(texts.map((text, index) => ({ sequence: first + index, generation, member, text })))
      return true
    } catch (error) {
      this.#trouble(error)
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

  #trouble(error: unknown): void {
    this.counts.failures += 1
    this.#parts.onTrouble?.(error)
  }
}
