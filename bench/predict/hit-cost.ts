/**
 * What a hit costs more on a route that prefetches: recalling a response, with what is learned from it and without.
 *
 * Fifty clients over two hundred stored responses, in one process, rounds interleaved, quoted is the fastest. The lane's reading
 * and writing is left out, so this is the whole of the difference.
 */
import { createCache } from '../../src/flow/cache.ts'
import { PREFETCH_DEFAULTS, type PrefetchSection } from '../../src/flow/prefetch-options.ts'
import { createHttpDoor } from '../../src/http/door.ts'
import { bearingOf, type Known, know } from '../../src/http/known.ts'
import { countRecalled, recall } from '../../src/http/recall.ts'
import type { OriginPort, RequestHead } from '../../src/model/exchange.ts'
import { Fields } from '../../src/model/fields.ts'
import { createRandom } from '../../src/model/random.ts'

/** One way to ask. */
export interface HitCost {
  readonly way: string
  readonly offNs: number
  readonly onNs: number
}

const CLIENTS = 50
const URLS = 200
const HITS = 100_000
const ROUNDS = 7
/** Share of a walker's steps that lead to the next URL. */
const ONWARD = 0.8

/** The next URL of a client. */
type Walk = (client: number, at: number, random: () => number) => number
const WAYS: Readonly<Record<string, Walk>> = {
  'the same again': () => 0,
  'from one to the next': (_, at, random) => (random() < ONWARD ? (at + 1) % URLS : Math.floor(random() * URLS)),
  anything: (_, __, random) => Math.floor(random() * URLS),
}

const ORIGIN: OriginPort = {
  send: () =>
    Promise.resolve({
      head: { status: 200, statusText: 'OK', fields: Fields.from({ 'cache-control': 'max-age=600' }) },
      body: bodyOf(),
      trailers: () => undefined,
    }),
}

async function* bodyOf(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('x')
}

/** Measures every way. */
export async function measureHits(): Promise<readonly HitCost[]> {
  const [off, on] = [await Stand.with(undefined), await Stand.with(PREFETCH_DEFAULTS)]
  const costs = Object.entries(WAYS).map(([way, walk]) => {
    const best = { off: Number.POSITIVE_INFINITY, on: Number.POSITIVE_INFINITY }
    for (let round = 0; round < ROUNDS; round += 1) {
      best.off = Math.min(best.off, off.nsPerHit(walk, round))
      best.on = Math.min(best.on, on.nsPerHit(walk, round))
    }
    return { way, offNs: best.off, onNs: best.on }
  })
  await Promise.all([off.close(), on.close()])
  return costs
}

class Stand {
  readonly #cache = createCache({})
  readonly #door
  #known: readonly (readonly Known[])[] = []

  private constructor(prefetch: PrefetchSection | undefined) {
    this.#door = createHttpDoor({ engine: this.#cache.engine, origin: ORIGIN, prefetch })
  }

  static async with(prefetch: PrefetchSection | undefined): Promise<Stand> {
    const stand = new Stand(prefetch)
    await stand.#fill()
    return stand
  }

  /** Two calls for hits, as the lane makes them, and what is learned. */
  nsPerHit(walk: Walk, seed: number): number {
    const { clock } = this.#cache.engine
    const random = createRandom(seed)
    const at = new Int32Array(CLIENTS)
    const begun = process.hrtime.bigint()
    for (let hit = 0; hit < HITS; hit += 1) {
      const client = hit % CLIENTS
      const url = walk(client, at[client] as number, random)
      at[client] = url
      const known = this.#known[client]?.[url] as Known
      const stored = recall(known)
      if (stored === undefined) throw new Error('a hit was expected')
      countRecalled(known, stored, clock.now())
      if (known.foreseen !== undefined) known.foreseen()
    }
    return Number(process.hrtime.bigint() - begun) / HITS
  }

  async close(): Promise<void> {
    this.#door.close()
    await this.#cache.close()
  }

  async #fill(): Promise<void> {
    const signal = new AbortController().signal
    const targets = Array.from({ length: URLS }, (_, at) => `/pages/${at}/whole`)
    const head = (target: string, client: number): RequestHead => {
      const fields = Fields.from({ host: 'shop', 'x-forwarded-for': `10.0.0.${client}` })
      return { method: 'GET', target, scheme: 'http', authority: 'shop', fields }
    }
    for (const target of targets) {
      const { body } = await this.#door.handle(head(target, 0), undefined, { origin: ORIGIN, signal })
      if (body !== undefined && !(body instanceof Uint8Array)) for await (const _ of body);
    }
    this.#known = Array.from({ length: CLIENTS }, (_, client) => {
      const bearing = bearingOf(head('/', client))
      return targets.map((target) => know(this.#door.desk, bearing, { method: 'GET', target }) as Known)
    })
  }
}
