/**
 * The simulations' stores against a real server: the same random commands, every reply compared. Whoever changes a script of
 * src/tier/redis-log-scripts.ts or src/tier/remote.ts has to change what stands for it in test/support/sim-log.ts,
 * test/support/sim-redis.ts and test/model/drill, or this fails.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/model/clock.ts'
import { createRandom } from '../../src/model/random.ts'
import type { SimNode } from '../../src/sim/node.ts'
import { StoreData } from '../../src/sim/store-data.ts'
import type { Acknowledgement, LogStore } from '../../src/tier/log-store.ts'
import { parseRedisUrl } from '../../src/tier/redis-address.ts'
import { RedisLog } from '../../src/tier/redis-log.ts'
import { LEAVE } from '../../src/tier/redis-log-scripts.ts'
import type { RedisPort } from '../../src/tier/redis-port.ts'
import { createRedis } from '../../src/tier/redis.ts'
import { createRemote } from '../../src/tier/remote.ts'
import type { RemotePort } from '../../src/tier/remote-port.ts'
import { LeanCells } from '../model/drill/lean-cells.ts'
import { LeanLog } from '../model/drill/lean-log.ts'
import { type RedisHere, startRedis } from '../support/redis-here.ts'
import { SimLog } from '../support/sim-log.ts'
import { SimRedis } from '../support/sim-redis.ts'

const FIRST_SEED = Number(process.env['FORECACHE_SEED'] ?? 1)
const SEQUENCES = Number(process.env['FORECACHE_DRIFT'] ?? 30)
const COMMANDS = 40
const DEADLINE_MS = 10_000
/** Far above what a command takes, far below the time to live. */
const TOLERANCE_MS = 20_000
const TTL_MS = 3_600_000
const HOUR_MS = 3_600_000
const MEMBERS = 3

let server: RedisHere
let redis: RedisPort
beforeAll(async () => {
  server = await startRedis()
  redis = createRedis({ target: parseRedisUrl(server.url), clock: systemClock(), random: createRandom(1) })
  expect(await redis.ready(DEADLINE_MS)).toBe(true)
}, 30_000)
afterAll(async () => {
  redis.close()
  await server.stop()
})

/** A node whose store is one step away, at once. */
function nodeOn(data: StoreData, name: string, random: () => number): SimNode {
  const run = async <T>(script: (data: StoreData) => T): Promise<T> => script(data)
  return { name, random, process: { life: 0 }, store: { run, wait: run } } as unknown as SimNode
}

/** What differs from one store to the other by its nature, made the same. */
class Words {
  readonly #names = new Map<string, string>()

