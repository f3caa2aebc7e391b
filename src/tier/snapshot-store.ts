/**
 * A snapshot's file: written whole or not at all, read frame by frame.
 *
 * Floor 2, room tier. Written as whole-file.ts writes. Reading is bounded in bytes, and every length in it is checked before memory is taken.
 */
import { type FileHandle, open, rm } from 'node:fs/promises'
import {
  broken,
  checkSnapshotPrefix,
  FRAME_HEAD_BYTES,
  PREFIX_BYTES,
  readFrameHead,
  readSnapshotHead,
  readSnapshotRecord,
  type SnapshotHead,
  type SnapshotRecord,
  writeSnapshotHead,
  writeSnapshotRecord,
} from '../wire/snapshot-file.ts'
import type { Seal } from '../wire/seal.ts'
import { WholeFile } from './whole-file.ts'

/** Where a snapshot is, and how large it may get. */
export interface SnapshotFile {
  readonly path: string
  readonly maxBytes: number
  readonly seal: Seal | undefined
}

/** A snapshot that was opened. */
export interface SnapshotReading {
  readonly head: SnapshotHead
  /** Ends at the first frame that is torn, or at `maxBytes`. */
  readonly records: AsyncIterable<SnapshotRecord>
  close(): Promise<void>
}

/** Written at once. */
const CHUNK_BYTES = 1024 * 1024
const MAX_FRAME_BYTES = 256 * 1024 * 1024

/**
 * Writes a snapshot in place of the former one.
 *
 * @param records asked one after another; ends early where `maxBytes` is reached
 * @returns entries and bytes written
 * @throws (rejects) what the system says of the disk; the former one stands then
 */
export async function writeSnapshot(
  { path, maxBytes, seal }: SnapshotFile,
  head: SnapshotHead,
  records: AsyncIterable<SnapshotRecord>,
): Promise<{ readonly entries: number; readonly bytes: number }> {
  const file = await WholeFile.create(path)
  let bytes = 0
  let entries = 0
  try {
    let chunk: Buffer[] = [writeSnapshotHead(head, seal)]
    let chunkBytes = (chunk[0] as Buffer).byteLength
    for await (const record of records) {
      const written = writeSnapshotRecord(record, seal)
      if (bytes + chunkBytes + written.byteLength > maxBytes) break
      chunk.push(written)
      chunkBytes += written.byteLength
      entries += 1
      if (chunkBytes < CHUNK_BYTES) continue
      await file.write(Buffer.concat(chunk))
      bytes += chunkBytes
      chunk = []
      chunkBytes = 0
    }
    await file.write(Buffer.concat(chunk))
    bytes += chunkBytes
    await file.finish()
  } catch (error) {
    await file.drop()
    throw error
  }
  return { entries, bytes }
}

/** @returns undefined where there is none @throws (rejects) FC_SNAPSHOT_FILE, what the system says of the disk */
export async function openSnapshot({ path, maxBytes, seal }: SnapshotFile): Promise<SnapshotReading | undefined> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const source = new Frames(file, maxBytes)
  try {
    checkSnapshotPrefix((await source.take(PREFIX_BYTES)) ?? Buffer.alloc(0), seal)
    const first = await source.frame()
    if (first === undefined) throw broken('it ends before it has begun')
    const head = readSnapshotHead(first.content, first.checksum, seal)
    return { head, records: recordsOf(source, seal), close: () => file.close() }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Takes a snapshot away: it says nothing any more. */
export async function removeSnapshot({ path }: Pick<SnapshotFile, 'path'>): Promise<void> {
  await rm(path, { force: true })
}

async function* recordsOf(source: Frames, seal: Seal | undefined): AsyncGenerator<SnapshotRecord> {
  for (;;) {
    const next = await source.frame()
    if (next === undefined) return
    let record: SnapshotRecord
    try {
      record = readSnapshotRecord(next.content, next.checksum, seal)
    } catch {
      return // what follows cannot be found
    }
    yield record
  }
}

/** A file as frames, read a piece at a time. */
class Frames {
  readonly #file: FileHandle
  #leftBytes: number
  #held: Buffer = Buffer.alloc(0)

  constructor(file: FileHandle, maxBytes: number) {
    this.#file = file
    this.#leftBytes = maxBytes
  }

  async frame(): Promise<{ readonly content: Buffer; readonly checksum: number } | undefined> {
    const head = await this.take(FRAME_HEAD_BYTES)
    if (head === undefined) return undefined
    const { bytes, checksum } = readFrameHead(head)
    if (bytes > MAX_FRAME_BYTES) return undefined
    const content = await this.take(bytes)
    return content && { content, checksum }
  }

  /** @returns undefined where the file ends before, or its bound is reached */
  async take(bytes: number): Promise<Buffer | undefined> {
    if (bytes > this.#leftBytes) return undefined
    while (this.#held.byteLength < bytes) {
      const piece = Buffer.allocUnsafe(Math.min(Math.max(CHUNK_BYTES, bytes - this.#held.byteLength), this.#leftBytes))
      const { bytesRead } = await this.#file.read(piece, 0, piece.byteLength)
      if (bytesRead === 0) return undefined
      this.#held = Buffer.concat([this.#held, piece.subarray(0, bytesRead)])
    }
    const taken = this.#held.subarray(0, bytes)
    this.#held = this.#held.subarray(bytes)
    this.#leftBytes -= bytes
    return taken
  }
}
