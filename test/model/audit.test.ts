/** Ten minutes of random history under an audit that looks at every hit: silent while the fence holds, loud once it does not. */
import { describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../src/flow/cache.ts'
import type { LoadContext } from '../../src/flow/loader.ts'
import { createRandom, type Random } from '../../src/model/random.ts'
import { createVirtualClock, type VirtualClock } from '../../src/model/virtual-clock.ts'

const SEEDS = Number(process.env.FORECACHE_AUDIT_SEEDS ?? 20)
const MINUTES = 10
const KEYS = 12
const TAGS = 4

/** An origin whose keys change by themselves, that is slow, fails, and knows validators. */
class Origin {
  readonly #values = new Map<string, number>()
  readonly #random: Random
  readonly #clock: VirtualClock

  constructor(random: Random, clock: VirtualClock) {
    this.#random = random
    this.#clock = clock
  }

  change(key: string): void {
    this.#values.set(key, (this.#values.get(key) ?? 0) + 1)
  }

  async load(key: string, { previous, etag, tag, notModified, signal }: LoadContext<string>): Promise<string> {
    const value = `${key}=${this.#values.get(key) ?? 0}`
    const ms = this.#random() < 0.05 ? 3000 : this.#random() * 80
    await new Promise<void>((resolve, reject) => {
      const timer = this.#clock.after(ms, resolve)
      signal.addEventListener('abort', () => (timer.cancel(), reject(signal.reason)), { once: true })
    })
    if (this.#random() < 0.1) throw new Error('the origin failed')
    tag(`late:${key.length % 2}`)
    if (previous?.etag === value && this.#random() < 0.8) return notModified()
    if (this.#random() < 0.5) etag(value)
    return value
  }
}

function pick(random: Random, name: string, count: number): string {
  return `${name}${Math.floor(random() * count)}`
}

/** One thing that happens. */
async function act(cache: Cache, origin: Origin, random: Random): Promise<unknown> {
  const key = pick(random, 'k', KEYS)
  const tag = pick(random, 't', TAGS)
  const dice = random()
  if (dice < 0.8) {
    const budget = { fresh: 500 + random() * 5000, stale: 8000, onError: 20_000 }
    return cache.fetch(key, { budget, tags: [tag], hard: '2s' }, (context: LoadContext<string>) => origin.load(key, context))
  }
  if (dice < 0.85) return cache.get(key)
  if (dice < 0.93) return origin.change(key)
  const soft = random() < 0.3
  if (dice < 0.95) return cache.invalidate({ keys: [key], soft })
  if (dice < 0.97) return cache.invalidate({ tags: [random() < 0.3 ? 'late:0' : tag], soft })
  if (dice < 0.98) return cache.invalidate({ prefixes: [key.slice(0, 2)] })
  if (dice < 0.985) return cache.invalidate({ namespaces: [''] })
  if (dice < 0.99) return cache.set(key, `set ${random()}`, { budget: '5s', tags: [tag] })
  return cache.delete(key)
}

async function live(seed: number, prepare: (cache: Cache) => void = () => {}): Promise<Cache> {
  const random = createRandom(seed)
  const clock = createVirtualClock()
  const cache = createCache({
    clock,
    random,
    jitter: 0.2,
    originLag: seed % 3 === 0 ? 200 : 0,
    audit: { share: 1, perSecond: 10_000 },
  })
  prepare(cache)
  const origin = new Origin(random, clock)
  const end = clock.now() + MINUTES * 60_000
  while (clock.now() < end) {
    for (let burst = Math.ceil(random() * 3); burst > 0; burst -= 1) void act(cache, origin, random).catch(() => {})
    await clock.advanceAsync(random() < 0.3 ? 0 : random() * 200)
  }
  return cache
}

describe('audit: ten minutes of random history', () => {
  it(`raises no alarm in ${SEEDS} clean runs`, async () => {
    let conclusive = 0
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const cache = await live(seed)
      const { auditCurrent, auditOutdated } = cache.stats().counts
      conclusive += auditCurrent + auditOutdated
      expect(cache.engine.audit?.violations(), `seed ${seed}`).toEqual([])
      await cache.close()
    }
    console.log(`audit: ${conclusive} conclusive checks in ${SEEDS} runs of ${MINUTES} min`)
    expect(conclusive).toBeGreaterThan(SEEDS * 500)
  })

  it('raises one in every run whose fence admits what it should not', async () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const cache = await live(seed, ({ engine }) => {
        engine.fence.admits = () => true
      })
      expect(cache.stats().counts.stalenessViolations, `seed ${seed}`).toBeGreaterThan(0)
      expect(new Set(cache.engine.audit?.violations().map(({ breach }) => breach))).toEqual(new Set(['invalidated']))
      await cache.close()
    }
  })
})
