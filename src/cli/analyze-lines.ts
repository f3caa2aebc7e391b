/**
 * Reads a log line by line, unpacked where it is packed, in bounded memory.
 *
 * Floor 6, room cli. Told by its first bytes, not by its name: gzip, zstd, or plain. A line of more than 64 KiB is cut off there.
 */
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { type Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { ForecacheError } from '../model/errors.ts'

/** @param share of the file that was read; NaN where its size is not known */
export type OnLine = (line: string, share: number) => void

const MAX_LINE = 64 * 1024
const CHUNK_BYTES = 1024 * 1024

/** @param file its path, or `-` for standard input @throws (rejects) FC_CLI_FILE */
export async function readLogLines(file: string, onLine: OnLine): Promise<void> {
  try {
    const { stream, total, unpack } = file === '-' ? await fromStdin() : await fromFile(file)
    let readBytes = 0
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        readBytes += chunk.length
        done(null, chunk)
      },
    })
    const splitter = createSplitter((line) => onLine(line, readBytes / total))
    if (unpack === undefined) await pipeline(stream, counted, splitter)
    else await pipeline(stream, counted, unpack, splitter).catch((cause: unknown) => refusePacked(file, cause))
  } catch (cause) {
    if (cause instanceof ForecacheError) throw cause
    throw new ForecacheError('FC_CLI_FILE', { file, reason: cause instanceof Error ? cause.message : String(cause) }, { cause })
  }
}

/** @throws FC_CLI_FILE */
function refusePacked(file: string, cause: unknown): never {
  const reason = `it cannot be unpacked to its end, is it whole? (${cause instanceof Error ? cause.message : String(cause)})`
  throw new ForecacheError('FC_CLI_FILE', { file, reason }, { cause })
}

interface Source {
  readonly stream: Readable
  /** Bytes as they stand; NaN: not known. */
  readonly total: number
  readonly unpack: Transform | undefined
}

async function fromFile(file: string): Promise<Source> {
  const { size } = await stat(file)
  const handle = await open(file)
  const head = Buffer.alloc(4)
  try {
    await handle.read(head, 0, 4, 0)
  } finally {
    await handle.close()
  }
  return { stream: createReadStream(file, { highWaterMark: CHUNK_BYTES }), total: size, unpack: unpackerOf(head) }
}

/** Not looked into: whoever pipes can unpack. */
function fromStdin(): Promise<Source> {
  return Promise.resolve({ stream: process.stdin, total: Number.NaN, unpack: undefined })
}

function unpackerOf(head: Buffer): Transform | undefined {
  if (head.readUInt16BE(0) === 0x1f8b) return createGunzip()
  return head.readUInt32LE(0) === 0xfd2fb528 ? createZstdDecompress() : undefined
}

/** Takes bytes and gives lines; what is no UTF-8 becomes a sign for that, which fingerprints do not mind. */
function createSplitter(onLine: (line: string) => void): Writable {
  const decoder = new TextDecoder('utf-8')
  let rest = ''
  const take = (text: string): void => {
    let from = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      onLine(text.slice(from, Math.min(text.charCodeAt(end - 1) === 0x0d ? end - 1 : end, from + MAX_LINE)))
      from = end + 1
    }
    rest = text.slice(from, from + MAX_LINE)
  }
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      take(rest + decoder.decode(chunk, { stream: true }))
      done()
    },
    final(done) {
      if (rest !== '') onLine(rest)
      done()
    },
  })
}
