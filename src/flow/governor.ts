/**
 * The governor of memory: the limit that was given is the limit that is kept, by shedding, never by failing.
 *
 * Floor 3, room flow. Two loops. At each store, O(1): entries may hold what the limit leaves beside the ledger; what is
 * above is evicted by policy, a slice at a time. And, where a process gives itself into its care (`watch`), four times a
 * second: the resident size is compared with limit and base, and what is beyond the target is taken from the entries until
 * it fits. Past the bound nothing new is collected or stored: answers stream through. Never throws, is never on the path
 * of a hit. Between target and relief nothing changes (hysteresis).
 */
import type { Clock, Timer } from '../model/clock.ts'
import type { Account, Ledger } from '../model/ledger.ts'
import { DEFAULT_ROUTE, type Meter } from '../model/meter.ts'
import { COUNTER } from '../model/metric.ts'

/** What is known of the process's memory, bytes. */
export interface Resident {
  readonly rssBytes: number
  /** Memory that JavaScript holds: heap and what lies beside it, garbage included. */
  readonly usedBytes: number
}

/** Where it is known from. */
export interface ResidentSource {
  read(): Resident
  /** Collects garbage now, of the young alone or all of it, where the process allows that. @returns ms it took */
  readonly collect?: ((whole: boolean) => number) | undefined
}

/** What the governor asks of the tier. */
export interface Governed {
  readonly bytes: number
  readonly maxBytes: number
  /** See tier/memory. */
  limitTo(bytes: number, maxEvictions: number): number
  shed(): void
}

/** What a governor works on. */
export interface GovernorParts {
  readonly memory: Governed
  readonly ledger: Ledger
  readonly clock: Clock
  readonly meter: Pick<Meter, 'count' | 'add'>
}

/** How it stands: calm; tight: entries give way; over: nothing new is collected or stored. */
export type Mood = 'calm' | 'tight' | 'over'

/** For people. */
export interface MemoryState {
  readonly limitBytes: number
  readonly effectiveBytes: number
  /** 0 where nobody gave the process into the governor's care. */
  readonly rssBytes: number
  readonly baseBytes: number
  readonly mood: Mood
  readonly ledger: ReturnType<Ledger['list']>
}

const TICK_MS = 250
/** As often is looked while anything is not calm. */
const ALERT_TICK_MS = 50
/** Of limit and base together: where shedding begins, where it may end, where nothing new comes in. */
const TARGET = 1.18
const RELIEF = 1.14
const BOUND = 1.23
/** Share of the limit that entries keep whatever happens, and up to the bound: what the allocator keeps is not theirs to give. */
const FLOOR = 1 / 16
const TIGHT_FLOOR = 1 / 4
/** Steps of a tick, as shares of the limit: garbage and the allocator give memory back later than it was let go. */
const TIGHTEN = 1 / 32
const LOOSEN = 1 / 256
/** Entries evicted in one go: about a millisecond. */
const SLICE = 512
/** A collection of ours may take one part in so many of all time. */
const COLLECT_SHARE = 100
const COLLECT_EVERY_MS = 2000
/** Collecting is worth it from this much more that neither entries nor ledger account for than there was. */
const MIN_GARBAGE_BYTES = 8 * 1024 * 1024
/** Bodies under way together, at least, so that small memories can store at all. */
const MIN_FILL_BYTES = 1024 * 1024

/** See the module's header. */
export class Governor {
  readonly #parts: GovernorParts
  /** Bytes that the resident size takes from the entries. */
  #pressure = 0
  #mood: Mood = 'calm'
  #source: ResidentSource | undefined
  #baseBytes = 0
  /** Least that was in use beyond entries and ledger since all garbage was collected, and since any was. */
  #leastBeyond = 0
  #lastBeyond = 0
  #rssBytes = 0
  #timer: Timer | undefined
  #pressAfter = 0
  #collectAfter = 0
  readonly #followed: { readonly account: Account; readonly read: () => number }[] = []

  constructor(parts: GovernorParts) {
    this.#parts = parts
  }

