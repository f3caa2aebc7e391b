import { describe, expect, it } from 'vitest'
import { DEFAULT_LIMITS, policyTags, resolvePolicies } from '../../../src/http/policy.ts'
import { createHttpDoor } from '../../../src/http/door.ts'
import { DEFAULT_CONTEXTS } from '../../../src/model/budget.ts'
import { DoorStand, type Respond } from '../../support/door-stand.ts'

const parts = { contexts: DEFAULT_CONTEXTS, limits: DEFAULT_LIMITS }
const resolve = (given: unknown): ReturnType<typeof resolvePolicies> => resolvePolicies(given, parts)
const one = { name: 'r', match: { path: '/a' } }

describe('route policies: what is refused', () => {
  it.each<[string, unknown, string]>([
    ['an unknown option', { ...one, ttl: 5 }, 'FC_OPTION_UNKNOWN'],
    ['an unknown option inside', { ...one, match: { path: '/a', host: 'x' } }, 'FC_OPTION_UNKNOWN'],
    ['a path that is none', { ...one, match: { path: 'a' } }, 'FC_OPTION_'],
    ['a bad duration', { ...one, budget: 'soon' }, 'FC_OPTION_VALUE'],
    ['windows that do not nest', { ...one, budget: { fresh: '2m', stale: '1m' } }, 'FC_OPTION_VALUE'],
    ['an unknown context', { ...one, context: 'user:nobody' }, 'FC_OPTION_UNKNOWN'],
    ['budget and context together', { ...one, budget: '1m', context: 'user:profile' }, 'FC_OPTION_VALUE'],
    ['a parameter that the path does not have', { ...one, tags: ['product:{id}'] }, 'FC_OPTION_VALUE'],
    ['a tier that there is not', { ...one, tiers: ['l1', 'l2'] }, 'FC_OPTION'],
    ['tiers without memory', { ...one, tiers: ['l2'] }, 'FC_OPTION_VALUE'],
    ['an option of refreshing ahead that there is not', { ...one, refreshAhead: { more: 1 } }, 'FC_OPTION'],
    ['the name default', { ...one, name: 'default' }, 'FC_OPTION_VALUE'],
  ])('%s', (_, route, code) => {
    expect(() => resolve([route])).toThrow(expect.objectContaining({ code: expect.stringContaining(code) as string }))
  })

  it('a name given twice, two policies for one path, and an unknown profile', () => {
    expect(() => resolve([one, { ...one, match: { path: '/b' } }])).toThrow('FC_OPTION_VALUE')
    expect(() => resolve([one, { ...one, name: 'other' }])).toThrow('FC_OPTION_VALUE')
    const { engine } = new DoorStand(() => ({}))
    expect(() => createHttpDoor({ engine, profile: 'lax' as 'safe' })).toThrow('FC_OPTION_VALUE')
  })
})

describe('route policies: matching', () => {
  it('matches by path and method, and gives parameters to tags', () => {
    const policies = resolve([
      { name: 'product', match: { path: '/products/:id' }, tags: ['products', 'product:{id}'] },
      { name: 'rest', match: { path: '/*', methods: ['GET'] } },
    ])
    expect(policyTags(policies.match('GET', '/products/7?x'))).toEqual(['products', 'product:7'])
    expect([policies.match('GET', '/b').policy.name, policies.match('HEAD', '/b').policy.name]).toEqual(['rest', 'default'])
  })

  it.each([
    '/products/..%2fprofile',
    '/products/%2e%2e/profile',
    '//products/1',
    '/products/./1',
    '/products/1;x',
    '/products\\1',
  ])('applies no policy to %s: servers disagree about what it names', (target) => {
    expect(resolve([{ name: 'product', match: { path: '/products/*' }, budget: '1h' }]).match('GET', target).policy.name).toBe(
      'default',
    )
  })
})

