/**
 * What changed while a snapshot is written.
 *
 * Floor 3, room keyspace. Names of keys only: what stands under them is read when their turn comes. Whole databases that
 * were emptied or exchanged are written down at once, since what was written before them means something else behind.
 */
import type { KeyPlace } from './place.ts'
import { RECORD, type SnapshotWriter } from './snapshot-format.ts'

/** What a name costs beside its bytes. */
const NAME_BYTES = 64

/** See the module's header. */
export class SnapshotJournal {
  readonly #writer: SnapshotWriter
  readonly #names: readonly Set<string>[]
  #nameBytes = 0

  constructor(writer: SnapshotWriter, databases: number) {
    this.#writer = writer
    this.#names = Array.from({ length: databases }, () => new Set<string>())
  }

  /** Keys whose turn is to come. */
  get size(): number {
    return this.#names.reduce((sum, { size }) => sum + size, 0)
  }

  /** Bytes it holds on to, roughly. */
  get bytes(): number {
    return this.#nameBytes
  }

  /** Something under the key changed. */
  note(database: number, key: string): void {
    const names = this.#names[database] as Set<string>
    if (names.has(key)) return
    names.add(key)
    this.#nameBytes += key.length + NAME_BYTES
  }

  /** A database was emptied. */
  noteCleared(database: number): void {
    this.#writer.record(RECORD.clear).byte(database)
  }

  /** Two databases were exchanged. */
  noteSwapped(a: number, b: number): void {
    this.#writer.record(RECORD.swap).byte(a).byte(b)
    // Whose turn has not come stands changed under either number.
    for (const key of this.#names[a] as Set<string>) this.note(b, key)
    for (const key of this.#names[b] as Set<string>) this.note(a, key)
  }

  /** Keys whose turn it is; their changes from now on are noted anew. */
  take(most: number): readonly KeyPlace[] {
    const taken: KeyPlace[] = []
    for (const [database, names] of this.#names.entries()) {
      for (const key of names) {
        if (taken.length === most) return taken
        taken.push({ database, key })
        names.delete(key)
        this.#nameBytes -= key.length + NAME_BYTES
      }
    }
    return taken
  }
}
