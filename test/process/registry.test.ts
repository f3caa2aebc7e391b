import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/model/clock.ts'
import { SILENT } from '../../src/model/port.ts'
import { createRandom } from '../../src/model/random.ts'
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import { Election } from '../../src/ops/election.ts'
import { Registry } from '../../src/ops/registry.ts'
import { type RegistryKeys, registryKeys } from '../../src/ops/registry-keys.ts'
import { parseRedisUrl } from '../../src/tier/redis-address.ts'
import type { RedisPort } from '../../src/tier/redis-port.ts'
import { createRedis } from '../../src/tier/redis.ts'
import { facts } from '../support/facts.ts'
import { type RedisHere, type RedisSet, startCluster, startRedis, until } from '../support/redis-here.ts'

const clock = systemClock()
const BEAT_MS = 100
const TTL_MS = 400
const LEASE_MS = 600

let server: RedisHere
let redis: RedisPort
const opened: { close(): unknown }[] = []
let round = 0
let keys: RegistryKeys

const connect = (url: string): RedisPort => {
  const port = createRedis({ target: parseRedisUrl(url), clock, random: Math.random })
  opened.push(port)
  return port
}

beforeAll(async () => {
  server = await startRedis()
}, 30_000)
afterAll(() => server.stop())
afterEach(() => {
  for (const one of opened.splice(0)) one.close()
})

async function fresh(): Promise<void> {
  round += 1
  keys = registryKeys(`t${round}:`)
  redis = connect(server.url)
  expect(await redis.ready(5000)).toBe(true)
}

function member(id: string, port: RedisPort = redis, given: object = {}): Registry {
  const { id: _, state, address, api, processes, requestsPerSecond, cpu, ...rest } = facts()
  const { loopDelayMs, p99Ms, rssBytes, entries, bytes, maxBytes, hitRatio, ...identity } = rest
  const vitals = {
    state,
    address,
    api,
    processes,
    requestsPerSecond,
    cpu,
    loopDelayMs,
    p99Ms,
    rssBytes,
    entries,
    bytes,
    maxBytes,
    hitRatio,
  }
  const registry = new Registry({
    ...{ redis: port, keys, clock, logger: SILENT, beatMs: BEAT_MS, ttlMs: TTL_MS },
    identity: { ...identity, id },
    vitals: () => ({ ...vitals, ...given }),
  })
  opened.push({ close: () => void registry.leave(100) })
  return registry
}

const idsOf = async (registry: Registry): Promise<string[]> => (await registry.list()).map(({ id }) => id)

