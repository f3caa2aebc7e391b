/**
 * forecache on one node of a drill: the engine, its memory, fence and flights, the shared log, the follower and the judging of the
 * second level as they ship; what is restated here and in link.ts and second.ts is only who is called after whom, as src/flow/fetch.ts,
 * src/tier/stream-link.ts and src/tier/remote.ts do with promises. test/model/drill-whole.test.ts runs both on the same schedules and
 * compares every answer.
 */
import { Engine } from '../../../src/flow/engine.ts'
import type { Fill } from '../../../src/flow/fill.ts'
import type { Follow, Lead } from '../../../src/flow/flight.ts'
import { promote } from '../../../src/flow/keep.ts'
import { resolveSettings } from '../../../src/flow/options.ts'
import type { SharedLog } from '../../../src/flow/shared-log.ts'
import type { Entry } from '../../../src/model/entry.ts'
import type { Target } from '../../../src/model/log.ts'
import { nextStep } from '../../../src/model/verdict.ts'
import type { Follower } from '../../../src/tier/follower.ts'
import type { RemotePort } from '../../../src/tier/remote-port.ts'
import { Alarms } from './alarms.ts'
import { DrillLink } from './link.ts'
import type { Member, Reading, Writing } from './member.ts'
import { BUDGET, DrillSecond, READ_MS } from './second.ts'
import { KEYS, type World } from './world.ts'

/** What may be broken on purpose. */
export type Sabotage = (node: DrillNode) => void

const SETTINGS = resolveSettings({ memory: { maxBytes: '64KiB' } })
export const TAGS: readonly (readonly string[])[] = KEYS.map((key) => [`t:${key}`, 'all-of-them'])
const NO_TAGS: readonly string[] = []
const ALL: readonly Target[] = [{ kind: 'all' }]
const TOKEN_MS = 150
const REJOINS = 3
const NO_REMOTE = { isUp: true } as RemotePort

interface Load {
  readonly lead: Lead<number>
  readonly leader: Reading | undefined
  readonly waiting: {
    readonly reading: Reading
    readonly follow: Follow<number>
    readonly attempt: number
    readonly cameAt: number
  }[]
}

/** See the module's header. */
export class DrillNode implements Member {
  readonly name: string
  readonly engine: Engine
  readonly world: World
  readonly second: DrillSecond
  life = 0
  isPaused = false
  isCut = false
  link!: DrillLink
  shared!: SharedLog
  /** For sabotage: the asOf of a load is taken when it ends. */
  takesAsOfLate = false
  readonly #alarms: Alarms
  readonly #sabotage: Sabotage | undefined
  #loads: Load[] = []

  constructor(world: World, name: string, sabotage?: Sabotage) {
    this.world = world
    this.name = name
    this.#sabotage = sabotage
    this.#alarms = new Alarms(world)
    this.engine = new Engine({ ...SETTINGS, clock: this.#alarms.clock, random: () => 0.5 })
    this.second = this.#createSecond()
  }

  get follower(): Follower {
    return this.link.follower
  }

  // ── a life

  start(): void {
    const { world, engine } = this
    this.#alarms.clear()
    this.#loads = []
    this.second.restart()
    engine.memory.clear()
    engine.memory.veil(false)
    engine.flights.close()
    engine.flights.alone = false
    engine.fence.append(ALL, false, 'begin')
    Object.assign(engine, { second: world.settings.hasSecond ? this.second : undefined })
    this.link = new DrillLink(world, this, this.#alarms.clock)
    this.shared = engine.join(this.link, world.settings.policy)
    this.#sabotage?.(this)
  }

  stop(): void {
    const { counts } = this.world
    counts.blind += this.follower.counts.blind
    counts.renewed += this.follower.counts.renewed
  }

  shouldHaveSeen(begunAt: number): string | undefined {
    const { failedAskedAt, blindUntil, isYoung } = this.link
    if (!this.follower.isBlind && blindUntil < begunAt) return 'which it could have seen'
    const isSick = failedAskedAt >= begunAt - this.follower.everyMs * 3 - READ_MS
    return isSick || isYoung ? undefined : 'blind, though nothing that it asked has failed'
  }

  hasApplied({ token }: Writing): boolean {
    return token !== undefined && this.shared.hasReached(token)
  }

  /** Timers that are due. */
  tick(): void {
    this.#alarms.ring()
    this.link.tick()
  }

  // ── requests, as fetch

  read(reading: Reading): void {
    const { now } = this.world
    const isSure = reading.token === undefined && now < this.engine.seesUntil
    if (isSure) this.#answer(reading)
    else if (now >= this.engine.seesUntil && this.shared.mustReprove) this.link.askOnce(() => this.#reach(reading))
    else this.#reach(reading)
  }

  #reach(reading: Reading): void {
    const token = reading.token?.token
    if (token === undefined || this.mayServe(token)) return this.#answer(reading)
    const place = this.shared.placeOf(token)
    if (place === undefined) return this.#alone(reading)
    this.link.readUpTo(place, TOKEN_MS, () => (this.mayServe(token) ? this.#answer(reading) : this.#alone(reading)))
  }

  mayServe(token: string): boolean {
    return this.engine.hasReached(token)
  }

  #answer(reading: Reading): void {
    const key = KEYS[reading.key] as string
    if (this.#deliver(reading, key)) return
    if (this.engine.second === undefined || this.engine.flights.has(key)) return this.#load(reading, 0)
    this.second.find(key, (found) => {
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

  #load(reading: Reading, attempt: number, cameAt = this.world.now): void {
    if (attempt >= REJOINS) return this.#alone(reading)
    const key = KEYS[reading.key] as string
    const place = this.engine.flights.enter<number>(key, () => this.engine.begin(key, { tags: this.#declared(reading.key) }))
    if (place.role === 'lead') this.#lead(place, reading)
    else if (place.role === 'follow') {
      this.world.counts.joined += 1
      this.#loads.find(({ lead }) => lead.fill === place.fill)?.waiting.push({ reading, follow: place, attempt, cameAt })
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
      const { startedAt } = lead.fill
      for (const { reading, follow, attempt, cameAt } of load.waiting) {
        const isInBudget = startedAt >= cameAt || this.world.now - startedAt < BUDGET.staleMs
        const mayTake = follow.mayTake(learned) && isInBudget
        follow.leave()
        if (mayTake) this.world.answer(reading, version, false)
        else this.#load(reading, attempt + 1, cameAt)
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
    this.second.find(key, (found) => {
      if (!found || engine.lookup(key).state !== 'fresh') begin()
    })
  }

  // ── changes

  write(writing: Writing): void {
    const { engine, world } = this
    const key = KEYS[writing.key] as string
    const how = world.dice.next()
    this.link.onSettled = ({ sequence, expected, acknowledged }) => {
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
    this.link.onSettled = undefined
  }

  #createSecond(): DrillSecond {
    const { engine } = this
    const { fence, memory, governor, events, meter, ledger, clock } = engine
    const keeping = { fence, memory, governor, clock, random: () => 0.5, events, jitter: 0, maxLoadMs: 30_000 }
    const parts = {
      ...{ remote: NO_REMOTE, seal: undefined, clock, fence, meter, ledger, originLagMs: 0 },
      ...{ deadlineMs: READ_MS, maxEntryBytes: 4096, maxQueueBytes: 1_000_000 },
      shared: () => engine.shared,
      promote: (entry: Entry, softened: boolean) =>
        engine.shared?.isClosedToKeeps === true ? 'fenced' : promote(keeping, entry, { softened, way: 'promotion' }),
    } as const
    return new DrillSecond(parts, this.world, this)
  }
}
