/**
 * The second level behind memory: what memory does not have is looked for there, what is stored is written there behind.
 *
 * Floor 3, room flow. Nothing that was read there is believed before the shared log has judged it: its log must be ours, and
 * nothing that names it may stand after its reading began; own invalidations count from the moment they are made. In doubt it
 * is absent. What passes enters memory through `promote`, with its own age, and is served from there like anything else.
 * Questions of one turn go together; one key is asked once at a time; a question takes its deadline and no more. Without a
 * shared log nothing can be proven, and nothing is read or written.
 */
import type { Clock } from '../model/clock.ts'
import type { Entry, Position } from '../model/entry.ts'
import { ForecacheError } from '../model/errors.ts'
import { ACCOUNT, type Ledger } from '../model/ledger.ts'
import type { Standing, Target } from '../model/log.ts'
import type { Meter } from '../model/meter.ts'
import { COUNTER, type CounterName } from '../model/metric.ts'
import { Fence } from '../tier/fence.ts'
import type { RemotePort, RemoteRead, RemoteStamp } from '../tier/remote-port.ts'
import { readEnvelope, writeEnvelope } from '../wire/envelope.ts'
import type { Seal } from '../wire/seal.ts'
import type { Fill, SharedStamp } from './fill.ts'
import type { Kept } from './keep.ts'
import type { SharedLog } from './shared-log.ts'
import { StampHistory } from './stamp-history.ts'
import { CODEC, type Decoded } from './value-codec.ts'
import { WriteBehind } from './write-behind.ts'

/** What makes bytes of a value; undefined: not of its kind, or not to be written. */
export type Encode = (value: unknown, entry: Entry) => { readonly codec: number; readonly payload: Uint8Array } | undefined
/** What makes a value of bytes; undefined: not of its kind, or of no use here. @throws FC_L2_ENVELOPE */
export type Decode = (codec: number, payload: Uint8Array, storedAt: number) => Decoded | undefined

/** A key that memory does not have. */
export interface Wanted {
  readonly key: string
  readonly namespace: number
  readonly decode: Decode
}

/** A reading of another process. */
export interface RemoteReading extends RemoteStamp {
  readonly key: string
  readonly namespace: number
  readonly tags: readonly string[]
}

/** What a second level works with. */
export interface SecondParts {
  readonly remote: RemotePort
  readonly seal: Seal | undefined
  readonly deadlineMs: number
  readonly maxEntryBytes: number
  readonly maxQueueBytes: number
  readonly originLagMs: number
  readonly clock: Clock
  readonly fence: Fence
  readonly meter: Meter
  readonly ledger: Ledger
  /** The log that is shared with others; undefined: none. */
  shared(): SharedLog | undefined
  /** Puts what was judged into memory. */
  promote(entry: Entry, softened: boolean): Kept
}

/** Keys asked for at once; who comes beyond goes to the origin. */
const MAX_ASKED = 4096
const WRITES_AT_ONCE = 32
/** Nobody waits for a write. */
const WRITE_DEADLINE_MS = 1000

interface Asking extends Wanted {
  readonly answer: (found: boolean) => void
}

/** See the module's header. */
export class SecondLevel {
  readonly #parts: SecondParts
  readonly #behind: WriteBehind
  #encoders: readonly Encode[] = []
  readonly #asked = new Map<string, Promise<boolean>>()
  readonly #lag: StampHistory
  /** What was said here and the shared log does not tell of, by the time at which it was. */
  readonly #local: Fence
  #batch: Asking[] = []
  #isSilent = false

