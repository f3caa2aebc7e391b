/**
 * The in-memory tier: entries by key, bounded in bytes, judged by the fence, ordered by an eviction policy.
 *
 * Floor 2, room tier. Charged bytes never exceed `maxBytes` between two calls. A hit is one Map lookup and a few words of
 * one row: no list moves, no allocation. Times are rounded so that a window is never lengthened: `peek` adds one tick of
 * the coarse clock, so lateness of the clock cannot stretch a budget. An entry's `asOf` is kept as the last position at
 * which it was proven current, which says the same to the fence and survives what its bounded tables forget.
 */
import { COARSE_TICK_MS, type Clock } from '../model/clock.ts'
import type { Entry, EntryKind } from '../model/entry.ts'
import type { LogRecord } from '../model/log.ts'
import type { MemoryPort, RemoveReason } from '../model/port.ts'
import { noteRead } from '../shelf/arrivals.ts'
import type { Eviction } from '../shelf/evict.ts'
import { fingerprint, isWide } from '../shelf/fingerprint.ts'
import { createEviction } from '../shelf/policies.ts'
import { Shares } from '../shelf/shares.ts'
import * as row from '../shelf/table.ts'
import { TagCounts } from '../shelf/tag-counts.ts'
import { packWindow, unpackWindow } from '../shelf/windows.ts'
import type { Fence } from './fence.ts'
import { type MemoryOptions, type MemorySettings, parseMemoryOptions } from './memory-options.ts'

/** Bytes an entry is charged with beside its value, key and tags: row, index, columns, ghosts. */
export const ENTRY_BYTES = 128

const KINDS: readonly EntryKind[] = ['value', 'pass', 'vary']
const NO_TAGS: readonly string[] = Object.freeze([])
const HITS = 0
const EVICTIONS = 1

/** See the module's header. */
export class MemoryTier implements MemoryPort {
  readonly #table = new row.Table()
  readonly #tagCounts = new TagCounts()
  readonly #shares = new Shares()
  readonly #counts = new Float64Array(2)
  readonly #settings: MemorySettings
  readonly #clock: Clock
  readonly #fence: Fence
  readonly #policy: Eviction
  readonly #startMs: number
  readonly #unsubscribe: () => void
  /** Fence mark of the last record that names groups; entries proven at or after it need no look at the fence. */
  #groupMark: number
  #ownBytes = 0
  #cursor = 0
  #watch: ((key: string) => void) | undefined

