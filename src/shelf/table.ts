/**
 * A table of entries as columns: one Map from key to slot, one row of numbers per slot (row.ts), one array of values.
 *
 * Floor 1, room shelf. About 60 bytes per entry beside the Map's own, keys and values apart. Columns that few entries
 * need (tags, shares, a longer error window, months of freshness) are allocated when the first entry brings one. Slots are reused; a row is
 * meaningful only while its slot is in the index. Columns are replaced when they grow: do not keep them.
 */
import type { Learned } from '../model/entry.ts'
import { ARRIVALS, FLAGS, ROW_SHIFT, STAMP, TIME_SHIFT } from './row.ts'
import { packWindow, unpackWindow } from './windows.ts'

const FIRST_SLOTS = 512
/** Routes below it, the reason above. */
export const BECAUSE_SHIFT = 16
/** A slot in all columns, and in the links of a policy. */
const PLACE_BYTES = 80

/** See the module's header. */
export class Table {
  readonly index = new Map<string, number>()
  words: Int32Array<ArrayBuffer> = new Int32Array(0)
  /** The same memory as `words`. */
  times = new Float64Array(0)
  keys: (string | undefined)[] = []
  values: unknown[] = []
  /** What times within rows are counted from; whole ms of the tier's clock. */
  baseMs = 0
  /** Bytes each entry was given with. */
  bytes: Int32Array<ArrayBuffer> = new Int32Array(0)
  /** Stale window as packed by windows.ts. */
  stale: Int32Array<ArrayBuffer> = new Int32Array(0)
  /** Error window; undefined while it equals the stale window everywhere. */
  onError: Int32Array<ArrayBuffer> | undefined
  /** Fresh windows of more than 24 days. */
  longFresh: Int32Array<ArrayBuffer> | undefined
  tags: (readonly string[] | undefined)[] | undefined
  shares: (string | undefined)[] | undefined
  /** Digest of what is stored, and what is known of the key's changes: `Learned`. */
  marks: Int32Array<ArrayBuffer> = new Int32Array(0)
  changes: Int32Array<ArrayBuffer> = new Int32Array(0)
  /** Promised fresh windows, packed, and their routes and reasons, where the fresh window was chosen; undefined while none was. */
  promised: Int32Array<ArrayBuffer> | undefined
  routes: Int32Array<ArrayBuffer> | undefined
  #used = 0
  #free: number[] = []

  /** Slots that rows exist for. */
  get capacity(): number {
    return this.keys.length
  }

  /** Bytes of rows, columns and links that no entry uses now. */
  get idleBytes(): number {
    return (this.capacity - this.index.size) * PLACE_BYTES
  }

  /** Slots ever used: sweeps go round below it. */
  get used(): number {
    return this.#used
  }

  /** Takes a free slot for `key`; `onGrow` runs with the new capacity when the columns had to grow. */
  take(key: string, onGrow: (slots: number) => void): number {
    let slot = this.#free.pop()
    if (slot === undefined) {
      if (this.#used === this.capacity) {
        this.#grow()
        onGrow(this.capacity)
      }
      slot = this.#used
      this.#used += 1
    }
    this.index.set(key, slot)
    this.keys[slot] = key
    this.words[(slot << ROW_SHIFT) | FLAGS] = 0
    this.words[(slot << ROW_SHIFT) | ARRIVALS] = 0
    this.changes[slot] = 0
    return slot
  }

  /** Takes a slot out of the index and drops what it refers to; its numbers stay until `free`. */
  forget(slot: number): void {
    this.index.delete(this.keys[slot] as string)
    this.keys[slot] = undefined
    this.values[slot] = undefined
    if (this.tags !== undefined) this.tags[slot] = undefined
    if (this.shares !== undefined) this.shares[slot] = undefined
  }

  /** Makes a forgotten slot available. */
  free(slot: number): void {
    this.#free.push(slot)
  }

