/**
 * Replies of the upstream as they stood on the wire, kept under the partition and the raw bytes of their request.
 *
 * Floor 4, room resp. It holds; `Coherence` decides. A partition is a small number for all that a reply depends on beside
 * its request: user, RESP version, database. One look-up a hit, no string, no copy: the bytes are lent until the next call.
 * In the table an entry's mark is the token, its note the hash of its key, its kind the number of keys; before the reply
 * stand the fence and, of several keys, each one's hash.
 */
import { ByteKey, ByteSpan } from '../shelf/byte-hash.ts'
import { ByteTable } from '../shelf/byte-table.ts'
import type { Coherence } from './coherence.ts'
import type { Fill } from './coherence-fill.ts'

/** Where a hit lies: valid until the cache is called again. */
export interface Hit {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  /** For `Coherence.served`. */
  readonly fence: number
  /** Nobody ever writes to these bytes again: they may be sent as they are, at any time. */
  readonly isStable: boolean
}

/** What the front asks of the cache. */
export interface ReplyStore {
  /** The reply to this very request, if it still stands; call `Coherence.mayHit` once per chunk before, `served` behind. */
  find(partition: number, request: FramedBytes, now: number): Hit | undefined
  /**
   * Takes the reply of a filling read, as it came; it is kept once all its PTTLs have come and nothing has changed since.
   *
   * @param reply not written to any more
   * @returns whether it tells anything that memory did not know
   */
  replied(filling: Filling, reply: FramedBytes, now: number): boolean
  /** Takes the reply to a PTTL behind a filling read. @param pttlMs NaN where it is no number */
  timed(filling: Filling, pttlMs: number, now: number): void
}

/** A run of bytes. */
export interface FramedBytes {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
}

/** A reading under way: what it asked, and its fill. */
export interface Filling {
  readonly fill: Fill
  readonly partition: number
  /** Copied when it was opened. */
  readonly request: Buffer
  /** The cache's: the reply until it is kept. */
  reply?: FramedBytes | undefined
}

/** What a cache is made of. */
export interface ReplyCacheParts {
  readonly coherence: Coherence
  readonly maxBytes: number
  /** Larger replies are not kept. */
  readonly maxReplyBytes: number
  /** Two random 32-bit numbers that nobody outside knows. */
  readonly seed: readonly [number, number]
  /** Whether memory is so short that nothing more is to be kept. */
  readonly isShort: () => boolean
}

/** Of a table's room, what entries can make up; the rest is there for moving them. */
const FULL_SHARE = 0.75
const FENCE_BYTES = 4
const HASH_BYTES = 4
/** Longest number that Redis itself would count with. */
const MAX_DIGITS = 20
const [BULK, MINUS, ZERO, NINE] = [0x24, 0x2d, 0x30, 0x39]

/** See the module's header. */
export class ReplyCache implements ReplyStore {
  readonly #coherence: Coherence
  readonly #table: ByteTable
  readonly #maxReplyBytes: number
  readonly #isShort: () => boolean
  readonly #key = new ByteKey()
  readonly #value = new ByteSpan()
  readonly #hit: { -readonly [K in keyof Hit]: Hit[K] } = { bytes: Buffer.alloc(0), start: 0, end: 0, fence: 0, isStable: false }
  #scratch = Buffer.allocUnsafeSlow(4096)
  /** Replies that were kept. */
  kept = 0

  constructor(parts: ReplyCacheParts) {
    this.#coherence = parts.coherence
    this.#maxReplyBytes = parts.maxReplyBytes
    this.#isShort = parts.isShort
    this.#table = new ByteTable({ maxBytes: parts.maxBytes, evicts: true, seed: parts.seed })
    parts.coherence.onVoid(() => this.clear())
  }

  /** Replies held, those that no longer stand and were not yet let go included. */
  get size(): number {
    return this.#table.size
  }

  /** Everything allocated. */
  get bytes(): number {
    return this.#table.bytes
  }

  /** Replies that left because of the limit. */
  get evictions(): number {
    return this.#table.evictions
  }

  get maxBytes(): number {
    return this.#table.maxBytes
  }

