/**
 * Coherence: whether what was read from an upstream Redis may still be told, and to whom.
 *
 * Floor 4, room resp. One per upstream and process, shared by all its clients' connections. It decides; stores of values
 * (`ReplyCache`, the hook's) only hold. Synchronous: every step happens in the callback of a parser, O(1), without
 * allocation but the fill. The rules and the races they close: docs/decisions/022.
 *
 *     hit:    `mayHit(reader, now)`, then the entry's deadline > now and `stands(hash, token)` for each of its keys; `served`
 *     miss:   `begin(reader, hashes, now)` before it is written; PTTL right behind; `read(fill)` at the reply; at the last one
 *             `keeps(fill, now)`: an entry is the fill's hashes, token, fence and deadline
 *     write:  `forwarded(…)` when it is written; `answered(…)` when its reply is there, before it is relayed, or never will be
 *     news:   `learned(reader)` before a reply that tells of the data is relayed
 */
import type { Clock } from '../model/clock.ts'
import { Fill } from './coherence-fill.ts'
import { Held } from './coherence-held.ts'
import { type FencePort, Lease } from './coherence-lease.ts'
import { Marks } from './coherence-marks.ts'
import type { Reader } from './coherence-reader.ts'
import type { Effect } from './command-table.ts'

/**
 * `session`: nobody reads from memory what is older than anything the upstream told him. `eventual`: only own writes are
 * ordered. `strict`: a reply that teaches is held until memory has followed, so that it holds for all readers together.
 */
export type Causality = 'session' | 'eventual' | 'strict'

/** What coherence is made of. */
export interface CoherenceParts {
  readonly clock: Clock
  readonly causality: Causality
  /** How long a change by others may stay unseen when the upstream falls silent, ms. */
  readonly maxStaleMs: number
  /** No entry is older, ms: bounds what no push tells of (SWAPDB by others). */
  readonly maxAgeMs: number
  /** Places of the marks, a power of two. */
  readonly slots: number
}

/** Defaults of CoherenceParts. */
export const COHERENCE_DEFAULTS = { causality: 'session', maxStaleMs: 250, maxAgeMs: 3_600_000, slots: 2 ** 20 } as const

/** What a write names: the hash of its key, or of each, or everything. */
export type Written = number | readonly number[] | Int32Array | 'everything'

/** What is known of an upstream when a tracking connection stands. */
export interface Life {
  readonly isClustered: boolean
  /** Whether our user may look at the rules of access (ACL LIST); else only our own user's readings are kept. */
  readonly seesGrants: boolean
  /** Whether its threads send replies before the pushes of the same turn. */
  readonly isThreaded: boolean
}

/** How things stand, for people. */
export interface CoherenceState {
  readonly isOn: boolean
  readonly changes: number
  readonly fencesSent: number
  readonly fencesAnswered: number
  readonly provenMs: number
  readonly held: number
}

/** A generation of counters and locks lasts this long; they are forgotten after one to two, ms. */
const LIVE_MS = 300_000
/** Rules of access that were looked at hold for so long, and are looked at again in the second half of it, ms. */
const GRANTS_MS = 1000
/** No fence is further ahead of the answered ones: what seems to be is older than the numbers go. */
const MAX_BEYOND = 65_536
/** Keys of one reading. */
const MAX_KEYS = 64
/** What was written to a connection before it was lost has reached the server after so long, or never will, ms. */
const LOST_MS = 2000

/** See the module's header. */
export class Coherence {
  readonly causality: Causality
  readonly maxStaleMs: number
  readonly #clock: Clock
  readonly #maxAgeMs: number
  readonly #lease: Lease
  readonly #marks: Marks
  readonly #voided = new Set<() => void>()
  readonly #held: Held
  /** Writes on everything whose connections are gone, and the fence behind which they are over. */
  #lost = 0
  #lostFence = 0
  #order = 1
  /** How often the numbers of changes began anew. */
  #epoch = 0
  #isClustered = false
  /** Whether the rules of access can be looked at, and up to when they are known to be as they were. */
  #seesGrants = false
  #grantsMs = Number.NEGATIVE_INFINITY
  /** When the elder generation of counters and locks is forgotten. */
  #turnMs = 0

  constructor(parts: CoherenceParts) {
    this.#clock = parts.clock
    this.causality = parts.causality
    this.maxStaleMs = parts.maxStaleMs
    this.#maxAgeMs = parts.maxAgeMs
    this.#lease = new Lease(parts.clock, parts.maxStaleMs)
    this.#held = new Held(parts.clock, this.#lease, parts.maxStaleMs)
    this.#marks = new Marks(parts.slots, () => this.#restarted())
  }

  // hits

