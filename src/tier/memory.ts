/**
 * The in-memory tier: entries by key, bounded in bytes, judged by the fence, ordered by an eviction policy.
 *
 * Floor 2, room tier. Charged bytes never exceed `maxBytes` between two calls. A hit is one Map lookup and one row: no list
 * moves, no allocation, and within a millisecond of a hit that passed every check, one comparison (row.STAMP). Windows are never lengthened: they are rounded down, and `peek` adds one tick of
 * the coarse clock, so that its lateness cannot stretch a budget. An entry's `asOf` is kept as the last position at which
 * it was proven current, which says the same to the fence and survives what its bounded tables forget.
 */
import { COARSE_TICK_MS, type Clock } from '../model/clock.ts'
import type { Entry } from '../model/entry.ts'
import type { LogRecord } from '../model/log.ts'
import type { MemoryPort, RemoveReason } from '../model/port.ts'
import { noteRead, READ_TICK_SHIFT, type RecentArrivals } from '../shelf/arrivals.ts'
import type { Former } from '../shelf/departed.ts'
import { Holdings } from '../shelf/holdings.ts'
import { createEviction, type Eviction } from '../shelf/policies.ts'
import { Rounds } from '../shelf/rounds.ts'
import * as row from '../shelf/row.ts'
import type { Fence } from './fence.ts'
import { type MemoryOptions, type MemorySettings, parseMemoryOptions } from './memory-options.ts'

// Constants of this module are folded into the code of a hit; imported ones would be loaded each time.
const { FLAGS, FRESH_END, KIND_MASK, LAST_READ, MARK, ROW_SHIFT, STAMP } = row

const MAX_STAMP = 2 ** 31 - 1

/** Stamps hold for 16 ms: a fresh window ends for `peek` at most so much (and the clock's lateness) early, never late. */
const STAMP_MASK_MS = 15
/** A mask of hits: so many are answered on one reading of the clock at most. */
const TURN_EVERY = 255

/** See the module's header. */
export class MemoryTier implements MemoryPort {
  /** The most that one entry may take, all told. */
  readonly maxEntryBytes: number
  readonly #holdings = new Holdings()
  readonly #table = this.#holdings.table
  readonly #settings: MemorySettings
  readonly #clock: Clock
  readonly #fence: Fence
  readonly #policy: Eviction
  readonly #unsubscribe: () => void
  /** Fence mark of the last record that names groups; entries proven at or after it need no look at the fence. */
  #groupMark = 0
  /** The clock's tick that the two below were made in. */
  #clockTick = -1
  /** Present, whole ms from the table's base, ahead by the coarse clock's lateness: fresh is what ends after it. */
  #freshTick = 0
  /** The base it was counted from: after a rebase the same number is another time. */
  #freshBaseMs = 0
  #readTick = 0
  /** Changes with `#freshTick`, with every invalidation of a group and with `#watch`: see row.STAMP. */
  #stamp = 1
  readonly #rounds = new Rounds()
  #evictions = 0
  /** Bytes that may be held now, at most the setting's; see `limitTo`. */
  #limit: number
  /** Hits, modulo 2^32 (an integer field costs a third of a float one); carried into `#hitsCarried` when read. */
  #hits = 0
  #hitsSeen = 0
  #hitsCarried = 0
  #watch: ((key: string) => void) | undefined
  #isVeiled = false

  constructor(settings: MemorySettings) {
    this.#settings = settings
    this.maxEntryBytes = settings.maxEntryBytes
    this.#limit = settings.maxBytes
    this.#clock = settings.clock
    this.#fence = settings.fence
    this.#table.baseMs = Math.floor(settings.clock.coarse())
    this.#groupMark = settings.fence.mark
    this.#policy = createEviction(settings.policy, this.#holdings.host(), settings.maxBytes)
    this.#unsubscribe = settings.fence.onAppend((record) => this.#apply(record))
  }

  get size(): number {
    return this.#table.index.size
  }

  get bytes(): number {
    return this.#holdings.bytes
  }

  get maxBytes(): number {
    return this.#settings.maxBytes
  }

  /** Bytes of places that stand ready for further entries, and of what is remembered of former ones. */
  get idleBytes(): number {
    return this.#table.idleBytes + this.#holdings.departed.bytes
  }

