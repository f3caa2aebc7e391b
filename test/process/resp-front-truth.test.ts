/**
 * The front under random load of many connections and direct writers: nobody reads what is older than he may.
 *
 * Each key has one writer and its values count up, so that a reading is too old or it is not. Judged: a write that was
 * answered through the front is seen by every reading that begins later; a direct one within the lease; nobody's reading
 * of a key runs backwards; who has read the flag reads nothing from before it. FORECACHE_RESP_OPERATIONS asks for more.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRandom, type Random } from '../../src/model/random.ts'
import { type FrontHere, RawRedis, request, startFront } from '../support/front-here.ts'
import { openWay, type Way } from '../support/hook-clients.ts'
import { type RedisHere, startRedis } from '../support/redis-here.ts'

const OPERATIONS = Number(process.env['FORECACHE_RESP_OPERATIONS'] ?? 40_000)
const SEED = Number(process.env['FORECACHE_SEED'] ?? Math.floor(Math.random() * 1e9))
const READERS = 8
const DIRECT = 2
const KEYS = 40
const MAX_STALE_MS = 250

let redis: RedisHere
let way: Way
let front: FrontHere

beforeAll(async () => {
  redis = await startRedis()
  way = await openWay(redis.port)
  front = await startFront(`redis://127.0.0.1:${way.port}`, { maxStaleMs: MAX_STALE_MS })
})
afterAll(async () => {
  await front.stop()
  await way.close()
  await redis.stop()
})

/** What is known of one key. */
interface Key {
  readonly name: string
  next: number
  /** Newest value whose write was answered: through the front, and directly with when. */
  told: number
  readonly direct: { readonly value: number; readonly at: number }[]
}

class World {
  /** Before every name: nothing of another world is read here. */
  readonly prefix: string
  readonly keys: readonly Key[]
  readonly random: Random = createRandom(SEED)
  readonly wrong: string[] = []
  left: number
  readings = 0

  constructor(operations: number, prefix: string) {
    this.left = operations
    this.prefix = prefix
    this.keys = Array.from({ length: KEYS }, (_, i) => ({ name: `${prefix}key:${i}`, next: 1, told: 0, direct: [] }))
  }

  pick(below: number): number {
    return Math.floor(this.random() * below)
  }

  /** What a reading that begins now must show at least. */
  least(key: Key): number {
    const until = performance.now() - MAX_STALE_MS - 50
    while (key.direct.length > 1 && (key.direct[1]?.at as number) < until) key.direct.shift()
    const [first] = key.direct
    return Math.max(key.told, first !== undefined && first.at < until ? first.value : 0)
  }
}

/** One connection: asks, and judges what it is told. */
class Client {
  readonly raw: RawRedis
  readonly #world: World
  readonly #id: number
  readonly #isDirect: boolean
  readonly #seen = new Map<string, number>()

