/**
 * What a member of a log between machines knows of it, and what follows from every word it hears.
 *
 * Floor 2, room tier. The whole protocol of a member but its waiting: no I/O, no timer and no promise of its own, so that it runs
 * as well under a scheduler that tries millions of orders. stream-link asks and waits; here is decided. Records count where
 * they follow without a gap, proofs from the moment they were asked for; a log that has lost something makes a member begin anew.
 */
import type { Clock } from '../model/clock.ts'
import type { Position } from '../model/entry.ts'
import type { LinkDraft, LinkReceiver, Settled } from '../model/link.ts'
import { parseDraft } from '../wire/link-draft.ts'
import { type Asked, type Following, Horizon, type Judged } from './horizon.ts'
import type { Acknowledgement, Appended, LogRow, LogStore, Proof } from './log-store.ts'
import { Outbox, type Outgoing } from './outbox.ts'
import { Replies } from './replies.ts'
import { RollCall } from './roll-call.ts'

/** What a follower is made of. */
export interface FollowerParts {
  readonly clock: Clock
  readonly store: Pick<LogStore, 'member' | 'acknowledge'>
  /** Silence is trusted for so long from its last proof, ms. */
  readonly blindAfterMs: number
  /** A publisher waits so long for its record to have its place, and so long again for the others, ms. */
  readonly ackMs: number
  /** Hears when this member becomes blind, and when it sees again. */
  onSight?(sees: boolean): void
  /** Hears of what fails by itself. */
  onTrouble?(error: unknown): void
  /** Hears that it is another log now. */
  onOther?(): void
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

/** Own records on their way into the log. */
export interface Batch {
  /** The log that they are for. */
  readonly generation: string
  readonly outgoing: readonly Outgoing[]
  readonly texts: readonly string[]
}

/** Proofs in each `blindAfterMs`. */
const PROOFS = 4
/** That a member is blind holds for so many beats from the question that failed: by then the next one has. */
const BLIND_BEATS = 3
const BATCH = 256
/** Records read by one who begins; what the shared tier holds from before them is not trusted. */
const BACKLOG = 65_536

/** See the module's header. */
export class Follower {
  readonly counts: StreamCounts = { appended: 0, applied: 0, proofs: 0, failures: 0, blind: 0, renewed: 0 }
  /** Ms from one proof to the next. */
  readonly everyMs: number
  readonly #parts: FollowerParts
  readonly #horizon: Horizon
  readonly #outbox = new Outbox()
  readonly #roll: RollCall
  readonly #replies: Replies
  #receiver: LinkReceiver | undefined
  /** Until then, who has not found the log yet is late, and not cut off. */
  #lateUntil = 0
  #isBlind = true
  #isClosed = false

  constructor(parts: FollowerParts) {
    this.#parts = parts
    this.everyMs = parts.blindAfterMs / PROOFS
    this.#horizon = new Horizon(parts.blindAfterMs)
    this.#roll = new RollCall(parts.clock, parts.store.member)
    this.#replies = new Replies(parts.store, (error) => this.trouble(error))
  }

  get generation(): string {
    return this.#horizon.generation
  }

  /** Last place applied. */
  get position(): Position {
    return this.#horizon.position
  }

  /** Members known to live, this one among them. */
  get members(): readonly string[] {
    return this.#roll.members
  }

