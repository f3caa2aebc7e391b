/**
 * What a member owes the others: word that it has applied what they published.
 *
 * Floor 2, room tier. One word to each publisher for everything that was applied in one go. A word that is lost is not
 * repeated, the next one says the same and more; the publisher's deadline bounds what it costs.
 */
import type { Position } from '../model/entry.ts'
import type { Acknowledgement, LogStore } from './log-store.ts'

/** See the module's header. */
export class Replies {
  readonly #store: Pick<LogStore, 'member' | 'acknowledge'>
  readonly #onTrouble: (error: unknown) => void
  #owed = new Map<string, [Position, number][]>()
  /** Nobody waits for word of what stood in the log before this member began. */
  #silentUpTo: Position = 0
  #generation = ''

  constructor(store: Pick<LogStore, 'member' | 'acknowledge'>, onTrouble: (error: unknown) => void) {
    this.#store = store
    this.#onTrouble = onTrouble
  }

  restart(generation: string, silentUpTo: Position): void {
    this.#owed.clear()
    this.#generation = generation
    this.#silentUpTo = silentUpTo
  }

  /** A record of `member` was applied and named `matched` entries. */
  note(member: string, sequence: Position, matched: number): void {
    if (sequence <= this.#silentUpTo) return
    let owed = this.#owed.get(member)
    if (owed === undefined) this.#owed.set(member, (owed = []))
    if (matched > 0) owed.push([sequence, matched])
  }

  /** Sends what is owed; everything up to `upTo` is applied. */
  send(upTo: Position, deadlineMs: number): void {
    if (this.#owed.size === 0) return
    const { member } = this.#store
    const words = new Map<string, Acknowledgement>()
    for (const [to, matched] of this.#owed) words.set(to, { member, generation: this.#generation, upTo, matched })
    this.#owed = new Map()
    this.#store.acknowledge(words, deadlineMs).catch(this.#onTrouble)
  }
}
