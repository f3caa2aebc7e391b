/**
 * A member's own invalidations on their way into the log: none is forgotten before it stands there and everything before it
 * is applied.
 *
 * Floor 2, room tier. Bounded without forgetting: what would not fit is replaced, all of it, by one record that names
 * everything. An append whose answer was lost is sent again; invalidations commute and may stand in the log twice.
 */
import type { Position } from '../model/entry.ts'
import type { LinkDraft } from '../model/link.ts'
import { formatDraft } from '../wire/link-draft.ts'
import type { Placed } from './log-store.ts'

/** A draft in the queue. */
export interface Outgoing {
  readonly draft: LinkDraft
  readonly text: string
  /** Runs once it has its place. */
  onPlaced(sequence: Position, placed: Placed): void
}

/** Drafts that may wait; beyond it everything is invalidated instead. */
export const MAX_WAITING = 10_000
/** Characters that may wait. */
const MAX_CHARS = 64 * 1024 * 1024

/** See the module's header. */
export class Outbox {
  #waiting: Outgoing[] = []
  #chars = 0
  /** Those that stand in the log, until this member has come so far itself. */
  readonly #placed = new Map<Position, LinkDraft>()

  /** Drafts without a place. */
  get size(): number {
    return this.#waiting.length
  }

  push(draft: LinkDraft, onPlaced: Outgoing['onPlaced']): void {
    const text = formatDraft(draft)
    this.#waiting.push({ draft, text, onPlaced })
    this.#chars += text.length
    if (this.#waiting.length > MAX_WAITING || this.#chars > MAX_CHARS) this.#collapse()
  }

  /** The next ones to be appended; they stay until `place`. */
  head(limit: number): readonly Outgoing[] {
    return this.#waiting.slice(0, limit)
  }

  /** The first of what waits stand in the log now, from `first` on. What was collapsed meanwhile is not there to be taken out. */
  place(batch: readonly Outgoing[], first: Position, placed: Placed): void {
    batch.forEach((outgoing, index) => {
      const sequence = placed.places?.[index] ?? first + index
      this.#placed.set(sequence, outgoing.draft)
      if (this.#waiting[0] === outgoing) {
        this.#waiting.shift()
        this.#chars -= outgoing.text.length
      }
      outgoing.onPlaced(sequence, placed)
    })
  }

  /** This member has come so far. @returns the draft that stands there, when it is one of its own */
  reach(sequence: Position): LinkDraft | undefined {
    const draft = this.#placed.get(sequence)
    this.#placed.delete(sequence)
    return draft
  }

  /** What stood up to a place is behind this member; everything, where the log is another one (Infinity). */
  forget(upTo: Position): void {
    for (const sequence of [...this.#placed.keys()]) if (sequence <= upTo) this.#placed.delete(sequence)
  }

  /** Drafts that name more than this member's place in the log says. */
  *pending(): Iterable<LinkDraft> {
    for (const { draft } of this.#waiting) yield draft
    yield* this.#placed.values()
  }

  #collapse(): void {
    const waiting = this.#waiting
    const draft: LinkDraft = { targets: [{ kind: 'all' }], soft: false, source: 'overflow', rules: waiting[0]?.draft.rules ?? 0 }
    const text = formatDraft(draft)
    // Whoever published them is answered at his deadline: to remember them all would be no bound.
    this.#waiting = [{ draft, text, onPlaced: () => {} }]
    this.#chars = text.length
  }
}
