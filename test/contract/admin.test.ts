import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request } from 'undici'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../src/flow/cache.ts'
import { systemClock } from '../../src/model/clock.ts'
import type { RequestHead } from '../../src/model/exchange.ts'
import type { RequestView } from '../../src/model/explain.ts'
import { SILENT } from '../../src/model/port.ts'
import { type Admin, createAdmin } from '../../src/ops/admin.ts'
import { type ApiServer, createApi } from '../../src/server/api.ts'
import { gatewayBefore, originHere } from '../support/gateway-here.ts'
import { parsePrometheusText } from '../support/prometheus-text.ts'

/** What the tests read of all answers. */
interface Answer {
  readonly error: { readonly code: string; readonly message: string }
  readonly matched: number
  readonly rates: { readonly effectiveHit: number }
  readonly latency: { readonly cached: { readonly count: number }; readonly uncached: { readonly count: number } }
  readonly targets: readonly { readonly held: boolean }[]
  readonly routes: readonly { readonly route: string }[]
  readonly reads: number
  readonly keys: readonly { readonly key: string; readonly share: number }[]
  readonly instances: readonly object[]
}

let cache: Cache
let admin: Admin
let api: ApiServer
let base: string
let asked: RequestHead[] = []

beforeEach(async () => {
  cache = createCache({ events: { 'order.paid': ['order:{id}', 'user:{user}'] } })
  asked = []
  admin = createAdmin({ engine: cache.engine, doors: [{ explain: view }], authority: () => 'shop.test' })
  api = createApi({ endpoints: admin.endpoints, keys: [], insecure: false, clock: systemClock(), logger: SILENT })
  const { port } = await api.listen({ host: '127.0.0.1', port: 0 })
  base = `http://127.0.0.1:${port}`
})

afterEach(async () => {
  admin.close()
  await api.close(1000)
  await cache.close()
})

/** A door that serves shop.test and sends /checkout past the cache. */
function view(head: RequestHead): RequestView | undefined {
  asked.push(head)
  if (head.authority !== 'shop.test') return undefined
  const parts = [{ name: 'path', value: head.target }]
  if (head.target.startsWith('/checkout')) return { route: 'checkout', key: undefined, parts, bypass: 'bypass-strict' }
  return { route: 'shop', key: `http://shop.test${head.target}`, parts }
}

async function get(path: string): Promise<{ status: number; json: Answer }> {
  const answer = await request(base + path)
  return { status: answer.statusCode, json: (await answer.body.json()) as Answer }
}

async function invalidate(body: unknown, type = 'application/json'): Promise<{ status: number; json: Answer }> {
  const content = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
  const answer = await request(`${base}/v1/invalidate`, { method: 'POST', headers: { 'content-type': type }, body: content })
  return { status: answer.statusCode, json: (await answer.body.json()) as Answer }
}

async function fill(key: string, tags: readonly string[] = []): Promise<void> {
  await cache.fetch(key, { tags }, async () => `value of ${key}`)
}