  /** Bytes that entries may hold now. */
  get effectiveBytes(): number {
    const { memory, ledger } = this.#parts
    return Math.max(Math.floor(memory.maxBytes * FLOOR), memory.maxBytes - ledger.total - this.#pressure)
  }

  get mood(): Mood {
    return this.#mood
  }

  /** Bytes that bodies being collected may hold together now. */
  get fillBytes(): number {
    const { maxBytes } = this.#parts.memory
    return this.#mood === 'over' ? Math.max(maxBytes / 32, MIN_FILL_BYTES / 4) : Math.max(maxBytes / 4, MIN_FILL_BYTES)
  }

  /** Has an account of the ledger read from its holder whenever the entries are settled: for what is counted anyway. */
  follow(account: Account, read: () => number): void {
    this.#followed.push({ account, read })
  }

  /** Before each store. @returns whether anything may be stored now */
  admit(): boolean {
    if (this.#mood === 'over') {
      this.#parts.meter.count(COUNTER.shedStores)
      return false
    }
    this.#settle()
    return true
  }

  /** A body was not collected, or no longer, because bodies under way hold too much. */
  refuseFill(): void {
    this.#parts.meter.count(COUNTER.shedFills)
  }

  /**
   * Takes the process into care: from now on its resident size counts too.
   *
   * @param source read four times a second; what it is when this is called is the base
   */
  watch(source: ResidentSource): void {
    this.close()
    this.#source = source
    const { rssBytes, usedBytes } = source.read()
    this.#baseBytes = rssBytes
    this.#leastBeyond = usedBytes - this.#parts.memory.bytes - this.#parts.ledger.total
    this.#lastBeyond = this.#leastBeyond
    this.#rssBytes = rssBytes
    this.#arm()
  }

  state(): MemoryState {
    const { memory, ledger } = this.#parts
    return {
      limitBytes: memory.maxBytes,
      effectiveBytes: this.effectiveBytes,
      rssBytes: this.#rssBytes,
      baseBytes: this.#baseBytes,
      mood: this.#mood,
      ledger: ledger.list(),
    }
  }

  /** Ends the watch. */
  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#source = undefined
    this.#pressure = 0
    this.#mood = 'calm'
  }

  #arm(): void {
    this.#timer = this.#parts.clock.after(this.#mood === 'calm' ? TICK_MS : ALERT_TICK_MS, () => {
      if (this.#source === undefined) return
      this.#tick(this.#source)
      this.#arm()
    })
  }

  #tick(source: ResidentSource): void {
    const { memory } = this.#parts
    const { rssBytes, usedBytes } = source.read()
    this.#rssBytes = rssBytes
    const whole = memory.maxBytes + this.#baseBytes
    this.#press(rssBytes, whole)
    this.#mood = this.#moodAt(rssBytes / whole)
    if (this.#mood !== 'calm') this.#collect(source, usedBytes)
    this.#settle()
  }

  #moodAt(share: number): Mood {
    if (share > BOUND) {
      if (this.#mood !== 'over') this.#parts.memory.shed()
      return 'over'
    }
    // Out of `over` only when well below it, out of `tight` only when relieved.
    if (share > TARGET) return this.#mood === 'over' && share > (BOUND + TARGET) / 2 ? 'over' : 'tight'
    return share > RELIEF && this.#mood !== 'calm' ? 'tight' : 'calm'
  }

  /** Four times a second, however often is looked: what was let go shows in the resident size only later. */
  #press(rssBytes: number, whole: number): void {
    const now = this.#parts.clock.now()
    if (now < this.#pressAfter) return
    this.#pressAfter = now + TICK_MS
    const { maxBytes } = this.#parts.memory
    const beyond = rssBytes - whole * TARGET
    const most = maxBytes * (1 - (rssBytes > whole * BOUND ? FLOOR : TIGHT_FLOOR))
    if (beyond > 0) this.#pressure = Math.min(most, this.#pressure + Math.min(beyond / 4, maxBytes * TIGHTEN))
    else if (rssBytes < whole * RELIEF) this.#pressure = Math.max(0, this.#pressure - maxBytes * LOOSEN)
  }

  /** What was let go is garbage until it is collected: V8 does not know that the limit is near. */
  #collect(source: ResidentSource, usedBytes: number): void {
    const { memory, ledger, clock, meter } = this.#parts
    const accounted = memory.bytes + ledger.total
    const beyond = usedBytes - accounted
    this.#leastBeyond = Math.min(this.#leastBeyond, beyond)
    this.#lastBeyond = Math.min(this.#lastBeyond, beyond)
    const now = clock.now()
    const whole = now >= this.#collectAfter && beyond - this.#leastBeyond >= MIN_GARBAGE_BYTES
    if (source.collect === undefined || (!whole && beyond - this.#lastBeyond < MIN_GARBAGE_BYTES)) return
    const tookMs = source.collect(whole) // of the young about a millisecond: what streams through is young when it dies
    this.#lastBeyond = source.read().usedBytes - accounted
    if (!whole) return
    this.#leastBeyond = this.#lastBeyond
    this.#collectAfter = now + Math.max(COLLECT_EVERY_MS, tookMs * COLLECT_SHARE)
    meter.count(COUNTER.shedGarbage)
  }

  /** Brings the entries to what they may hold now, or a slice nearer to it. */
  #settle(): void {
    const { memory, meter, ledger } = this.#parts
    for (const { account, read } of this.#followed) ledger.set(account, read())
    const shed = memory.limitTo(this.effectiveBytes, SLICE)
    if (shed > 0) meter.add(COUNTER.shedEntries, DEFAULT_ROUTE, shed)
  }
}
