/**
 * A door in the model: readers and writers on connections of their own, a plain map of values, the real core.
 *
 * It asks the core what it has to and nothing else, as the front and the hook do; each piece can be spoilt (`Spoilt`), so that a
 * test can see whether its loss is noticed.
 */
import type { Random } from '../../src/model/random.ts'
import type { VirtualClock } from '../../src/model/virtual-clock.ts'
import type { Coherence, Written } from '../../src/resp/coherence.ts'
import type { Fill } from '../../src/resp/coherence-fill.ts'
import { hashText } from '../../src/resp/coherence-hash.ts'
import { Reader } from '../../src/resp/coherence-reader.ts'
import { type Judge, Knowledge } from './coherence-judge.ts'
import type { Ask, Line, Told, TrackedRedis } from './tracked-redis.ts'

/** What a value is kept with. */
interface Entry {
  readonly values: readonly number[]
  readonly hashes: readonly number[]
  readonly token: number
  readonly fence: number
  readonly deadlineMs: number
  /** Invalidations before it was asked for. */
  readonly since: number
}

/** Duties of a door that can be left out. */
export type Spoilt = 'no time' | 'late store' | 'stored unseen' | 'nothing' | 'no void' | 'join whatever'

/** What a door is made of. */
export interface DoorParts {
  readonly clock: VirtualClock
  readonly random: Random
  readonly redis: TrackedRedis
  readonly coherence: Coherence
  readonly judge: Judge
  readonly spoilt: Spoilt
}

interface Flight {
  readonly fill: Fill
  readonly since: number
  readonly followers: ((told: Told) => void)[]
}

/** Shared by all readers of the process. */
export class Door {
  readonly parts: DoorParts
  readonly store = new Map<string, Entry>()
  readonly flights = new Map<string, Flight>()

  constructor(parts: DoorParts) {
    this.parts = parts
    parts.coherence.onVoid(() => this.store.clear())
  }

  open(): DoorSession {
    return new DoorSession(this, this.parts.redis.connect())
  }
}

/** One client of the door. */
export class DoorSession {
  readonly reader = new Reader()
  readonly knowledge = new Knowledge()
  /** Runs when this client is told anything, by memory or by the server. */
  onTold: () => void = () => undefined
  readonly #door: Door
  #line: Line
  #open = new Set<(isLost: boolean) => void>()

  constructor(door: Door, line: Line) {
    this.#door = door
    this.#line = line
  }

  get(db: number, keys: readonly string[]): void {
    const { coherence, clock, judge, spoilt } = this.#door.parts
    const name = `${db} ${keys.join(' ')}`
    const now = clock.now()
    const entry = this.#door.store.get(name)
    const may = coherence.mayHit(this.reader, now)
    if (
      may &&
      entry !== undefined &&
      entry.deadlineMs > now &&
      entry.hashes.every((hash) => coherence.stands(hash, entry.token))
    ) {
      for (const [i, key] of keys.entries()) {
        judge.believed(key, entry.since)
        judge.shown(this.knowledge, { db, key, value: entry.values[i] as number })
      }
      coherence.served(this.reader, entry.fence)
      this.onTold()
      return
    }
    const flight = this.#door.flights.get(name)
    if (flight !== undefined && (spoilt === 'join whatever' || coherence.mayJoin(this.reader, flight.fill))) {
      const { known, own } = this.knowledge
      const owned = keys.map((key) => own.get(`${db} ${key}`) ?? 0)
      for (const key of keys) judge.believed(key, flight.since)
      flight.followers.push(({ values }) => {
        coherence.learned(this.reader)
        for (const [i, key] of keys.entries()) {
          const of = { db, key, value: values[i] as number }
          judge.joined(of, { known, own: owned[i] as number })
          judge.learns(this.knowledge, of)
        }
        this.onTold()
      })
      return
    }
    this.#read(db, keys, name)
  }

  /** What memory holds, as another reader of the same client is shown it; nothing is asked. */
  peek(reader: Reader, db: number, key: string): void {
    const { coherence, clock, judge } = this.#door.parts
    const entry = this.#door.store.get(`${db} ${key}`)
    const now = clock.now()
    if (entry === undefined || entry.deadlineMs <= now || !coherence.mayHit(reader, now)) return
    if (!entry.hashes.every((hash) => coherence.stands(hash, entry.token))) return
    if (coherence.served(reader, entry.fence)) return
    judge.believed(key, entry.since)
    judge.shown(this.knowledge, { db, key, value: entry.values[0] as number })
  }

  set(db: number, key: string, write: { readonly value: number; readonly px?: number; readonly nx?: boolean }): void {
    const { coherence } = this.#door.parts
    const isTeaching = write.nx === true
    if (isTeaching && this.#door.parts.random() < 0.3) coherence.enliven(hashText(key))
    const isOrdering = coherence.isOrdering('write', isTeaching)
    const name = `${db} ${key}`
    this.#write({ kind: 'set', db, key, ...write }, { written: hashText(key), isOrdering, isTeaching, names: [name] })
  }

  /** Its keys are not declared. */
  script(db: number, writes: readonly { readonly key: string; readonly value: number }[]): void {
    const asks: Ask[] = writes.map((write) => ({ kind: 'set', db, ...write }))
    this.#write(
      { kind: 'many', asks },
      { written: [], isOrdering: true, isTeaching: true, names: writes.map(({ key }) => `${db} ${key}`) },
    )
  }

