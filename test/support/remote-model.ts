/**
 * The second level as it is meant, in memory: a store with a clock of its own that a test moves.
 *
 * What tier/remote.ts must do in Redis, without a network: what the contract suite (test/contract/remote.ts) holds both to.
 */
import type { Clock } from '../../src/model/clock.ts'
import type { RemotePort, RemoteRead, RemoteWrite, RemoteWritten } from '../../src/tier/remote-port.ts'

interface Row {
  readonly generation: string
  readonly asOf: number
  /** By the store's clock. */
  readonly storedAt: number
  readonly endsAt: number
  readonly envelope: Uint8Array
}

/** Rows shared by any number of ports. */
export class RemoteStore {
  readonly rows = new Map<string, Row>()
  /** The store's clock, ms. */
  now: () => number

  constructor(now: () => number) {
    this.now = now
  }
}

/** One process's port to a store. */
export class RemoteModel implements RemotePort {
  readonly #store: RemoteStore
  readonly #clock: Clock
  readonly #maxEntryBytes: number
  isUp = true

  constructor(store: RemoteStore, clock: Clock, maxEntryBytes = 1024 * 1024) {
    this.#store = store
    this.#clock = clock
    this.#maxEntryBytes = maxEntryBytes
  }

  async readMany(keys: readonly string[]): Promise<(RemoteRead | undefined)[]> {
    const now = this.#store.now()
    return keys.map((key) => {
      const row = this.#store.rows.get(key)
      if (row === undefined || row.endsAt <= now || row.envelope.byteLength > this.#maxEntryBytes) return undefined
      const { generation, asOf, envelope, storedAt } = row
      return { generation, asOf, envelope, storedAt: this.#clock.now() - (now - storedAt) }
    })
  }

  async write({ key, generation, asOf, storedAt, endsAt, envelope }: RemoteWrite): Promise<RemoteWritten> {
    if (envelope.byteLength > this.#maxEntryBytes) return 'unsure'
    const now = this.#store.now()
    const ageMs = Math.max(0, this.#clock.now() - storedAt)
    const leftMs = endsAt - storedAt - ageMs
    if (leftMs < 1) return 'expired'
    const standing = this.#store.rows.get(key)
    const at = now - ageMs
    if (standing?.generation === generation && standing.endsAt > now) {
      if (standing.asOf > asOf || (standing.asOf === asOf && standing.storedAt > at + 100)) return 'older'
    }
    this.#store.rows.set(key, { generation, asOf, storedAt: at, endsAt: now + leftMs, envelope })
    return 'written'
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.#store.rows.delete(key)
  }

  async ready(): Promise<boolean> {
    return this.isUp
  }

  close(): void {}
}
