/**
 * One random schedule of coherence: readers and writers through a door, writers beside it, a tracking connection that is
 * slow, silent or cut, all in virtual time from one seed.
 */
import { createRandom, type Random } from '../../src/model/random.ts'
import { VirtualClock } from '../../src/model/virtual-clock.ts'
import type { Causality, Coherence, CoherenceParts } from '../../src/resp/coherence.ts'
import { Tracking } from '../../src/resp/tracking.ts'
import { Door, type DoorSession, type Spoilt } from './coherence-door.ts'
import { Judge } from './coherence-judge.ts'
import { ModelLibrary, type SpoiltLibrary } from './coherence-library.ts'
import { type Line, TrackedRedis } from './tracked-redis.ts'

/** What a schedule is run with. */
export interface ScheduleOptions {
  readonly causality: Causality
  readonly spoilt: Spoilt
  /** Makes the core, or one with a piece taken out. */
  readonly create: (parts: CoherenceParts) => Coherence
  readonly isClustered: boolean
  /** The server's threads send replies before the pushes of their turn. */
  readonly isThreaded: boolean
  /** A third client is the library of the process: it peeks, tags and invalidates. */
  readonly library?: SpoiltLibrary
}

/** What came of it. */
export interface Outcome {
  readonly hits: number
  readonly faults: readonly string[]
}

const MAX_STALE_MS = 20
const STEPS = 70
const KEYS = ['a', 'b', 'flag']
/** Of the steps, where there is one. */
const LIBRARY_SHARE = 0.4

/** See the module's header. */
export class Schedule {
  readonly #clock = new VirtualClock(1_000_000)
  readonly #random: Random
  readonly #redis: TrackedRedis
  readonly #judge: Judge
  readonly #tracking: Tracking
  readonly #sessions: readonly DoorSession[]
  readonly #direct: readonly Line[]
  readonly #isClustered: boolean
  readonly #library: ModelLibrary | undefined
  #value = 0

