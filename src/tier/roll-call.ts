/**
 * Who has applied what this member published.
 *
 * Floor 2, room tier. A publication settles when every member that lived when it was appended has acknowledged it or is
 * taken for dead, or at its deadline, whichever comes first. Who is missing from the list of a log that has just begun is
 * not dead for that: while the list is unsure, nothing settles before its deadline. Acknowledgements may overtake the word that the record has its
 * place. Tables are bounded by members, and by publications under way, which their deadlines bound.
 */
import type { Clock, Timer } from '../model/clock.ts'
import type { Position } from '../model/entry.ts'
import type { Settled } from '../model/link.ts'
import type { Acknowledgement, Placed } from './log-store.ts'

/** Counts that came before their record's place is known. */
const MAX_EARLY = 1024

interface Publication {
  readonly ackMs: number
  sequence: Position
  waiting: Set<string>
  /** Waits for its deadline, or until the list of members is sure. */
  isHeld: boolean
  /** Its log is gone: who is missing from the list of the next one is not dead for that. */
  isOrphan: boolean
  acknowledged: number
  matched: number
  timer: Timer
  resolve(settled: Settled): void
}

/** See the module's header. */
export class RollCall {
  readonly #clock: Clock
  readonly #member: string
  readonly #open = new Set<Publication>()
  /** How far each member has come, as it said itself. */
  readonly #heard = new Map<string, Position>()
  readonly #early = new Map<Position, number>()
  #members: readonly string[] = []
  #generation = ''

  constructor(clock: Clock, member: string) {
    this.#clock = clock
    this.#member = member
  }

  /** Members known to live, this one among them. */
  get members(): readonly string[] {
    return this.#members
  }

  /** Publications that wait. */
  get open(): number {
    return this.#open.size
  }

  /**
   * Opens a publication.
   *
   * @param placeMs to have its place; 0 where nobody would wait for a log that is out of sight
   * @param ackMs from its place, to be acknowledged: whoever has not by then has been unable to prove anything for so long
   * @param settle runs once, with what became of it
   * @returns what to call when it has its place
   */
  begin(
    { placeMs, ackMs }: { readonly placeMs: number; readonly ackMs: number },
    settle: (settled: Settled) => void,
  ): (sequence: Position, placed: Placed) => void {
    const publication: Publication = {
      ackMs,
      sequence: 0,
      waiting: new Set(),
      isHeld: false,
      isOrphan: false,
      acknowledged: 0,
      matched: 0,
      timer: this.#clock.after(placeMs, () => this.#settle(publication)),
      resolve: settle,
    }
    this.#open.add(publication)
    return (sequence, placed) => this.#place(publication, sequence, placed)
  }

  /** A member says how far it has come. */
  hear({ member, generation, upTo, matched }: Acknowledgement): void {
    if (generation !== this.#generation) return
    this.#heard.set(member, Math.max(upTo, this.#heard.get(member) ?? 0))
    for (const [sequence, count] of matched) this.#count(sequence, count)
    for (const publication of [...this.#open]) {
      if (publication.sequence > 0 && publication.sequence <= upTo) this.#release(publication, member, true)
    }
  }

  /**
   * Who lived when the log ended at `upTo`: what stands there by then waits for nobody else. They could prove nothing for longer
   * than they trust silence. What was placed later may wait for one who was taken in meanwhile: answers overtake each other.
   */
  note(members: readonly string[], upTo: Position): void {
    this.#members = members
    for (const member of [...this.#heard.keys()]) if (!members.includes(member)) this.#heard.delete(member)
    for (const publication of [...this.#open]) {
      if (publication.isOrphan || publication.sequence > upTo) continue
      for (const member of [...publication.waiting]) if (!members.includes(member)) this.#release(publication, member, false)
    }
  }

  /** The log is another one: places in it begin anew. */
  restart(generation: string): void {
    this.#generation = generation
    this.#heard.clear()
    this.#early.clear()
    for (const publication of this.#open) publication.isOrphan = publication.sequence > 0
  }

  /** Answers everybody as far as it is known. */
  close(): void {
    for (const publication of [...this.#open]) this.#settle(publication)
  }

  #place(publication: Publication, sequence: Position, { members, unsureMs }: Placed): void {
    if (!this.#open.has(publication) || publication.sequence > 0) return
    this.#members = members
    publication.sequence = sequence
    publication.timer.cancel()
    publication.timer = this.#clock.after(publication.ackMs, () => this.#settle(publication))
    if (unsureMs > 0) this.#hold(publication, unsureMs)
    publication.waiting = new Set(members.filter((member) => member !== this.#member))
    publication.matched = this.#early.get(sequence) ?? 0
    this.#early.delete(sequence)
    for (const [member, upTo] of this.#heard) if (upTo >= sequence) this.#release(publication, member, true)
    this.#settleWhenAll(publication)
  }

  /** Nobody is known to be missing, but somebody may be. */
  #hold(publication: Publication, ms: number): void {
    publication.isHeld = true
    this.#clock.after(ms, () => {
      publication.isHeld = false
      this.#settleWhenAll(publication)
    })
  }

  #settleWhenAll(publication: Publication): void {
    if (publication.waiting.size === 0 && !publication.isHeld) this.#settle(publication)
  }

  #count(sequence: Position, count: number): void {
    for (const publication of this.#open) {
      if (publication.sequence !== sequence) continue
      publication.matched += count
      return
    }
    this.#early.set(sequence, (this.#early.get(sequence) ?? 0) + count)
    if (this.#early.size > MAX_EARLY) this.#early.delete(this.#early.keys().next().value as Position)
  }

  #release(publication: Publication, member: string, hasApplied: boolean): void {
    if (!publication.waiting.delete(member)) return
    if (hasApplied) publication.acknowledged += 1
    this.#settleWhenAll(publication)
  }

  #settle(publication: Publication): void {
    if (!this.#open.delete(publication)) return
    const { sequence, waiting, acknowledged, matched, timer, isHeld } = publication
    timer.cancel()
    // Without a place in the log, nobody else has heard; that there is nobody else is not known either.
    const unknown = isHeld ? 1 : 0 // somebody may be missing: then nobody is told that all have followed
    const expected = sequence === 0 ? Math.max(2, this.#members.length) : 1 + acknowledged + waiting.size + unknown
    publication.resolve({ sequence, expected, acknowledged: 1 + acknowledged, matched })
  }
}