describe('POST /v1/invalidate', () => {
  it('removes by key, tag, prefix, namespace and event in one log record, and answers token, matched, nodes', async () => {
    await fill('a')
    await fill('b', ['t'])
    await fill('p/1')
    await fill('p/2')
    await fill('o', ['order:7'])
    await fill('u', ['user:9'])
    await fill('kept', ['other'])
    await cache.namespace('quote').fetch('x', async () => 1)
    const before = cache.engine.fence.horizon

    const { status, json } = await invalidate({
      keys: ['a'],
      tags: ['t'],
      prefixes: ['p/'],
      namespaces: ['quote'],
      events: [{ type: 'order.paid', id: 7, user: 9 }],
    })

    expect(status).toBe(200)
    expect(json).toEqual({
      token: `${cache.engine.generation}.${before + 1}`,
      matched: 7,
      nodes: { expected: 1, acknowledged: 1 },
    })
    for (const key of ['a', 'b', 'p/1', 'p/2', 'o', 'u']) expect(cache.peek(key)).toBeUndefined()
    expect(cache.peek('kept')).toBe('value of kept')
  })

  it('only counts on a dry run', async () => {
    await fill('a')

    const { json } = await invalidate({ keys: ['a', 'absent'], dryRun: true })

    expect(json.matched).toBe(1)
    expect(cache.peek('a')).toBe('value of a')
  })

  it('makes stale on a soft one', async () => {
    await cache.fetch('a', { budget: { fresh: '1m', stale: '2m' } }, async () => 1)
    await invalidate({ keys: ['a'], soft: true })

    expect(await cache.get('a')).toMatchObject({ data: 1, stale: true })
  })

  it.each([
    ['an unknown name', { keys: ['a'], all: true }, 'all: unknown name; known here: keys, tags'],
    ['nothing named', {}, 'nothing named'],
    ['only empty lists', { keys: [], soft: true }, 'nothing named'],
    ['a list that is none', { keys: 'a' }, 'keys: '],
    ['an empty key', { keys: [''] }, 'keys.0: '],
    ['a tag with white space', { tags: ['a b'] }, 'tags.0: expected a tag without white space'],
    ['too many prefixes', { prefixes: Array.from({ length: 101 }, (_, i) => `p${i}`) }, 'prefixes: '],
    ['an event without type', { events: [{ id: 1 }] }, 'events.0.type: '],
    ['an event with an object inside', { events: [{ type: 'a', id: { b: 1 } }] }, 'events.0.id: '],
    ['an event whose field is missing', { events: [{ type: 'order.paid', id: 1 }] }, 'needs the field user'],
    ['a list instead of an object', [], ''],
    ['broken JSON', '{"keys": [', 'expected JSON in UTF-8'],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'expected JSON in UTF-8'],
    ['an empty body', '', 'expected JSON in UTF-8'],
  ])('refuses %s and does nothing', async (_, body, text) => {
    await fill('a')
    const before = cache.engine.fence.horizon

    const { status, json } = await invalidate(body)

    expect(status).toBe(400)
    expect(json.error.code).toBe('FC_API_BODY')
    expect(json.error.message).toContain(text)
    expect(cache.engine.fence.horizon).toBe(before)
  })

  it('refuses an event that no rule maps', async () => {
    const { status, json } = await invalidate({ events: [{ type: 'unknown' }] })

    expect([status, json.error.code]).toEqual([400, 'FC_EVENT_UNKNOWN'])
  })

  it('refuses a content type that a foreign page could send', async () => {
    const { status, json } = await invalidate('{"keys":["a"]}', 'text/plain')

    expect([status, json.error.code]).toEqual([400, 'FC_API_BODY'])
  })

  it('refuses a body above its limit', async () => {
    const { status, json } = await invalidate(JSON.stringify({ keys: ['x'.repeat(5 * 1024 * 1024)] }))

    expect([status, json.error.code]).toEqual([413, 'FC_REQUEST_TOO_LARGE'])
  })
})

describe('GET /v1/stats', () => {
  it('answers counters, rates, latencies, targets and routes', async () => {
    await cache.fetch('k', { context: 'user:profile' }, async () => 1)
    for (let i = 0; i < 9; i += 1) await cache.fetch('k', { context: 'user:profile' }, async () => 1)
    cache.peek('k')

    const { status, json } = await get('/v1/stats')

    expect(status).toBe(200)
    expect(json).toMatchObject({ entries: 1, counts: { hits: 10, misses: 1, originRequests: 1 }, horizon: 0 })
    expect(json.rates.effectiveHit).toBeCloseTo(10 / 11)
    expect(json.latency.cached.count).toBe(9)
    expect(json.latency.uncached.count).toBe(1)
    expect(json.targets.map((target) => target.held)).toEqual([true, true, true])
    expect(json.routes.map((route) => route.route)).toEqual(['default', 'user:profile'])
  })
})

