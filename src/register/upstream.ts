/**
 * One server and user: what is known of it, who is connected to it, and the one connection on which it tells of changes.
 *
 * Floor 5, room register. Lives as long as a client of the application does. In-process, clients share what they know:
 * what one of them was told, hits of the others wait for too.
 */
import type { Clock, Timer } from '../model/clock.ts'
import type { Random } from '../model/random.ts'
import { Coherence } from '../resp/coherence.ts'
import { hashBytes, hashText } from '../resp/coherence-hash.ts'
import type { Reader } from '../resp/coherence-reader.ts'
import { HotKeys } from '../resp/coherence-touch.ts'
import { Tracking, type TrackingState } from '../resp/tracking.ts'
import { Commands } from './commands.ts'
import { dialer, type Target, targetText } from './dial.ts'
import type { HookSettings } from './options.ts'
import type { Entry, Shelf } from './shelf.ts'
import type { Tally, UpstreamStats } from './tally.ts'
import type { Turn } from './turn.ts'
import { View, type ViewPlace } from './view.ts'

/** Readings that wait to hear how long their keys live; more are not kept. */
const MAX_ASKING = 4096

/** What all upstreams of a process share. */
export interface UpstreamParts {
  readonly settings: HookSettings
  readonly clock: Clock
  readonly shelf: Shelf
  readonly tally: Tally
  readonly turn: Turn
  /** Whether there is room for another entry. */
  readonly admits: () => boolean
  readonly onState: (upstream: string, state: TrackingState, reason: string) => void
  /** An error of our own. */
  readonly onFault: (error: unknown) => void
}

/** See the module's header. */
export class Upstream {
  readonly clock: Clock
  readonly coherence: Coherence
  readonly commands: Commands
  readonly shelf: Shelf
  readonly tally: Tally
  readonly turn: Turn
  readonly hot: HotKeys
  readonly maxReplyBytes: number
  /** Nothing of this server will ever be kept. */
  isLeft = false
  readonly #parts: UpstreamParts
  readonly target: Target
  /** For people. */
  readonly name: string
  readonly #prefixes: readonly Buffer[]
  readonly #tracking: Tracking
  /** Who is connected, and to which run of the server; undefined: not known yet, '': not to be known. */
  readonly #readers = new Map<Reader, string | undefined>()
  readonly #guests = new Map<Reader, () => void>()
  readonly #views = new Map<string, View>()
  #state: TrackingState | 'idle' = 'idle'
  #reason = ''
  #asking = 0
  #again: Timer | undefined

