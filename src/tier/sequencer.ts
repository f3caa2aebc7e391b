/**
 * The sequencer: gives the records of one machine's fences their order, and knows when every fence has applied them.
 *
 * Floor 2, room tier. Lives in one process; members are reached over channels that lose nothing and keep their order,
 * and may be silent. A record settles when every member has acknowledged it or has left. A member that is silent for
 * `ackMs` is handed to `onSilent`, which has to make sure that it never serves again: only then may what it might still
 * hold be called gone. Nothing waits longer than twice `ackMs`.
 */
import type { Clock, Timer } from '../model/clock.ts'
import type { Position } from '../model/entry.ts'
import type { LinkDraft, LinkRecord, Settled } from '../model/link.ts'

/** What a member is told. */
export type ToMember =
  | { readonly type: 'record'; readonly record: LinkRecord }
  /** The member's own record `id` has its place. */
  | { readonly type: 'ordered'; readonly id: number; readonly sequence: Position }
  | { readonly type: 'settled'; readonly id: number; readonly settled: Settled }
  /** The sequencer lives, and has told this member everything up to now. */
  | { readonly type: 'beat'; readonly members: number }

/** What a member tells. */
export type ToSequencer =
  | { readonly type: 'append'; readonly id: number; readonly draft: LinkDraft }
  | { readonly type: 'applied'; readonly sequence: Position; readonly matched: number }

/** What a sequencer needs. */
export interface SequencerParts {
  readonly clock: Clock
  /** Random name of the log. */
  readonly generation: string
  /** A member that has not acknowledged within this is silent, ms. */
  readonly ackMs: number
  /** Ends a silent member; `leave` is called once it can serve no more. */
  onSilent(member: string): void
}

interface Open {
  readonly waiting: Set<string>
  acknowledged: number
  matched: number
  timer: Timer
  settle(): void
}

/** Share of the time to acknowledge that may pass unseen. */
const EARLY = 0.75

/** See the module's header. */
export class Sequencer {
  readonly #parts: SequencerParts
  readonly #members = new Map<string, (message: ToMember) => void>()
  readonly #open = new Map<Position, Open>()
  #sequence: Position = 0

  constructor(parts: SequencerParts) {
    this.#parts = parts
  }

  get generation(): string {
    return this.#parts.generation
  }

  /** The log's end. */
  get sequence(): Position {
    return this.#sequence
  }

  /** Fences that follow the log. */
  get members(): number {
    return this.#members.size
  }

  /** Takes a member in: from now on it is told everything and waited for. @returns the place it starts from */
  join(member: string, tell: (message: ToMember) => void): Position {
    this.#members.set(member, tell)
    return this.#sequence
  }

  /** A member that serves no more: nothing waits for it. */
  leave(member: string): void {
    this.#members.delete(member)
    for (const [sequence, open] of [...this.#open]) this.#release(sequence, { open, member })
  }

  /** Orders a record and tells every other member; never rejects. */
  append(origin: string, draft: LinkDraft, onOrdered: (sequence: Position) => void): Promise<Settled> {
    this.#sequence += 1
    const record: LinkRecord = { ...draft, sequence: this.#sequence }
    onOrdered(record.sequence)
    const others = [...this.#members].filter(([member]) => member !== origin)
    const settled = this.#await(record.sequence, new Set(others.map(([member]) => member)))
    for (const [, tell] of others) tell({ type: 'record', record })
    return settled
  }

  /** A member has applied a record. */
  acknowledge(member: string, sequence: Position, matched: number): void {
    const open = this.#open.get(sequence)
    if (open === undefined || !open.waiting.has(member)) return
    open.acknowledged += 1
    open.matched += matched
    this.#release(sequence, { open, member })
  }

  /** Lets every member know that the sequencer lives. */
  beat(): void {
    for (const tell of this.#members.values()) tell({ type: 'beat', members: this.#members.size })
  }

  /** Handles what a member says. */
  receive(member: string, message: ToSequencer): void {
    if (message.type === 'applied') {
      this.acknowledge(member, message.sequence, message.matched)
      return
    }
    const { id, draft } = message
    const tell = (word: ToMember): void => this.#members.get(member)?.(word)
    void this.append(member, draft, (sequence) => tell({ type: 'ordered', id, sequence })).then((settled) =>
      tell({ type: 'settled', id, settled }),
    )
  }

  #await(sequence: Position, waiting: Set<string>): Promise<Settled> {
    const { clock, ackMs } = this.#parts
    const answer = (open: Open): Settled => {
      return {
        sequence,
        expected: 1 + open.acknowledged + open.waiting.size,
        acknowledged: 1 + open.acknowledged,
        matched: open.matched,
      }
    }
    return new Promise((resolve) => {
      const open: Open = {
        waiting,
        acknowledged: 0,
        matched: 0,
        timer: clock.after(ackMs * EARLY, () => this.#late(open)),
        settle: () => {
          this.#open.delete(sequence)
          open.timer.cancel()
          resolve(answer(open))
        },
      }
      this.#open.set(sequence, open)
      if (waiting.size === 0) open.settle()
    })
  }

  #release(sequence: Position, { open, member }: { readonly open: Open; readonly member: string }): void {
    if (open.waiting.delete(member) && open.waiting.size === 0) this.#open.get(sequence)?.settle()
  }

  /** A machine that slept is given the rest of the time while it runs, so that what lies in the channels is heard. */
  #late(open: Open): void {
    const { clock, ackMs } = this.#parts
    open.timer = clock.after(ackMs * (1 - EARLY), () => this.#overdue(open))
  }

  #overdue(open: Open): void {
    open.timer = this.#parts.clock.after(this.#parts.ackMs, () => open.settle())
    for (const member of [...open.waiting]) this.#parts.onSilent(member)
  }
}
