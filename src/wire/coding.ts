/**
 * Content codings: which are spoken here, and a body in each of them.
 *
 * Floor 1, room wire. zlib's asynchronous functions alone: they work on libuv's threads, the main thread only starts them
 * and takes what they made. Deterministic: the same bytes give the same coded bytes within one version of the runtime. zstd
 * is spoken where the runtime has it.
 */
import * as zlib from 'node:zlib'

/** Codings that bodies are made in. */
export type Coding = 'br' | 'gzip' | 'zstd'
/** Every coding that is understood: what bodies may come in. */
export type KnownCoding = Coding | 'deflate' | 'identity'

/** Codings this runtime makes. */
export const CODINGS: readonly Coding[] = typeof zlib.zstdCompress === 'function' ? ['br', 'gzip', 'zstd'] : ['br', 'gzip']

const GZIP_LEVEL = 6
const BROTLI_QUALITY = 4
const ZSTD_LEVEL = 3

/** A piece of work is done in few steps: each costs a turn on the main thread. */
const MIN_CHUNK_BYTES = 4 * 1024
const MAX_CHUNK_BYTES = 256 * 1024

type Done = (error: Error | null, result: Uint8Array) => void

/**
 * A body in a coding: gzip level 6, brotli quality 4, zstd level 3.
 *
 * @param bytes must not change until it is done
 * @throws when the runtime has not the coding, or no memory
 */
export function encode(bytes: Uint8Array, coding: Coding): Promise<Uint8Array> {
  const chunkSize = chunkFor(bytes.byteLength)
  return settle((done) => {
    switch (coding) {
      case 'gzip':
        return zlib.gzip(bytes, { level: GZIP_LEVEL, chunkSize }, done)
      case 'br':
        return zlib.brotliCompress(bytes, { chunkSize, params: brotliParams(bytes.byteLength) }, done)
      case 'zstd':
        return zlib.zstdCompress(bytes, { chunkSize, pledgedSrcSize: bytes.byteLength, params: ZSTD_PARAMS }, done)
      default:
        return coding satisfies never
    }
  })
}

/**
 * What a coded body says.
 *
 * @param bytes the whole body
 * @param coding what it came in; `identity` gives it back as it is
 * @param maxBytes the most it may unfold to
 * @throws when it is broken, is cut off, or unfolds to more
 */
export function decode(bytes: Uint8Array, coding: KnownCoding, maxBytes: number): Promise<Uint8Array> {
  if (coding === 'identity') return Promise.resolve(bytes)
  const options = { maxOutputLength: Math.max(1, maxBytes), chunkSize: chunkFor(bytes.byteLength * 4) }
  return settle((done) => {
    switch (coding) {
      case 'gzip':
        return zlib.gunzip(bytes, options, done)
      case 'br':
        return zlib.brotliDecompress(bytes, options, done)
      case 'zstd':
        return zlib.zstdDecompress(bytes, options, done)
      case 'deflate':
        return zlib.inflate(bytes, options, done)
      default:
        return coding satisfies never
    }
  })
}

/** Whether bodies of a coding can be read by this runtime. @param name lower-cased, aliases resolved */
export function isKnownCoding(name: string): name is KnownCoding {
  return name === 'identity' || name === 'deflate' || (CODINGS as readonly string[]).includes(name)
}

/** Exactly the bytes, in memory of their own: a view would keep a larger block alive that nobody is charged for. */
function settle(start: (done: Done) => void): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error !== null) reject(error)
      else resolve(result.byteLength === result.buffer.byteLength ? result : new Uint8Array(result))
    })
  })
}

function brotliParams(bytes: number): Record<number, number> {
  return { [zlib.constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes }
}

const ZSTD_PARAMS = { [zlib.constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL }

function chunkFor(bytes: number): number {
  return Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, bytes))
}
