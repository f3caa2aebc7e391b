/**
 * Many random operations by eleven clients over front, hook, library, API and directly, mixed, each reading checked against the ledger; while
 * the tracking connections are slow, silent and cut, and the server stands still.
 */
import { createCache } from '../../src/entry/index.ts'
import { stats } from '../../src/entry/redis.ts'
import { createRandom, type Random } from '../../src/model/random.ts'
import { Coherence } from '../../src/resp/coherence.ts'
import { hashText } from '../../src/resp/coherence-hash.ts'
import { ReplyCache } from '../../src/resp/reply-cache.ts'
import { type DoorName, type DoorsClient, openApi, openHooked, openLibrary, openPlain, openRaw } from './doors-clients.ts'
import { KeyLedger, Ledger, type Question, type Version } from './doors-ledger.ts'
import { type FrontHere, startFront } from './front-here.ts'
import { openWay, type Way } from './hook-clients.ts'
import { startRedis, type RedisHere, until } from './redis-here.ts'

/** How long and how wild. */
export interface DoorsWish {
  readonly operations: number
  readonly seed: number
  /** Between two mishaps of the tracking connections, ms; 0: none. */
  readonly mishapEveryMs: number
}

/** What came of it. */
export interface DoorsOutcome {
  readonly reads: number
  readonly writes: number
  readonly worstStaleMs: number
  readonly mishaps: number
  readonly seconds: number
  /** Questions that front and hook answered from memory. */
  readonly hits: Readonly<Record<'front' | 'hook', number>>
  readonly faults: readonly string[]
}

/** The doors are told apart by it. */
const FRONT_STALE_MS = 240
const HOOK_STALE_MS = 250
const LANES = 2
const STARERS = 2
/** Written by a direct client. */
const STARED_AT = 6
const COUNT = `local n = redis.call('INCR', ARGV[1] .. ':n') redis.call('SET', ARGV[1], 'v' .. n) return n`

/** Everything that has to be there. */
interface Stage {
  readonly redis: RedisHere
  readonly way: Way
  readonly front: FrontHere
  /** The last two only look at one key, while the tracking connections are silent. */
  readonly clients: readonly DoorsClient[]
}

async function openStage(): Promise<Stage> {
  const redis = await startRedis()
  const way = await openWay(redis.port)
  const front = await startFront(`redis://127.0.0.1:${way.port}`, { maxStaleMs: FRONT_STALE_MS })
  const clients = [
    await openRaw(front.port, 'front', 2),
    await openRaw(front.port, 'front', 3),
    await openPlain(front.port, 'front'),
    await openHooked(way.port, 'ioredis5'),
    await openHooked(way.port, 'ioredis6'),
    await openHooked(way.port, 'redis6'),
    await openRaw(redis.port, 'direct', 3),
    await openPlain(redis.port, 'direct'),
    openLibrary(createCache().namespace('redis'), 'hook'),
    openLibrary(front.gateway.cache.namespace('redis'), 'front'),
    openApi(front.gateway.address?.api.port as number, 'front'),
    await openRaw(front.port, 'front', 2),
    await openHooked(way.port, 'ioredis6'),
  ]
  await until(() => way.tracking >= 2, 'both tracking connections')
  return { redis, way, front, clients }
}

async function closeStage({ redis, way, front, clients }: Stage): Promise<void> {
  way.delayTracking(0)
  for (const client of clients) await client.close()
  await front.stop()
  await way.close()
  await redis.stop()
}

/** @returns when so many operations have been done */
export async function runDoors(wish: DoorsWish): Promise<DoorsOutcome> {
  const stage = await openStage()
  const run = new Run(stage, wish)
  const spying = spy((hash, door) => run.pushed(hash, door))
  const before = stats()?.hits ?? 0
  const begunMs = performance.now()
  try {
    await run.all()
  } finally {
    spying.stop()
    await closeStage(stage)
  }
  const hits = { front: spying.hits(), hook: (stats()?.hits ?? 0) - before }
  return { ...run.outcome, hits, seconds: (performance.now() - begunMs) / 1000 }
}