describe('route policies: what they do', () => {
  const bare: Respond = (_, n) => ({ body: `${n}`, fields: { etag: `"${n}"` } })

  it('give a lifetime where the origin says nothing, with stale windows', async () => {
    const routes = [{ ...one, budget: { fresh: '10s', stale: '20s', onError: '1m' } }]
    const stand = new DoorStand((_, n) => (n > 2 ? { status: 503 } : { body: `${n}` }), { routes })
    expect([(await stand.get('/a')).cache, (await stand.get('/a')).cache]).toEqual(['MISS', 'HIT'])
    stand.clock.advance(15_000)
    expect((await stand.get('/a')).cache).toBe('STALE')
    await stand.settle()
    stand.clock.advance(50_000)
    expect([(await stand.get('/a')).cache, (await stand.get('/a')).status]).toEqual(['STALE', 200])
    stand.clock.advance(20_000)
    expect((await stand.get('/a')).status).toBe(503)
  })

  it('bound what the origin says, and never widen it', async () => {
    const routes = [
      { ...one, budget: '10s' },
      { name: 'b', match: { path: '/b' }, budget: '1h' },
    ]
    const stand = new DoorStand(
      (_, n) => ({ fields: { 'cache-control': 'max-age=60, stale-while-revalidate=60' }, body: `${n}` }),
      { routes },
    )
    for (const target of ['/a', '/b']) await stand.get(target)
    stand.clock.advance(11_000)
    expect([(await stand.get('/a')).cache, (await stand.get('/b')).cache]).toEqual(['MISS', 'HIT'])
    stand.clock.advance(50_000)
    expect((await stand.get('/b')).cache).toBe('MISS')
  })

  it.each<[string, Record<string, string>, number]>([
    ['private answers', { 'cache-control': 'private' }, 200],
    ['no-store answers', { 'cache-control': 'no-store' }, 200],
    ['answers with cookies', { 'set-cookie': 'a=b' }, 200],
    ['errors', {}, 500],
    ['missing resources', {}, 404],
  ])('give no lifetime to %s', async (_, fields, status) => {
    const stand = new DoorStand(() => ({ status, fields }), { routes: [{ ...one, budget: '1h' }] })
    expect([(await stand.get('/a')).cache, (await stand.get('/a')).cache]).toEqual(['MISS', 'MISS'])
  })

  it('give no lifetime to answers to authorized requests', async () => {
    const stand = new DoorStand(bare, { routes: [{ ...one, budget: '1h' }] })
    await stand.get('/a', { fields: { authorization: 'x' } })
    expect((await stand.get('/a')).text).toBe('2')
  })

  it('take a budget by context', async () => {
    const stand = new DoorStand(bare, { routes: [{ ...one, context: 'user:profile' }] })
    await stand.get('/a')
    stand.clock.advance(29_999)
    expect((await stand.get('/a')).cache).toBe('HIT')
    stand.clock.advance(1)
    expect((await stand.get('/a')).text).toBe('2')
  })

  it('keep a strict route out of the cache altogether', async () => {
    const stand = new DoorStand((_, n) => ({ fields: { 'cache-control': 'max-age=60' }, body: `${n}` }), {
      routes: [{ ...one, strict: true }],
    })
    expect([(await stand.get('/a')).cache, (await stand.get('/a')).text]).toEqual(['BYPASS', '2'])
  })

  it('tag what they store', async () => {
    const routes = [{ name: 'p', match: { path: '/p/:id' }, budget: '1h', tags: ['p:{id}'] }]
    const stand = new DoorStand(bare, { routes })
    await stand.get('/p/1')
    await stand.get('/p/2')
    stand.engine.invalidate({ tags: ['p:1'] })
    expect([(await stand.get('/p/1')).cache, (await stand.get('/p/2')).cache]).toEqual(['MISS', 'HIT'])
  })

  it('normalize keys, and ask the origin for the language that the key names', async () => {
    const routes = [
      { ...one, budget: '1h', key: { query: { drop: ['session'] }, locale: { offered: ['de', 'en'], default: 'en' } } },
    ]
    const stand = new DoorStand(bare, { routes })
    await stand.get('/a?b=1&a=2&utm_source=x', { fields: { 'accept-language': 'de-AT, fr;q=0.5' } })
    expect(stand.seen[0]?.head.fields.get('accept-language')).toBe('de')
    expect((await stand.get('/a?a=2&b=1&session=5', { fields: { 'accept-language': 'de' } })).cache).toBe('HIT')
    expect((await stand.get('/a?a=2&b=1')).cache).toBe('MISS')
  })

  it('send a request past the cache whose dimension cannot be told', async () => {
    const routes = [{ ...one, budget: '1h', key: { tier: { header: 'x-tier', tiers: ['free', 'pro'] } } }]
    const stand = new DoorStand(bare, { routes })
    expect((await stand.get('/a', { fields: { 'x-tier': 'root' } })).cache).toBe('BYPASS')
    expect((await stand.get('/a', { fields: { 'x-tier': 'pro' } })).cache).toBe('MISS')
  })

  it('serve a token of this log, and validate for one that it cannot vouch for', async () => {
    const routes = [
      { ...one, budget: '1h', readYourWrites: true },
      { name: 'w', match: { path: '/w', methods: ['POST'] }, readYourWrites: true },
    ]
    const stand = new DoorStand(bare, { routes })
    await stand.get('/a')
    const token = (await stand.get('/w', { method: 'POST', body: 'x' })).fields.get('forecache-token')
    const with_ = async (value = ''): Promise<string> => (await stand.get('/a', { fields: { 'forecache-token': value } })).cache
    expect([token, await with_(token)]).toEqual([stand.engine.token(), 'HIT'])
    for (const bad of ['other.1', `${stand.engine.generation}.999`, 'rubbish', `${stand.engine.generation}.x`])
      expect(await with_(bad)).not.toBe('HIT')
  })
})