  /** Whether this reader may be answered from memory now; also tells that somebody asks, which keeps the heart beating. */
  mayHit(reader: Reader, now: number): boolean {
    const lease = this.#lease
    lease.use(now)
    reader.isReading = true
    if (now - lease.provenMs > this.maxStaleMs) {
      lease.renew()
      return false
    }
    if (reader.unknown > 0 || reader.isAside) return false
    if ((this.#seesGrants || reader.isForeign) && !this.#isGranted(now)) return false
    if (reader.watermark <= lease.answered) return true
    lease.fence(reader.watermark)
    return false
  }

  /** Whether `mayHit` refused only because memory has yet to follow what the reader knows: worth waiting for (`whenProven`). */
  isBehind(reader: Reader, now: number): boolean {
    if (now - this.#lease.provenMs > this.maxStaleMs || reader.unknown > 0 || reader.isAside) return false
    if ((this.#seesGrants || reader.isForeign) && !this.#isGranted(now)) return false
    return reader.watermark > this.#lease.answered
  }

  /** Whether what was read at `token` is still what stands under this key. */
  stands(hash: number, token: number): boolean {
    return this.#marks.stands(hash, token)
  }

  /**
   * What was read behind this fence is told to a reader from memory: he learns what it tells of.
   *
   * @param fence the entry's, or its low 32 bits
   * @returns whether memory has yet to follow: ask `mayHit` again before he is told more
   */
  served(reader: Reader, fence: number): boolean {
    const { answered } = this.#lease
    const beyond = (fence - answered) | 0
    if (beyond <= 0 || beyond > MAX_BEYOND || this.causality === 'eventual') return false
    reader.watermark = Math.max(reader.watermark, answered + beyond)
    reader.learnedAt = this.#order++
    return true
  }

  // readings

  /**
   * Opens a reading that may be kept; before its command is written. Behind the command one PTTL per key has to be written.
   *
   * @param hashes of all its keys; kept
   * @returns undefined where nothing of it can be kept
   */
  begin(reader: Reader, hashes: readonly number[] | Int32Array, now: number): Fill | undefined {
    if (!this.#lease.isOn || reader.isAside || reader.isUntimed) return undefined
    if (hashes.length === 0 || hashes.length > MAX_KEYS) return undefined
    if (now >= this.#turnMs) this.#turn(now)
    for (const hash of hashes) if (this.#marks.isLive(hash) || this.#marks.isWriting(hash)) return undefined
    return new Fill({
      hashes,
      token: this.#marks.sequence,
      epoch: this.#epoch,
      order: this.#order++,
      sentAtMs: now,
      maxAgeMs: this.#maxAgeMs,
      isClustered: this.#isClustered,
    })
  }

  /** The reply to a filling read is there: before `learned`, and before its PTTLs are looked at. */
  read(fill: Fill): void {
    fill.fence = this.#lease.sent + 1
  }

  /** Whether what a fill has read may be kept, now that all its replies are there. */
  keeps(fill: Fill, now: number): boolean {
    if (fill.isVoid || !fill.isWhole || fill.deadlineMs <= now || !this.#lease.isOn || !this.#isCurrent(fill)) return false
    for (const hash of fill.hashes) if (this.#marks.isLive(hash)) return false
    return true
  }

  /** Whether a reader may wait for the reply to a reading under way instead of asking himself. */
  mayJoin(reader: Reader, fill: Fill): boolean {
    if (fill.isVoid || reader.unknown > 0 || reader.isAside || fill.order < reader.learnedAt) return false
    return this.#isCurrent(fill)
  }

  /** A key whose value is a counter or a lock: not kept for the next minutes. */
  enliven(hash: number): void {
    this.#marks.enliven(hash)
    this.#marks.mark(hash)
  }

  // writes

  /** A write is being sent. Until `answered` with the same argument nothing that it names is kept. */
  forwarded(written: Written): void {
    if (written === 'everything') this.#marks.beginAll()
    else if (typeof written === 'number') this.#marks.begin(written)
    else for (const hash of written) this.#marks.begin(hash)
  }

  /** Its reply is there and not yet relayed, or its connection is gone. */
  answered(written: Written): void {
    if (written === 'everything') this.#marks.endAll()
    else if (typeof written === 'number') this.#marks.end(written)
    else for (const hash of written) this.#marks.end(hash)
  }

  /**
   * Its connection is gone, and it may yet be run. Of keys a push will tell then, of SWAPDB nothing ever does: behind a write on
   * everything nothing is kept until the server has surely come past it.
   */
  lost(written: Written): void {
    if (written !== 'everything') return this.answered(written)
    this.#clock.after(LOST_MS, () => {
      this.#lost += 1
      this.#lostFence = this.#lease.sent + 1
      this.#lease.fence(this.#lostFence) // nobody may be asking: until then nothing is kept that would make him
    })
    this.#marks.markAll()
  }

  /**
   * Whether what the reader asks behind such a command, before its reply, has to go the same way: what it does or tells
   * would be missed in memory.
   */
  isOrdering(effect: Effect, isTeaching: boolean): boolean {
    if (effect === 'unknown' || effect === 'everything') return true
    return isTeaching && this.causality !== 'eventual' && (effect === 'write' || this.causality === 'strict')
  }

  /** An ordering command of this reader is being sent. */
  forwardedUnknown(reader: Reader): void {
    reader.unknown += 1
  }

  /** Its reply is there, or its connection is gone; `learned` comes behind it. */
  answeredUnknown(reader: Reader): void {
    reader.unknown -= 1
    if (this.causality === 'eventual') this.#moveOn(reader) // what it changed was his own
  }

  /**
   * The reader is about to be told something of the data that he could not know: his hits wait until memory has followed.
   *
   * @returns in `strict` the fence that the reply has to be held for (`whenProven`); else 0: relay it
   */
  learned(reader: Reader): number {
    if (this.causality === 'eventual') {
      reader.learnedAt = this.#order++
      return 0
    }
    this.#moveOn(reader)
    return this.causality === 'strict' && this.#lease.isOn ? reader.watermark : 0
  }

  /** Runs once memory has followed up to a fence, or nothing is answered from memory any more; at once where that is so. */
  whenProven(fence: number, run: () => void): void {
    this.#held.add(fence, run)
  }

  // what others changed

  /** A key has changed: a push, or an invalidation by another door. In every database: pushes do not name one. */
  invalidate(hash: number): void {
    this.#marks.mark(hash)
  }

  /** Anything may have changed. */
  invalidateAll(): void {
    this.#marks.markAll()
  }

  /**
   * A server says that a key is elsewhere: it is one of a cluster. There absence is not kept; and what stood under a key whose
   * slot moves is pushed, so that nothing else has to be let go.
   */
  redirected(): void {
    if (this.#isClustered) return
    this.#isClustered = true
    this.#marks.markAll()
  }

  /** Runs `empty` whenever all that is kept is void and has to be let go at once. @returns a function that stops it */
  onVoid(empty: () => void): () => void {
    this.#voided.add(empty)
    return () => this.#voided.delete(empty)
  }

  // the tracking connection

  /** Changes are being heard from now on; nothing of before counts. */
  opened(port: FencePort, life: Life): void {
    this.#isClustered ||= life.isClustered
    this.#seesGrants = life.seesGrants
    this.#marks.markAll()
    this.#lease.open(port, life.isThreaded)
  }

  /** The oldest PING under way was answered: all that was pushed before it has been applied. */
  proven(): void {
    this.#lease.proven()
    if (this.#lostFence <= this.#lease.answered) for (; this.#lost > 0; this.#lost -= 1) this.#marks.endAll()
    this.#held.look()
  }

  /** The rules of access are as they were, asked at `askedMs`. */
  granted(askedMs: number): void {
    this.#grantsMs = askedMs + GRANTS_MS
  }

  /** They are not. */
  regranted(): void {
    this.#grantsMs = Number.NEGATIVE_INFINITY
    this.#marks.markAll()
  }

  /** Nothing is heard any more: nothing is answered from memory, and nothing that was kept will be again. */
  closed(): void {
    this.#grantsMs = Number.NEGATIVE_INFINITY
    this.#marks.markAll()
    this.#lease.close()
    this.#held.look()
  }

  // for people

  /** Whether anything can be kept and told at all. */
  get isOn(): boolean {
    return this.#lease.isOn
  }

  /** Bytes of the tables. */
  get bytes(): number {
    return this.#marks.bytes
  }

  /** How things stand. */
  state(): CoherenceState {
    const { sent, answered, provenMs } = this.#lease
    return {
      isOn: this.isOn,
      changes: this.#marks.sequence,
      fencesSent: sent,
      fencesAnswered: answered,
      provenMs,
      held: this.#held.size,
    }
  }

  /** His hits wait for the next fence, which is sent for ahead of need where he reads at all. */
  #moveOn(reader: Reader): void {
    reader.learnedAt = this.#order++
    reader.watermark = this.#lease.sent + 1
    if (this.causality === 'strict' || reader.isReading) this.#lease.fence(reader.watermark)
    reader.isReading = false
  }

  /** Nothing that a fill reads has changed since it was sent, nor is being changed through us. */
  #isCurrent(fill: Fill): boolean {
    if (fill.epoch !== this.#epoch) return false
    for (const hash of fill.hashes) if (!this.#marks.stands(hash, fill.token) || this.#marks.isWriting(hash)) return false
    return true
  }

  #isGranted(now: number): boolean {
    if (now > this.#grantsMs - GRANTS_MS / 2) this.#lease.askGrants()
    return now <= this.#grantsMs
  }

  #turn(now: number): void {
    this.#turnMs = now + LIVE_MS
    this.#marks.turn()
  }

  #restarted(): void {
    this.#epoch += 1
    for (const empty of this.#voided) empty()
  }
}