  constructor(members: readonly string[]) {
    members.forEach((member, index) => this.#names.set(member, `m${index}`))
  }

  generation(name: string): string {
    const known = this.#names.get(name)
    if (known !== undefined) return known
    const made = `g${this.#names.size}`
    this.#names.set(name, made)
    return made
  }

  member(name: string): string {
    return this.#names.get(name) ?? name
  }
}

/** A log with its members, its words and what is done to it from outside. */
interface Stand {
  readonly stores: readonly LogStore[]
  readonly words: Words
  generation: string
  meddle(how: Meddling, member: number): Promise<unknown> | void
}

type Meddling = 'trim' | 'another run' | 'empty' | 'evict members' | 'end member' | 'step clock'
const MEDDLINGS: readonly Meddling[] = ['trim', 'another run', 'empty', 'evict members', 'end member', 'step clock']

function realStand(prefix: string): Stand {
  const logs = Array.from({ length: MEMBERS }, () => new RedisLog({ redis, prefix, memberTtlMs: TTL_MS, maxRecords: 100_000 }))
  const tag = `{${prefix}log}:`
  const [meta, records, members] = [`${tag}meta`, `${tag}records`, `${tag}members`]
  const nameOf = (member: number): string => (logs[member] as RedisLog).member
  return {
    stores: logs,
    words: new Words(logs.map(({ member }) => member)),
    generation: '',
    async meddle(how, member) {
      if (how === 'trim') return server.command('XTRIM', records, 'MAXLEN', '1')
      if (how === 'another run') return server.command('HSET', meta, 'run', 'former')
      if (how === 'empty') return server.command('DEL', meta, records, members, ...logs.map((log) => `${tag}in:${log.member}`))
      if (how === 'evict members') return server.command('DEL', members)
      if (how === 'end member') return server.command('ZADD', members, 'XX', '1', nameOf(member))
      // All that was written is an hour ahead: the clock was set back.
      if (Number(await server.command('EXISTS', meta)) === 0) return
      for (const field of ['begun', 'heard']) await server.command('HINCRBY', meta, field, String(HOUR_MS))
      if (Number(await server.command('HGET', meta, 'scattered')) > 0)
        await server.command('HINCRBY', meta, 'scattered', String(HOUR_MS))
      const living = (await server.command('ZRANGE', members, '0', '-1')) as readonly unknown[]
      for (const name of living) if (String(name) !== '') await server.command('ZINCRBY', members, String(HOUR_MS), String(name))
    },
  }
}

function simStand(random: () => number): Stand {
  let shiftMs = 0
  const wall = (): number => Date.now() + shiftMs
  const data = new StoreData({ ...systemClock(), now: () => Date.now(), wall } as ReturnType<typeof systemClock>)
  const logs = Array.from({ length: MEMBERS }, (_, i) => new SimLog(nodeOn(data, `n${i}`, random), TTL_MS, false))
  const members = (): string[] => [...data.hgetall('log:members').keys()]
  return {
    stores: logs,
    words: new Words(logs.map(({ member }) => member)),
    generation: '',
    meddle(how, member) {
      if (how === 'trim') data.xtrim('log', 1)
      else if (how === 'another run') data.restart(true)
      else if (how === 'empty') data.restart(false)
      else if (how === 'evict members') data.del('log:members')
      else if (how === 'step clock') shiftMs -= HOUR_MS
      else if (members().includes(`n${member}.0`)) data.hset('log:members', `n${member}.0`, '1')
    },
  }
}

function leanStand(): Stand {
  let [shiftMs, names] = [0, 0]
  const log = new LeanLog(
    TTL_MS,
    () => Date.now() + shiftMs,
    () => `name${(names += 1)}`,
  )
  const stores = Array.from({ length: MEMBERS }, (_, i) => {
    const member = `n${i}`
    let heard = 0
    return {
      member,
      prove: async () => log.prove(member),
      append: async (generation: string, texts: readonly string[]) => log.append(member, generation, texts),
      read: async (after: number) => log.read(after),
      listen: async (after: number) => {
        const words = log.words(member, heard)
        heard = words.at(-1)?.id ?? heard
        return { rows: log.read(after), acknowledgements: words.map(({ word }) => word) }
      },
      acknowledge: async (to: ReadonlyMap<string, Acknowledgement>) => {
        for (const [name, word] of to) log.tell(name, word)
      },
      leave: async () => log.leave(member),
    } as unknown as LogStore
  })
  return {
    stores,
    words: new Words(stores.map(({ member }) => member)),
    generation: '',
    meddle(how, member) {
      if (how === 'trim') log.trim(1)
      else if (how === 'another run') log.run += 1
      else if (how === 'empty') log.empty()
      else if (how === 'evict members') log.scatter()
      else if (how === 'step clock') shiftMs -= HOUR_MS
      else log.end(`n${member}`)
    },
  }
}

/** A command, drawn once and done at all of them. @returns what it was answered, in words that all have in common */
type Command = (stand: Stand) => Promise<unknown>

function about(ms: number | undefined): number {
  return ms === undefined || ms <= 0 ? 0 : Math.round(ms / TOLERANCE_MS)
}

function draw(random: () => number): readonly [name: string, command: Command] {
  const below = (count: number): number => Math.floor(random() * count)
  const [what, member, count, other] = [random(), below(MEMBERS), 1 + below(3), below(MEMBERS)]
  const isRight = random() < 0.85
  const after = below(6)
  const meddling = MEDDLINGS[below(MEDDLINGS.length)] as Meddling
  const storeOf = ({ stores }: Stand, index = member): LogStore => stores[index] as LogStore
  if (what < 0.35) return [`m${member} proves`, prove]
  if (what < 0.65) return [`m${member} appends ${count}${isRight ? '' : ' to another log'}`, append]
  if (what < 0.8) return [`m${member} reads after ${after}`, read]
  if (what < 0.87) return [`m${member} acknowledges to m${other}, who looks`, acknowledge]
  if (what < 0.9) return [`m${member} leaves`, async (stand) => void (await leave(stand))]
  return [`${meddling} (m${member})`, async (stand) => void (await stand.meddle(meddling, member))]

  async function prove(stand: Stand): Promise<unknown> {
    const { generation, floor, last, members, unsureMs } = await storeOf(stand).prove(DEADLINE_MS)
    stand.generation = generation
    const { words } = stand
    const living = members.map((name) => words.member(name)).sort()
    return { generation: words.generation(generation), floor, last, living, unsure: about(unsureMs) }
  }
  async function append(stand: Stand): Promise<unknown> {
    const texts = Array.from({ length: count }, (_, i) => `text ${count} ${i}`)
    const name = isRight && stand.generation !== '' ? stand.generation : 'other'
    const { generation, first, members, unsureMs } = await storeOf(stand).append(name, texts, DEADLINE_MS)
    const { words } = stand
    const living = members.map((one) => words.member(one)).sort()
    return { generation: words.generation(generation), first, living, unsure: about(unsureMs) }
  }
  async function read(stand: Stand): Promise<unknown> {
    const rows = await storeOf(stand).read(after, 1000, DEADLINE_MS)
    const { words } = stand
    return rows.map((row) => [row.sequence, words.generation(row.generation), words.member(row.member), row.text])
  }
  async function acknowledge(stand: Stand): Promise<unknown> {
    const from = storeOf(stand)
    const word = { member: from.member, generation: 'g', upTo: after, matched: [[after, count]] as const }
    await from.acknowledge(new Map([[storeOf(stand, other).member, word]]), DEADLINE_MS)
    const { acknowledgements } = await storeOf(stand, other).listen(0, 1)
    return acknowledgements.map(({ member: name, upTo, matched }) => [stand.words.member(name), upTo, matched])
  }
  async function leave(stand: Stand): Promise<unknown> {
    const gone = storeOf(stand)
    if (!(gone instanceof RedisLog)) return gone.leave(DEADLINE_MS)
    // By its script alone: who has left is closed, and another one would have another name.
    const tag = `{${prefix}log}:`
    return redis.run(LEAVE, [`${tag}members`, `${tag}in:${gone.member}`], { args: [gone.member], deadlineMs: DEADLINE_MS })
  }
}

let prefix = ''

describe('what stands for the scripts in simulations', () => {
  it(`answers as they do about the log, in ${SEQUENCES * COMMANDS} commands`, { timeout: 120_000 }, async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEQUENCES; seed += 1) {
      const random = createRandom(seed)
      prefix = `drift${seed}:`
      const stands = { real: realStand(prefix), sim: simStand(createRandom(seed)), lean: leanStand() }
      const done: string[] = []
      for (let i = 0; i < COMMANDS; i += 1) {
        const [name, command] = draw(random)
        done.push(name)
        const real = await command(stands.real)
        const trace = `seed ${seed}: ${done.join('; ')}`
        expect({ trace, answered: await command(stands.sim) }).toEqual({ trace, answered: real })
        expect({ trace, answered: await command(stands.lean) }).toEqual({ trace, answered: real })
      }
    }
  })