  tagsOf(slot: number): readonly string[] {
    return this.tags?.[slot] ?? NO_TAGS
  }

  shareOf(slot: number): string {
    return this.shares?.[slot] ?? ''
  }

  setTags(slot: number, tags: readonly string[]): void {
    this.tags ??= new Array<readonly string[] | undefined>(this.capacity)
    this.tags[slot] = tags
  }

  setShare(slot: number, id: string): void {
    this.shares ??= new Array<string | undefined>(this.capacity)
    this.shares[slot] = id
  }

  /** Nothing learned: what is stored is not to be compared; what the key's refreshes taught stays. */
  setLearned(slot: number, learned: Learned | undefined): void {
    this.marks[slot] = learned?.mark ?? 0
    if (learned?.word !== undefined) this.changes[slot] = learned.word
    const { chosen } = learned ?? {}
    if (chosen !== undefined) {
      this.promised ??= new Int32Array(this.capacity)
      this.routes ??= new Int32Array(this.capacity)
      this.routes[slot] = chosen.route | (chosen.because << BECAUSE_SHIFT)
    }
    if (this.promised !== undefined) this.promised[slot] = packWindow(chosen?.promisedMs ?? 0)
  }

  setOnError(slot: number, packed: number): void {
    if (this.onError === undefined) {
      if (packed === this.stale[slot]) return
      this.onError = Int32Array.from(this.stale)
    }
    this.onError[slot] = packed
  }

  onErrorOf(slot: number): number {
    return (this.onError ?? this.stale)[slot] as number
  }

  setLongFresh(slot: number, packed: number): void {
    this.longFresh ??= new Int32Array(this.capacity)
    this.longFresh[slot] = packed
  }

  longFreshOf(slot: number): number {
    return this.longFresh?.[slot] ?? 0
  }

  /** No row bears a stamp. */
  clearStamps(): void {
    for (let slot = 0; slot < this.#used; slot += 1) this.words[(slot << ROW_SHIFT) | STAMP] = 0
  }

  /** When the entry in a slot is past every window. */
  endAt(slot: number): number {
    return (this.times[slot << TIME_SHIFT] as number) + unpackWindow(this.onErrorOf(slot))
  }

  #grow(): void {
    const from = this.capacity
    const slots = nextCapacity(from)
    this.words = widen(this.words, slots << ROW_SHIFT)
    this.times = new Float64Array(this.words.buffer)
    this.stale = widen(this.stale, slots)
    this.bytes = widen(this.bytes, slots)
    this.marks = widen(this.marks, slots)
    this.changes = widen(this.changes, slots)
    if (this.promised !== undefined) this.promised = widen(this.promised, slots)
    if (this.routes !== undefined) this.routes = widen(this.routes, slots)
    if (this.onError !== undefined) this.onError = widen(this.onError, slots)
    if (this.longFresh !== undefined) this.longFresh = widen(this.longFresh, slots)
    this.keys = stretch(this.keys, slots)
    this.values = stretch(this.values, slots)
    if (this.tags !== undefined) this.tags = stretch(this.tags, slots)
    if (this.shares !== undefined) this.shares = stretch(this.shares, slots)
  }
}

const NO_TAGS: readonly string[] = Object.freeze([])

/** 512, 768, 1024, 1536 …: at most half is idle. */
function nextCapacity(from: number): number {
  if (from === 0) return FIRST_SLOTS
  return (from & (from - 1)) === 0 ? from + (from >>> 1) : Math.ceil(from / 3) * 4
}

function widen(column: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(length)
  wider.set(column)
  return wider
}

/** A copy with `length` places: `push` would over-allocate by half and leave the rest to chance. */
function stretch<T>(column: (T | undefined)[], length: number): (T | undefined)[] {
  const longer = new Array<T | undefined>(length)
  for (let i = 0; i < column.length; i += 1) longer[i] = column[i]
  return longer
}