/** Hears of each push that a door has taken in, and counts what the front's memory answers. */
function spy(told: (hash: number, door: DoorName) => void): { stop(): void; hits(): number } {
  const { invalidate } = Coherence.prototype
  const { find } = ReplyCache.prototype
  let hits = 0
  Coherence.prototype.invalidate = function spied(this: Coherence, hash: number): void {
    invalidate.call(this, hash)
    told(hash, this.maxStaleMs === FRONT_STALE_MS ? 'front' : 'hook')
  }
  ReplyCache.prototype.find = function spied(this: ReplyCache, ...args: Parameters<ReplyCache['find']>) {
    const hit = find.apply(this, args)
    if (hit !== undefined) hits += 1
    return hit
  }
  return {
    hits: () => hits,
    stop: () => {
      Coherence.prototype.invalidate = invalidate
      ReplyCache.prototype.find = find
    },
  }
}

class Run {
  readonly #stage: Stage
  readonly #wish: DoorsWish
  readonly #random: Random
  readonly #ledger = new Ledger(HOOK_STALE_MS)
  readonly #keys: readonly KeyLedger[]
  readonly #byHash = new Map<number, KeyLedger>()
  /** By client: how many writes of each other's he knows of, and his own. */
  readonly #known: number[][]
  readonly #places: number[]
  #done = 0
  #writes = 0
  #mishaps = 0
  #isOver = false

