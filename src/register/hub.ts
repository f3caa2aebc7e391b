/**
 * All of the hook in one process: settings, memory and its governor, the servers in use, what is told to people.
 *
 * Floor 5, room register. One per thread, made when the first client is wrapped; it holds nothing that keeps the process
 * alive and never throws into the application.
 */
import { channel } from 'node:diagnostics_channel'
import { Governor } from '../flow/governor.ts'
import { type Clock, systemClock } from '../model/clock.ts'
import { ACCOUNT, Ledger } from '../model/ledger.ts'
import type { TrackingState } from '../resp/tracking.ts'
import { type Target, targetName } from './dial.ts'
import { openGuests } from './guests.ts'
import type { Lane } from './lane.ts'
import type { HookSettings } from './options.ts'
import { Shelf } from './shelf.ts'
import { type HookStats, Tally } from './tally.ts'
import { Turn } from './turn.ts'
import { Upstream, type UpstreamParts } from './upstream.ts'

/** Changes of a server's state, as `{upstream, state, reason}`. */
const STATES = channel('forecache:hook:state')
/** Each warning is given once; of no more different ones than this. */
const MAX_WARNINGS = 64

/** Told of what people should know. */
export type Warn = (text: string) => void

/** See the module's header. */
export class Hub {
  readonly settings: HookSettings
  readonly clock: Clock = systemClock()
  readonly shelf: Shelf
  readonly tally = new Tally()
  readonly turn = new Turn()
  readonly governor: Governor
  readonly #ledger = new Ledger()
  readonly #parts: UpstreamParts
  readonly #upstreams = new Map<string, Upstream>()
  readonly #warned = new Set<string>()
  readonly #warn: Warn

  constructor(settings: HookSettings, warn: Warn) {
    this.settings = settings
    this.#warn = warn
    this.shelf = new Shelf(settings.maxBytes)
    const meter = { count: () => undefined, add: () => undefined }
    this.governor = new Governor({ memory: this.shelf, ledger: this.#ledger, clock: this.clock, meter })
    this.#parts = {
      settings,
      clock: this.clock,
      shelf: this.shelf,
      tally: this.tally,
      turn: this.turn,
      admits: () => this.governor.admit(),
      onState: (upstream, state, reason) => this.#turned(upstream, state, reason),
      onFault: (error) =>
        this.warn(`an error of its own: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
    }
    const guests = openGuests(settings, () => this.#upstreams.values())
    this.governor.follow(ACCOUNT.tables, () => this.#tableBytes() + guests.notes.bytes)
  }

  /** A client's connection stands. @param runId see `Upstream.add` */
  attach(lane: Lane, target: Target, runId: string | undefined): Upstream {
    const name = targetName(target)
    let upstream = this.#upstreams.get(name)
    if (lane.upstream !== undefined && lane.upstream !== upstream) this.detach(lane)
    if (upstream === undefined) {
      upstream = new Upstream(this.#parts, target)
      this.#upstreams.set(name, upstream)
    }
    upstream.add(lane.reader, runId)
    return upstream
  }

  /** A client has ended. */
  detach(lane: Lane): void {
    const { upstream } = lane
    if (upstream === undefined || !upstream.remove(lane.reader)) return
    for (const [name, known] of this.#upstreams) if (known === upstream) this.#upstreams.delete(name)
    upstream.close()
  }

  /** Once for each text. @param about what it is about, where texts that differ say the same */
  warn(text: string, about = text): void {
    if (this.#warned.has(about) || this.#warned.size >= MAX_WARNINGS) return
    this.#warned.add(about)
    this.#warn(text)
  }

  /** A server's connection for changes came or went. */
  #turned(upstream: string, state: TrackingState, reason: string): void {
    if (STATES.hasSubscribers) STATES.publish({ upstream, state, reason })
    if (state !== 'refused') return
    this.warn(`nothing is kept from ${upstream}, every command goes there as without forecache: ${reason}`, reason)
  }

  stats(): HookStats {
    const { hits, waits, misses } = this.tally
    const { evictions, count, bytes, maxBytes } = this.shelf
    const upstreams = [...this.#upstreams.values()].map((upstream) => upstream.stats())
    return { hits, waits, misses, evictions, entries: count, bytes, maxBytes, upstreams }
  }

  #tableBytes(): number {
    let bytes = 0
    for (const { coherence } of this.#upstreams.values()) bytes += coherence.bytes
    return bytes
  }
}
