/**
 * Replays a trace on the product's own library in virtual time: who waited, what the origin was asked for, what warming bought.
 *
 * Loads take LOAD_MS. Nothing of the product is imitated: the trace's requests are calls of `fetch`, time goes by between them.
 */
import { type Cache, createCache } from '../../src/flow/cache.ts'
import type { CacheOptions } from '../../src/flow/options.ts'
import { createRandom } from '../../src/model/random.ts'
import { createVirtualClock, settle } from '../../src/model/virtual-clock.ts'
import type { Timed } from '../predict/replay.ts'

/** How a trace is lived through. */
export interface Course {
  readonly ttlMs: number
  /** Share of the trace that is not judged. */
  readonly learn: number
  /** Everything is invalidated once in so long, ms; 0: never. */
  readonly bumpEveryMs: number
  /** Wall clock of the first request; what is expected of an hour goes by it. */
  readonly startMs: number
  readonly warming: CacheOptions['warming']
}

/** What came of it, of the judged part. */
export interface Lived {
  readonly requests: number
  /** Waited for a load. */
  readonly waited: number
  /** Of them, within FIRST_MS after an invalidation. */
  readonly waitedFirst: number
  readonly requestsFirst: number
  readonly origin: number
  readonly warmed: Readonly<Record<'bump' | 'rhythm' | 'quiet', number>>
  readonly read: number
  readonly wasted: number
}

const LOAD_MS = 100
const STEP_MS = 5000
const FIRST_MS = 60_000

interface Counted {
  requests: number
  waited: number
  waitedFirst: number
  requestsFirst: number
}

/** One life through a trace. */
class Life {
  readonly #clock
  readonly #cache: Cache
  readonly #course: Course
  #origin = 0
  #bumpedAtMs = Number.NEGATIVE_INFINITY

  constructor(course: Course) {
    this.#course = course
    this.#clock = createVirtualClock(course.startMs)
    const { warming, ttlMs } = course
    this.#cache = createCache({
      clock: this.#clock,
      random: createRandom(1),
      budget: ttlMs,
      warming,
      memory: { maxBytes: '1GiB' },
    })
  }

  async run({ ids, atMs }: Timed): Promise<Lived> {
    const first = Math.floor(ids.length * this.#course.learn)
    const counted: Counted = { requests: 0, waited: 0, waitedFirst: 0, requestsFirst: 0 }
    let before = this.#figures()
    for (let at = 0; at < ids.length; at += 1) {
      await this.#pass(this.#course.startMs + (atMs[at] as number))
      if (at === first) {
        Object.assign(counted, { requests: 0, waited: 0, waitedFirst: 0, requestsFirst: 0 })
        before = this.#figures()
      }
      this.#ask(ids[at] as number, counted)
      await settle(4)
    }
    await this.#pass(this.#clock.now() + this.#course.ttlMs) // what was warmed last has its time
    const after = this.#figures()
    const less = (name: keyof typeof after): number => after[name] - before[name]
    const warmed = { bump: less('warmBump'), rhythm: less('warmRhythm'), quiet: less('warmQuiet') }
    await this.#cache.close()
    return { ...counted, origin: less('origin'), warmed, read: less('warmRead'), wasted: less('warmWasted') }
  }

  #ask(id: number, counted: Counted): void {
    const isFirst = this.#clock.now() - this.#bumpedAtMs < FIRST_MS
    counted.requests += 1
    if (isFirst) counted.requestsFirst += 1
    const load = (): Promise<number> => {
      this.#origin += 1
      return new Promise((resolve) => void this.#clock.after(LOAD_MS, () => resolve(id)))
    }
    void this.#cache.fetch(String(id), { tags: ['all'] }, load).then(({ cached }) => {
      if (cached) return
      counted.waited += 1
      if (isFirst) counted.waitedFirst += 1
    })
  }

  /** Time goes by, in steps that loads under way can follow. */
  async #pass(untilMs: number): Promise<void> {
    const { bumpEveryMs, startMs } = this.#course
    while (this.#clock.now() < untilMs) {
      const { refreshes, flights } = this.#cache.engine
      const stepMs = refreshes.size + flights.size > 0 ? LOAD_MS : STEP_MS
      const last = this.#clock.now()
      this.#clock.advance(Math.min(stepMs, untilMs - last))
      await settle(12)
      if (
        bumpEveryMs === 0 ||
        Math.floor((this.#clock.now() - startMs) / bumpEveryMs) === Math.floor((last - startMs) / bumpEveryMs)
      )
        continue
      this.#cache.engine.invalidate({ tags: ['all'] })
      this.#bumpedAtMs = this.#clock.now()
    }
  }

  #figures(): Record<'origin' | 'warmBump' | 'warmRhythm' | 'warmQuiet' | 'warmRead' | 'warmWasted', number> {
    const { meter } = this.#cache.engine
    const [warmBump, warmRhythm, warmQuiet] = [meter.read('warmBump'), meter.read('warmRhythm'), meter.read('warmQuiet')]
    return {
      origin: this.#origin,
      warmBump,
      warmRhythm,
      warmQuiet,
      warmRead: meter.read('warmRead'),
      warmWasted: meter.read('warmWasted'),
    }
  }
}

export function live(requests: Timed, course: Course): Promise<Lived> {
  return new Life(course).run(requests)
}
