import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseConfig } from '../../src/entry/gateway.ts'
import { type GatewayHere, gatewayBefore, originHere, type Wish } from '../support/gateway-here.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

/** Routes that the second level is not for: what is found after a restart came from the disk. */
const ROUTES = [{ name: 'all', match: { path: '/*' }, tiers: ['memory' as const], tags: [] }]

let server: RedisHere
let directory: string
let file: string
let asked: string[] = []
let origin: string
let round = 0

beforeAll(async () => {
  server = await startRedis()
}, 30_000)
afterAll(() => server.stop())
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'forecache-warm-'))
  file = join(directory, 'hot.snapshot')
  asked = []
  round += 1
  origin = await originHere((request, response) => {
    asked.push(request.url as string)
    response.setHeader('cache-control', 'max-age=600')
    response.setHeader('surrogate-key', `page ${(request.url as string).slice(1)}`)
    response.end(`answer ${asked.length} to ${request.url}`)
  })
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const l2 = (): NonNullable<Wish['l2']> => ({ url: server.url, prefix: `s${round}:` })
const withLog = (wish: Wish = {}): Wish => ({ l2: l2(), routes: ROUTES, snapshot: { file }, ...wish })
const open = async (wish: Wish): Promise<GatewayHere> => {
  const here = await gatewayBefore(origin, wish)
  const { engine } = here.gateway.cache
  if (engine.shared !== undefined) await until(() => engine.shared?.isBlind === false, 'the log')
  return here
}
const get = async ({ url }: GatewayHere, path: string): Promise<{ text: string; cache: string | null; age: number }> => {
  const answer = await fetch(url + path)
  return { text: await answer.text(), cache: answer.headers.get('x-cache'), age: Number(answer.headers.get('age')) }
}

describe('a snapshot behind a shared log', () => {
  it('is not read by rules that a reload had replaced before it was written', async () => {
    const first = await open(withLog())
    const other = withLog({ routes: [{ ...(ROUTES[0] as (typeof ROUTES)[number]), budget: { fresh: '30m' } }] })
    await first.gateway.reload(
      parseConfig({ values: { ...other, origin: { url: origin }, listen: '127.0.0.1:0', api: { listen: '127.0.0.1:0' } } }),
    )
    await get(first, '/a')
    await get(first, '/a')
    await first.gateway.close(1000)

    const second = await open(withLog())

    expect(existsSync(file)).toBe(true)
    expect((await get(second, '/a')).cache).toBe('MISS')
  })

  it('is served after a restart, without a question to the origin, with its own age', async () => {
    const first = await open(withLog())
    const former = await get(first, '/a')
    await get(first, '/a')
    await first.gateway.close(1000)

    const second = await open(withLog({ listen: `127.0.0.1:${first.port}` }))
    const now = await get(second, '/a')

    expect(now).toMatchObject({ text: former.text, cache: 'HIT' })
    expect(now.age).toBeGreaterThanOrEqual(1) // counted on, a second to be on the safe side
    expect(asked).toEqual(['/a'])
  })

  it('leaves out what another instance has invalidated in between, and nothing else', async () => {
    const other = await open(withLog({ snapshot: { file: join(directory, 'other') } }))
    const first = await open(withLog())
    for (const path of ['/a', '/b', '/c']) await get(first, path)
    await first.gateway.close(1000)
    await other.gateway.cache.invalidate({ tags: ['a'] })
    await other.gateway.cache.invalidate({ urls: [`${first.url}/c`] })

    const second = await open(withLog({ listen: `127.0.0.1:${first.port}` }))
    const [a, b, c] = [await get(second, '/a'), await get(second, '/b'), await get(second, '/c')]

    expect([a.cache, b.cache, c.cache]).toEqual(['MISS', 'HIT', 'MISS'])
    expect(asked).toEqual(['/a', '/b', '/c', '/a', '/c'])
  })

  it('holds after a crash too: what was invalidated after it was written is not served', async () => {
    const first = await open(withLog({ snapshot: { file, interval: '50ms' } }))
    await get(first, '/a')
    await get(first, '/b')
    await until(() => existsSync(file), 'a snapshot')
    await new Promise((resolve) => setTimeout(resolve, 200))
    copyFileSync(file, `${file}.crash`) // the disk as a crash would leave it
    await first.gateway.cache.invalidate({ tags: ['a'] })

    const second = await open(withLog({ snapshot: { file: `${file}.crash` }, listen: `127.0.0.1:0` }))
    const stands = second.gateway.cache.engine.memory
    expect([...stands.keys()].map((key) => key.slice(-2))).toEqual(['/b'])
  })

  it('says nothing when the log has become another one', async () => {
    const own = await startRedis()
    try {
      const wish = withLog({ l2: { url: own.url } })
      const first = await open(wish)
      await get(first, '/a')
      await first.gateway.close(1000)
      await own.restart({ withData: true })

      const second = await open(wish)
      expect((await get(second, '/a')).cache).toBe('MISS')
    } finally {
      await own.stop()
    }
  })

  it('says nothing under other rules', async () => {
    const first = await open(withLog())
    await get(first, '/a')
    await first.gateway.close(1000)

    const second = await open(
      withLog({ routes: [{ ...(ROUTES[0] as object), name: 'all', match: { path: '/*' }, budget: '5m' }] }),
    )
    expect(second.gateway.cache.engine.memory.size).toBe(0)
  })

  it('costs no more than its deadline where the log cannot be reached', async () => {
    const first = await open(withLog())
    await get(first, '/a')
    await first.gateway.close(1000)
    server.freeze()
    try {
      const began = performance.now()
      const second = await gatewayBefore(origin, withLog({ snapshot: { file, deadline: '300ms' }, registry: { warm: '200ms' } }))
      expect(performance.now() - began).toBeLessThan(3000)
      expect(second.gateway.cache.engine.memory.size).toBe(0)
      expect((await get(second, '/a')).text).toBe('answer 2 to /a')
    } finally {
      server.thaw()
    }
  })

  it('is encrypted where the second level is, and brings contents and variants back', async () => {
    const encryption = [{ id: 'k', secret: Buffer.alloc(32, 1).toString('hex') }]
    const wish = withLog({ l2: { ...l2(), encryption } })
    const first = await open(wish)
    await fetch(`http://127.0.0.1:${first.apiPort}/cache/greeting?ttl=10m`, { method: 'PUT', body: 'hello' })
    await first.gateway.close(1000)

    const second = await open(wish)
    const answer = await fetch(`http://127.0.0.1:${second.apiPort}/cache/greeting`)
    expect(await answer.text()).toBe('hello')
  })
})

