/**
 * forecache on one node of a drill: the engine, its memory, fence and flights, the shared log, the follower and the judging of the
 * second level as they ship; what is restated here is only who is called after whom, as src/flow/fetch.ts, src/tier/stream-link.ts and
 * src/tier/remote.ts do with promises. test/model/drill-whole.test.ts runs both on the same schedules and compares every answer.
 */
import { Engine } from '../../../src/flow/engine.ts'
import type { Fill, SharedStamp } from '../../../src/flow/fill.ts'
import type { Follow, Lead } from '../../../src/flow/flight.ts'
import { promote } from '../../../src/flow/keep.ts'
import { resolveSettings } from '../../../src/flow/options.ts'
import { SecondLevel } from '../../../src/flow/second-level.ts'
import type { SharedLog } from '../../../src/flow/shared-log.ts'
import type { Budget } from '../../../src/model/budget.ts'
import type { Clock, Timer } from '../../../src/model/clock.ts'
import type { Entry } from '../../../src/model/entry.ts'
import type { FenceLink, LinkDraft, LinkReceiver, Settled } from '../../../src/model/link.ts'
import type { Target } from '../../../src/model/log.ts'
import { nextStep } from '../../../src/model/verdict.ts'
import { type Batch, Follower } from '../../../src/tier/follower.ts'
import type { Acknowledgement, LogRow, Proof } from '../../../src/tier/log-store.ts'
import type { RemotePort } from '../../../src/tier/remote-port.ts'
import { StoreClock } from '../../../src/tier/store-clock.ts'
import { ACK_MS, BLIND_MS, BUDGET_MS, KEYS, type Member, type Reading, type World, type Writing } from './world.ts'
import type { Cell } from './lean-cells.ts'
import type { Word } from './lean-log.ts'

/** What may be broken on purpose. */
export type Sabotage = (node: DrillNode) => void

const SETTINGS = resolveSettings({ memory: { maxBytes: '64KiB' } })
export const BUDGET: Budget = { freshMs: 700, staleMs: 900, onErrorMs: BUDGET_MS }
export const TAGS: readonly (readonly string[])[] = KEYS.map((key) => [`t:${key}`, 'all-of-them'])
const NO_TAGS: readonly string[] = []
const RETRY_MS = 20
const SLEPT = 1.25
const READ_MS = 50
const WRITE_MS = 100
const TOKEN_MS = 150
const REJOINS = 3
const LOST = new Error('lost')
/** Longer ones never come due in a drill. */
const NEVER_MS = 999
const NEVER = Number.POSITIVE_INFINITY
const NO_TIMER: Timer = { cancel: () => {} }

interface Alarm extends Timer {
  at: number
  run: () => void
}

interface Load {
  readonly lead: Lead<number>
  readonly leader: Reading | undefined
  readonly waiting: { readonly reading: Reading; readonly follow: Follow<number>; readonly attempt: number }[]
}

interface Upto {
  readonly target: number
  readonly generation: string
  readonly endAt: number
  readonly then: (hasCome: boolean) => void
}

/** Records that are being read. */
interface Page {
  isOver: boolean
  hasMoved: boolean
  readonly waiting: ((hasMoved: boolean) => void)[]
}

/** A second level that asks and writes by the world's questions. */
class DrillSecond extends SecondLevel {
  node: DrillNode | undefined

  override offer({ shared }: Fill, entry: Entry): void {
    if (shared !== undefined) this.node?.writeSecond(shared, entry)
  }

  override forget(targets: readonly Target[]): void {
    for (const target of targets) if (target.kind === 'key') this.node?.dropSecond(target.key)
  }
}

const NO_REMOTE = { isUp: true } as RemotePort

/** See the module's header. */
export class DrillNode implements Member {
  readonly name: string
  readonly engine: Engine
  readonly world: World
  life = 0
  isPaused = false
  isCut = false
  follower!: Follower
  shared!: SharedLog
  second: DrillSecond
  readonly link: FenceLink
  /** For sabotage: the asOf of a load is taken when it ends. */
  takesAsOfLate = false
  readonly #clock: Clock
  readonly #sabotage: Sabotage | undefined
  #storeClock = new StoreClock(BUDGET_MS)
  #storeRun = 0
  #alarms: Alarm[] = []
  #loads: Load[] = []
  #pulls = new Map<string, ((found: boolean) => void)[]>()
  #page: Page | undefined
  #reproving: (() => void)[] | undefined
  #isPumping = false
  #beatAt = 0
  #watchAt = 0
  #listenAt = 0
  #retryAt = 0
  #heardWord = 0
  #failedAskedAt = 0
  /** It was blind until then. */
  #blindUntil = 0
  /** It has just begun, and has not seen the log yet. */
  #isYoung = true
  #onSettled: ((settled: Settled) => void) | undefined
  #memberName = ''