  constructor(parts: UpstreamParts, target: Target) {
    const { settings, clock } = parts
    const random: Random = Math.random
    this.hot = new HotKeys(random)
    this.#parts = parts
    this.target = target
    this.name = targetText(target)
    this.#prefixes = settings.prefixes.map((prefix) => Buffer.from(prefix))
    this.clock = clock
    this.shelf = parts.shelf
    this.tally = parts.tally
    this.turn = parts.turn
    this.maxReplyBytes = settings.maxReplyBytes
    this.commands = new Commands(
      (key) => this.hash(key),
      () => this.#tracking.open(),
    )
    this.coherence = new Coherence({
      clock,
      causality: settings.causality,
      maxStaleMs: settings.maxStaleMs,
      maxAgeMs: settings.maxAgeMs,
      slots: MARKS,
    })
    this.coherence.onVoid(() => this.#empty())
    this.#tracking = new Tracking({
      coherence: this.coherence,
      port: dialer(target, (error) => this.failed(error)),
      clock,
      random,
      username: target.username,
      password: target.password,
      prefixes: settings.prefixes,
      hot: this.hot,
      onState: (state, reason) => this.#turned(state, reason),
    })
  }

  /** Whether anything may be kept. */
  get mayKeep(): boolean {
    return this.#state === 'on'
  }

  /** Whether all keys are of those that the server tells about. */
  covers(keys: readonly (string | Buffer)[]): boolean {
    const prefixes = this.#prefixes
    return prefixes.length === 0 || keys.every((key) => prefixes.some((prefix) => beginsWith(key, prefix)))
  }

  /** Hash of a key in the tables of coherence. */
  hash(key: string | Buffer): number {
    return typeof key === 'string' ? hashText(key) : hashBytes(key, 0, key.length)
  }

  /** Whether what was kept is still what stands. */
  stands(entry: Entry): boolean {
    const { coherence } = this
    if (entry.hashes === undefined) return coherence.stands(entry.hash, entry.token)
    for (const hash of entry.hashes) if (!coherence.stands(hash, entry.token)) return false
    return true
  }

  /** A client was told something of the data: no hit of any client of this process may be older. */
  learned(reader: Reader): void {
    this.coherence.learned(reader)
    this.#share(reader)
  }

  /** A client was told from memory what may be newer than the rest of it. */
  served(reader: Reader, fence: number): void {
    this.coherence.served(reader, fence)
    this.#share(reader)
  }

  /**
   * Asks how long keys of a database still live.
   *
   * @param then told once, with one number a key, NaN where it is not known; never, where the connection ends
   */
  lifetimes(
    of: { readonly database: number; readonly keys: readonly (string | Buffer)[] },
    then: (times: number[]) => void,
  ): void {
    const { database, keys } = of
    if (this.#asking + keys.length > MAX_ASKING) return
    this.#asking += keys.length
    const times: number[] = []
    this.#tracking.lifetimes(database, keys, (time) => {
      this.#asking -= 1
      times.push(time)
      if (times.length === keys.length) then(times)
    })
  }

  /** Something went wrong in here: nothing that is kept is trusted any more, and nothing of it reaches the application. */
  failed(error: unknown): void {
    this.coherence.invalidateAll()
    this.#parts.onFault(error)
  }

  /** Whether there is room. */
  admits(): boolean {
    return this.#parts.admits()
  }

  /** Where replies of a form are kept. @param place of them; the same for the same form */
  view(form: string, place: ViewPlace): View {
    let view = this.#views.get(form)
    if (view === undefined) {
      view = new View(place)
      this.#views.set(form, view)
    }
    return view
  }

  /** What clients of every form have read. */
  get views(): Iterable<View> {
    return this.#views.values()
  }

  /** A reader of our own: he learns what clients learn, and goes when the last of them does. @param over runs then */
  addGuest(reader: Reader, over: () => void): void {
    this.#guests.set(reader, over)
    this.add(reader, '')
  }

  /**
   * A client is connected here.
   *
   * @param runId of the server that it talks to: one address may lead to several, and a name elsewhere tomorrow. Nothing is
   * answered from memory before it is known; '' where it cannot be.
   */
  add(reader: Reader, runId: string | undefined): void {
    this.#readers.set(reader, runId)
    this.#compare()
  }

  /** It is not any more. @returns whether nobody is */
  remove(reader: Reader): boolean {
    this.#readers.delete(reader)
    return this.#readers.size === this.#guests.size
  }

  close(): void {
    for (const over of this.#guests.values()) over()
    this.#again?.cancel()
    this.#tracking.close()
    this.#empty()
  }

  stats(): UpstreamStats {
    const { changes, fencesSent } = this.coherence.state()
    return {
      name: this.name,
      clients: this.#readers.size - this.#guests.size,
      state: this.#state,
      reason: this.#reason,
      changes,
      fences: fencesSent,
    }
  }

  #share({ watermark, learnedAt }: Reader): void {
    if (this.#readers.size <= 1) return
    for (const reader of this.#readers.keys()) {
      reader.watermark = Math.max(reader.watermark, watermark)
      reader.learnedAt = Math.max(reader.learnedAt, learnedAt)
    }
  }

  #turned(state: TrackingState, reason: string): void {
    if (this.#state === 'refused' && state === 'closed') return
    const known = this.#tracking.upstream
    this.#state = state
    this.#reason = reason
    if (state === 'on' && known !== undefined) {
      this.commands.learn(known.table)
      this.#compare()
      if (known.isClustered) this.#leave('it is a node of a cluster')
      else if (known.isReplica) this.#leave('it is a replica')
    }
    this.#parts.onState(this.name, state, reason)
  }

  /** Whoever talks to another run of the server than we listen to is not answered from memory. */
  #compare(): void {
    const own = this.#tracking.upstream?.runId ?? ''
    let isElsewhere = false
    for (const [reader, runId] of this.#readers) {
      const differs = own !== '' && runId !== undefined && runId !== '' && runId !== own
      reader.isAside = runId === undefined || differs
      isElsewhere ||= differs
    }
    if (isElsewhere) this.#again ??= this.clock.after(LISTEN_AGAIN_MS, () => this.#listenAgain())
  }

  /** The address may lead to where the clients are by now. */
  #listenAgain(): void {
    this.#again = undefined
    if (this.#state !== 'on') return
    this.#tracking.close()
    this.#tracking.open()
  }

  /** This server's readings are not kept, though it could be listened to. */
  #leave(reason: string): void {
    this.isLeft = true
    this.#state = 'refused'
    this.#reason = reason
    this.#tracking.close()
    this.#parts.onState(this.name, 'refused', reason)
  }

  #empty(): void {
    for (const view of this.#views.values()) this.shelf.empty(view.all())
  }
}

/** Where clients turn out to be elsewhere it is listened again after this, ms. */
const LISTEN_AGAIN_MS = 1000
/** Places of the marks: 768 KiB. */
const MARKS = 2 ** 17

function beginsWith(key: string | Buffer, prefix: Buffer): boolean {
  const bytes = typeof key === 'string' ? Buffer.from(key) : key
  return bytes.subarray(0, prefix.length).equals(prefix)
}
