/**
 * Random histories of the library against an oracle that knows the origin.
 *
 * A small origin holds a version per key. Loaders read it at some moment of their run, answer later, fail, renew, tag or
 * skip at random; writes change the origin and invalidate by key, tag, prefix, namespace or everything; time passes.
 * Every answer is judged: it is of the asked key, not older than what was invalidated before the asking, and inside
 * the budget of both the entry and its reader. All time is virtual, all chance is seeded: a seed is a history.
 */
import { type Cache, createCache } from '../../src/flow/cache.ts'
import type { CallOptions } from '../../src/flow/call.ts'
import type { LoadContext } from '../../src/flow/loader.ts'
import { createRandom } from '../../src/model/random.ts'
import { createVirtualClock, settle, type VirtualClock } from '../../src/model/virtual-clock.ts'

/** One thing that must never happen, with the step at which it did. */
export interface Violation {
  readonly step: number
  readonly what: string
}

/** What a history came to. */
export interface Outcome {
  readonly steps: number
  readonly answers: number
  readonly cached: number
  readonly stale: number
  readonly fenced: number
  readonly violations: readonly Violation[]
}

/** What the origin answers: whose it is, which version, read when. */
interface Datum {
  readonly name: string
  readonly version: number
  readonly readAt: number
}

interface Expectation {
  readonly name: string
  readonly atLeast: number
  readonly budget: { fresh: number; stale: number; onError: number }
}

const KEYS = 12
const VIEWS = ['', 'alpha', 'beta']

/** Runs one history. `sabotage` may break the cache, to prove that the judge sees it. */
export async function runHistory(seed: number, steps: number, sabotage: (cache: Cache) => void = () => {}): Promise<Outcome> {
  const history = new History(seed)
  sabotage(history.cache)
  await history.run(steps)
  return history.outcome(steps)
}

class History {
  readonly clock: VirtualClock = createVirtualClock()
  readonly #random: () => number
  readonly cache: Cache
  readonly #views: readonly Cache[]
  readonly #versions = new Map<string, number>()
  /** Version that no read beginning now may be older than. */
  readonly #floors = new Map<string, number>()
  readonly #violations: Violation[] = []
  #step = 0
  #answers = 0
  #cached = 0
  #stale = 0

