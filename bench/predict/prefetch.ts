/**
 * Prefetching over a plain TTL, by the product's own class: what was spared, what it cost, how much of it was read. A store
 * without limit stands for the cache; what the trace never names is asked for in vain, as an origin's 404 would be.
 */
import { PREFETCH_DEFAULTS } from '../../src/flow/prefetch-options.ts'
import { type Fetched, type Planner, Prefetch } from '../../src/flow/prefetch.ts'
import { RULE_LIMITS } from '../../src/flow/prefetch-rules.ts'
import { Ledger } from '../../src/model/ledger.ts'
import { createMeter, DEFAULT_ROUTE } from '../../src/model/meter.ts'
import { createVirtualClock, type VirtualClock } from '../../src/model/virtual-clock.ts'
import type { Trace } from '../trace/formats.ts'
import type { Timed } from './replay.ts'

/** What came of it, behind the part that was learned on. */
export interface PrefetchTally {
  /** Misses of a plain TTL. */
  readonly plain: number
  readonly misses: number
  readonly prefetched: number
  readonly read: number
  /** Keys whose very first request, ever, was answered by what had been fetched before it. */
  readonly firsts: number
}

/** How it is replayed. */
export interface PrefetchWish {
  readonly ttlMs: number
  readonly extra: number
  readonly minChance: number
  readonly learn: number
}

const NEVER = Number.NEGATIVE_INFINITY
/** Loads take no time here. */
const LOAD_MS = 0

/** @param trace clients undefined: all are taken for one; without names there are no shapes */
export async function replayPrefetch(
  { ids, atMs, distinct }: Timed,
  trace: Pick<Trace, 'clients' | 'names'>,
  wish: PrefetchWish,
): Promise<PrefetchTally> {
  const replayed = new Replay(trace, wish)
  const plainEnd = new Float64Array(distinct).fill(NEVER)
  const first = Math.floor(ids.length * wish.learn)
  for (let i = 0; i < ids.length; i += 1) {
    const [id, now] = [ids[i] as number, atMs[i] as number]
    replayed.counts = i >= first ? 1 : 0
    if (now >= (plainEnd[id] as number)) {
      replayed.tally.plain += replayed.counts
      plainEnd[id] = now + wish.ttlMs
    }
    replayed.ask(id, trace.clients?.[i] ?? 0, now)
    await undefined // what was begun ends
  }
  replayed.close()
  return replayed.tally
}

class Replay {
  readonly tally = { plain: 0, misses: 0, prefetched: 0, read: 0, firsts: 0 }
  counts = 0
  readonly #clock: VirtualClock = createVirtualClock()
  readonly #start: number
  readonly #prefetch: Prefetch
  readonly #wish: PrefetchWish
  readonly #settings
  readonly #urls: readonly string[]
  readonly #known: ReadonlySet<string>
  readonly #end = new Map<string, number>()
  /** Fetched and not asked for since. */
  readonly #beforehand = new Set<string>()
  readonly #asked = new Set<string>()

  constructor({ names: given }: Pick<Trace, 'names'>, wish: PrefetchWish) {
    // Numbers given to keys in the order of their first request would tell what comes next: no client sees those.
    const names = given[0]?.startsWith('/') === true ? given : []
    const { extra, minChance } = wish
    this.#start = this.#clock.now()
    this.#wish = wish
    this.#settings = { ...PREFETCH_DEFAULTS, extra, minChance, concurrency: 10_000 }
    this.#urls = names.map((name) => `http://trace${name}`)
    this.#known = new Set(this.#urls)
    const limits = { ...RULE_LIMITS, shapes: names.length > 0 }
    this.#prefetch = new Prefetch({
      ...{ clock: this.#clock, meter: createMeter(), ledger: new Ledger(), limits },
      isCalm: () => true,
    })
  }

  ask(id: number, client: number, atMs: number): void {
    const { tally, counts } = this
    const now = this.#start + atMs
    this.#clock.advance(Math.max(0, now - this.#clock.now()))
    const url = this.#urls[id] ?? String(id)
    const missed = now >= (this.#end.get(url) ?? NEVER)
    if (this.#beforehand.delete(url) && !missed) {
      tally.read += counts
      if (!this.#asked.has(url)) tally.firsts += counts
    }
    this.#asked.add(url)
    if (missed) {
      tally.misses += counts
      this.#end.set(url, now + this.#wish.ttlMs)
    }
    this.#prefetch.asked(
      {
        ...{ client: String(client), url, key: url, route: DEFAULT_ROUTE, settings: this.#settings },
        loadMs: missed ? LOAD_MS : undefined,
      },
      this.#plan,
    )
  }

  close(): void {
    this.#prefetch.close()
  }

  readonly #plan: Planner = (url) => {
    const now = this.#clock.now()
    if (now < (this.#end.get(url) ?? NEVER)) return undefined
    const run = (): Promise<Fetched> => {
      this.tally.prefetched += this.counts
      if (this.#urls.length > 0 && !this.#known.has(url)) return Promise.resolve({ outcome: 'unkept' })
      this.#end.set(url, now + this.#wish.ttlMs)
      this.#beforehand.add(url)
      return Promise.resolve({ outcome: 'kept', freshMs: this.#wish.ttlMs })
    }
    return { key: url, route: DEFAULT_ROUTE, settings: this.#settings, run }
  }
}