  /** Values answered by `peek` and entries evicted since the start; to be read or swept once in 2^32 hits. */
  get counts(): { readonly hits: number; readonly evictions: number } {
    this.#hitsCarried += (this.#hits - this.#hitsSeen) >>> 0
    this.#hitsSeen = this.#hits
    return { hits: this.#hitsCarried, evictions: this.#evictions }
  }

  peek(key: string): unknown {
    const table = this.#table
    const slot = table.index.get(key)
    if (slot === undefined) return undefined
    if (this.#clock.tick !== this.#clockTick) this.#turn()
    if (table.words[(slot << ROW_SHIFT) | STAMP] !== this.#stamp && !this.#passes(key, slot)) return undefined
    const hits = (this.#hits + 1) | 0
    this.#hits = hits
    if ((hits & TURN_EVERY) === 0) this.#turn() // a loop that never lets the clock's timer run
    return table.values[slot]
  }

  /** `peek` for a caller that counts his hits by himself, and lets the event loop run. */
  current(key: string): unknown {
    const table = this.#table
    const slot = table.index.get(key)
    if (slot === undefined) return undefined
    if (this.#clock.tick !== this.#clockTick) this.#turn()
    if (table.words[(slot << ROW_SHIFT) | STAMP] !== this.#stamp && !this.#passes(key, slot)) return undefined
    return table.values[slot]
  }

  find(key: string): Entry | undefined {
    const slot = this.#table.index.get(key)
    if (slot === undefined || this.#isVeiled || !this.#isAlive(slot)) return undefined
    if (this.#clock.tick !== this.#clockTick) this.#turn()
    const { words } = this.#table
    const at = slot << ROW_SHIFT
    this.#policy.touch(slot)
    if (words[at | LAST_READ] !== this.#readTick) noteRead(words, at, this.#readTick)
    if (this.#watch !== undefined) this.#watch(key)
    return this.#holdings.entryAt(slot, this.#provenAt(slot))
  }

  look(key: string): Entry | undefined {
    const slot = this.#table.index.get(key)
    return slot !== undefined && this.#isAlive(slot) ? this.#holdings.entryAt(slot, this.#provenAt(slot)) : undefined
  }

  /** What is known of a key's changes, and of what stands under it, or stood there last. */
  former(key: string): Former | undefined {
    const slot = this.#table.index.get(key)
    const isHere = slot !== undefined && this.#isAlive(slot)
    return isHere ? this.#holdings.formerAt(slot, this.#provenAt(slot)) : this.#holdings.departed.find(key)
  }

  /** What was promised where the fresh window of a key was chosen; undefined: it is as promised. */
  chosen(key: string): ReturnType<Holdings['chosenAt']> {
    const slot = this.#table.index.get(key)
    return slot === undefined ? undefined : this.#holdings.chosenAt(slot)
  }

  /** How a key has been read lately; undefined when absent. */
  arrivals(key: string): RecentArrivals | undefined {
    const slot = this.#table.index.get(key)
    if (this.#clock.tick !== this.#clockTick) this.#turn()
    return slot === undefined ? undefined : this.#holdings.arrivalsAt(slot, this.#readTick)
  }

  /** Refused also when the fence does not admit the entry: then what stands under the key, which is newer, stays. */
  put(entry: Entry): boolean {
    if (!this.#fence.admits(entry)) return false
    const own = this.#holdings.reserve(entry)
    if (own + this.#holdings.reservedBytes <= this.#settings.maxEntryBytes && entry.namespace <= row.MAX_NAMESPACE) {
      const standing = this.#table.index.get(entry.key)
      if (standing !== undefined && this.#replace(standing, entry, own)) return true
      if (this.#insert(entry, own)) return true
    }
    this.#holdings.cancel(entry, this.#fence.horizon)
    this.#end(entry.key, 'replaced')
    return false
  }

  delete(key: string): boolean {
    return this.#end(key, 'deleted')
  }

  soften(key: string): boolean {
    const slot = this.#table.index.get(key)
    if (slot === undefined) this.#holdings.departed.unmark(key)
    else this.#holdings.soften(slot)
    return slot !== undefined
  }

  canonical<T>(id: string, body: T): T {
    return this.#holdings.shares.canonical(id, body)
  }

  held(id: string): unknown {
    return this.#holdings.shares.held(id)
  }

  taggedCount(tag: string): number {
    return this.#holdings.tagCounts.count(tag)
  }

  keys(): IterableIterator<string> {
    return this.#table.index.keys()
  }

  sweep(maxSlots: number): number {
    let removed = 0
    const now = this.#clock.now()
    this.#rounds.go(this.#table, maxSlots, (slot) => {
      const isAlive = this.#isAlive(slot)
      if (isAlive && now < this.#table.endAt(slot) + this.#settings.retainMs) return
      if (isAlive) this.#remove(slot, 'expired')
      removed += 1
    })
    return removed
  }

  /**
   * Lets entries hold `bytes` from now on, never more than `maxBytes`. Evicts by policy, at most `maxEvictions` at once; what
   * is left over stays until it is called again. @returns entries evicted
   */
  limitTo(bytes: number, maxEvictions: number): number {
    const [before, wanted] = [this.#evictions, Math.min(bytes, this.#settings.maxBytes)]
    while (this.#holdings.bytes > wanted && this.#evictions - before < maxEvictions) if (this.#evictOne() < 0) break
    this.#limit = Math.max(wanted, Math.min(this.#holdings.bytes, this.#settings.maxBytes))
    return this.#evictions - before
  }

  /** Drops what is only remembered: keys that were evicted, bodies that were declined. */
  shed(): void {
    this.#policy.shed?.()
    this.#holdings.shed()
  }

  clear(): void {
    for (const slot of this.#table.index.values()) this.#remove(slot, 'deleted')
  }

  /** Has every read told to `watch`, for as long as somebody looks (ops/top); undefined ends it. */
  onRead(watch: ((key: string) => void) | undefined): void {
    this.#watch = watch
    this.#renewStamp()
  }

  /** While veiled, nothing is found by `peek` and `find`; it all stands, and is judged by what the fence hears meanwhile. */
  veil(isVeiled: boolean): void {
    if (isVeiled === this.#isVeiled) return
    this.#isVeiled = isVeiled
    this.#renewStamp()
  }

  /** Stops listening to the fence and drops everything; the tier must not be used after. */
  close(): void {
    this.#unsubscribe()
    this.clear()
  }

  /** Every check of a hit, and what a hit leaves behind; stamps the row when the next one may leave all of it out. */
  #passes(key: string, slot: number): boolean {
    const { words } = this.#table
    const at = slot << ROW_SHIFT
    if (this.#isVeiled || (words[at | FRESH_END] as number) <= this.#freshTick) return false
    if ((((words[at | MARK] as number) - this.#groupMark) | 0) < 0 && this.#recheck(slot) !== 'current') return false
    if (((words[at | FLAGS] as number) & KIND_MASK) !== 0) return false
    if (words[at | LAST_READ] !== this.#readTick) noteRead(words, at, this.#readTick)
    if (this.#watch !== undefined) this.#watch(key)
    if (this.#policy.touch(slot) && this.#watch === undefined) words[at | STAMP] = this.#stamp
    return true
  }

  /** Voids the stamps of all rows. */
  #renewStamp(): void {
    this.#stamp += 1
    if (this.#stamp < MAX_STAMP) return
    this.#table.clearStamps()
    this.#stamp = 1
  }

  #insert(entry: Entry, own: number): boolean {
    if (this.#holdings.bytes + own > this.#limit && !this.#holdings.mayPush(own)) return false
    this.#policy.arrive(this.#holdings.reservedPrint)
    if (!this.#makeRoom(own, 1, -1)) return false
    if (this.#clock.tick !== this.#clockTick) this.#turn()
    const slot = this.#table.take(entry.key, this.#onGrow)
    this.#table.words[(slot << ROW_SHIFT) | LAST_READ] = this.#readTick
    this.#write(slot, entry)
    this.#policy.insert(slot, own)
    return true
  }

  /** In place; false when the slot itself had to be evicted to make room. */
  #replace(slot: number, entry: Entry, own: number): boolean {
    const before = this.#holdings.ownBytesAt(slot)
    if (!this.#makeRoom(own - before, 0, slot)) return false
    this.#tell(slot, 'replaced')
    this.#holdings.vacate(slot, this.#provenAt(slot))
    this.#holdings.closePeriod(slot)
    this.#write(slot, entry)
    if (own !== before) this.#policy.reweigh(slot, own - before)
    return true
  }

  #write(slot: number, entry: Entry): void {
    this.#holdings.write(entry, { slot, mark: this.#fence.mark, isSoft: this.#fence.softens(entry) })
  }

  /** Evicts until `bytes` and `entries` more fit; false when `keep` was a victim or nothing is left to evict. */
  #makeRoom(bytes: number, entries: number, keep: number): boolean {
    while (this.#holdings.bytes + bytes > this.#limit || this.size + entries > this.#settings.maxEntries) {
      const victim = this.#evictOne()
      if (victim < 0 || victim === keep) return false
    }
    return true
  }

  #evictOne(): number {
    const victim = this.#policy.evict()
    if (victim < 0) return -1
    this.#evictions += 1
    this.#drop(victim, 'evicted')
    this.#table.free(victim)
    return victim
  }

  #remove(slot: number, reason: RemoveReason): void {
    this.#policy.remove(slot)
    this.#drop(slot, reason)
  }

  /** @returns whether something stood there */
  #end(key: string, reason: RemoveReason): boolean {
    const slot = this.#table.index.get(key)
    if (slot === undefined) this.#holdings.departed.unmark(key)
    else this.#remove(slot, reason)
    return slot !== undefined
  }

  #drop(slot: number, reason: RemoveReason): void {
    this.#tell(slot, reason)
    if (reason === 'evicted' || reason === 'expired') this.#holdings.depart(slot, this.#provenAt(slot))
    this.#holdings.vacate(slot, this.#provenAt(slot))
    this.#table.forget(slot)
  }

  #tell(slot: number, reason: RemoveReason): void {
    const { onRemove, onLeave } = this.#settings
    onLeave?.(this.#table.values[slot])
    onRemove?.(this.#table.keys[slot] as string, reason, this.#table.bytes[slot] as number)
  }

  #apply(record: LogRecord): void {
    for (const target of record.targets) {
      if (target.kind === 'key') {
        if (record.soft) this.soften(target.key)
        else this.#end(target.key, 'invalidated')
        continue
      }
      this.#groupMark = record.position | 0
      this.#renewStamp()
      if (record.soft) continue
      this.#holdings.tagCounts.resetBy(target, record.position)
    }
  }

  #isAlive(slot: number): boolean {
    const mark = this.#table.words[(slot << ROW_SHIFT) | MARK] as number
    return ((mark - this.#groupMark) | 0) >= 0 || this.#recheck(slot) !== 'dead'
  }

  /** Asks the fence; a dead entry is removed, a softened one loses its fresh window. */
  #recheck(slot: number): 'current' | 'soft' | 'dead' {
    const [{ words, keys }, at] = [this.#table, slot << ROW_SHIFT]
    const [namespace, tags] = [(words[at | FLAGS] as number) >>> row.NAMESPACE_SHIFT, this.#table.tagsOf(slot)]
    const standing = this.#fence.standing({ key: keys[slot] as string, asOf: this.#provenAt(slot), namespace, tags })
    if (standing === 'dead') this.#remove(slot, 'invalidated')
    else words[at | MARK] = this.#fence.mark
    if (standing === 'soft') this.#holdings.soften(slot)
    return standing
  }

  #provenAt(slot: number): number {
    const mark = this.#table.words[(slot << ROW_SHIFT) | MARK] as number
    return this.#fence.horizon - ((this.#fence.mark - mark) >>> 0)
  }

  /** Remakes the ticks for another coarse time. */
  #turn(): void {
    const now = this.#clock.coarse()
    this.#clockTick = this.#clock.tick
    this.#readTick = this.#holdings.sinceBase(now) >> READ_TICK_SHIFT
    const freshTick = this.#holdings.sinceBase(now + COARSE_TICK_MS) | STAMP_MASK_MS
    const { baseMs } = this.#table
    if (freshTick === this.#freshTick && baseMs === this.#freshBaseMs) return
    this.#freshTick = freshTick
    this.#freshBaseMs = baseMs
    this.#renewStamp()
  }

  readonly #onGrow = (slots: number): void => this.#policy.grow(slots)
}

/** @param given see MemoryOptions; unknown names are refused @throws FC_OPTION_* */
export function createMemory(given: MemoryOptions): MemoryTier {
  return new MemoryTier(parseMemoryOptions(given))
}