  constructor(parts: SecondParts) {
    this.#parts = parts
    this.#lag = new StampHistory(parts.originLagMs)
    this.#local = new Fence(parts.clock)
    const { remote, ledger, maxQueueBytes } = parts
    this.#behind = new WriteBehind({
      maxBytes: maxQueueBytes,
      concurrency: WRITES_AT_ONCE,
      isUp: () => remote.isUp,
      onCharge: (bytes) => ledger.charge(ACCOUNT.remote, bytes),
      onShed: () => this.#count('l2Shed'),
    })
  }

  /** Longest time that a question takes, ms. */
  get deadlineMs(): number {
    return this.#parts.deadlineMs
  }

  /** Whether it is asked at all now. */
  get isUp(): boolean {
    return this.#parts.remote.isUp
  }

  /** Whether the last question was not answered. */
  get isSilent(): boolean {
    return this.#isSilent
  }

  /** Bytes that wait to be written. */
  get queueBytes(): number {
    return this.#behind.bytes
  }

  /** Lets a door say how what it stores is written, before those who were heard earlier; once is as good as often. */
  teach(encode: Encode): void {
    if (!this.#encoders.includes(encode)) this.#encoders = [encode, ...this.#encoders]
  }

  /**
   * Where the shared log is now: what a reading that begins now carries.
   *
   * @param asOf another place of it
   */
  stamp(asOf?: Position): SharedStamp | undefined {
    const shared = this.#parts.shared()
    if (shared === undefined || shared.generation === '') return undefined
    return { generation: nameOf(shared), asOf: asOf ?? shared.applied }
  }

  /** What was read before now and is named here is not believed: for what the shared log does not tell of, or not at once. */
  note(targets: readonly Target[], soft: boolean): void {
    this.#local.append(targets, soft, 'here')
  }

  /** The fill with the stamp of this moment; set back as its local place is, where the origin lags. */
  stamped(fill: Fill): Fill {
    const shared = this.#lag.stampAt(fill.startedAt, this.stamp())
    return shared === undefined ? fill : { ...fill, shared }
  }

  /** Has an entry written that was stored just now. Never throws, never waits. */
  offer({ shared: stamp }: Fill, entry: Entry): void {
    if (stamp === undefined || entry.bytes > this.#parts.maxEntryBytes * 2) return
    this.#behind.put({ key: entry.key, bytes: entry.bytes, run: () => this.#write(stamp, entry) })
  }

  /** Looks for a key; what is found and good stands in memory then. Never rejects; takes at most the deadline. */
  pull(wanted: Wanted): Promise<boolean> {
    const { key } = wanted
    const asked = this.#asked.get(key)
    if (asked !== undefined) return asked
    if (!this.#parts.remote.isUp || this.#asked.size >= MAX_ASKED || this.stamp() === undefined) {
      this.#count('l2Skipped')
      return NOTHING
    }
    const asking = new Promise<boolean>((resolve) => {
      if (this.#batch.length === 0) queueMicrotask(() => void this.#ask())
      this.#batch.push({ ...wanted, answer: resolve })
    })
    this.#asked.set(key, asking)
    return asking
  }

  /** What stands there and is good, left where it is. Never rejects; takes at most the deadline. */
  async inspect({ key, namespace, decode }: Wanted): Promise<{ readonly storedAt: number; readonly value: unknown } | undefined> {
    const { remote, seal, deadlineMs } = this.#parts
    try {
      const [read] = remote.isUp ? await remote.readMany([key], deadlineMs) : []
      if (read === undefined) return undefined
      const envelope = readEnvelope(read.envelope, key, seal)
      if (envelope.kind !== 'value' || this.standing({ ...read, key, namespace, tags: envelope.tags }) === 'dead')
        return undefined
      const decoded = decode(envelope.codec, envelope.payload, read.storedAt)
      return decoded === undefined ? undefined : { storedAt: read.storedAt, value: decoded.value }
    } catch {
      return undefined
    }
  }

  /** Frees what keys have there that were invalidated here: nobody would believe it. Never throws, never waits. */
  forget(targets: readonly Target[]): void {
    for (const target of targets) if (target.kind === 'key') this.#drop(target.key)
  }

  /** Resolves when what was to be written for keys that begin so has been written, or could not be. */
  settled(prefix: string): Promise<void> {
    return this.#behind.settled(prefix)
  }

  /** Resolves when nothing waits to be written. */
  idle(): Promise<void> {
    return this.#behind.idle()
  }

  close(): void {
    this.#behind.close()
    this.#parts.remote.close()
  }

  async #ask(): Promise<void> {
    const batch = this.#batch
    this.#batch = []
    let found: readonly (RemoteRead | undefined)[] = []
    try {
      found = await this.#parts.remote.readMany(
        batch.map(({ key }) => key),
        this.#parts.deadlineMs,
      )
      this.#isSilent = false
    } catch (error) {
      this.#isSilent = true
      this.#count(error instanceof ForecacheError && error.code === 'FC_L2_TIMEOUT' ? 'l2Late' : 'l2Failed')
    }
    batch.forEach((wanted, index) => {
      this.#asked.delete(wanted.key)
      wanted.answer(this.#settle(wanted, found[index], found.length > 0))
    })
  }

  #settle(wanted: Wanted, read: RemoteRead | undefined, isAnswered: boolean): boolean {
    if (read === undefined) {
      if (isAnswered) this.#count('l2Misses')
      return false
    }
    try {
      const outcome = this.#take(wanted, read)
      this.#count(outcome)
      return outcome === 'l2Hits'
    } catch {
      this.#count('l2Broken') // whatever was read there, it takes nobody down
      return false
    }
  }

  #take({ key, namespace, decode }: Wanted, { envelope: bytes, generation, asOf, storedAt }: RemoteRead): CounterName {
    const envelope = readEnvelope(bytes, key, this.#parts.seal)
    if (envelope.namespace !== this.#parts.fence.namespaceName(namespace)) return 'l2Misses'
    const { kind, tags, budget, codec, payload } = envelope
    const reading = { key, namespace, tags, generation, asOf, storedAt }
    return this.admit(reading, { kind, budget }, () => (kind === 'pass' ? PASSED : decode(codec, payload, storedAt)))
  }

  /** Lets in what another process has read, if it is good: it stands in memory then. @param decode asked once it is */
  admit(
    reading: RemoteReading,
    { kind, budget }: Pick<Entry, 'kind' | 'budget'>,
    decode: () => Decoded | undefined,
  ): CounterName {
    const { fence, clock, promote } = this.#parts
    const { key, namespace, tags, storedAt } = reading
    if (clock.now() - storedAt >= budget.onErrorMs) return 'l2Dead'
    const standing = this.standing(reading)
    if (standing === 'dead') return 'l2Dead'
    const decoded = decode()
    if (decoded === undefined) return 'l2Misses'
    // Judged as of now: from here on the local log alone decides.
    const entry: Entry = { key, kind, tags, budget, storedAt, namespace, asOf: fence.horizon, ...decoded }
    const kept = promote(entry, standing === 'soft')
    return kept === 'kept' || kept === 'older' ? 'l2Hits' : 'l2Dead'
  }

  /** How what another process has read stands: the shared log by its sequence numbers, and the local one by the time. */
  standing({ key, namespace, tags, generation, asOf, storedAt }: RemoteReading): Standing {
    const local = this.#local
    const shared = this.#parts.shared()
    if (shared === undefined || nameOf(shared) !== generation) return 'dead'
    const standing = shared.standing(asOf, { key, namespace: this.#parts.fence.namespaceName(namespace), tags })
    const reading = { key, tags, namespace, asOf: local.horizonAt(storedAt) }
    if (standing === 'dead' || !local.admits(reading)) return 'dead'
    return standing === 'soft' || local.softens(reading) ? 'soft' : 'current'
  }

  async #write({ generation, asOf }: SharedStamp, entry: Entry): Promise<void> {
    const { remote, seal, fence, maxEntryBytes } = this.#parts
    const { key, kind, tags, budget, storedAt } = entry
    try {
      const made = kind === 'pass' ? PASS_MADE : this.#encode(entry)
      if (made === undefined) return this.#count('l2Unwritten')
      const namespace = fence.namespaceName(entry.namespace)
      const envelope = writeEnvelope({ key, namespace, tags, kind, budget, ...made }, seal)
      if (envelope.byteLength > maxEntryBytes) return this.#count('l2Unwritten')
      const endsAt = storedAt + budget.onErrorMs
      const done = await remote.write({ key, generation, asOf, storedAt, endsAt, envelope }, WRITE_DEADLINE_MS)
      this.#count(done === 'written' ? 'l2Writes' : done === 'older' ? 'l2Older' : 'l2Unwritten')
    } catch {
      this.#count('l2WriteFailures')
    }
  }

  #encode(entry: Entry): ReturnType<Encode> {
    for (const encode of this.#encoders) {
      const made = encode(entry.value, entry)
      if (made !== undefined) return made
    }
    return undefined
  }

  #drop(key: string): void {
    const run = (): Promise<void> =>
      this.#parts.remote.delete([key], WRITE_DEADLINE_MS).catch(() => this.#count('l2WriteFailures'))
    this.#behind.put({ key, bytes: key.length, run })
  }

  #count(name: CounterName): void {
    this.#parts.meter.count(COUNTER[name])
  }
}

/** Entries are shared by those alone who share the log, and the rules that keys and budgets are made by. */
function nameOf({ generation, rules }: SharedLog): string {
  return rules === 0 || generation === '' ? generation : `${generation}.${rules.toString(36)}`
}

const NOTHING = Promise.resolve(false)
const PASS_VALUE = Symbol('pass')
const PASSED: Decoded = { value: PASS_VALUE, bytes: 0 }
const PASS_MADE = { codec: CODEC.none, payload: new Uint8Array(0) }