  constructor(seed: number, options: ScheduleOptions) {
    const random = createRandom(seed)
    const clock = this.#clock
    this.#random = random
    this.#isClustered = options.isClustered
    this.#redis = new TrackedRedis(clock, random, {
      isClustered: options.isClustered,
      isThreaded: options.isThreaded,
      slowestMs: random() < 0.3 ? 60 : 8,
    })
    this.#judge = new Judge(this.#redis, clock, { maxStaleMs: MAX_STALE_MS, isCausal: options.causality !== 'eventual' })
    this.#redis.onPush = (names, index) => this.#judge.pushed(names, index)
    const { causality, spoilt } = options
    const coherence = options.create({ clock, causality, maxStaleMs: MAX_STALE_MS, maxAgeMs: 3_600_000, slots: 1024 })
    this.#tracking = new Tracking({
      ...{ coherence, clock, random, port: this.#redis.port(), username: undefined, password: undefined, prefixes: [] },
      onState: () => undefined,
    })
    const door = new Door({ clock, random, redis: this.#redis, coherence, judge: this.#judge, spoilt })
    this.#sessions = [door.open(), door.open()]
    this.#direct = [this.#redis.connect(), this.#redis.connect()]
    const { library } = options
    if (library === undefined) return
    const around = { clock, random, coherence, judge: this.#judge }
    this.#library = new ModelLibrary({ ...around, session: door.open(), keys: KEYS, spoilt: library })
  }

  run(): Outcome {
    this.#tracking.open()
    this.#clock.advance(30)
    for (let i = 0; i < STEPS && this.#judge.faults.length === 0; i += 1) {
      this.#step()
      this.#clock.advance(this.#gap())
    }
    this.#tracking.close()
    return { hits: this.#judge.hits, faults: this.#judge.faults }
  }

  #gap(): number {
    const chance = this.#random()
    if (chance < 0.35) return 0
    if (chance < 0.97) return this.#random() * 3
    return this.#random() * 60
  }

  #step(): void {
    const random = this.#random
    if (this.#library !== undefined && random() < LIBRARY_SHARE) return this.#library.step(this.#next())
    const session = this.#pick(this.#sessions)
    const chance = random()
    if (chance < 0.78) session.get(this.#db(), random() < 0.15 ? ['a', 'b'] : [this.#pick(KEYS)])
    else if (chance < 0.84) this.#writeThrough(session)
    else if (chance < 0.94) this.#writeBeside(this.#pick(this.#direct))
    else if (chance < 0.955) this.#inOrder(this.#pick(this.#direct))
    else this.#mishap(session, random())
  }

  #writeThrough(session: DoorSession): void {
    const [random, db] = [this.#random, this.#db()]
    const chance = random()
    if (chance < 0.5) session.set(db, this.#pick(KEYS), { value: random() < 0.15 ? 0 : this.#next(), ...this.#time() })
    else if (chance < 0.65) session.set(db, 'flag', { value: this.#next(), nx: true })
    else if (chance < 0.8)
      session.script(db, [
        { key: 'a', value: this.#next() },
        { key: this.#pick(KEYS), value: this.#next() },
      ])
    else
      session.many(db, [
        { key: 'b', value: this.#next() },
        { key: 'flag', value: this.#next() },
      ])
  }

  #writeBeside(line: Line): void {
    const random = this.#random
    const chance = random()
    const nothing = (): void => undefined
    if (chance < 0.75) {
      const value = random() < 0.2 ? 0 : this.#next()
      line.ask({ kind: 'set', db: this.#db(), key: this.#pick(KEYS), value, ...this.#time() }, nothing)
    } else if (chance < 0.95) {
      const asks = KEYS.map((key) => ({ kind: 'set' as const, db: 0, key, value: this.#next() }))
      line.ask({ kind: 'many', asks }, nothing)
    } else line.ask({ kind: 'flush' }, nothing)
  }

  /** Data first, and once that is confirmed the flag that says so. */
  #inOrder(line: Line): void {
    line.ask({ kind: 'set', db: 0, key: 'a', value: this.#next() }, () => {
      line.ask({ kind: 'set', db: 0, key: 'flag', value: this.#next() }, () => undefined)
    })
  }

  #mishap(session: DoorSession, chance: number): void {
    const random = this.#random
    if (chance < 0.1) this.#redis.disturb('cut', 0)
    else if (chance < 0.25) this.#redis.disturb('silent', random() * (random() < 0.3 ? 3000 : 60))
    else if (chance < 0.4) session.cut()
    else if (chance < 0.45)
      session.flush(
        'flush',
        KEYS.map((key) => `0 ${key}`),
      )
    else if (chance < 0.5 && !this.#isClustered) this.#swap(session)
    else if (chance < 0.6) this.#redis.expireSome()
    else if (chance < 0.7 && this.#isClustered) this.#move()
    else if (chance < 0.85 && this.#isClustered && this.#redis.hasMoved) this.#redis.writeElsewhere('b', this.#next())
    else this.#clock.advance(random() * 40)
  }

  /** Absent, often, and then written by its new owner. */
  #move(): void {
    this.#redis.move('b')
    this.#clock.after(this.#random() * 5, () => this.#redis.writeElsewhere('b', this.#next()))
  }

  /** Perhaps on a connection that is lost right behind. */
  #swap(session: DoorSession): void {
    session.flush(
      'swap',
      KEYS.flatMap((key) => [`0 ${key}`, `1 ${key}`]),
    )
    if (this.#random() < 0.5) return
    session.cut()
    for (const one of this.#sessions) one.get(0, [this.#pick(KEYS)])
  }

  #db(): number {
    return this.#isClustered || this.#random() < 0.8 ? 0 : 1
  }

  #time(): { px?: number } {
    return this.#random() < 0.3 ? { px: 1 + Math.floor(this.#random() * 15) } : {}
  }

  #next(): number {
    this.#value += 1
    return this.#value
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)] as T
  }
}

/** Runs schedules of consecutive seeds until one fails. @returns how many were run, hits, and the failing one's seed and faults */
export function runSchedules(
  count: number,
  firstSeed: number,
  options: ScheduleOptions,
): { readonly run: number; readonly hits: number; readonly seed?: number; readonly faults?: readonly string[] } {
  let hits = 0
  for (let i = 0; i < count; i += 1) {
    const outcome = new Schedule(firstSeed + i, options).run()
    hits += outcome.hits
    if (outcome.faults.length > 0) return { run: i + 1, hits, seed: firstSeed + i, faults: outcome.faults }
  }
  return { run: count, hits }
}