  constructor(world: World, id: number) {
    this.#world = world
    this.#id = id
    this.#isDirect = id >= READERS
    this.raw = new RawRedis(this.#isDirect ? redis.port : front.port)
  }

  async run(): Promise<void> {
    const world = this.#world
    while (world.left > 0 && world.wrong.length === 0) {
      world.left -= 1
      const dice = world.random()
      if (this.#isDirect) {
        await this.#write(dice)
        await new Promise((resolve) => setTimeout(resolve, 1))
      } else if (dice < 0.08) await this.#write(world.random())
      else if (dice < 0.12) await this.#flag()
      else if (dice < 0.2) await this.#readMany()
      else await this.#read()
    }
    this.raw.close()
  }

  /** The next value of a key of its own, in one of many ways. */
  async #write(dice: number): Promise<void> {
    const world = this.#world
    const all = READERS + DIRECT
    const key = world.keys[(world.pick(Math.floor(KEYS / all)) * all + this.#id) % KEYS] as Key
    const value = key.next
    key.next += 1
    const text = `v${value}`
    // What a script has written is no longer kept: half of the keys have nothing to do with scripts.
    const isScripted = value % 2 === 0 && key.name.endsWith('7')
    if (dice < 0.5 || (dice < 0.7 && !isScripted)) await this.raw.ask('SET', key.name, text)
    else if (dice < 0.6) await this.raw.ask('EVAL', `return redis.call('SET', '${key.name}', '${text}')`, '0')
    else if (dice < 0.7) await this.raw.ask('EVAL', "return redis.call('SET', KEYS[1], ARGV[1])", '1', key.name, text)
    else if (dice < 0.8) {
      this.raw.send(Buffer.concat([request('MULTI'), request('SET', key.name, text), request('EXEC')]))
      await this.raw.take(3)
    } else if (dice < 0.9) await this.raw.ask('MSET', key.name, text, `other:${this.#id}`, 'x')
    else await this.raw.ask('SET', key.name, text, 'PX', '600000')
    if (this.#isDirect) key.direct.push({ value, at: performance.now() })
    else key.told = Math.max(key.told, value)
  }

  async #read(): Promise<void> {
    const key = this.#world.keys[this.#world.pick(KEYS)] as Key
    const least = this.#world.least(key)
    this.#judge(key, least, await this.raw.ask('GET', key.name))
  }

  /** Several at once: in one command, or one behind the other. */
  async #readMany(): Promise<void> {
    const world = this.#world
    const keys = Array.from({ length: 4 }, () => world.keys[world.pick(KEYS)] as Key)
    const least = keys.map((key) => world.least(key))
    if (world.random() < 0.5) {
      const reply = await this.raw.ask('MGET', ...keys.map(({ name }) => name))
      const items = reply.match(/\$(?:-1|\d+\r\n[^\r]*)\r\n/g) ?? []
      for (const [i, key] of keys.entries()) this.#judge(key, least[i] as number, items[i] ?? '')
      return
    }
    this.raw.send(Buffer.concat(keys.map(({ name }) => request('GET', name))))
    const replies = await this.raw.take(keys.length)
    for (const [i, key] of keys.entries()) this.#judge(key, least[i] as number, replies[i] as string)
  }

  /** A direct writer sets the goods before the flag: whoever sees the flag sees the goods. */
  async #flag(): Promise<void> {
    const world = this.#world
    const flag = valueOf(await this.raw.ask('GET', `${world.prefix}flag`))
    const goods = valueOf(await this.raw.ask('GET', `${world.prefix}goods`))
    world.readings += 2
    if (goods < flag) world.wrong.push(`client ${this.#id} saw flag ${flag} and then goods ${goods}`)
  }

  #judge(key: Key, least: number, reply: string): void {
    const world = this.#world
    const value = valueOf(reply)
    const seen = this.#seen.get(key.name) ?? 0
    world.readings += 1
    if (value < least) world.wrong.push(`client ${this.#id} read ${value} of ${key.name}, told before: ${least}`)
    if (value < seen) world.wrong.push(`client ${this.#id} read ${value} of ${key.name} behind ${seen}`)
    this.#seen.set(key.name, value)
  }
}

function valueOf(reply: string): number {
  return Number(/v(\d+)/.exec(reply)?.[1] ?? 0)
}

/** Sets goods, then the flag, again and again. */
async function signal(world: World): Promise<void> {
  const raw = new RawRedis(redis.port)
  for (let i = 1; world.left > 0 && world.wrong.length === 0; i += 1) {
    await raw.ask('SET', `${world.prefix}goods`, `v${i}`)
    await raw.ask('SET', `${world.prefix}flag`, `v${i}`)
    // So often that the flag is mostly read from Redis, and the goods mostly from memory.
    await new Promise((resolve) => setTimeout(resolve, 3))
  }
  raw.close()
}

describe('front: nobody reads what is older than he may', () => {
  it.each([
    ['pushes come as they come', OPERATIONS, 0],
    ['pushes come 15 ms late', OPERATIONS / 10, 15],
  ])(
    `holds where %s, over %i random operations (seed ${SEED})`,
    { timeout: 50_000 + OPERATIONS / 5 },
    async (_, operations, lateMs) => {
      way.delayTracking(lateMs)
      const world = new World(operations, `${lateMs}:`)
      const clients = Array.from({ length: READERS + DIRECT }, (_one, id) => new Client(world, id))
      const hitsBefore = front.gateway.cache.engine.meter.read('respHits')

      await Promise.all([...clients.map((client) => client.run()), signal(world)])

      expect(world.wrong).toEqual([])
      expect(front.gateway.cache.engine.meter.read('respHits') - hitsBefore).toBeGreaterThan(world.readings / 10)
    },
  )
})
