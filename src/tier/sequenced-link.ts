/**
 * A member's end of the sequencer's log, over a channel that loses nothing and keeps its order.
 *
 * Floor 2, room tier. Who hears nothing from the sequencer for `blindAfterMs` is blind: others may have been told that
 * something is gone which he still holds. A publisher that hears nothing answers after that time and a margin, counted
 * while it runs: a machine that slept is given the time to speak. By then every member that runs is blind too.
 */
import type { Clock, Timer } from '../model/clock.ts'
import type { Position } from '../model/entry.ts'
import type { FenceLink, LinkDraft, LinkReceiver, Settled } from '../model/link.ts'
import type { Sequencer, ToMember, ToSequencer } from './sequencer.ts'

/** What a member's end needs. */
export interface SequencedParts {
  readonly clock: Clock
  readonly generation: string
  /** Place in the log that the sequencer took this member in at. */
  readonly sequence: Position
  /** Silence of the sequencer after which this member is blind, ms. */
  readonly blindAfterMs: number
  tell(message: ToSequencer): void
}

interface Published {
  readonly draft: LinkDraft
  isPlaced: boolean
  /** Checks since it was published, or since the sequencer was heard. */
  silentChecks: number
  resolve(settled: Settled): void
}

/** Checks of the silence in each `blindAfterMs`, and those after which a publisher gives up: half as many more. */
const CHECKS = 4
const GIVE_UP_CHECKS = 6

/** Stands for a record whose publisher was answered before it had its place: it names everything. */
const NOTHING_KNOWN: LinkDraft = { targets: [{ kind: 'all' }], soft: false, source: 'unknown', rules: 0 }

/** See the module's header. */
export class SequencedLink implements FenceLink {
  readonly #parts: SequencedParts
  readonly #published = new Map<number, Published>()
  #receiver: LinkReceiver | undefined
  #timer: Timer | undefined
  #heardAt: number
  #members = 2
  #nextId = 1
  #isBlind = false
  #isCut = false

  constructor(parts: SequencedParts) {
    this.#parts = parts
    this.#heardAt = parts.clock.now()
  }

  get generation(): string {
    return this.#parts.generation
  }

  get expected(): number {
    return this.#isBlind ? Math.max(2, this.#members) : this.#members
  }

  start(receiver: LinkReceiver): Position {
    this.#receiver = receiver
    this.#watch()
    return this.#parts.sequence
  }

  publish(draft: LinkDraft): Promise<Settled> {
    const id = this.#nextId
    this.#nextId += 1
    return new Promise((resolve) => {
      this.#published.set(id, { draft, isPlaced: false, silentChecks: 0, resolve })
      if (!this.#isCut) this.#parts.tell({ type: 'append', id, draft })
    })
  }

  /** Takes what the sequencer says. */
  receive(message: ToMember): void {
    if (this.#isCut) return
    this.#heardAt = this.#parts.clock.now()
    for (const published of this.#published.values()) published.silentChecks = 0
    switch (message.type) {
      case 'record': {
        const matched = this.#receiver?.apply(message.record) ?? 0
        this.#parts.tell({ type: 'applied', sequence: message.record.sequence, matched })
        return
      }
      case 'ordered': {
        this.#reach(message)
        return
      }
      case 'settled': {
        this.#published.get(message.id)?.resolve(message.settled)
        this.#published.delete(message.id)
        return
      }
      case 'beat': {
        this.#members = message.members
        if (this.#isBlind) this.#see()
        return
      }
      default:
        return message satisfies never
    }
  }

  *pending(): Iterable<LinkDraft> {
    for (const { draft, isPlaced } of this.#published.values()) if (!isPlaced) yield draft
  }

  /** The channel is gone for good: blind from now on. */
  cut(): void {
    if (this.#isCut) return
    this.#isCut = true
    this.#goBlind()
  }

  /** Ends the watch; who still waits is answered as far as it is known. */
  close(): void {
    this.#isCut = true
    this.#timer?.cancel()
    this.#giveUp(0)
  }

  #reach({ id, sequence }: { readonly id: number; readonly sequence: Position }): void {
    const published = this.#published.get(id)
    if (published !== undefined) published.isPlaced = true
    this.#receiver?.reach(sequence, published?.draft ?? NOTHING_KNOWN)
  }

  #watch(): void {
    const { clock, blindAfterMs } = this.#parts
    this.#timer = clock.after(blindAfterMs / CHECKS, () => {
      // What lies in the channel is read before it is judged: this process may have been the one that slept.
      for (const published of this.#published.values()) published.silentChecks += 1
      if (this.#isSilent()) clock.after(0, () => this.#judge())
      this.#watch()
    })
  }

  #isSilent(): boolean {
    return this.#parts.clock.now() - this.#heardAt >= this.#parts.blindAfterMs
  }

  #judge(): void {
    if (!this.#isSilent()) return
    this.#goBlind()
    this.#giveUp(GIVE_UP_CHECKS)
  }

  #goBlind(): void {
    if (this.#isBlind) return
    this.#isBlind = true
    this.#receiver?.blind()
  }

  #see(): void {
    this.#isBlind = false
    this.#receiver?.see()
  }

  /** Answers publishers who heard nothing for so many checks: everybody who could still hold what they named is blind. */
  #giveUp(checks: number): void {
    for (const [id, { silentChecks, resolve }] of this.#published) {
      if (silentChecks < checks) continue
      this.#published.delete(id)
      resolve({ sequence: 0, expected: Math.max(2, this.#members), acknowledged: 1, matched: 0 })
    }
  }
}

/** The end of the member that lives in the sequencer's own process. */
export function ownLink(sequencer: Sequencer, member: string): FenceLink {
  let receiver: LinkReceiver | undefined
  return {
    generation: sequencer.generation,
    start(given) {
      receiver = given
      return sequencer.join(member, (message) => {
        if (message.type !== 'record' || receiver === undefined) return
        sequencer.acknowledge(member, message.record.sequence, receiver.apply(message.record))
      })
    },
    publish: (draft) => sequencer.append(member, draft, (sequence) => receiver?.reach(sequence, draft)),
  }
}