  constructor(settings: MemorySettings) {
    this.#settings = settings
    this.#clock = settings.clock
    this.#fence = settings.fence
    this.#startMs = settings.clock.coarse()
    this.#groupMark = settings.fence.mark
    const host = {
      weightOf: (slot: number) => this.#ownBytesAt(slot),
      hashOf: (slot: number) => fingerprint(this.#table.keys[slot] as string),
      release: (slot: number) => this.#table.free(slot),
    }
    this.#policy = createEviction(settings.policy, host, settings.maxBytes)
    this.#unsubscribe = settings.fence.onAppend((record) => this.#apply(record))
  }

  get size(): number {
    return this.#table.index.size
  }

  get bytes(): number {
    return this.#ownBytes + this.#shares.bytes + this.#tagCounts.bytes
  }

  get maxBytes(): number {
    return this.#settings.maxBytes
  }

  /** Values answered by `peek` and entries evicted since the start. */
  get counts(): { readonly hits: number; readonly evictions: number } {
    return { hits: this.#counts[HITS] as number, evictions: this.#counts[EVICTIONS] as number }
  }

  peek(key: string): unknown {
    const table = this.#table
    const slot = table.index.get(key)
    if (slot === undefined) return undefined
    const now = this.#clock.coarse()
    if (!((table.times[slot << 2] as number) > now + COARSE_TICK_MS)) return undefined
    const words = table.words
    const at = slot << row.ROW_SHIFT
    if ((((words[at + row.MARK] as number) - this.#groupMark) | 0) < 0 && !this.#isCurrent(slot)) return undefined
    if (((words[at + row.FLAGS] as number) & row.KIND_MASK) !== 0) return undefined
    this.#policy.touch(slot)
    noteRead(words, at, (now - this.#startMs) | 0)
    if (this.#watch !== undefined) this.#watch(key)
    ;(this.#counts[HITS] as number) += 1
    return table.values[slot]
  }

  find(key: string): Entry | undefined {
    const slot = this.#table.index.get(key)
    if (slot === undefined || !this.#isAlive(slot)) return undefined
    this.#policy.touch(slot)
    noteRead(this.#table.words, slot << row.ROW_SHIFT, (this.#clock.coarse() - this.#startMs) | 0)
    if (this.#watch !== undefined) this.#watch(key)
    return this.#entryAt(slot)
  }

  look(key: string): Entry | undefined {
    const slot = this.#table.index.get(key)
    return slot !== undefined && this.#isAlive(slot) ? this.#entryAt(slot) : undefined
  }

  put(entry: Entry): boolean {
    if (!this.#fence.admits(entry)) return false
    const shared = entry.share !== undefined && this.#shares.retain(entry.share.id, entry.share.bytes)
    this.#tagCounts.add(entry.tags)
    const own = this.#ownBytesOf(entry, shared)
    const whole = own + (shared ? this.#shares.bytesOf((entry.share as { id: string }).id) : 0)
    const standing = this.#table.index.get(entry.key)
    if (whole <= this.#settings.maxEntryBytes) {
      if (standing !== undefined && this.#replace(standing, entry, own, shared)) return true
      if (this.#insert(entry, own, shared)) return true
    }
    const left = this.#table.index.get(entry.key)
    if (left !== undefined) this.#remove(left, 'replaced')
    this.#tagCounts.remove(entry.tags, this.#fence.horizon)
    if (shared) this.#shares.release((entry.share as { id: string }).id)
    return false
  }

  delete(key: string): boolean {
    const slot = this.#table.index.get(key)
    if (slot === undefined) return false
    this.#remove(slot, 'deleted')
    return true
  }

  soften(key: string): boolean {
    const slot = this.#table.index.get(key)
    if (slot === undefined) return false
    this.#endFresh(slot)
    return true
  }

  canonical<T>(id: string, body: T): T {
    return this.#shares.canonical(id, body)
  }

  taggedCount(tag: string): number {
    return this.#tagCounts.count(tag)
  }

  keys(): IterableIterator<string> {
    return this.#table.index.keys()
  }

  sweep(maxSlots: number): number {
    let removed = 0
    const now = this.#clock.now()
    const slots = Math.min(maxSlots, this.#table.used)
    for (let i = 0; i < slots; i += 1) {
      if (this.#cursor >= this.#table.used) this.#cursor = 0
      const slot = this.#cursor
      this.#cursor += 1
      if (this.#table.keys[slot] === undefined) continue
      if (!this.#isAlive(slot)) removed += 1
      else if (now >= this.#storedAt(slot) + unpackWindow(this.#table.onErrorOf(slot)) + this.#settings.retainMs) {
        this.#remove(slot, 'expired')
        removed += 1
      }
    }
    return removed
  }

  clear(): void {
    for (const slot of this.#table.index.values()) this.#remove(slot, 'deleted')
  }

  /** Has every read told to `watch`, for as long as somebody looks (ops/top); undefined ends it. */
  onRead(watch: ((key: string) => void) | undefined): void {
    this.#watch = watch
  }

  /** Stops listening to the fence; the tier must not be used after. */
  close(): void {
    this.#unsubscribe()
    this.clear()
  }

  #insert(entry: Entry, own: number, shared: boolean): boolean {
    this.#policy.arrive(fingerprint(entry.key))
    if (!this.#makeRoom(own, 1, -1)) return false
    const slot = this.#table.take(entry.key, this.#onGrow)
    this.#table.words.fill(0, slot << row.ROW_SHIFT, (slot + 1) << row.ROW_SHIFT)
    this.#write(slot, entry, shared)
    this.#ownBytes += own
    this.#policy.insert(slot, own)
    return true
  }

  /** In place; false when the slot itself had to be evicted to make room. */
  #replace(slot: number, entry: Entry, own: number, shared: boolean): boolean {
    if (!this.#makeRoom(own - this.#ownBytesAt(slot), 0, slot)) return false
    const before = this.#ownBytesAt(slot)
    this.#leave(slot, 'replaced')
    this.#write(slot, entry, shared)
    this.#ownBytes += own - before
    if (own !== before) this.#policy.reweigh(slot, own - before)
    return true
  }

  /** Evicts until `bytes` and `entries` more fit; false when `keep` was a victim or nothing is left to evict. */
  #makeRoom(bytes: number, entries: number, keep: number): boolean {
    const { maxBytes, maxEntries } = this.#settings
    while (this.bytes + bytes > maxBytes || this.size + entries > maxEntries) {
      const victim = this.#policy.evict()
      if (victim < 0) return false
      this.#counts[EVICTIONS] = (this.#counts[EVICTIONS] as number) + 1
      this.#drop(victim, 'evicted')
      this.#table.free(victim)
      if (victim === keep) return false
    }
    return true
  }

  #write(slot: number, entry: Entry, shared: boolean): void {
    const table = this.#table
    const at = slot << row.ROW_SHIFT
    const fresh = this.#fence.softens(entry) ? 0 : packWindow(entry.budget.freshMs)
    const history = (table.words[at + row.FLAGS] as number) & row.HISTORY_MASK
    let flags = history | KINDS.indexOf(entry.kind) | (entry.namespace << row.NAMESPACE_SHIFT)
    if (isWide(entry.key)) flags |= row.WIDE_KEY
    if (entry.tags.length > 0) {
      flags |= row.HAS_TAGS
      table.setTags(slot, entry.tags)
    }
    if (shared) {
      flags |= row.HAS_SHARE
      table.setShare(slot, (entry.share as { id: string }).id)
    }
    const words = table.words
    words[at + row.MARK] = this.#fence.mark
    words[at + row.LAST_READ] = this.#clock.coarse() - this.#startMs
    words[at + row.ARRIVALS] = (words[at + row.ARRIVALS] as number) & ~0xff
    words[at + row.FLAGS] = flags
    words[at + row.FRESH] = fresh
    words[at + row.BYTES] = entry.bytes
    table.times[slot << 2] = entry.storedAt + unpackWindow(fresh)
    table.stale[slot] = packWindow(entry.budget.staleMs)
    table.setOnError(slot, packWindow(entry.budget.onErrorMs))
    table.values[slot] = entry.value
  }

  #remove(slot: number, reason: RemoveReason): void {
    this.#policy.remove(slot)
    this.#drop(slot, reason)
  }

  #drop(slot: number, reason: RemoveReason): void {
    this.#ownBytes -= this.#ownBytesAt(slot)
    this.#leave(slot, reason)
    this.#table.forget(slot)
  }

  /** What the entry in a slot refers to lets go of it. */
  #leave(slot: number, reason: RemoveReason): void {
    const table = this.#table
    const at = slot << row.ROW_SHIFT
    const flags = table.words[at + row.FLAGS] as number
    this.#settings.onRemove?.(table.keys[slot] as string, reason, table.words[at + row.BYTES] as number)
    if ((flags & row.HAS_TAGS) !== 0) {
      this.#tagCounts.remove(table.tagsOf(slot), this.#provenAt(slot))
      table.setTags(slot, NO_TAGS)
    }
    if ((flags & row.HAS_SHARE) !== 0) this.#shares.release(table.shares?.[slot] as string)
    const read = ((table.words[at + row.ARRIVALS] as number) & 0xff) > 0 ? 1 : 0
    const history = ((flags & row.HISTORY_MASK) << 1) | (read << row.HISTORY_SHIFT)
    table.words[at + row.FLAGS] = history & row.HISTORY_MASK
  }

  #apply(record: LogRecord): void {
    for (const target of record.targets) {
      if (target.kind === 'key') {
        const slot = this.#table.index.get(target.key)
        if (slot === undefined) continue
        if (record.soft) this.#endFresh(slot)
        else this.#remove(slot, 'invalidated')
        continue
      }
      this.#groupMark = record.position | 0
      if (record.soft) continue
      if (target.kind === 'tag') this.#tagCounts.reset(target.tag, record.position)
      else if (target.kind === 'all') this.#tagCounts.resetAll(record.position)
    }
  }

  #isAlive(slot: number): boolean {
    const mark = this.#table.words[(slot << row.ROW_SHIFT) + row.MARK] as number
    return ((mark - this.#groupMark) | 0) >= 0 || this.#isCurrent(slot) || this.#table.keys[slot] !== undefined
  }

  /** Asks the fence; a dead entry is removed, a softened one loses its fresh window. */
  #isCurrent(slot: number): boolean {
    const table = this.#table
    const at = slot << row.ROW_SHIFT
    const reading = {
      key: table.keys[slot] as string, asOf: this.#provenAt(slot), namespace: this.#namespaceAt(slot), tags: table.tagsOf(slot),
    }
    const standing = this.#fence.standing(reading)
    if (standing === 'dead') {
      this.#remove(slot, 'invalidated')
      return false
    }
    table.words[at + row.MARK] = this.#fence.mark
    if (standing === 'current') return true
    this.#endFresh(slot)
    return false
  }

  #endFresh(slot: number): void {
    const storedAt = Math.min(this.#storedAt(slot), this.#clock.now())
    this.#table.words[(slot << row.ROW_SHIFT) + row.FRESH] = 0
    this.#table.times[slot << 2] = storedAt
  }

  #entryAt(slot: number): Entry {
    const { words, keys, values, stale, shares } = this.#table
    const at = slot << row.ROW_SHIFT
    const flags = words[at + row.FLAGS] as number
    const id = (flags & row.HAS_SHARE) === 0 ? undefined : (shares?.[slot] as string)
    return {
      key: keys[slot] as string,
      kind: KINDS[flags & row.KIND_MASK] as EntryKind,
      value: values[slot],
      bytes: words[at + row.BYTES] as number,
      storedAt: this.#storedAt(slot),
      budget: {
        freshMs: unpackWindow(words[at + row.FRESH] as number),
        staleMs: unpackWindow(stale[slot] as number),
        onErrorMs: unpackWindow(this.#table.onErrorOf(slot)),
      },
      asOf: this.#provenAt(slot),
      namespace: this.#namespaceAt(slot),
      tags: this.#table.tagsOf(slot),
      ...(id === undefined ? undefined : { share: { id, bytes: this.#shares.bytesOf(id) } }),
    }
  }

  #storedAt(slot: number): number {
    const fresh = this.#table.words[(slot << row.ROW_SHIFT) + row.FRESH] as number
    return (this.#table.times[slot << 2] as number) - unpackWindow(fresh)
  }

  #provenAt(slot: number): number {
    const mark = this.#table.words[(slot << row.ROW_SHIFT) + row.MARK] as number
    return this.#fence.horizon - ((this.#fence.mark - mark) >>> 0)
  }

  #namespaceAt(slot: number): number {
    return (this.#table.words[(slot << row.ROW_SHIFT) + row.FLAGS] as number) >>> row.NAMESPACE_SHIFT
  }

  #ownBytesAt(slot: number): number {
    const table = this.#table
    const flags = table.words[(slot << row.ROW_SHIFT) + row.FLAGS] as number
    const key = table.keys[slot] as string
    let bytes = table.words[(slot << row.ROW_SHIFT) + row.BYTES] as number
    if ((flags & row.HAS_SHARE) !== 0) bytes = Math.max(0, bytes - this.#shares.bytesOf(table.shares?.[slot] as string))
    bytes += ENTRY_BYTES + ((flags & row.WIDE_KEY) === 0 ? key.length : key.length * 2)
    return (flags & row.HAS_TAGS) === 0 ? bytes : bytes + tagBytes(table.tagsOf(slot))
  }

  #ownBytesOf(entry: Entry, shared: boolean): number {
    const held = shared ? this.#shares.bytesOf((entry.share as { id: string }).id) : 0
    const key = isWide(entry.key) ? entry.key.length * 2 : entry.key.length
    return Math.max(0, entry.bytes - held) + ENTRY_BYTES + key + tagBytes(entry.tags)
  }

  readonly #onGrow = (slots: number): void => this.#policy.grow(slots)
}

function tagBytes(tags: readonly string[]): number {
  let bytes = 0
  for (const tag of tags) bytes += 8 + tag.length
  return tags.length === 0 ? 0 : bytes + 24
}

/**
 * The in-memory tier.
 *
 * @param given see MemoryOptions; unknown names are refused
 * @throws FC_OPTION_*
 */
export function createMemory(given: MemoryOptions): MemoryTier {
  return new MemoryTier(parseMemoryOptions(given))
}