describe('a snapshot without a shared log', () => {
  const alone = (unproven: 'drop' | 'drained' | 'budget'): Wish => ({ snapshot: { file, unproven, interval: '50ms' } })

  it('is not read unless the option says so', async () => {
    const first = await open({ snapshot: { file } })
    await get(first, '/a')
    await first.gateway.close(1000)

    const second = await open({ snapshot: { file } })
    expect((await get(second, '/a')).cache).toBe('MISS')
  })

  it('is read after an orderly end, and once', async () => {
    const first = await open(alone('drained'))
    await get(first, '/a')
    await first.gateway.close(1000)

    const second = await open({ ...alone('drained'), listen: `127.0.0.1:${first.port}` })
    expect((await get(second, '/a')).cache).toBe('HIT')
    const third = await open({ snapshot: { file, unproven: 'drained' } }) // as if the second one had crashed
    expect(third.gateway.cache.engine.memory.size).toBe(0)
  })

  it('is read after a crash only where budgets are all that is asked for', async () => {
    const first = await open(alone('budget'))
    await get(first, '/a')
    await until(() => existsSync(file), 'a snapshot')
    await new Promise((resolve) => setTimeout(resolve, 200))
    const crash = (unproven: 'drained' | 'budget'): Wish => {
      const path = `${file}.${unproven}`
      copyFileSync(file, path)
      return { snapshot: { file: path, unproven } }
    }

    expect((await open(crash('drained'))).gateway.cache.engine.memory.size).toBe(0)
    expect((await open(crash('budget'))).gateway.cache.engine.memory.size).toBe(1)
  })
})

describe('the hot keys of others', () => {
  it('are fetched from the second level before an instance is ready', async () => {
    const wish = (): Wish => ({ l2: l2(), registry: { hotEvery: '1s', heartbeat: '100ms', ttl: '1s' } })
    const first = await open(wish())
    for (let i = 0; i < 20; i += 1) for (let again = 0; again < 3; again += 1) await get(first, `/p${i}`)
    await first.gateway.cache.engine.second?.idle()
    const { redis } = first.gateway.cache.engine
    const key = `{s${round}:instances}:hot:${first.gateway.cache.engine.generation}`
    await until(async () => (await redis?.call(['EXISTS', key], { deadlineMs: 1000, key })) === 1, 'its list')

    const second = await gatewayBefore(origin, wish())

    expect(second.gateway.cache.engine.memory.size).toBe(20)
    expect(asked).toHaveLength(20)
    const seen = (await (await fetch(`http://127.0.0.1:${second.apiPort}/v1/instances`)).json()) as {
      instances: { state: string }[]
    }
    expect(seen.instances.map(({ state }) => state)).toEqual(['ready', 'ready'])
  })

  it('keep nobody waiting for longer than they may', async () => {
    const own = await startRedis()
    own.freeze()
    try {
      const began = performance.now()
      await gatewayBefore(origin, { l2: { url: own.url }, registry: { warm: '200ms', heartbeat: '100ms', ttl: '1s' } })
      expect(performance.now() - began).toBeLessThan(3000)
    } finally {
      own.thaw()
      await own.stop()
    }
  })
})