  find(partition: number, request: FramedBytes, now: number): Hit | undefined {
    const table = this.#table
    const slot = this.#slot(partition, request)
    if (slot < 0 || table.deadline(slot) <= now) return undefined
    const value = table.value(slot)
    if (!this.#stands(slot, value)) return undefined
    table.touch(slot)
    const { bytes, start, end } = value
    const hit = this.#hit
    hit.bytes = bytes as Buffer
    hit.fence = readInt(bytes, start)
    hit.start = start + headBytes(table.kind(slot))
    hit.end = end
    hit.isStable = table.isApart(slot)
    return hit
  }

  replied(filling: Filling, reply: FramedBytes, now: number): boolean {
    const { fill } = filling
    const { bytes, start, end } = reply
    this.#coherence.read(fill)
    fill.reply(bytes, start, end)
    if (end - start > this.#maxReplyBytes) fill.void()
    if (fill.isVoid) return true
    filling.reply = reply
    const known = this.find(filling.partition, whole(filling.request), now)
    if (known === undefined || known.end - known.start !== end - start) return true
    if (known.bytes.compare(bytes, start, end, known.start, known.end) !== 0) return true
    fill.fence = known.fence // what it tells was known behind that fence already
    return false
  }

  timed(filling: Filling, pttlMs: number, now: number): void {
    const { fill, reply } = filling
    fill.time(pttlMs)
    if (reply === undefined || (!fill.isWhole && !fill.isVoid)) return
    filling.reply = undefined
    if (this.#coherence.keeps(fill, now) && !this.#isShort()) this.#keep(filling, reply)
  }

  /**
   * Another limit; what is above it leaves, a slice at a time, and the room it had is given back as it empties.
   *
   * @returns how many left
   */
  limitTo(maxBytes: number, maxEvictions: number): number {
    const table = this.#table
    table.maxBytes = maxBytes
    let evicted = 0
    while (table.liveBytes > maxBytes * FULL_SHARE && evicted < maxEvictions && table.evict()) evicted += 1
    table.tend()
    return evicted
  }

  /** Idle work. */
  tend(): void {
    this.#table.tend()
  }

  clear(): void {
    this.#table.clear()
  }

  #slot(partition: number, { bytes, start, end }: FramedBytes): number {
    const key = this.#key
    key.set(bytes, start, end)
    key.space = partition
    return this.#table.find(key)
  }

  /** Whether none of the keys has changed since. */
  #stands(slot: number, { bytes, start }: ByteSpan): boolean {
    const [table, coherence] = [this.#table, this.#coherence]
    const token = table.mark(slot)
    const count = table.kind(slot)
    if (count === 1) return coherence.stands(table.note(slot), token)
    for (let i = 0, at = start + FENCE_BYTES; i < count; i += 1, at += HASH_BYTES) {
      if (!coherence.stands(readInt(bytes, at), token)) return false
    }
    return true
  }

  #keep({ fill, partition, request }: Filling, reply: FramedBytes): void {
    const table = this.#table
    const former = this.#slot(partition, whole(request))
    if (former >= 0 && this.#counts(former, fill, reply)) {
      table.remove(former)
      return
    }
    const { hashes } = fill
    const slot = table.put(this.#key, this.#fillIn(fill, reply))
    if (slot < 0) {
      if (former >= 0) table.remove(former)
      return
    }
    table.setMark(slot, fill.token)
    table.setNote(slot, hashes[0] as number)
    table.setKind(slot, hashes.length)
    table.setDeadline(slot, fill.deadlineMs)
    this.kept += 1
  }

  /**
   * A string that is a number, and was another number before: somebody counts with it, perhaps not through us. From now on
   * it is not kept.
   */
  #counts(former: number, fill: Fill, { bytes, start, end }: FramedBytes): boolean {
    const table = this.#table
    if (fill.hashes.length !== 1 || !isNumber(bytes, start, end)) return false
    const value = table.value(former)
    const at = value.start + headBytes(table.kind(former))
    if (!isNumber(value.bytes, at, value.end)) return false
    if (Buffer.compare(value.bytes.subarray(at, value.end), bytes.subarray(start, end)) === 0) return false
    this.#coherence.enliven(fill.hashes[0] as number)
    return true
  }

  #fillIn({ hashes, fence }: Fill, { bytes, start, end }: FramedBytes): ByteSpan {
    const head = headBytes(hashes.length)
    const length = head + end - start
    if (this.#scratch.length < length) this.#scratch = Buffer.allocUnsafeSlow(length * 2)
    const scratch = this.#scratch
    scratch.writeInt32LE(fence | 0, 0)
    if (hashes.length > 1)
      for (let i = 0; i < hashes.length; i += 1) scratch.writeInt32LE(hashes[i] as number, FENCE_BYTES + i * HASH_BYTES)
    bytes.copy(scratch, head, start, end)
    return this.#value.set(scratch, 0, length)
  }
}

function headBytes(keys: number): number {
  return keys === 1 ? FENCE_BYTES : FENCE_BYTES + keys * HASH_BYTES
}

function whole(bytes: Buffer): FramedBytes {
  return { bytes, start: 0, end: bytes.length }
}

function readInt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}

/** `$n CRLF digits CRLF`, perhaps with a sign. */
function isNumber(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] !== BULK || end - start > MAX_DIGITS + 8) return false
  let at = bytes.indexOf(0x0a, start) + 1
  if (at <= start || at >= end - 2) return false
  if (bytes[at] === MINUS) at += 1
  if (at >= end - 2) return false
  for (; at < end - 2; at += 1) if ((bytes[at] as number) < ZERO || (bytes[at] as number) > NINE) return false
  return true
}