  it(`answers as they do about entries, in ${SEQUENCES * COMMANDS} commands`, { timeout: 120_000 }, async () => {
    const clock = systemClock()
    const limits = { hidesKeys: false, maxEntryBytes: 1024, maxMs: 86_400_000 }
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEQUENCES; seed += 1) {
      const random = createRandom(seed)
      const data = new StoreData({ ...clock, now: () => Date.now(), wall: () => Date.now() } as typeof clock)
      const cells = new LeanCells()
      const real = createRemote({ redis, clock, prefix: `drift${seed}:`, ...limits })
      const sim = createRemote({ redis: new SimRedis(nodeOn(data, 'n1', random)), clock, prefix: '', ...limits })
      await sim.readMany(['nothing'], DEADLINE_MS) // so that it knows the run of its server, as a connection does from the start
      for (let i = 0; i < COMMANDS; i += 1) await compareEntries({ real, sim, cells, random, what: `seed ${seed}, command ${i}` })
    }
  })
})

async function compareEntries(parts: {
  readonly real: RemotePort
  readonly sim: RemotePort
  readonly cells: LeanCells
  readonly random: () => number
  readonly what: string
}): Promise<void> {
  const { real, sim, cells, random, what } = parts
  const below = (count: number): number => Math.floor(random() * count)
  const key = `k${below(2)}`
  if (random() < 0.6) {
    const [ageMs, lifeMs] = [below(4) * 10_000, 5000 + below(4) * 10_000]
    const now = systemClock().now()
    const storedAt = now - ageMs
    const given = { key, generation: `g${below(2)}`, asOf: below(4), storedAt, endsAt: storedAt + lifeMs }
    const envelope = Buffer.from(`${what} ${'x'.repeat(below(50))}`)
    const done = await real.write({ ...given, envelope }, DEADLINE_MS)
    const lean = { ...given, storedAt: Date.now() - ageMs, ageMs, lifeMs, version: what.length, tags: [String(envelope)] }
    expect({ what, done: await sim.write({ ...given, envelope }, DEADLINE_MS) }).toEqual({ what, done })
    // The port refuses what is over before it asks.
    expect({ what, done: cells.write(key, lean, Date.now()) }).toEqual({ what, done })
    return
  }
  const [found] = await real.readMany([key], DEADLINE_MS)
  const [simulated] = await sim.readMany([key], DEADLINE_MS)
  const cell = cells.read(key, Date.now())
  const told = found && { generation: found.generation, asOf: found.asOf, text: String(found.envelope) }
  const toldBySim = simulated && {
    ...{ generation: simulated.generation, asOf: simulated.asOf, text: String(simulated.envelope) },
  }
  expect({ what, told: toldBySim }).toEqual({ what, told })
  expect({ what, told: cell && { generation: cell.generation, asOf: cell.asOf, text: cell.tags[0] } }).toEqual({ what, told })
  if (found === undefined || simulated === undefined || cell === undefined) return
  expect(Math.abs(found.storedAt - simulated.storedAt), what).toBeLessThan(4000)
  expect(Math.abs(Date.now() - cell.storedAt - (systemClock().now() - found.storedAt)), what).toBeLessThan(4000)
}