describe('GET /v1/explain', () => {
  it('explains a key', async () => {
    await fill('user:1:profile', ['user:1'])

    expect((await get('/v1/explain?key=user:1:profile')).json).toMatchObject({
      reason: 'fresh',
      cached: true,
      entry: { tags: ['user:1'] },
    })
  })

  it('asks the doors about a URL as a client would send it, path spelling kept', async () => {
    const target = '/a%2Fb/%7Euser?utm_source=x&b=2'
    const query = new URLSearchParams([
      ['url', `http://SHOP.test:80${target}#top`],
      ['method', 'HEAD'],
      ['header', 'Accept-Language: de'],
    ])

    const { json } = await get(`/v1/explain?${query}`)

    expect(json).toMatchObject({ reason: 'unknown', route: 'shop', key: `http://shop.test${target}` })
    expect(asked[0]).toMatchObject({ method: 'HEAD', target, scheme: 'http', authority: 'shop.test' })
    expect(asked[0]?.fields.get('accept-language')).toBe('de')
  })

  it('takes a path that begins with two slashes for a path, not for another host', async () => {
    await get('/v1/explain?url=//elsewhere.test/x')

    expect(asked.at(-1)?.target).toBe('//elsewhere.test/x')
    expect(asked.at(-1)?.authority).not.toContain('elsewhere')
  })

  it.each(['', '%00', 'nonsense', 'ftp://shop.test/a', 'http://', 'http://[::1/'])('refuses %j, which is no URL', async (url) => {
    const { status } = await get(`/v1/explain?url=${encodeURIComponent(decodeURIComponent(url))}`)
    expect(status).toBe(400)
  })

  it('takes the gateway for a bare path', async () => {
    expect((await get('/v1/explain?url=/checkout')).json).toMatchObject({
      reason: 'bypass-strict',
      route: 'checkout',
      cached: false,
    })
  })

  it.each([
    ['neither key nor url', ''],
    ['both', 'key=a&url=/b'],
    ['an unknown name', 'key=a&verbose=1'],
    ['no URL', 'url=ftp://x/'],
    ['a URL of nobody', 'url=http://elsewhere.test/'],
    ['a broken header', 'url=/&header=oops'],
    ['a header with a line break', 'url=/&header=a:b%0d%0ac:d'],
  ])('refuses %s', async (_, query) => {
    const { status, json } = await get(`/v1/explain?${query}`)

    expect([status, json.error.code]).toEqual([400, 'FC_API_QUERY'])
  })
})

describe('GET /v1/top', () => {
  it('ranks the keys read while it looks, peeks included', async () => {
    for (const key of ['hot', 'warm', 'cold']) await fill(key)
    const answer = get('/v1/top?seconds=0.3&limit=2')
    const reading = setInterval(() => {
      for (let i = 0; i < 3; i += 1) cache.peek('hot')
      cache.peek('warm')
    }, 10)
    const { json } = await answer
    clearInterval(reading)

    expect(json.keys.map((one) => one.key)).toEqual(['hot', 'warm'])
    expect(json.keys[0]?.share).toBeCloseTo(0.75, 1)
    expect(json.reads).toBeGreaterThan(3)
  })

  it('refuses numbers out of range', async () => {
    expect((await get('/v1/top?seconds=99')).json.error.code).toBe('FC_API_QUERY')
    expect((await get('/v1/top?limit=none')).json.error.code).toBe('FC_API_QUERY')
  })
})

describe('GET /v1/instances and /metrics', () => {
  it('describes this instance', async () => {
    const { json } = await get('/v1/instances')

    expect(json.instances).toHaveLength(1)
    expect(json.instances[0]).toMatchObject({ self: true, pid: process.pid, id: cache.engine.generation })
  })

  it('exposes metrics that a strict reader takes', async () => {
    await fill('k')
    await invalidate({ tags: ['t'] })
    const answer = await request(`${base}/metrics`)
    const families = parsePrometheusText(await answer.body.text())

    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(families.get('forecache_cache_misses_total')?.samples[0]?.value).toBe(1)
    expect(families.get('forecache_cache_invalidations_total')?.samples).toContainEqual({
      name: 'forecache_cache_invalidations_total',
      labels: { kind: 'tag' },
      value: 1,
    })
  })
})

