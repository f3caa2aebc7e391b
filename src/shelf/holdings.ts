/**
 * What a memory tier holds and what it costs: rows, shared bodies, tag counts, and the bytes charged for all of them.
 *
 * Floor 1, room shelf. Every entry is charged its given bytes (without a shared body), its key, its tags and a flat
 * ENTRY_BYTES for row, index, columns, ghosts and the key's header; shared bodies and tag records are charged once. `bytes` is always the
 * exact sum. Knows no fence, no clock and no policy.
 */
import type { Entry, EntryKind, Learned } from '../model/entry.ts'
import { arrivalsAt, closePeriod, READ_TICK_SHIFT, type RecentArrivals } from './arrivals.ts'
import { Departed, type Former } from './departed.ts'
import type { EvictionHost } from './evict.ts'
import { KeyScan } from './fingerprint.ts'
import { freshOf, REBASE_AFTER_MS, rebase, setFresh } from './fresh-end.ts'
import { LargeBodies } from './large-bodies.ts'
import * as row from './row.ts'
import { Shares } from './shares.ts'
import { BECAUSE_SHIFT, Table } from './table.ts'
import { TagCounts } from './tag-counts.ts'
import { packWindow, unpackWindow } from './windows.ts'

/** Bytes an entry is charged with beside its value, key and tags. */
export const ENTRY_BYTES = 184

const KINDS: readonly EntryKind[] = ['value', 'pass', 'vary']

/** Where a row is written. */
export interface Placement {
  readonly slot: number
  /** Low 32 bits of the position at which the entry is proven current. */
  readonly mark: number
  /** Softened before it was stored: kept, never fresh. */
  readonly isSoft: boolean
}

/** See the module's header. */
export class Holdings {
  readonly table = new Table()
  readonly shares = new Shares()
  readonly tagCounts = new TagCounts()
  /** Of keys that stand here no longer. */
  readonly departed = new Departed()
  readonly #large = new LargeBodies()
  #own = 0
  readonly #scan = new KeyScan()
  #reservedShare: string | undefined
  #reservedOwn = 0

  get bytes(): number {
    return this.#own + this.shares.bytes + this.tagCounts.bytes
  }

  /** What a policy asks of it. */
  host(): EvictionHost {
    return {
      weightOf: (slot) => this.ownBytesAt(slot),
      cool: (slot) => this.cool(slot),
      release: (slot) => this.table.free(slot),
    }
  }

  /** Whether the key reserved for, which needs `own` bytes, may push others out; see large-bodies.ts. */
  mayPush(own: number): boolean {
    const entries = this.table.index.size
    return this.#large.admits(this.#scan.print, own, { entries, meanBytes: this.#own / Math.max(entries, 1) })
  }

  /** Drops what is only remembered. */
  shed(): void {
    this.#large.shed()
    this.departed.shed()
  }

  /** Takes hold of the shared body and the tags of an entry about to be written. @returns bytes it is to be charged alone */
  reserve(entry: Entry): number {
    const { share, tags, key } = entry
    this.#reservedShare = share !== undefined && this.shares.retain(share.id, share.bytes) ? share.id : undefined
    if (tags.length > 0) this.tagCounts.add(tags)
    this.#scan.read(key)
    const shared = this.#reservedShare === undefined ? 0 : this.shares.bytesOf(this.#reservedShare)
    this.#reservedOwn = ENTRY_BYTES + Math.max(0, entry.bytes - shared) + keyBytes(key, this.#scan.isWide) + tagBytes(tags)
    return this.#reservedOwn
  }

  /** Fingerprint of the key that was last reserved for. */
  get reservedPrint(): number {
    return this.#scan.print
  }

  /** Bytes of the shared body that the last `reserve` took hold of. */
  get reservedBytes(): number {
    return this.#reservedShare === undefined ? 0 : this.shares.bytesOf(this.#reservedShare)
  }