  /** Members that live; who sees nothing, or has not heard who they are, takes it that there is another. */
  get expected(): number {
    return Math.max(this.#isBlind ? 2 : 1, this.#roll.members.length)
  }

  /** Own records that are not in the log yet. */
  get waiting(): number {
    return this.#outbox.size
  }

  get isBlind(): boolean {
    return this.#isBlind
  }

  /** Silence may be trusted until then. */
  get provenUntil(): number {
    return this.#horizon.provenUntil
  }

  /** Nothing is known yet. */
  begin(receiver: LinkReceiver): void {
    const now = this.#parts.clock.now()
    this.#receiver = receiver
    this.#lateUntil = now + this.#parts.blindAfterMs
    receiver.blind(now + this.everyMs * BLIND_BEATS, true)
  }

  /** @param settle runs when everybody has followed, or when that could not be had in time */
  publish(draft: LinkDraft, settle: (settled: Settled) => void): void {
    const { ackMs } = this.#parts
    // Who is blind waits for no place; but whoever has one waits for the others, or they would serve on after his answer.
    this.#outbox.push(draft, this.#roll.begin({ placeMs: this.#isBlind ? 0 : ackMs, ackMs }, settle))
  }

  pending(): Iterable<LinkDraft> {
    return this.#outbox.pending()
  }

  /** To be taken before the log's place is asked for. */
  ask(): Asked {
    return this.#horizon.ask(this.#parts.clock.now())
  }

  /** The log's place was told. @returns `behind`: what is missing is to be read */
  proven(proof: Proof, asked: Asked): Judged {
    this.counts.proofs += 1
    let judged = this.#horizon.judge(proof, asked)
    if (judged === 'lost') {
      this.#renew(proof.generation, Math.max(proof.floor, proof.last - BACKLOG), proof.last)
      judged = this.#horizon.judge(proof, this.#horizon.ask(asked.at))
    }
    const isSure = (proof.unsureMs ?? 0) <= 0 // who is missing from a list that was lost is not dead for that
    if (judged !== 'moot' && isSure) this.#roll.note(proof.members, proof.last) // of this log, not of the one before
    return judged
  }

  /** The question has no answer yet, or none at all. */
  unproven({ at }: Asked): void {
    if (this.#isBlind) this.goBlind(at)
  }

  /** Tells when there is a new proof. @returns whether silence may be trusted now */
  look(): boolean {
    const until = this.#horizon.provenUntil
    if (until <= this.#parts.clock.now() || this.#isClosed) return false
    const wasBlind = this.#isBlind
    this.#isBlind = false
    this.#receiver?.prove(until)
    if (wasBlind) this.#parts.onSight?.(true)
    return true
  }

  /** Silence may be trusted no longer. */
  doubt(): void {
    this.#receiver?.doubt()
  }

  /** Said anew after each question that failed: who slept meanwhile must not take it for granted. */
  goBlind(askedAt: number): void {
    if (this.#isClosed) return
    const saw = !this.#isBlind
    this.#isBlind = true
    const isNew = this.#horizon.generation === '' && this.#parts.clock.now() < this.#lateUntil
    this.#receiver?.blind(askedAt + this.everyMs * BLIND_BEATS, isNew)
    if (!saw) return
    this.counts.blind += 1
    this.#parts.onSight?.(false)
  }

  /** Applies what follows without a gap. @returns how the last one followed */
  take(rows: readonly LogRow[]): Following {
    let following: Following = 'known'
    for (const row of rows) {
      following = this.#horizon.follow(row.sequence, row.generation)
      if (following === 'known') continue
      if (following !== 'next') break
      this.#apply(row)
      this.#horizon.advance()
    }
    this.#replies.send(this.#horizon.position, this.everyMs)
    this.look()
    return following
  }

  /** Applies what was read behind this member's place. @returns whether it came further */
  takePage(
    rows: readonly LogRow[],
    { position, generation }: { readonly position: Position; readonly generation: string },
  ): boolean {
    if (this.#isClosed || this.#horizon.generation !== generation) return false
    const following = this.take(rows)
    // The store has left nothing out that it still has: what lies in the gap is gone.
    const next = rows.find(({ sequence }) => sequence > this.#horizon.position)
    if (following === 'gap' && next !== undefined) this.#renew(generation, next.sequence - 1, next.sequence)
    return this.#horizon.position > position
  }

  /** Others say how far they have come. */
  hear(acknowledgements: readonly Acknowledgement[]): void {
    for (const acknowledgement of acknowledgements) this.#roll.hear(acknowledgement)
  }

  /** Own records that wait; they stay until `appended`. */
  batch(): Batch {
    const outgoing = this.#outbox.head(BATCH)
    return { generation: this.#horizon.generation, outgoing, texts: outgoing.map(({ text }) => text) }
  }

  /** A batch was appended, or not. @returns `other`: it is another log, and its place is to be asked for */
  appended({ generation, outgoing, texts }: Batch, appended: Appended): 'done' | 'other' {
    const { first, places } = appended
    if (first === 0) return 'other'
    if (this.#horizon.generation !== generation) return 'done' // stands in a log that is no more: once again
    this.counts.appended += outgoing.length
    this.#outbox.place(outgoing, first, appended)
    const { member } = this.#parts.store
    this.take(texts.map((text, index) => ({ sequence: places?.[index] ?? first + index, generation, member, text })))
    this.#outbox.forget(this.#horizon.position) // what was heard of before its place was told
    return 'done'
  }

  trouble(error: unknown): void {
    this.counts.failures += 1
    this.#parts.onTrouble?.(error)
  }

  /** Answers whoever waits. */
  close(): void {
    this.#isClosed = true
    this.#roll.close()
  }

  #renew(generation: string, position: Position, silentUpTo: Position): void {
    this.counts.renewed += 1
    const isOther = generation !== this.#horizon.generation
    this.#horizon.restart(generation, position)
    this.#outbox.forget(isOther ? Number.POSITIVE_INFINITY : position)
    if (isOther) {
      this.#roll.restart(generation)
      this.#parts.onOther?.()
    }
    this.#replies.restart(generation, silentUpTo)
    this.#receiver?.renew(position)
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
}
