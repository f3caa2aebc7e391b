/**
 * The form of the embedded mode's snapshot: what was there, and what changed while it was written, in order.
 *
 * Floor 3, room keyspace. `FCKEYS`, version, 0; then blocks of length, checksum and content. A checksum is the CRC-32 of all
 * contents up to there, so that no block can be missing, changed or in another's place. Contents are records, never split
 * between blocks: head, put, remove, clear, swap, and the end with the number of records before it. Whoever applies all of
 * them in order has the data of one moment: that of the end. A file without its end is not whole.
 */
import { crc32 } from 'node:zlib'
import { RdbWriter } from './rdb-writer.ts'

/** Kinds of records. */
export const RECORD = { end: 0, head: 1, put: 2, remove: 3, clear: 4, swap: 5 } as const

const MAGIC = Buffer.from('FCKEYS')
export const VERSION = 1
/** Magic, version, 0. */
export const PREFIX_BYTES = MAGIC.byteLength + 2
/** Length and checksum before each block. */
export const BLOCK_HEAD_BYTES = 8

/** What is wrong with a file's beginning; undefined: nothing. */
export function faultOfPrefix(prefix: Uint8Array): string | undefined {
  if (prefix.byteLength < PREFIX_BYTES || !MAGIC.equals(prefix.subarray(0, MAGIC.byteLength))) return 'it is no snapshot'
  const [version, flags] = prefix.subarray(MAGIC.byteLength)
  if (version !== VERSION || flags !== 0) return `it is of version ${version}.${flags}; known: ${VERSION}.0`
  return undefined
}

/** Gathers records into blocks. */
export class SnapshotWriter {
  /** Where a record's parts go. */
  readonly #out = new RdbWriter(false)
  #checksum = 0
  #records = 0

  /** Bytes of the open block. */
  get used(): number {
    return this.#out.used
  }

  /** Bytes it holds on to. */
  get held(): number {
    return this.#out.held
  }

  /** Records so far. */
  get records(): number {
    return this.#records
  }

  /** Begins a record: what belongs to it is written next. */
  record(kind: number): RdbWriter {
    this.#records += 1
    return this.#out.byte(kind)
  }

  /** The file's beginning. @param writtenAt epoch ms */
  head(writtenAt: number): Buffer {
    this.record(RECORD.head).double(writtenAt)
    return Buffer.concat([MAGIC, Buffer.from([VERSION, 0]), this.block()])
  }

  /** The open block with its head; another one begins. */
  block(): Buffer {
    const content = this.#out.take()
    this.#checksum = crc32(content, this.#checksum)
    const head = Buffer.allocUnsafe(BLOCK_HEAD_BYTES)
    head.writeUInt32LE(content.byteLength, 0)
    head.writeUInt32LE(this.#checksum, 4)
    return Buffer.concat([head, content])
  }

  /** The last block. */
  end(): Buffer {
    const records = this.#records
    this.record(RECORD.end).length(records)
    return this.block()
  }
}
