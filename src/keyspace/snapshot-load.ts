/**
 * Reading a snapshot back: all of it, or nothing.
 *
 * Floor 3, room keyspace. What stands in the keyspace gives way. What has expired meanwhile is left out, and so is what finds
 * no room. Every length is checked before memory is taken.
 */
import { crc32 } from 'node:zlib'
import { type FileHandle, open } from 'node:fs/promises'
import { ForecacheError } from '../model/errors.ts'
import type { Database } from './database.ts'
import { KeyspaceFull } from './full.ts'
import type { Keyspace } from './keyspace.ts'
import { RdbFault } from './rdb-fault.ts'
import { RdbReader } from './rdb-reader.ts'
import { readValue } from './rdb-value.ts'
import { BLOCK_HEAD_BYTES, faultOfPrefix, PREFIX_BYTES, RECORD } from './snapshot-format.ts'

/** What was read. */
export interface SnapshotLoaded {
  readonly keys: number
  /** Left out: their time was over. */
  readonly expired: number
  /** Left out: memory was full. */
  readonly refused: number
  /** Epoch ms at which it was begun. */
  readonly writtenAt: number
}

/**
 * @returns undefined where there is none
 * @throws (rejects) FC_KEYSPACE_SNAPSHOT where it is not whole, and then the keyspace is empty; what the system says of it
 */
export async function loadSnapshot(space: Keyspace, path: string): Promise<SnapshotLoaded | undefined> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const loading = new Loading(space)
  const { evicted } = space.stats
  try {
    const { size } = await file.stat()
    await loading.run(file, size)
    return loading.loaded
  } catch (error) {
    space.clear(space.databases)
    if (!(error instanceof RdbFault)) throw error
    throw new ForecacheError('FC_KEYSPACE_SNAPSHOT', { path, reason: error.message })
  } finally {
    space.dirty = 0
    space.stats.evicted = evicted
    await file.close()
  }
}

class Loading {
  readonly #space: Keyspace
  #records = 0
  #checksum = 0
  #isEnded = false
  #expired = 0
  #refused = 0
  #writtenAt = 0

  constructor(space: Keyspace) {
    this.#space = space
  }

  get loaded(): SnapshotLoaded {
    const keys = this.#space.databases.reduce((sum, { size }) => sum + size, 0)
    return { keys, expired: this.#expired, refused: this.#refused, writtenAt: this.#writtenAt }
  }

  /** @param bytes of the whole file */
  async run(file: FileHandle, bytes: number): Promise<void> {
    const fault = faultOfPrefix(await take(file, Math.min(PREFIX_BYTES, bytes)))
    if (fault !== undefined) throw new RdbFault(fault)
    let left = bytes - PREFIX_BYTES
    while (left > 0) {
      if (this.#isEnded) throw new RdbFault('it goes on behind its end')
      if (left < BLOCK_HEAD_BYTES) throw torn()
      const head = await take(file, BLOCK_HEAD_BYTES)
      const length = head.readUInt32LE(0)
      left -= BLOCK_HEAD_BYTES + length
      if (left < 0) throw torn()
      const content = await take(file, length)
      this.#checksum = crc32(content, this.#checksum)
      if (this.#checksum !== head.readUInt32LE(4)) throw new RdbFault('a checksum differs')
      this.#apply(new RdbReader(content))
    }
    if (!this.#isEnded) throw torn()
  }

  #apply(reader: RdbReader): void {
    while (reader.left > 0) {
      const kind = reader.byte()
      if (this.#isEnded || (kind === RECORD.head) !== (this.#records === 0)) throw new RdbFault('a record is out of place')
      if (kind === RECORD.put) this.#put(reader)
      else if (kind === RECORD.remove) this.#database(reader).remove(keyOf(reader))
      else if (kind === RECORD.clear) this.#space.clear([this.#database(reader)])
      else if (kind === RECORD.swap) this.#space.swap(this.#database(reader).number, this.#database(reader).number)
      else if (kind === RECORD.head) this.#writtenAt = reader.double()
      else if (kind === RECORD.end && reader.length() === this.#records) this.#isEnded = true
      else throw new RdbFault('a record is none')
      this.#records += 1
    }
  }

  #put(reader: RdbReader): void {
    const database = this.#database(reader)
    const deadline = reader.double()
    const key = keyOf(reader)
    const value = readValue(reader, this.#space)
    if (deadline <= this.#space.now) {
      this.#expired += 1
      database.remove(key)
      return
    }
    try {
      if (value.kind === 'string') database.putText(key, value.text)
      else database.put(key, value)
    } catch (error) {
      if (!(error instanceof KeyspaceFull)) throw error
      this.#refused += 1
      database.remove(key)
      return
    }
    if (deadline !== Number.POSITIVE_INFINITY) database.setDeadline(key, deadline)
  }

  #database(reader: RdbReader): Database {
    const database = this.#space.databases[reader.byte()]
    if (database === undefined) throw new RdbFault('a database is not known')
    return database
  }
}

function keyOf(reader: RdbReader): string {
  return reader.take(reader.length()).toString('latin1')
}

function torn(): RdbFault {
  return new RdbFault('it ends too early')
}

async function take(file: FileHandle, bytes: number): Promise<Buffer> {
  const taken = Buffer.allocUnsafe(bytes)
  let at = 0
  while (at < bytes) {
    const { bytesRead } = await file.read(taken, at, bytes - at)
    if (bytesRead === 0) throw torn()
    at += bytesRead
  }
  return taken
}