  constructor(seed: number) {
    this.#random = createRandom(seed)
    this.cache = createCache({
      clock: this.clock,
      random: this.#random,
      memory: {
        maxBytes: 1_000_000,
        maxEntries: this.#pick([8, 16, 1000]),
        policy: this.#pick(['s3-fifo', 'lru', 'w-tinylfu'] as const),
      },
      deadlines: { soft: 40, hard: 400, maxLoad: 900 },
      backoff: { first: this.#pick([0, 50]), max: 400 },
      values: this.#pick(['freeze', 'clone'] as const),
      jitter: this.#pick([0, 0.2]),
    })
    this.#views = VIEWS.map((name) => (name === '' ? this.cache : this.cache.namespace(name)))
  }

  async run(steps: number): Promise<void> {
    for (this.#step = 0; this.#step < steps; this.#step += 1) {
      this.#act()
      if (this.#random() < 0.6) this.clock.advance(this.#random() < 0.05 ? 700 * this.#random() : 12 * this.#random())
      await settle(6)
    }
    await this.clock.advanceAsync(5000)
  }

  outcome(steps: number): Outcome {
    return {
      steps,
      answers: this.#answers,
      cached: this.#cached,
      stale: this.#stale,
      fenced: this.cache.stats().counts.fenced,
      violations: this.#violations,
    }
  }

  #act(): void {
    const dice = this.#random()
    if (dice < 0.62) this.#read()
    else if (dice < 0.7) this.#readMany()
    else if (dice < 0.86) this.#write()
    else if (dice < 0.9) this.#set()
    else if (dice < 0.93) this.#soften()
    else if (dice < 0.97) this.#keepByHand()
    else this.#peek()
    if (this.cache.stats().bytes > this.cache.stats().maxBytes) this.#fail('memory grew past its limit')
  }

  #read(): void {
    const at = this.#place()
    const options = this.#options()
    const expected = this.#expect(at, options)
    at.view
      .fetch<Datum>(at.key, options, (context) => this.#load(at.name, context))
      .then(
        (result) => this.#judge(expected, result),
        () => {}, // failing loads are part of the history
      )
  }

  #readMany(): void {
    const places = [this.#place(), this.#place(), this.#place()]
    const view = places[0]?.view as Cache
    const names = new Map(places.map((place) => [place.key, this.#nameOf(view, place.key)]))
    const options = { ...this.#options(), tags: [...names.values()].map(tagOf) }
    const expected = [...names].map(([key, name]) => ({ key, ...this.#expect({ view, key, name }, options) }))
    const load = async (keys: readonly string[]): Promise<Datum[]> => {
      await this.#pause(60)
      return keys.map((key) => this.#datum(names.get(key) as string))
    }
    view.getMany<Datum>([...names.keys()], options, load).then(
      (results) => expected.forEach((one) => this.#judge(one, results.get(one.key) as never)),
      () => {},
    )
  }

  #peek(): void {
    const at = this.#place()
    const data = at.view.peek<Datum>(at.key)
    if (data === undefined) return
    this.#judge(this.#expect(at, {}), { data, cached: true, stale: false, ageMs: 0 })
  }

  /** The origin changes, then what names the key is invalidated. */
  #write(): void {
    const at = this.#place()
    const dice = this.#random()
    if (dice < 0.45) this.#change([at.name], () => at.view.invalidate({ keys: [at.key] }))
    else if (dice < 0.75)
      this.#change(
        this.#namesWith((name) => tagOf(name) === tagOf(at.name)),
        () => this.cache.invalidate({ tags: [tagOf(at.name)] }),
      )
    else if (dice < 0.85)
      this.#change(
        this.#namesWith((name) => name.startsWith(`${at.viewName}/k1`)),
        () => at.view.invalidate({ prefixes: ['k1'] }),
      )
    else if (dice < 0.93) this.#changeNamespace(at)
    else if (dice < 0.96)
      this.#change(
        this.#namesWith(() => true),
        () => this.cache.invalidate({ all: true }),
      )
    else this.#change([at.name], () => at.view.delete(at.key))
  }

  #changeNamespace(at: Place): void {
    if (at.viewName === '') return
    const names = this.#namesWith((name) => name.startsWith(`${at.viewName}/`))
    if (this.#random() < 0.5) this.#change(names, () => this.cache.invalidate({ namespaces: [at.viewName] }))
    else this.#change(names, async () => at.view.bump())
  }

  #change(names: readonly string[], invalidate: () => Promise<unknown>): void {
    for (const name of names) this.#versions.set(name, this.#version(name) + 1)
    const raised = names.map((name) => [name, this.#version(name)] as const)
    void invalidate().then(() => {
      for (const [name, version] of raised) this.#floors.set(name, Math.max(this.#floors.get(name) ?? 0, version))
    })
  }

  #set(): void {
    const at = this.#place()
    this.#versions.set(at.name, this.#version(at.name) + 1)
    const datum = this.#datum(at.name)
    void at.view.set(at.key, datum, { budget: this.#budget(), tags: [tagOf(at.name)] }).then(() => {
      this.#floors.set(at.name, Math.max(this.#floors.get(at.name) ?? 0, datum.version))
    })
  }

  #soften(): void {
    const at = this.#place()
    void this.cache.invalidate({ tags: [tagOf(at.name)], soft: true })
  }

  #keepByHand(): void {
    const at = this.#place()
    const reading = at.view.begin(at.key)
    const budget = this.#budget()
    void this.#pause(80).then(() => {
      const datum = this.#datum(at.name)
      void this.#pause(80).then(() => reading.keep({ ...datum, readAt: datum.readAt }, { budget, tags: [tagOf(at.name)] }))
    })
  }

  async #load(name: string, context: LoadContext<Datum>): Promise<Datum> {
    const dice = this.#random()
    if (this.#random() < 0.5) await this.#pause(60)
    const datum = this.#datum(name)
    if (this.#random() < 0.6) await this.#pause(dice < 0.05 ? 1200 : 120)
    if (dice > 0.9) throw new Error('origin down')
    if (context.previous?.etag === String(datum.version) && this.#random() < 0.8) return context.notModified()
    context.etag(String(datum.version))
    context.tag(tagOf(name))
    if (dice > 0.85) context.skip()
    if (dice > 0.8 && dice < 0.85) context.setEnd(this.clock.wall() + 30)
    return datum
  }

  #judge(expected: Expectation, result: { data: Datum; cached: boolean; stale: boolean; ageMs: number }): void {
    const { data } = result
    this.#answers += 1
    if (result.cached) this.#cached += 1
    if (result.stale) this.#stale += 1
    if (data.name !== expected.name) this.#fail(`asked for ${expected.name}, got ${data.name}`)
    if (data.version < expected.atLeast)
      this.#fail(`${data.name}: got version ${data.version}, invalidated up to ${expected.atLeast}`)
    if (!result.cached) return
    const window = result.stale ? expected.budget.onError : expected.budget.fresh
    if (result.ageMs > window) this.#fail(`${data.name}: served at age ${result.ageMs} outside its window of ${window} ms`)
  }

  #expect(at: { view: Cache; key: string; name: string }, options: CallOptions): Expectation {
    const budget = (options.budget ?? { fresh: 60_000, stale: 60_000, onError: 60_000 }) as {
      fresh: number
      stale: number
      onError: number
    }
    return { name: at.name, atLeast: this.#floors.get(at.name) ?? 0, budget }
  }

  #datum(name: string): Datum {
    return { name, version: this.#version(name), readAt: this.clock.now() }
  }

  #version(name: string): number {
    return this.#versions.get(name) ?? 0
  }

  #namesWith(test: (name: string) => boolean): string[] {
    return VIEWS.flatMap((view) => Array.from({ length: KEYS }, (_, i) => `${view}/k${i}`)).filter(test)
  }