  constructor(world: World, name: string, sabotage?: Sabotage) {
    this.world = world
    this.name = name
    this.#sabotage = sabotage
    this.#clock = this.#createClock()
    this.engine = new Engine({ ...SETTINGS, clock: this.#clock, random: () => 0.5 })
    this.second = this.#createSecond()
    const node = this
    this.link = {
      get generation() {
        return node.follower.generation
      },
      start: (receiver) => this.#begin(receiver),
      publish: (draft) => this.#publish(draft),
      pending: () => this.follower.pending(),
    }
  }

  // ── a life

  start(): void {
    const { world, engine } = this
    this.#alarms.length = 0
    this.#loads = []
    this.#pulls.clear()
    this.#page = undefined
    this.#reproving = undefined
    this.#isPumping = false
    this.#listenAt = this.#retryAt = Number.POSITIVE_INFINITY
    this.#heardWord = 0
    this.#failedAskedAt = this.#blindUntil = Number.NEGATIVE_INFINITY
    this.#isYoung = true
    this.#storeClock = new StoreClock(BUDGET_MS)
    this.#storeRun = 0
    engine.memory.clear()
    engine.memory.veil(false)
    engine.flights.close()
    engine.flights.alone = false
    engine.fence.append(ALL, false, 'begin')
    Object.assign(engine, { second: world.settings.hasSecond ? this.second : undefined })
    this.#memberName = `${this.name}.${this.life}`
    this.follower = new Follower({
      clock: this.#clock,
      store: {
        member: this.#memberName,
        acknowledge: (to) => {
          this.#acknowledge(to)
          return DONE
        },
      },
      blindAfterMs: BLIND_MS,
      ackMs: ACK_MS,
      onSight: (sees) => {
        if (sees) this.#blindUntil = world.now
        if (!sees) this.#isYoung = false
      },
    })
    this.shared = engine.join(this.link, world.settings.policy)
    this.#sabotage?.(this)
  }

  stop(): void {
    const { counts } = this.world
    counts.blind += this.follower.counts.blind
    counts.renewed += this.follower.counts.renewed
  }

  shouldHaveSeen(begunAt: number): string | undefined {
    if (!this.follower.isBlind && this.#blindUntil < begunAt) return 'which it could have seen'
    const isSick = this.#failedAskedAt >= begunAt - this.follower.everyMs * 3 - READ_MS
    return isSick || this.#isYoung ? undefined : 'blind, though nothing that it asked has failed'
  }

  hasApplied({ token }: Writing): boolean {
    return token !== undefined && this.shared.hasReached(token)
  }

  /** Timers that are due. */
  tick(): void {
    const { now } = this.world
    for (let i = this.#alarms.length - 1; i >= 0; i -= 1) {
      const alarm = this.#alarms[i]
      if (alarm === undefined || (alarm.at > now && alarm.at < NEVER)) continue
      this.#alarms.splice(i, 1)
      if (alarm.at <= now) alarm.run()
    }
    if (this.#beatAt <= now) this.#beat()
    if (this.#watchAt <= now) this.#watch()
    if (this.#listenAt <= now) this.#listen()
    if (this.#retryAt <= now) this.#append()
  }

  // ── the log, as stream-link

  #begin(receiver: LinkReceiver): 0 {
    this.follower.begin(receiver)
    this.#beat()
    this.#watchAt = this.world.now + BLIND_MS
    this.#listen()
    return 0
  }

  #publish(draft: LinkDraft): Promise<Settled> {
    const thens: ((settled: Settled) => unknown)[] = []
    if (this.#onSettled !== undefined) thens.push(this.#onSettled)
    this.follower.publish(draft, (settled) => {
      for (const then of thens) then(settled)
    })
    this.#pump()
    // As a promise that runs what waits at once.
    const settled = { then: (run: (settled: Settled) => unknown) => (thens.push(run), settled) }
    return settled as unknown as Promise<Settled>
  }

  #beat(): void {
    this.#prove(NOTHING)
    this.#beatAt = this.world.now + this.follower.everyMs
  }

  #watch(): void {
    const leftMs = this.follower.provenUntil - this.world.now
    this.#watchAt = this.world.now + (leftMs > 0 ? leftMs : this.follower.everyMs)
    if (leftMs > 0 || this.follower.isBlind) return
    this.follower.doubt()
    this.#reprove(() => {})
  }

  #prove(then: (sees: boolean) => void): void {
    const { follower, world } = this
    const asked = follower.ask()
    let isOver = false
    const end = (sees: boolean): void => {
      if (isOver) return
      isOver = true
      patience.cancel()
      if (!sees) {
        this.#failedAskedAt = Math.max(this.#failedAskedAt, asked.at)
        follower.unproven(asked)
      }
      then(sees)
    }
    const patience = this.#clock.after(follower.everyMs, () => end(false))
    const look = (): void => {
      this.#pump()
      end(follower.look())
    }
    world.ask<Proof>(this, 'prove', {
      ms: BLIND_MS,
      serve: () => world.log.prove(this.#memberName),
      hear: (proof) => {
        if (follower.proven(proof, asked) === 'behind') this.#readUpTo(proof.last, BLIND_MS, look)
        else look()
      },
      fail: () => {
        follower.trouble(LOST)
        end(false)
      },
    })
  }

  #reprove(then: () => void): void {
    if (this.#reproving !== undefined) {
      this.#reproving.push(then)
      return
    }
    this.#reproving = [then]
    this.#askAgain(true)
  }

  #askAgain(isFirst: boolean): void {
    const askedAt = this.world.now
    this.#prove((sees) => {
      if (!sees && isFirst && this.world.now - askedAt > this.follower.everyMs * SLEPT) return this.#askAgain(false)
      if (!sees) {
        this.#failedAskedAt = Math.max(this.#failedAskedAt, askedAt)
        this.follower.goBlind(askedAt)
      }
      const waiting = this.#reproving ?? []
      this.#reproving = undefined
      for (const then of waiting) then()
    })
  }