describe('the registry, with a real server', () => {
  it('shows who joins, with what he tells', async () => {
    await fresh()
    const [a, b] = [member('a'), member('b', redis, { cpu: 0.5, state: 'draining' })]
    await a.start()
    await b.start()

    expect(await a.list()).toEqual([facts({ id: 'a' }), facts({ id: 'b', cpu: 0.5, state: 'draining' })])
  })

  it('loses who leaves at once, and who is killed when his heartbeat ends', async () => {
    await fresh()
    const other = connect(server.url)
    await other.ready(5000)
    const [a, b, crashed] = [member('a'), member('b'), member('c', other)]
    for (const one of [a, b, crashed]) await one.start()
    expect(await idsOf(a)).toEqual(['a', 'b', 'c'])

    await b.leave(1000)
    expect(await idsOf(a)).toEqual(['a', 'c'])

    const killedAt = clock.now()
    other.close() // nothing of it reaches the server any more
    await until(async () => (await idsOf(a)).length === 1, 'the heartbeat to end', 2000)
    expect(clock.now() - killedAt).toBeLessThan(TTL_MS + 300)
    await until(async () => Number(await server.command('HLEN', keys.instances)) === 1, 'its field to be taken out')
  })

  it('takes back who was silent for longer than a heartbeat lasts', async () => {
    await fresh()
    const [a, b] = [member('a'), member('b')]
    await a.beat()
    await b.beat()
    await until(async () => {
      await a.beat()
      return (await idsOf(a)).length === 1
    }, 'b to be gone')

    await b.beat()

    expect(await idsOf(a)).toEqual(['a', 'b'])
  })

  it('goes on without the server, and is there again when it is', async () => {
    const own = await startRedis()
    try {
      keys = registryKeys('own:')
      const port = connect(own.url)
      await port.ready(5000)
      const a = member('a', port)
      await a.start()
      await own.kill()
      await expect(a.list()).rejects.toThrow('FC_L2')
      await own.restart({ withData: false })
      await until(async () => (await idsOf(a)).length === 1, 'a to be registered again')
    } finally {
      await own.stop()
    }
  })

  it('asks with neither KEYS nor SCAN', async () => {
    await fresh()
    await server.command('CONFIG', 'RESETSTAT')
    const a = member('a')
    await a.start()
    await a.list()
    await a.leave(1000)

    const stats = String(await server.command('INFO', 'commandstats'))
    expect(stats).toContain('cmdstat_hgetall')
    expect(stats).not.toMatch(/cmdstat_(keys|\w*scan|flush)/)
  })

  it('reads what others wrote field by field, whatever it is', async () => {
    await fresh()
    const a = member('a')
    await a.start()
    for (const [id, fixed, beat] of [
      ['x', 'no json', '[]'],
      ['y', '{"pid":"1"}', '{"state":"ready","cpu":-1,"bytes":"many"}'],
    ] as const) {
      await server.command('HSET', keys.instances, id, fixed)
      await server.command('SET', keys.beat(id), beat)
    }

    const seen = await a.list()

    expect(seen.map(({ id }) => id).toSorted()).toEqual(['a', 'y'])
    expect(seen.find(({ id }) => id === 'y')).toMatchObject({ pid: 0, cpu: 0, bytes: 0, host: '' })
  })
})

describe('the registry and the election on a cluster', () => {
  let cluster: RedisSet
  beforeAll(async () => {
    cluster = await startCluster()
  }, 60_000)
  afterAll(() => cluster.stop())

  it('need no other option than the URL', async () => {
    keys = registryKeys('forecache:')
    const port = connect(cluster.url)
    expect(await port.ready(5000)).toBe(true)
    const [a, b] = [member('a', port), member('b', port)]
    await a.start()
    await b.start()
    expect(await idsOf(a)).toEqual(['a', 'b'])
    const election = new Election({ redis: port, keys, clock, id: 'a', leaseMs: LEASE_MS })
    const { term, isSelf } = await election.stand()
    expect(isSelf).toBe(true)
    expect(await election.permit(term, { desired: 2, direction: 'out', record: {} })).toBe('granted')
  })
})

