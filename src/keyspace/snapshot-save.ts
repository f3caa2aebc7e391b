/**
 * Writing the data of one moment to disk, in slices between which commands run.
 *
 * Floor 3, room keyspace. First everything is passed once; then what changed meanwhile, until little is left; that is
 * written in one go. Its moment is the moment of the snapshot: no command, transaction or script is in it by half.
 */
import { WholeFile } from '../tier/whole-file.ts'
import { TEXT } from './key-table.ts'
import type { Keyspace } from './keyspace.ts'
import type { KeyPlace } from './place.ts'
import { RDB, writeValue } from './rdb-value.ts'
import type { RdbWriter } from './rdb-writer.ts'
import { RECORD, SnapshotWriter } from './snapshot-format.ts'
import { SnapshotJournal } from './snapshot-journal.ts'

/** What was written. */
export interface SnapshotSaved {
  readonly keys: number
  readonly bytes: number
}

export interface SaveOptions {
  readonly path: string
  /** Asked between slices: whether to give up. The former snapshot stands then. */
  isOver(): boolean
  /** Told what is held beside the data. */
  hold(bytes: number): void
}

/** It was given up. */
export class SnapshotAbandoned extends Error {
  override readonly name = 'SnapshotAbandoned'
}

/** Keys in one go. */
const SLICE_KEYS = 128
const BLOCK_BYTES = 64 * 1024
/** So few changed keys are written in one go. */
const FEW_KEYS = 512
/** Data that changes faster than it can be written is written in one go after so many passes. */
const MOST_PASSES = 4

/** @throws (rejects) what the system says of the disk, SnapshotAbandoned; the former snapshot stands then */
export async function saveSnapshot(space: Keyspace, options: SaveOptions): Promise<SnapshotSaved> {
  const file = await WholeFile.create(options.path)
  const saving = new Saving(space, file, options)
  try {
    const saved = await saving.run()
    await file.finish()
    saving.settle()
    return saved
  } catch (error) {
    saving.undo()
    await file.drop()
    throw error
  } finally {
    options.hold(0)
  }
}

class Saving {
  readonly #space: Keyspace
  readonly #file: WholeFile
  readonly #options: SaveOptions
  readonly #writer = new SnapshotWriter()
  readonly #journal: SnapshotJournal
  readonly #found: number[] = []
  #bytes = 0
  #dirty = 0

  constructor(space: Keyspace, file: WholeFile, options: SaveOptions) {
    this.#space = space
    this.#file = file
    this.#options = options
    this.#journal = new SnapshotJournal(this.#writer, space.databases.length)
  }

  async run(): Promise<SnapshotSaved> {
    const { table } = this.#space
    this.#space.journal = this.#journal
    await this.#write(this.#writer.head(this.#space.now))
    let cursor = 0
    do {
      cursor = table.bytes.scan(cursor, SLICE_KEYS, this.#found)
      for (const slot of this.#found) this.#putSlot(slot)
      this.#found.length = 0
      await this.#pause()
    } while (cursor !== 0)
    let left = table.bytes.size * MOST_PASSES
    while (this.#journal.size > FEW_KEYS && left > 0) {
      for (const place of this.#journal.take(SLICE_KEYS)) this.#putPlace(place)
      left -= SLICE_KEYS
      await this.#pause()
    }
    const keys = table.bytes.size
    for (const place of this.#journal.take(Number.POSITIVE_INFINITY)) this.#putPlace(place)
    this.#space.journal = undefined
    this.#dirty = this.#space.dirty
    await this.#write(this.#writer.end())
    return { keys, bytes: this.#bytes }
  }

  /** It is on the disk: changes are counted from its moment on. */
  settle(): void {
    this.#space.dirty -= this.#dirty
  }

  /** Nothing was saved. */
  undo(): void {
    if (this.#space.journal === this.#journal) this.#space.journal = undefined
  }

  #putSlot(slot: number): void {
    const { table } = this.#space
    const { bytes } = table
    const deadline = bytes.deadline(slot)
    if (deadline <= this.#space.now) return
    const database = this.#space.numberOf(bytes.space(slot))
    const { unsaved } = this.#space
    if (unsaved?.isEmpty === false && unsaved.has({ database, key: table.keyText(slot) })) return
    const out = this.#put(database, deadline)
    const key = bytes.key(slot)
    out.length(key.end - key.start).raw(key.bytes, key.start, key.end)
    if (bytes.kind(slot) === TEXT) {
      const content = table.content(slot)
      out.byte(RDB.string).block(content.bytes, content.start, content.end)
    } else writeValue(out, table.value(slot))
  }

  #putPlace(place: KeyPlace): void {
    const { database, key } = place
    const at = this.#space.databases[database]
    const { unsaved } = this.#space
    const isLeftOut = unsaved?.isEmpty === false && unsaved.has(place)
    const value = isLeftOut ? undefined : at?.peek(key)
    if (at === undefined || value === undefined) {
      this.#key(this.#writer.record(RECORD.remove).byte(database), key)
      return
    }
    const deadline = at.deadline(key) ?? 0
    writeValue(this.#key(this.#put(database, deadline === 0 ? Number.POSITIVE_INFINITY : deadline), key), value)
  }

  #put(database: number, deadline: number): RdbWriter {
    return this.#writer.record(RECORD.put).byte(database).double(deadline)
  }

  #key(out: RdbWriter, key: string): RdbWriter {
    return out.length(key.length).raw(Buffer.from(key, 'latin1'))
  }

  /** Lets others run. */
  async #pause(): Promise<void> {
    if (this.#options.isOver()) throw new SnapshotAbandoned('there was no time for it')
    this.#options.hold(this.#journal.bytes + this.#writer.held)
    if (this.#writer.used >= BLOCK_BYTES) await this.#write(this.#writer.block())
    else await new Promise<void>((resolve) => void setImmediate(resolve))
  }

  async #write(bytes: Buffer): Promise<void> {
    this.#bytes += bytes.byteLength
    await this.#file.write(bytes)
  }
}