  #listen(): void {
    const { follower, world } = this
    this.#listenAt = Number.POSITIVE_INFINITY
    if (follower.generation === '') {
      this.#listenAt = world.now + follower.everyMs / 10
      return
    }
    const after = follower.position
    world.ask<{ readonly rows: readonly LogRow[]; readonly words: readonly Word[] }>(this, 'listen', {
      ms: BLIND_MS / 2 + WRITE_MS,
      serve: () => {
        const rows = world.log.read(after)
        const words = world.log.words(this.#memberName, this.#heardWord)
        if (rows.length === 0 && words.length === 0) return undefined
        return { rows, words }
      },
      hear: ({ rows, words }) => {
        this.#heardWord = words.at(-1)?.id ?? this.#heardWord
        const acknowledgements = words.map(({ word }) => word)
        this.#heard(rows, acknowledgements)
      },
      fail: () => {
        follower.trouble(LOST)
        this.#listenAt = world.now + RETRY_MS
      },
    })
  }

  #heard(rows: readonly LogRow[], acknowledgements: readonly Acknowledgement[]): void {
    const { follower } = this
    const following = follower.take(rows)
    if (following !== 'gap' && following !== 'other') {
      follower.hear(acknowledgements)
      this.#listen()
      return
    }
    this.#prove(() => {
      const isOther = follower.take(rows) === 'other'
      follower.hear(acknowledgements)
      if (isOther) this.#listenAt = this.world.now + RETRY_MS
      else this.#listen()
    })
  }

  #acknowledge(to: ReadonlyMap<string, Acknowledgement>): void {
    const { log } = this.world
    const serve = (): null => {
      for (const [member, word] of to) log.tell(member, word)
      return null
    }
    this.world.ask(this, 'acknowledge', { ms: this.follower.everyMs, serve })
  }

  #pump(): void {
    if (this.#isPumping || this.follower.generation === '') return
    this.#isPumping = true
    this.#append()
  }

  #append(): void {
    const { follower, world } = this
    this.#retryAt = Number.POSITIVE_INFINITY
    if (follower.waiting === 0) {
      this.#isPumping = false
      return
    }
    const batch: Batch = follower.batch()
    const again = (): void => void (this.#retryAt = world.now + RETRY_MS)
    world.ask(this, 'append', {
      ms: BLIND_MS,
      serve: () => world.log.append(this.#memberName, batch.generation, batch.texts),
      hear: (appended) => {
        if (follower.appended(batch, appended) === 'done') this.#append()
        else this.#prove((sees) => (sees && follower.generation !== batch.generation ? this.#append() : again()))
      },
      fail: () => {
        follower.trouble(LOST)
        again()
      },
    })
  }

  #readUpTo(target: number, ms: number, then: (hasCome: boolean) => void): void {
    this.#readOn({ target, generation: this.follower.generation, endAt: this.world.now + ms, then })
  }

  #readOn(upto: Upto): void {
    const { follower, world } = this
    if (follower.position >= upto.target) return upto.then(follower.generation === upto.generation)
    const leftMs = upto.endAt - world.now
    if (leftMs <= 0 || follower.generation !== upto.generation) return upto.then(false)
    const isShared = this.#page !== undefined
    const page = (this.#page ??= this.#readPage(leftMs))
    let isOver = false
    const on = (hasMoved: boolean): void => {
      if (isOver) return
      isOver = true
      patience.cancel()
      if (page.isOver && !hasMoved && !isShared) return upto.then(false)
      if (this.#page === page) this.#page = undefined
      this.#readOn(upto)
    }
    const patience = this.#clock.after(Math.min(leftMs, follower.everyMs), () => on(false))
    if (page.isOver) on(page.hasMoved)
    else page.waiting.push(on)
  }

  #readPage(ms: number): Page {
    const { follower, world } = this
    const { position, generation } = follower
    const page: Page = { isOver: false, hasMoved: false, waiting: [] }
    const end = (hasMoved: boolean): void => {
      page.isOver = true
      page.hasMoved = hasMoved
      for (const on of page.waiting) on(hasMoved)
    }
    world.ask<readonly LogRow[]>(this, 'read', {
      ms,
      serve: () => world.log.read(position),
      hear: (rows) => end(follower.takePage(rows, { position, generation })),
      fail: () => {
        follower.trouble(LOST)
        end(false)
      },
    })
    return page
  }

  // ── the second level, as remote and second-level

  writeSecond({ generation, asOf }: SharedStamp, { key, value, tags, storedAt }: Entry): void {
    const { world } = this
    const store = this.#storeClock
    const asked = world.now
    if (!store.isKnown || !(storedAt + BUDGET_MS > asked)) return
    const given = {
      ...{
        generation: `${generation}.${this.#storeRun}`,
        asOf,
        storedAt: Math.floor(store.at(storedAt)),
        ageMs: Math.max(0, Math.ceil(asked - storedAt)),
      },
      ...{ lifeMs: BUDGET_MS, version: value as number, tags },
    }
    world.ask<readonly [number, number]>(this, `write ${key}`, {
      ms: WRITE_MS,
      serve: () => {
        world.entries.write(key, given, world.time())
        return [world.time(), world.log.run]
      },
      hear: ([time, run]) => this.#observe(time, run, asked),
    })
  }

  dropSecond(key: string): void {
    const { cells } = this.world.entries
    this.world.ask(this, `drop ${key}`, { ms: WRITE_MS, serve: () => (cells.delete(key), null) })
  }

  #observe(time: number, run: number, asked: number): void {
    if (run !== this.#storeRun) this.#storeClock = new StoreClock(BUDGET_MS)
    this.#storeRun = run
    this.#storeClock.observe(time, asked, this.world.now)
  }

  #pull(key: string, then: (found: boolean) => void): void {
    const { world, second } = this
    const waiting = this.#pulls.get(key)
    if (waiting !== undefined) {
      waiting.push(then)
      return
    }
    if (second.stamp() === undefined) return then(false)
    this.#pulls.set(key, [then])
    const [asked, known] = [world.now, this.#storeRun]
    world.ask<readonly [number, number, Cell | undefined]>(this, `look for ${key}`, {
      ms: READ_MS,
      serve: () => [world.time(), world.log.run, world.entries.read(key, world.time())],
      hear: ([time, run, cell]) => {
        this.#observe(time, run, asked)
        // By the clock of another run nothing can be said of an age.
        const name = `.${run}`
        const isSure =
          cell !== undefined && (known === run || known === 0) && cell.generation.endsWith(name) && cell.storedAt <= time
        if (!isSure) return this.#pulled(key, false)
        const storedAt = this.#storeClock.steadyOf(cell.storedAt, time, asked)
        this.#pulled(key, this.#admit(key, { ...cell, generation: cell.generation.slice(0, -name.length) }, storedAt))
      },
      fail: () => this.#pulled(key, false),
    })
  }

  #pulled(key: string, found: boolean): void {
    const waiting = this.#pulls.get(key) ?? []
    this.#pulls.delete(key)
    for (const then of waiting) then(found)
  }

  #admit(key: string, { tags, generation, asOf, version }: Cell, storedAt: number): boolean {
    const reading = { key, namespace: 0, tags, generation, asOf, storedAt }
    const outcome = this.second.admit(reading, { kind: 'value', budget: BUDGET }, () => ({ value: version, bytes: 8 }))
    if (outcome === 'l2Hits') this.world.counts.second += 1
    return outcome === 'l2Hits'
  }

  // ── requests, as fetch

  read(reading: Reading): void {
    const { now } = this.world
    const isSure = reading.token === undefined && now < this.engine.seesUntil
    if (isSure) this.#answer(reading)
    else if (now >= this.engine.seesUntil && this.shared.mustReprove) this.#reprove(() => this.#reach(reading))
    else this.#reach(reading)
  }

  #reach(reading: Reading): void {
    const token = reading.token?.token
    if (token === undefined || this.mayServe(token)) return this.#answer(reading)
    const place = this.shared.placeOf(token)
    if (place === undefined) return this.#alone(reading)
    this.#readUpTo(place, TOKEN_MS, () => (this.mayServe(token) ? this.#answer(reading) : this.#alone(reading)))
  }

  mayServe(token: string): boolean {
    return this.engine.hasReached(token)
  }

  #answer(reading: Reading): void {
    const key = KEYS[reading.key] as string
    if (this.#deliver(reading, key)) return
    if (this.engine.second === undefined || this.engine.flights.has(key)) return this.#load(reading, 0)
    this.#pull(key, (found) => {
      if (!found || !this.#deliver(reading, key)) this.#load(reading, 0)
    })
  }

  /** What memory has. */
  #deliver(reading: Reading, key: string): boolean {
    const verdict = this.engine.lookup<number>(key)
    const step = nextStep(verdict)
    if (step !== 'deliver' && step !== 'deliverAndRefresh') return false
    if (step === 'deliverAndRefresh') this.#refresh(key)
    this.world.answer(reading, (verdict as { entry: Entry<number> }).entry.value, true)
    return true
  }

  #load(reading: Reading, attempt: number): void {
    if (attempt >= REJOINS) return this.#alone(reading)
    const key = KEYS[reading.key] as string
    const place = this.engine.flights.enter<number>(key, () => this.engine.begin(key, { tags: this.#declared(reading.key) }))
    if (place.role === 'lead') this.#lead(place, reading)
    else if (place.role === 'follow') {
      this.world.counts.joined += 1
      this.#loads.find(({ lead }) => lead.fill === place.fill)?.waiting.push({ reading, follow: place, attempt })
    }
  }

  /** Tags of the first key are known before its answer, those of the other are learned from it. */
  #declared(key: number): readonly string[] {
    return key === 0 ? (TAGS[0] as readonly string[]) : NO_TAGS
  }

  #lead(lead: Lead<number>, leader: Reading | undefined): void {
    const load: Load = { lead, leader, waiting: [] }
    this.#loads.push(load)
    const key = (KEYS as readonly string[]).indexOf(lead.fill.key)
    const previous = this.engine.memory.look(lead.fill.key)?.value
    this.world.load(this, key, (version) => {
      this.#loads.splice(this.#loads.indexOf(load), 1)
      this.#keep(version === previous ? { ...lead.fill, way: 'renewal' } : lead.fill, version, key)
      lead.end()
      if (leader !== undefined) this.world.answer(leader, version, false)
      const learned = key === 0 ? NO_TAGS : (TAGS[key] as readonly string[])
      for (const { reading, follow, attempt } of load.waiting) {
        const mayTake = follow.mayTake(learned)
        follow.leave()
        if (mayTake) this.world.answer(reading, version, false)
        else this.#load(reading, attempt + 1)
      }
    })
  }

  #keep(given: Fill, version: number, key: number): void {
    const { engine, world } = this
    const fill = this.takesAsOfLate ? { ...given, ...engine.begin(given.key), tags: given.tags } : given
    const kept = engine.keep(fill, { value: version, bytes: 8, budget: BUDGET, tags: TAGS[key] as readonly string[], jitter: 0 })
    if (kept === 'kept') world.counts.kept += 1
    else world.counts.fenced += 1
  }

  #alone(reading: Reading): void {
    const fill = this.engine.begin(KEYS[reading.key] as string, { tags: this.#declared(reading.key) })
    this.world.load(this, reading.key, (version) => {
      this.#keep(fill, version, reading.key)
      this.world.answer(reading, version, false)
    })
  }

  #refresh(key: string): void {
    const { engine } = this
    if (engine.flights.has(key)) return
    const begin = (): void => {
      const index = (KEYS as readonly string[]).indexOf(key)
      const place = engine.flights.enter<number>(key, () => engine.begin(key, { tags: this.#declared(index), way: 'refresh' }))
      if (place.role === 'lead') this.#lead(place, undefined)
      else if (place.role === 'follow') place.leave()
    }
    if (engine.second === undefined) return begin()
    this.#pull(key, (found) => {
      if (!found || engine.lookup(key).state !== 'fresh') begin()
    })
  }

  // ── changes

  write(writing: Writing): void {
    const { engine, world } = this
    const key = KEYS[writing.key] as string
    const how = world.dice.next()
    this.#onSettled = ({ sequence, expected, acknowledged }) => {
      const hasAll = acknowledged === expected
      world.acknowledge(writing, { token: this.shared.tokenOf(sequence), sequence, hasAll })
    }
    if (how < 0.15) {
      const fill = engine.write(key, { tags: TAGS[writing.key] as readonly string[] })
      this.#keep(fill, writing.version, writing.key)
    } else if (how < 0.5) engine.invalidate({ keys: [key] })
    else if (how < 0.8) engine.invalidate({ tags: [TAGS[writing.key]?.[0] as string] })
    else if (how < 0.9) engine.invalidate({ tags: ['all-of-them'] })
    else if (how < 0.95) engine.invalidate({ prefixes: [key] })
    else engine.invalidate({ all: true })
    this.#onSettled = undefined
  }

  // ── what it is made of

  #createClock(): Clock {
    const { world } = this
    const after = (ms: number, run: () => void): Timer => {
      if (ms > NEVER_MS) return NO_TIMER
      const alarm: Alarm = {
        at: world.now + ms,
        run,
        cancel: () => {
          alarm.at = NEVER
        },
      }
      this.#alarms.push(alarm)
      return alarm
    }
    return {
      now: () => world.now,
      coarse: () => world.now,
      wall: () => world.now,
      after,
      get tick() {
        return world.tick
      },
    }
  }

  #createSecond(): DrillSecond {
    const { engine } = this
    const { fence, memory, governor, events, meter, ledger } = engine
    const clock = this.#clock
    const keeping = { fence, memory, governor, clock, random: () => 0.5, events, jitter: 0, maxLoadMs: 30_000 }
    const second = new DrillSecond({
      ...{ remote: NO_REMOTE, seal: undefined, clock, fence, meter, ledger, originLagMs: 0 },
      ...{ deadlineMs: READ_MS, maxEntryBytes: 4096, maxQueueBytes: 1_000_000 },
      shared: () => engine.shared,
      promote: (entry, softened) =>
        engine.shared?.isClosedToKeeps === true ? 'fenced' : promote(keeping, entry, { softened, way: 'promotion' }),
    })
    second.node = this
    return second
  }
}

const ALL: readonly Target[] = [{ kind: 'all' }]
/** As a promise of which nobody will hear more. */
const DONE = { catch: () => DONE } as unknown as Promise<void>
const NOTHING = (): void => {}