describe('the election, with a real server', () => {
  const candidate = (id: string, port: RedisPort = redis): Election => {
    const election = new Election({ redis: port, keys, clock, id, leaseMs: LEASE_MS })
    opened.push({ close: () => void election.close(100) })
    return election
  }
  const ORDER = { desired: 3, direction: 'out', record: { desired: 3 } } as const

  it('has one leader, whose term does not grow while he renews', async () => {
    await fresh()
    const [a, b] = [candidate('a'), candidate('b')]
    const first = await a.stand()
    expect(first).toEqual({ term: expect.any(Number), leader: 'a', isSelf: true })
    expect(await b.stand()).toEqual({ ...first, isSelf: false })
    expect(await a.stand()).toEqual(first)
  })

  it('refuses the action of a former leader, in the store and before it', async () => {
    await fresh()
    const other = connect(server.url)
    await other.ready(5000)
    const [a, b] = [candidate('a'), candidate('b', other)]
    const former = await a.stand()
    expect(await a.permit(former.term, ORDER)).toBe('granted')
    await server.command('UNLINK', keys.leader) // the lease is lost while a still believes in it
    const next = await b.stand()
    expect(next).toMatchObject({ leader: 'b', isSelf: true })
    expect(next.term).toBeGreaterThan(former.term)
    expect(a.leadership).toEqual(former)

    expect(await a.permit(former.term, { ...ORDER, desired: 9 })).toBe('refused')
    expect(await b.permit(next.term, { ...ORDER, desired: 4 })).toBe('granted')
    expect(await b.permit(former.term, ORDER)).toBe('refused')

    expect(await b.last()).toMatchObject({ desired: 4, direction: 'out' })
    expect(await b.log()).toHaveLength(2)
  })

  it('follows a leader that is silent for a lease, and one that resigns at once', async () => {
    await fresh()
    const [a, b] = [candidate('a'), candidate('b')]
    const { term } = await a.stand()
    const silentAt = clock.now()
    await until(async () => (await b.stand()).isSelf, 'b to lead', 3000)
    expect(clock.now() - silentAt).toBeGreaterThan(LEASE_MS * 0.9)
    expect(a.leadership.isSelf).toBe(false) // by its own clock, without a word from anybody
    const next = b.leadership.term
    expect(next).toBeGreaterThan(term)

    await b.close(1000)
    const last = await a.stand()
    expect(last).toMatchObject({ leader: 'a', isSelf: true })
    expect(last.term).toBeGreaterThan(next)
  })

  it('has greater terms still when the server was emptied, and the next candidate has seen none', async () => {
    await fresh()
    const { term } = await candidate('a').stand()
    await server.command('UNLINK', keys.leader, keys.term)

    expect((await candidate('b').stand()).term).toBeGreaterThan(term)
  })

  it('grants orders in the order of terms, each term to one candidate, whatever happens: 60 seeds', async () => {
    await fresh()
    const seeds = Array.from({ length: 60 }, (_, at) => at + 1)
    for (const seed of seeds) {
      keys = registryKeys(`seed${seed}:`)
      const random = createRandom(seed)
      const clocks = [0, 1, 2].map(() => createVirtualClock())
      const all = clocks.map((own, at) => new Election({ redis, keys, clock: own, id: `c${at}`, leaseMs: 60_000 }))
      const known: number[][] = all.map(() => [1])
      const granted: { readonly term: number; readonly by: number }[] = []
      for (let step = 0; step < 40; step += 1) {
        const at = Math.floor(random() * 3)
        const [one, terms] = [all[at] as Election, known[at] as number[]]
        const dice = random()
        if (dice < 0.35) terms.push((await one.stand()).term)
        else if (dice < 0.5)
          await server.command('UNLINK', keys.leader) // the lease has ended in the store, unseen
        else if (dice < 0.55)
          await server.command('UNLINK', keys.leader, keys.term) // the store was emptied
        else if (dice < 0.65)
          clocks[at]?.advance(random() * 80_000) // a pause that only its own clock shows
        else {
          const term = terms[Math.floor(random() * terms.length)] as number
          if ((await one.permit(term, { ...ORDER, record: { term, by: at } })) === 'granted') granted.push({ term, by: at })
        }
      }
      const place = `seed ${seed}: ${JSON.stringify(granted)}`
      granted.forEach(({ term }, at) => expect(term, place).toBeGreaterThanOrEqual(granted[at - 1]?.term ?? 0))
      for (const term of new Set(granted.map((one) => one.term))) {
        expect(new Set(granted.filter((one) => one.term === term).map(({ by }) => by)).size, place).toBe(1)
      }
    }
  }, 30_000)

  it('keeps the time of the last action for whoever leads next', async () => {
    await fresh()
    const [a, b] = [candidate('a'), candidate('b')]
    expect(await b.last()).toBe(undefined)
    await a.permit((await a.stand()).term, ORDER)
    await a.close(1000)
    await b.stand()

    const last = await b.last()
    expect(last).toMatchObject({ desired: 3, direction: 'out' })
    expect(last?.agoMs).toBeLessThan(2000)
  })
})
