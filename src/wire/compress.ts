/**
 * A body in every coding that pays, made when it is written.
 *
 * Floor 1, room wire. Which of them a client gets is told by `chooseCoding` (key/encoding.ts). One after the other: a body
 * never takes more than one of libuv's threads, and whoever makes many of them bounds how many bodies are worked on at
 * once (press.ts).
 */
import { type Coding, CODINGS, encode } from './coding.ts'
import { isCompressible, isWorthIt, MIN_BYTES } from './pays.ts'

/** How bodies are compressed. */
export interface CompressOptions {
  /** Default: every coding of this runtime (br, gzip, and zstd where it has it). */
  readonly codings?: readonly Coding[]
  /** Smaller bodies are left alone; default 1400. */
  readonly minBytes?: number
  /** Types beside those that are known to compress: `application/x-mine`, `model/*`. */
  readonly types?: readonly string[]
}

/**
 * @param bytes the body as it is, without any coding; must not change until this is done
 * @returns the codings that pay with their bytes, smallest first; without identity; empty when none does
 * @throws when the runtime has no memory for it
 */
export async function encodeAll(
  bytes: Uint8Array,
  contentType: string | undefined,
  options: CompressOptions = {},
): Promise<ReadonlyMap<Coding, Uint8Array>> {
  const made: [Coding, Uint8Array][] = []
  if (bytes.byteLength < (options.minBytes ?? MIN_BYTES) || !isCompressible(contentType, options.types)) return new Map(made)
  for (const coding of options.codings ?? CODINGS) {
    const coded = await encode(bytes, coding)
    if (isWorthIt(bytes.byteLength, coded.byteLength)) made.push([coding, coded])
  }
  return new Map(made.sort(([, a], [, b]) => a.byteLength - b.byteLength))
}