  constructor(stage: Stage, wish: DoorsWish) {
    this.#stage = stage
    this.#wish = wish
    this.#random = createRandom(wish.seed)
    const count = stage.clients.length - STARERS
    const kinds = [
      ...Array<string>(8).fill('s'),
      ...Array<string>(4).fill('h'),
      ...Array<string>(4).fill('t'),
      ...Array<string>(1).fill('m'),
    ]
    this.#keys = kinds.map((kind, i) => new KeyLedger(`${kind}${i}`, kind === 'm' ? -1 : i % count, stage.clients.length))
    for (const key of this.#keys) this.#byHash.set(hashText(key.name), key)
    this.#known = stage.clients.map(() => new Array<number>(count).fill(0))
    this.#places = new Array<number>(count).fill(0)
  }

  get outcome(): Omit<DoorsOutcome, 'seconds' | 'hits'> {
    const { reads, worstStaleMs, faults } = this.#ledger
    return { reads, writes: this.#writes, worstStaleMs, faults, mishaps: this.#mishaps }
  }

  pushed(hash: number, door: DoorName): void {
    this.#byHash.get(hash)?.pushed(door, performance.now())
  }

  async all(): Promise<void> {
    const trouble = this.#wish.mishapEveryMs > 0 ? this.#trouble() : Promise.resolve()
    const lanes = this.#stage.clients
      .slice(0, -STARERS)
      .flatMap((_, client) => Array.from({ length: LANES }, () => this.#lane(client)))
    await Promise.all(lanes)
    this.#isOver = true
    await trouble
  }

  async #lane(client: number): Promise<void> {
    for (let n = 0; this.#done < this.#wish.operations && this.#ledger.faults.length < 10; n += 1) {
      this.#done += 1
      const chance = this.#random()
      if (chance < 0.97) await this.#read(client, chance)
      else await this.#write(client)
      // Hits of the hook settle without leaving this turn: the others want theirs.
      if (n % 32 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async #read(client: number, chance: number): Promise<void> {
    const of = this.#stage.clients[client] as DoorsClient
    const key = this.#pick()
    if (of.isPlain && key.name.startsWith('h')) return
    if (chance < 0.05) {
      const keys = this.#keys.filter(({ name }) => name.startsWith('s')).slice(0, 3)
      const questions = keys.map((one) => this.#question(one, client))
      const texts = await of.mget(keys.map(({ name }) => name))
      for (const [i, one] of keys.entries()) this.#told(one, texts[i] as string | null, questions[i] as Question)
      return
    }
    const question = this.#question(key, client)
    const text = key.name.startsWith('h') ? await of.field(key.name) : await of.get(key.name)
    this.#told(key, text, question)
  }

  /** Few keys are asked for most. */
  #pick(): KeyLedger {
    const random = this.#random()
    return this.#keys[Math.floor(random * random * this.#keys.length)] as KeyLedger
  }

  #question(key: KeyLedger, client: number): Question {
    const { door } = this.#stage.clients[client] as DoorsClient
    return {
      ...{ client, door, askedMs: performance.now() },
      known: [...(this.#known[client] as number[])],
      confirmed: key.confirmed[door],
      own: key.own[client] as number,
    }
  }

  #told(key: KeyLedger, text: string | null, question: Question): void {
    const seen = this.#ledger.check(key, text, question)
    if (seen === undefined || key.owner < 0 || text === null) return
    const known = this.#known[question.client] as number[]
    known[key.owner] = Math.max(known[key.owner] as number, seen.place)
  }

  async #write(client: number): Promise<void> {
    const of = this.#stage.clients[client] as DoorsClient
    const isAble = (name: string): boolean => of.isPlain !== true || /^[st]/.test(name)
    const mine = this.#keys.filter(({ name, owner, isBusy }) => (owner === client || owner < 0) && !isBusy && isAble(name))
    const key = mine[Math.floor(this.#random() * mine.length)]
    if (key === undefined) return
    this.#writes += 1
    if (key.owner < 0) return this.#count(key, client)
    const version = this.#version(key, client)
    key.add(version)
    key.own[client] = version.number
    key.isBusy = true
    await of.call(...words(key.name, version))
    version.ackedMs = performance.now()
    key.isBusy = false
    this.#confirm(key, of.door, version.number)
  }

  /** By a script that names none of its keys. */
  async #count(key: KeyLedger, client: number): Promise<void> {
    const of = this.#stage.clients[client] as DoorsClient
    const askedMs = performance.now()
    const number = Number(await of.call('EVAL', COUNT, '0', key.name))
    key.add({ number, isAbsent: false, askedMs, ackedMs: performance.now(), place: 0, lastsMs: Infinity })
    key.own[client] = Math.max(key.own[client] as number, number)
    key.confirmed.direct = Math.max(key.confirmed.direct, number)
  }

  #version(key: KeyLedger, client: number): Version {
    const place = (this.#places[client] as number) + 1
    this.#places[client] = place
    const isAbsent = this.#random() < 0.05
    const lastsMs = key.name.startsWith('t') && !isAbsent ? 20 + Math.floor(this.#random() * 300) : Infinity
    return { number: key.last.number + 1, isAbsent, askedMs: performance.now(), ackedMs: Infinity, place, lastsMs }
  }

  #confirm(key: KeyLedger, door: DoorName, number: number): void {
    key.confirmed[door] = Math.max(key.confirmed[door], number)
    key.confirmed.direct = Math.max(key.confirmed.direct, number)
  }

  async #trouble(): Promise<void> {
    const { way } = this.#stage
    const wait = (ms: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, ms))
    while (!this.#isOver) {
      await wait(this.#wish.mishapEveryMs * (0.5 + this.#random()))
      this.#mishaps += 1
      const chance = this.#random()
      const lastsMs = this.#random() * 600
      if (chance < 0.3) way.delayTracking(1 + this.#random() * 20)
      else if (chance < 0.6) await this.#stare(() => way.delayTracking(Infinity), 600)
      else if (chance < 0.8) way.cutTracking()
      else this.#stage.redis.freeze()
      await wait(lastsMs)
      this.#stage.redis.thaw()
      way.delayTracking(0)
    }
  }

  /** Two readers who learn of nothing else look at one key from before the silence on: the lease alone keeps them right. */
  async #stare(begin: () => void, ms: number): Promise<void> {
    const key = this.#keys[STARED_AT] as KeyLedger
    const endMs = performance.now() + ms + 50
    const starers = this.#stage.clients.map((_, client) => client).slice(-STARERS)
    const stares = starers.map(async (client) => {
      const of = this.#stage.clients[client] as DoorsClient
      while (performance.now() < endMs) {
        const question = this.#question(key, client)
        this.#told(key, await of.get(key.name), question)
        await new Promise((resolve) => setImmediate(resolve))
      }
    })
    setTimeout(begin, 50)
    await Promise.all(stares)
  }
}

function words(name: string, { number, isAbsent, lastsMs }: Version): string[] {
  if (isAbsent) return ['DEL', name]
  if (name.startsWith('h')) return ['HSET', name, 'v', `v${number}`]
  return lastsMs < Infinity ? ['SET', name, `v${number}`, 'PX', String(lastsMs)] : ['SET', name, `v${number}`]
}