  /** Undoes `reserve`; `position` is one at which the entry was current. */
  cancel(entry: Entry, position: number): void {
    this.tagCounts.remove(entry.tags, position)
    if (this.#reservedShare !== undefined) this.shares.release(this.#reservedShare)
    this.#reservedShare = undefined
  }

  /** Writes a reserved entry into a slot that is empty, or that `vacate` was called for. */
  write(entry: Entry, { slot, mark, isSoft }: Placement): void {
    const table = this.table
    const words = table.words
    const at = slot << row.ROW_SHIFT
    const { budget, tags } = entry
    let flags = ((words[at | row.FLAGS] as number) & row.HISTORY_MASK) | (entry.kind === 'value' ? 0 : KINDS.indexOf(entry.kind))
    flags |= entry.namespace << row.NAMESPACE_SHIFT
    if (this.#scan.isWide) flags |= row.WIDE_KEY
    if (tags.length > 0) {
      flags |= row.HAS_TAGS
      table.setTags(slot, tags)
    }
    if (this.#reservedShare !== undefined) {
      flags |= row.HAS_SHARE
      table.setShare(slot, this.#reservedShare)
      this.#reservedShare = undefined
    }
    words[at | row.MARK] = mark
    words[at | row.FLAGS] = flags
    words[at | row.STAMP] = 0
    table.bytes[slot] = entry.bytes
    table.times[slot << row.TIME_SHIFT] = entry.storedAt
    setFresh(table, slot, isSoft ? 0 : budget.freshMs)
    table.stale[slot] = packWindow(budget.staleMs)
    table.setOnError(slot, packWindow(budget.onErrorMs))
    table.values[slot] = entry.value
    table.setLearned(slot, entry.learned)
    this.#own += this.#reservedOwn
  }

  /** Uncharges what stands in a slot and lets go of what it refers to; `provenAt` as for TagCounts.remove. */
  vacate(slot: number, provenAt: number): void {
    const table = this.table
    const at = slot << row.ROW_SHIFT
    const flags = table.words[at | row.FLAGS] as number
    this.#own -= this.ownBytesAt(slot)
    if ((flags & row.HAS_TAGS) !== 0) this.tagCounts.remove(table.tagsOf(slot), provenAt)
    if ((flags & row.HAS_SHARE) !== 0) this.shares.release(table.shareOf(slot))
  }

  /** Bytes charged to the entry in a slot alone: its weight for the policy. */
  ownBytesAt(slot: number): number {
    const { words, keys } = this.table
    const at = slot << row.ROW_SHIFT
    const flags = words[at | row.FLAGS] as number
    let bytes = this.table.bytes[slot] as number
    if ((flags & row.HAS_SHARE) !== 0) bytes = Math.max(0, bytes - this.shares.bytesOf(this.table.shareOf(slot)))
    bytes += ENTRY_BYTES + keyBytes(keys[slot] as string, (flags & row.WIDE_KEY) !== 0)
    return (flags & row.HAS_TAGS) === 0 ? bytes : bytes + tagBytes(this.table.tagsOf(slot))
  }

  /** The entry in a slot as it was given, but for windows rounded down and `asOf`, which is the position given. */
  entryAt(slot: number, asOf: number): Entry {
    const { words, keys, values, stale, times } = this.table
    const at = slot << row.ROW_SHIFT
    const flags = words[at | row.FLAGS] as number
    const id = (flags & row.HAS_SHARE) === 0 ? undefined : this.table.shareOf(slot)
    const staleMs = unpackWindow(stale[slot] as number)
    const entry = {
      key: keys[slot] as string,
      kind: KINDS[flags & row.KIND_MASK] as EntryKind,
      value: values[slot],
      bytes: this.table.bytes[slot] as number,
      storedAt: times[slot << row.TIME_SHIFT] as number,
      budget: {
        freshMs: Math.min(freshOf(this.table, slot), staleMs),
        staleMs,
        onErrorMs: unpackWindow(this.table.onErrorOf(slot)),
      },
      asOf,
      namespace: flags >>> row.NAMESPACE_SHIFT,
      tags: (flags & row.HAS_TAGS) === 0 ? NO_TAGS : this.table.tagsOf(slot),
    }
    return id === undefined ? entry : { ...entry, share: { id, bytes: this.shares.bytesOf(id) } }
  }

  /** The reads of the entry in a slot become history: another one takes its place. */
  closePeriod(slot: number): void {
    closePeriod(this.table.words, slot << row.ROW_SHIFT)
  }

  /** @param tick of now */
  arrivalsAt(slot: number, tick: number): RecentArrivals {
    const at = slot << row.ROW_SHIFT
    const since = (tick - (this.table.words[at | row.LAST_READ] as number)) >>> 0
    return { ...arrivalsAt(this.table.words, at), sinceReadMs: since << READ_TICK_SHIFT }
  }

  /** Whole ms from the table's base to `now`; moves the base on when it lies far behind. */
  sinceBase(now: number): number {
    if (now - this.table.baseMs > REBASE_AFTER_MS) rebase(this.table, now)
    return Math.floor(now - this.table.baseMs)
  }

  /** What is known of the changes of the key in a slot. @param asOf a position at which the entry was current */
  formerAt(slot: number, asOf: number): Former {
    const { marks, changes, times } = this.table
    return {
      mark: marks[slot] as number,
      word: changes[slot] as number,
      storedAt: times[slot << row.TIME_SHIFT] as number,
      asOf,
      freshMs: freshOf(this.table, slot),
    }
  }

  /** Remembers what is known of a key whose entry is to go though nobody said that it is outdated. */
  depart(slot: number, asOf: number): void {
    const former = this.formerAt(slot, asOf)
    if (former.mark !== 0 || former.word !== 0) this.departed.keep(this.table.keys[slot] as string, former, this.table.capacity)
  }

  /** How the fresh window in a slot came about; undefined: as it was given. */
  chosenAt(slot: number): Learned['chosen'] {
    const promisedMs = unpackWindow(this.table.promised?.[slot] ?? 0)
    const packed = this.table.routes?.[slot] ?? 0
    const route = packed & (2 ** BECAUSE_SHIFT - 1)
    return promisedMs === 0 ? undefined : { promisedMs, route, because: packed >>> BECAUSE_SHIFT }
  }

  /** The next hit passes every check. */
  cool(slot: number): void {
    this.table.words[(slot << row.ROW_SHIFT) | row.STAMP] = 0
  }

  /** Ends the fresh window now. That it changes has been told: it is not compared with what comes. */
  soften(slot: number): void {
    this.table.marks[slot] = 0
    setFresh(this.table, slot, 0)
    this.cool(slot)
  }
}

const NO_TAGS: readonly string[] = Object.freeze([])

function keyBytes(key: string, wide: boolean): number {
  return wide ? key.length * 2 : key.length
}

function tagBytes(tags: readonly string[]): number {
  if (tags.length === 0) return 0
  let bytes = 96 // the list as it was learned, and as it is kept
  for (const tag of tags) bytes += 40 + tag.length
  return bytes
}