  #nameOf(view: Cache, key: string): string {
    return `${VIEWS[this.#views.indexOf(view)]}/${key}`
  }

  #place(): Place {
    const index = this.#random() < 0.5 ? 0 : Math.floor(this.#random() * VIEWS.length)
    const key = `k${Math.floor(this.#random() ** 2 * KEYS)}`
    const viewName = VIEWS[index] as string
    return { view: this.#views[index] as Cache, viewName, key, name: `${viewName}/${key}` }
  }

  #options(): CallOptions {
    const dice = this.#random()
    const budget = this.#budget()
    if (dice < 0.05) return { budget, skip: 'read' }
    if (dice < 0.08) return { budget, skip: 'write' }
    if (dice < 0.12) return { budget, signal: this.#signal() }
    return { budget }
  }

  #signal(): AbortSignal {
    const controller = new AbortController()
    this.clock.after(30 * this.#random(), () => controller.abort(new Error('caller gone')))
    return controller.signal
  }

  #budget(): { fresh: number; stale: number; onError: number } {
    const fresh = 20 + 400 * this.#random()
    const stale = fresh + 200 * this.#random()
    return { fresh, stale, onError: stale + 500 * this.#random() }
  }

  #pause(ms: number): Promise<void> {
    const wait = ms * this.#random()
    return new Promise((resolve) => void this.clock.after(wait, resolve))
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)] as T
  }

  #fail(what: string): void {
    this.#violations.push({ step: this.#step, what })
  }
}

interface Place {
  readonly view: Cache
  readonly viewName: string
  readonly key: string
  readonly name: string
}

/** Every key belongs to one group, across the views. */
function tagOf(name: string): string {
  return `group:${Number(name.slice(name.indexOf('/k') + 2)) % 5}`
}
