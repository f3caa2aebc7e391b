/**
 * Bytes gathered for one write.
 *
 * Floor 4, room resp. One place for all connections of a process: everything put in is written before control returns to
 * the event loop. Small pieces are copied, large ones go as they are; bytes that the other side has not taken at once are
 * never overwritten.
 */

/** Where gathered bytes go: a socket. */
export interface ByteSink {
  /** @returns whether the bytes have been taken and may be overwritten */
  write(bytes: Buffer): boolean
}

/** Bytes of all chunks, and some more. */
export function lengthOf(chunks: readonly Uint8Array[], more: number): number {
  let bytes = more
  for (const chunk of chunks) bytes += chunk.byteLength
  return bytes
}

/** The place where bytes are gathered, shared by many gathers of which one is in use at a time. */
export class GatherRoom {
  bytes: Buffer
  readonly #size: number

  constructor(sizeBytes = 64 * 1024) {
    this.#size = sizeBytes
    this.bytes = Buffer.allocUnsafeSlow(sizeBytes)
  }

  /** What was gathered here belongs to someone else now. */
  renew(): void {
    this.bytes = Buffer.allocUnsafeSlow(this.#size)
  }
}

/** From here on a piece is not copied. */
const LARGE_BYTES = 16 * 1024
/** Up to here bytes are put one by one. */
const BY_HAND_BYTES = 24

/** See the module's header. */
export class Gather {
  readonly #room: GatherRoom
  readonly #sink: ByteSink
  #used = 0

  constructor(room: GatherRoom, sink: ByteSink) {
    this.#room = room
    this.#sink = sink
  }

  /** Takes `bytes[start, end)`; the bytes may change afterwards unless they are large, which must stay as they are. */
  put(bytes: Buffer, start: number, end: number): void {
    const length = end - start
    if (length > LARGE_BYTES) {
      this.flush()
      this.#sink.write(bytes.subarray(start, end))
      return
    }
    const room = this.#room
    if (this.#used + length > room.bytes.length) this.flush()
    const into = room.bytes
    const at = this.#used
    // A copy of few bytes costs less by hand than by a call into the runtime.
    if (length <= BY_HAND_BYTES) for (let i = 0; i < length; i += 1) into[at + i] = bytes[start + i] as number
    else bytes.copy(into, at, start, end)
    this.#used = at + length
  }

  /** As `put`, for bytes that change right afterwards even when they are large. */
  putCopy(bytes: Buffer, start: number, end: number): void {
    if (end - start <= LARGE_BYTES) this.put(bytes, start, end)
    else {
      const copy = Buffer.allocUnsafe(end - start)
      bytes.copy(copy, 0, start, end)
      this.put(copy, 0, copy.length)
    }
  }

  /** Latin-1 text. */
  text(line: string): void {
    const room = this.#room
    if (line.length > LARGE_BYTES) {
      const bytes = Buffer.from(line, 'latin1')
      this.put(bytes, 0, bytes.length)
      return
    }
    if (this.#used + line.length > room.bytes.length) this.flush()
    if (line.length > BY_HAND_BYTES) this.#used += room.bytes.write(line, this.#used, 'latin1')
    else {
      const into = room.bytes
      const at = this.#used
      for (let i = 0; i < line.length; i += 1) into[at + i] = line.charCodeAt(i)
      this.#used = at + line.length
    }
  }

  /** Writes what is gathered. */
  flush(): void {
    if (this.#used === 0) return
    const room = this.#room
    const bytes = room.bytes.subarray(0, this.#used)
    this.#used = 0
    if (!this.#sink.write(bytes)) room.renew()
  }
}
