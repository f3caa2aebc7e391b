/**
 * The format of a snapshot: what memory held, on disk.
 *
 * Floor 1, room wire. `FCSNAP`, version, then frames of length, CRC-32 and content: the head first, then an entry each. A
 * frame that is torn, or was changed, ends the snapshot there; all before it is good. Reading throws FC_SNAPSHOT_FILE and
 * nothing else. Every version that was ever written can be read for ever, or is refused by its number.
 */
import { crc32 } from 'node:zlib'
import { ForecacheError } from '../model/errors.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import type { Seal } from './seal.ts'

/** What is said of all entries. */
export interface SnapshotHead {
  /** Wall clock at the beginning, epoch ms. */
  readonly writtenAt: number
  /** Name of the machine's run, and how long it had been running, ms; '' where the system does not say. */
  readonly boot: string
  readonly uptimeMs: number
  /** Digest of the rules that keys and answers were made by. */
  readonly meaning: string
  /** Place in the shared log up to which everything is current; '' as name: there was no shared log. */
  readonly generation: string
  readonly asOf: number
  /** The store's time at the beginning, epoch ms; 0: not known. */
  readonly storeAt: number
  /** Nothing was served after it was written. */
  readonly drained: boolean
}

/** One entry. */
export interface SnapshotRecord {
  readonly key: string
  /** Age at the beginning of the snapshot, ms. */
  readonly ageMs: number
  readonly envelope: Uint8Array
}

const MAGIC = Buffer.from('FCSNAP')
const VERSION = 1
const SEALED = 1
/** Magic, version, flags. */
export const PREFIX_BYTES = MAGIC.byteLength + 2
/** Length and checksum before each frame. */
export const FRAME_HEAD_BYTES = 8
const HEAD_BOUND = Buffer.from('forecache snapshot head')
const RECORD_BOUND = Buffer.from('forecache snapshot entry')

/** The beginning of a file, its head included. */
export function writeSnapshotHead(head: SnapshotHead, seal?: Seal): Buffer {
  const content = new ByteWriter()
    .number(head.writtenAt)
    .text(head.boot)
    .number(head.uptimeMs)
    .text(head.meaning)
    .text(head.generation)
    .number(head.asOf)
    .number(head.storeAt)
    .flag(head.drained)
    .finish()
  const prefix = Buffer.from([...MAGIC, VERSION, seal === undefined ? 0 : SEALED])
  return Buffer.concat([prefix, ...frame(content, HEAD_BOUND, seal)])
}

/** One frame; for an encrypted snapshot keys are encrypted too. */
export function writeSnapshotRecord({ key, ageMs, envelope }: SnapshotRecord, seal?: Seal): Buffer {
  const content = new ByteWriter().text(key).number(ageMs).block(envelope).finish()
  return Buffer.concat([...frame(content, RECORD_BOUND, seal)])
}

/** @param prefix the first PREFIX_BYTES @throws FC_SNAPSHOT_FILE */
export function checkSnapshotPrefix(prefix: Uint8Array, seal?: Seal): void {
  if (prefix.byteLength < PREFIX_BYTES || !MAGIC.equals(prefix.subarray(0, MAGIC.byteLength))) throw broken('it is no snapshot')
  const [version, flags] = prefix.subarray(MAGIC.byteLength)
  if (version !== VERSION) throw broken(`it is of version ${version}; known: ${VERSION}`)
  if (flags !== (seal === undefined ? 0 : SEALED)) throw broken(seal === undefined ? 'it is encrypted' : 'it is not encrypted')
}

/** @param head FRAME_HEAD_BYTES @returns length of the content and its checksum */
export function readFrameHead(head: Buffer): { readonly bytes: number; readonly checksum: number } {
  return { bytes: head.readUInt32LE(0), checksum: head.readUInt32LE(4) }
}

/** @throws FC_SNAPSHOT_FILE */
export function readSnapshotHead(content: Uint8Array, checksum: number, seal?: Seal): SnapshotHead {
  return read(() => {
    const reader = new ByteReader(open(content, checksum, { seal, bound: HEAD_BOUND }))
    return {
      writtenAt: reader.span(),
      boot: reader.text(),
      uptimeMs: reader.span(),
      meaning: reader.text(),
      generation: reader.text(),
      asOf: reader.span(),
      storeAt: reader.span(),
      drained: reader.flag(),
    }
  })
}

/** @throws FC_SNAPSHOT_FILE */
export function readSnapshotRecord(content: Uint8Array, checksum: number, seal?: Seal): SnapshotRecord {
  return read(() => {
    const reader = new ByteReader(open(content, checksum, { seal, bound: RECORD_BOUND }))
    const record = { key: reader.text(), ageMs: reader.span(), envelope: reader.block() }
    reader.end()
    return record
  })
}

function frame(content: Uint8Array, bound: Buffer, seal: Seal | undefined): readonly Uint8Array[] {
  const parts = seal === undefined ? [content] : seal.close(content, bound)
  const head = Buffer.alloc(FRAME_HEAD_BYTES)
  head.writeUInt32LE(
    parts.reduce((sum, part) => sum + part.byteLength, 0),
    0,
  )
  head.writeUInt32LE(
    parts.reduce((sum, part) => crc32(part, sum), 0),
    4,
  )
  return [head, ...parts]
}

function open(
  content: Uint8Array,
  checksum: number,
  how: { readonly seal: Seal | undefined; readonly bound: Buffer },
): Uint8Array {
  if (crc32(content) !== checksum) throw broken('a checksum differs')
  return how.seal === undefined ? content : how.seal.open(content, how.bound)
}

function read<T>(parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    if (cause instanceof ForecacheError && cause.code === 'FC_SNAPSHOT_FILE') throw cause
    throw broken(cause instanceof Error ? cause.message : 'it cannot be read')
  }
}

/** What cannot be read. */
export function broken(reason: string): ForecacheError {
  return new ForecacheError('FC_SNAPSHOT_FILE', { reason })
}