describe('GET /v1/stream', () => {
  /** Reads frames until one of `name` has come. */
  async function readUntil(path: string, name: string, act: () => Promise<unknown>): Promise<string[]> {
    const { body } = await request(base + path)
    const frames: string[] = []
    let rest = ''
    let acted = false
    for await (const chunk of body) {
      rest += String(chunk)
      const whole = rest.split('\n\n')
      rest = whole.pop() as string
      frames.push(...whole)
      if (frames.some((frame) => frame.startsWith(`event: ${name}`))) break
      if (!acted) {
        acted = true
        await act()
      }
    }
    return frames
  }

  it('tells invalidations and statistics without being asked for more', async () => {
    const frames = await readUntil('/v1/stream', 'fence:append', () => invalidate({ tags: ['t'] }))

    expect(frames[0]).toBe('retry: 2000')
    expect(frames.some((frame) => frame.startsWith('event: stats\ndata: {'))).toBe(true)
    const record = JSON.parse(
      (frames.find((frame) => frame.startsWith('event: fence:append')) as string).split('data: ')[1] as string,
    )
    expect(record).toMatchObject({ position: 1, source: 'api', targets: [{ kind: 'tag', tag: 't' }] })
  })

  it('sends only the events asked for, errors as plain text', async () => {
    const frames = await readUntil('/v1/stream?events=origin:fail', 'origin:fail', () =>
      cache.fetch('k', () => Promise.reject(new Error('down'))).catch(() => {}),
    )

    expect(frames.slice(1)).toEqual([
      expect.stringMatching(/^event: origin:fail\ndata: \{"key":"k","error":\{"message":"down"\}/),
    ])
  })

  it('refuses events it does not know', async () => {
    expect((await get('/v1/stream?events=lookup:all')).json.error.code).toBe('FC_API_QUERY')
  })

  it('ends when administration closes, and lets go of a client that left', async () => {
    const { body } = await request(`${base}/v1/stream?events=keep:store`)
    await body[Symbol.asyncIterator]().next()
    expect(cache.engine.events.wants('keep:store')).toBe(true)

    admin.close()
    for await (const _ of body) {
      /* to its end */
    }
    expect(cache.engine.events.wants('keep:store')).toBe(false)
  })

  it('costs nothing for a HEAD, and nothing after the client is gone', async () => {
    await request(`${base}/v1/stream?events=lookup:hit`, { method: 'HEAD' })
    expect(cache.engine.events.wants('lookup:hit')).toBe(false)

    const leaving = httpRequest(`${base}/v1/stream?events=lookup:hit`)
    leaving.on('error', () => {})
    leaving.end()
    await new Promise((resolve) => leaving.once('response', (response) => response.once('data', resolve)))
    expect(cache.engine.events.wants('lookup:hit')).toBe(true)
    leaving.destroy()
    await expect.poll(() => cache.engine.events.wants('lookup:hit')).toBe(false)
  })
})

describe('GET /metrics of a gateway', () => {
  it('has bare names by configuration, those of the process beside them, and times whole answers', async () => {
    const origin = await originHere((_, response) => response.writeHead(200, { 'cache-control': 'max-age=60' }).end('body'))
    const here = await gatewayBefore(origin, { metrics: { prefix: '' } })
    for (let i = 0; i < 3; i += 1) await (await request(`${here.url}/x`)).body.dump()

    const text = await (await request(`http://127.0.0.1:${here.apiPort}/metrics`)).body.text()
    const families = parsePrometheusText(text.replaceAll(/^.*nodejs_.*\n/gm, ''))

    const counts = families.get('cache_request_seconds')?.samples.filter((sample) => sample.name.endsWith('_count'))
    expect(counts?.map(({ labels, value }) => [labels['cached'], labels['route'], value])).toEqual([
      ['false', 'default', 1],
      ['true', 'default', 2],
    ])
    expect(families.get('cache_hits_total')?.samples[0]?.value).toBe(2)
    expect(families.get('cache_origin_requests_total')?.samples[0]?.value).toBe(1)
    expect(families.has('process_cpu_seconds_total')).toBe(true)
  })
})

describe('docs/reference/api.md', () => {
  it('names every endpoint', () => {
    const page = readFileSync(new URL('../../docs/reference/api.md', import.meta.url), 'utf8')

    for (const { method, path } of admin.endpoints) expect(page).toContain(`| \`${method} ${path}\` |`)
  })
})