  /** MULTI and EXEC, or MSET: its keys are known. */
  many(db: number, writes: readonly { readonly key: string; readonly value: number }[]): void {
    const asks: Ask[] = writes.map((write) => ({ kind: 'set', db, ...write }))
    const written = writes.map(({ key }) => hashText(key))
    this.#write(
      { kind: 'many', asks },
      { written, isOrdering: true, isTeaching: true, names: writes.map(({ key }) => `${db} ${key}`) },
    )
  }

  flush(kind: 'flush' | 'swap', names: readonly string[]): void {
    this.#write({ kind }, { written: 'everything', isOrdering: true, isTeaching: false, names })
  }

  /** The connection to the upstream is lost with all that is under way; another takes its place. */
  cut(): void {
    this.#line.cut()
    for (const over of [...this.#open]) over(true)
    this.#open = new Set()
    this.#line = this.#door.parts.redis.connect()
  }

  #read(db: number, keys: readonly string[], name: string): void {
    const { coherence, clock, judge, spoilt, random } = this.#door.parts
    const fill = coherence.begin(this.reader, keys.map(hashText), clock.now())
    const since = judge.invalidations
    const flight: Flight | undefined = fill === undefined ? undefined : { fill, since, followers: [] }
    if (flight !== undefined) this.#door.flights.set(name, flight)
    const over = (): void => {
      fill?.void()
      if (flight !== undefined && this.#door.flights.get(name) === flight) this.#door.flights.delete(name)
      this.#open.delete(over)
    }
    this.#open.add(over)
    let values: readonly number[] = []
    this.#line.ask({ kind: 'get', db, keys }, (told) => {
      values = told.values
      if (told.isMoved) {
        coherence.redirected()
        fill?.void()
        coherence.learned(this.reader)
        return
      }
      if (fill !== undefined) {
        coherence.read(fill)
        fill.replied(values.map((value) => value === 0))
      }
      if (!this.#isKnown(name, values, fill)) coherence.learned(this.reader)
      for (const [i, key] of keys.entries()) judge.learns(this.knowledge, { db, key, value: values[i] as number })
      this.onTold()
      for (const follower of flight?.followers ?? []) follower(told)
      if (fill === undefined) over()
    })
    if (fill === undefined) return
    for (const [i, key] of keys.entries()) {
      this.#line.ask({ kind: 'pttl', db, key }, ({ values: [pttl] }) => {
        fill.time(spoilt === 'no time' && (pttl as number) >= 0 ? -1 : (pttl as number))
        if (i < keys.length - 1) return
        const store = (): void => {
          const { hashes, token, fence, deadlineMs } = fill
          this.#door.store.set(name, { values, hashes: hashes as readonly number[], token, fence, deadlineMs, since })
        }
        const keeps = coherence.keeps(fill, clock.now()) || (spoilt === 'stored unseen' && !fill.isVoid)
        // A promise between the reply and the store, and the token taken when it is kept.
        if (keeps && spoilt === 'late store') clock.after(random() * 3, () => this.#storeAnew(name, values, fill))
        else if (keeps && spoilt === 'stored unseen') this.#storeAnew(name, values, fill)
        else if (keeps) store()
        over()
      })
    }
  }

  /** Spoilt: under a token of now. */
  #storeAnew(name: string, values: readonly number[], fill: Fill): void {
    const { coherence } = this.#door.parts
    const token = coherence.state().changes
    this.#door.store.set(name, {
      values,
      hashes: fill.hashes as readonly number[],
      token,
      fence: fill.fence,
      deadlineMs: fill.deadlineMs,
      since: this.#door.parts.judge.invalidations,
    })
  }

  /** Memory holds these very values: they tell nothing new, but what they told was known behind their own fence. */
  #isKnown(name: string, values: readonly number[], fill: Fill | undefined): boolean {
    const { coherence, clock } = this.#door.parts
    const entry = this.#door.store.get(name)
    if (entry === undefined || entry.deadlineMs <= clock.now() || entry.values.some((value, i) => value !== values[i]))
      return false
    if (!entry.hashes.every((hash) => coherence.stands(hash, entry.token))) return false
    if (fill !== undefined) fill.fence = entry.fence
    coherence.served(this.reader, entry.fence)
    return true
  }

  #write(ask: Ask, how: { written: Written; isOrdering: boolean; isTeaching: boolean; names: readonly string[] }): void {
    const { coherence, judge } = this.#door.parts
    const { written, isOrdering, isTeaching, names } = how
    const { own, underWay } = this.knowledge
    coherence.forwarded(written)
    if (isOrdering) coherence.forwardedUnknown(this.reader)
    for (const name of names) underWay.set(name, (underWay.get(name) ?? 0) + 1)
    const over = (isLost: boolean): void => {
      this.#open.delete(over)
      if (isLost) coherence.lost(written)
      else coherence.answered(written)
      if (isOrdering) coherence.answeredUnknown(this.reader)
      for (const name of names) underWay.set(name, (underWay.get(name) as number) - 1)
    }
    this.#open.add(over)
    this.#line.ask(ask, (told) => {
      over(false)
      if (told.isMoved) return coherence.redirected()
      const relay = (): void => {
        for (const name of names) {
          own.set(name, told.index)
          // What a script wrote beside its keys is promised to its own client alone, but in `strict`.
          if (
            written === 'everything' ||
            (Array.isArray(written) ? written.length > 0 : true) ||
            coherence.causality === 'strict'
          ) {
            judge.confirmed(name, told.index)
          }
        }
        if (isTeaching) this.knowledge.known = Math.max(this.knowledge.known, told.index)
        this.onTold()
      }
      const fence = isTeaching ? coherence.learned(this.reader) : 0
      if (fence > 0) coherence.whenProven(fence, relay)
      else relay()
    })
  }
}
