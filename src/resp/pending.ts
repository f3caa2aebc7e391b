/**
 * What a connection still owes its client, in order: replies that the upstream will send, and replies known already that
 * wait behind them.
 *
 * Floor 4, room resp. A ring of small integers with one object beside each; no allocation per command beyond what the
 * caller hands in. Grows with what the client has sent ahead; the session stops reading him before that is much.
 */

/** What becomes of the next reply of the upstream. */
export const EXPECT = {
  /** Nothing is expected. */
  nothing: -1,
  /** Passed on. */
  relay: 0,
  /** Passed on when what it may have changed is marked. */
  write: 1,
  /** Passed on; it tells of the data. */
  news: 7,
  /** The same of a command that waits, and of one that also changes something. */
  wake: 8,
  wakeWrite: 9,
  /** Passed on, and kept if it may be. */
  fill: 2,
  /** The life that is left to a key: ours, the client never hears of it. */
  ttl: 3,
  /** Passed on; its first bytes say what the connection is now. */
  state: 4,
  /** EXEC: both. */
  exec: 10,
  /** No reply at all: bytes known already. */
  local: 5,
  /** Any number of confirmations, up to our own mark behind them. */
  subscribe: 6,
} as const
export type Expect = (typeof EXPECT)[keyof typeof EXPECT]

const FIRST = 16

/** See the module's header. */
export class Pending {
  #kinds = new Int8Array(FIRST)
  #items: unknown[] = new Array<unknown>(FIRST).fill(undefined)
  #head = 0
  #size = 0
  #visible = 0
  #localBytes = 0

  /** Replies owed, those known already and those of ours included. */
  get size(): number {
    return this.#size
  }

  /** Replies that the client waits for. */
  get visible(): number {
    return this.#visible
  }

  /** Bytes of replies that wait behind others. */
  get localBytes(): number {
    return this.#localBytes
  }

  push(kind: Expect, item: unknown): void {
    if (this.#size === this.#kinds.length) this.#grow()
    const at = (this.#head + this.#size) & (this.#kinds.length - 1)
    this.#kinds[at] = kind
    this.#items[at] = item
    this.#size += 1
    if (kind !== EXPECT.ttl) this.#visible += 1
  }

  /** Queues a reply behind others. @param bytes kept: nobody else may write to them */
  pushLocal(bytes: Buffer): void {
    this.push(EXPECT.local, bytes)
    this.#localBytes += bytes.length
  }

  /** What is next. */
  get kind(): Expect {
    return this.#size === 0 ? EXPECT.nothing : (this.#kinds[this.#head] as Expect)
  }

  /** What belongs to it. */
  get item(): unknown {
    return this.#items[this.#head]
  }

  /** The next one is settled. */
  shift(): void {
    const at = this.#head
    const kind = this.#kinds[at]
    if (kind === EXPECT.local) this.#localBytes -= (this.#items[at] as Buffer).length
    if (kind !== EXPECT.ttl) this.#visible -= 1
    this.#items[at] = undefined
    this.#head = (at + 1) & (this.#kinds.length - 1)
    this.#size -= 1
  }

  #grow(): void {
    const capacity = this.#kinds.length
    const kinds = new Int8Array(capacity * 2)
    const items = new Array<unknown>(capacity * 2).fill(undefined)
    for (let i = 0; i < this.#size; i += 1) {
      const at = (this.#head + i) & (capacity - 1)
      kinds[i] = this.#kinds[at] as number
      items[i] = this.#items[at]
    }
    this.#kinds = kinds
    this.#items = items
    this.#head = 0
  }
}
