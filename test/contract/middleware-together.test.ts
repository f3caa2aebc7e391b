import { afterEach, describe, expect, it } from 'vitest'
import type { MiddlewareOptions } from '../../src/http/middleware.ts'
import { ask, gate, openStand, until } from '../support/middleware-client.ts'
import { HOSTS, type Script } from '../support/middleware-hosts.ts'

describe.each(HOSTS)('middleware among many requests: $name', (host) => {
  const open: { close(): Promise<void> }[] = []

  const site = async (script: Script, options: MiddlewareOptions = { budget: '30s' }, times = 1) => {
    const stand = await openStand(host, script, { options, times })
    open.push(stand)
    return stand
  }

  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()))
  })

  it('does not keep an answer whose key or tag was invalidated while the handler ran', async () => {
    const inside = gate()
    const leave = gate()
    let value = 'old'
    const here = await site(async () => {
      const text = value
      inside.open()
      await leave.passed
      return { text, headers: { 'cache-tag': 'thing' } }
    })

    const first = ask(here, '/')
    await inside.passed
    value = 'new'
    await here.cache.invalidate({ tags: ['thing'] })
    leave.open()

    expect([(await first).text, (await ask(here, '/')).text, here.runs()]).toEqual(['old', 'new', 2])
  })

  it('runs the handler once for 100 callers of one absent key', async () => {
    const leave = gate()
    const here = await site(async () => {
      await leave.passed
      return { text: 'one' }
    })

    const all = Array.from({ length: 100 }, () => ask(here, '/'))
    await until(() => here.cache.stats().counts.coalesced === 99)
    leave.open()

    expect(new Set((await Promise.all(all)).map((got) => `${got.status} ${got.text}`))).toEqual(new Set(['200 one']))
    expect(here.runs()).toBe(1)
  })

  it('runs the handler for each of those who waited for an answer that is private', async () => {
    const leave = gate()
    let number = 0
    const here = await site(async () => {
      const mine = (number += 1)
      await leave.passed
      return { text: String(mine), headers: { 'cache-control': 'private' } }
    })

    const all = Array.from({ length: 5 }, () => ask(here, '/'))
    await until(() => here.cache.stats().counts.coalesced === 4)
    leave.open()

    expect((await Promise.all(all)).map((got) => got.text).sort()).toEqual(['1', '2', '3', '4', '5'])
  })

  it("lets nobody wait for another's handler beyond the deadline", async () => {
    const leave = gate()
    const here = await site(async ({ header }) => {
      if (header('x-first') !== undefined) await leave.passed
      return { text: header('x-first') ?? 'mine' }
    })

    const first = ask(here, '/', { headers: { 'x-first': 'slow' } })
    await until(() => here.runs() === 1)
    const second = ask(here, '/')
    await until(() => here.cache.stats().counts.coalesced === 1)
    await here.clock.advanceAsync(31_000)

    expect((await second).text).toBe('mine')
    leave.open()
    expect((await first).text).toBe('slow')
  })

  it('caches once when registered twice', async () => {
    const here = await site(() => ({ text: 'a' }), { budget: '30s' }, 2)

    const [miss, hit] = [await ask(here, '/'), await ask(here, '/')]

    expect([
      miss.headers['x-cache'],
      hit.headers['x-cache'],
      String(hit.headers['cache-status']).split(',').length,
      here.runs(),
      here.cache.stats().entries,
    ]).toEqual(['MISS', 'HIT', 1, 1, 1])
  })

  it('tags answers with parameters of their path', async () => {
    const here = await site(({ path }) => ({ text: path }), {
      routes: [{ name: 'product', match: { path: '/products/:id' }, budget: '30s', tags: ['product:{id}', 'products'] }],
    })

    for (const path of ['/products/1', '/products/2']) await ask(here, path)
    const { matched } = await here.cache.invalidate({ tags: ['product:1'] })
    const states = [
      (await ask(here, '/products/2')).headers['x-cache'],
      (await ask(here, '/products/1')).headers['x-cache'],
      (await ask(here, '/elsewhere')).headers['x-cache'],
    ]

    expect([matched, states]).toEqual([1, ['HIT', 'MISS', 'MISS']])
    expect((await here.cache.invalidate({ urls: [`${here.url}/products/2`] })).matched).toBe(1)
    expect((await ask(here, '/products/2')).headers['x-cache']).toBe('MISS')
  })

  it('invalidates a URL when something unsafe was done to it', async () => {
    let value = 'old'
    const here = await site(({ method }) => {
      if (method === 'PUT') value = 'new'
      return { text: value }
    })

    await ask(here, '/')
    const put = await ask(here, '/', { method: 'PUT', body: 'x', headers: { 'content-type': 'text/plain' } })

    expect([put.status, put.text, (await ask(here, '/')).text]).toEqual([200, 'new', 'new'])
  })

  it('serves stale while one handler runs behind it or for one caller, and then fresh', async () => {
    let value = 1
    const leave = gate()
    const here = await site(
      async () => {
        const json = { value }
        if (value > 1) await leave.passed
        return { json }
      },
      { budget: { fresh: '10s', stale: '60s' } },
    )

    await ask(here, '/')
    value = 2
    await here.clock.advanceAsync(20_000)
    const asked = Promise.all([ask(here, '/'), ask(here, '/'), ask(here, '/')])
    await until(() => here.cache.stats().counts.staleServes === 3 && here.runs() === 2)
    leave.open()
    const during = (await asked).map((got) => `${got.status} ${got.headers['x-cache']} ${got.text}`)
    await until(() => here.cache.stats().refreshing === 0)
    const after = await ask(here, '/')

    expect(during.filter((got) => got === '200 STALE {"value":1}').length).toBe(host.name === 'hono' ? 2 : 3)
    expect([after.headers['x-cache'], after.text, here.runs()]).toEqual(['HIT', '{"value":2}', 2])
  })

  it('serves stale when the handler fails, within the budget', async () => {
    let fails = false
    const here = await site(
      () => {
        if (fails) return { status: 503, text: 'down' }
        return { text: 'good' }
      },
      { budget: { fresh: '10s', onError: '60s' } },
    )

    await ask(here, '/')
    fails = true
    await here.clock.advanceAsync(20_000)
    const failing = await ask(here, '/')
    await here.clock.advanceAsync(60_000)
    const late = await ask(here, '/')

    expect([failing.status, failing.text, failing.headers['x-cache'], late.status]).toEqual([200, 'good', 'STALE', 503])
  })

  it('steps aside when the cache itself fails', async () => {
    const here = await site(() => ({ text: 'fine' }))
    here.cache.engine.lookup = () => {
      throw new Error('broken inside')
    }

    const [first, second] = [await ask(here, '/'), await ask(here, '/')]

    expect([first.status, first.text, second.status, second.text, here.runs()]).toEqual([200, 'fine', 200, 'fine', 2])
  })

  it('steps aside for a GET with content', async () => {
    const here = await site(() => ({ text: 'a' }))

    const fat = await ask(here, '/', { body: 'x', headers: { 'content-type': 'text/plain', 'content-length': '1' } })

    expect([fat.status, fat.text, fat.headers['x-cache']]).toEqual([200, 'a', undefined])
    expect((await ask(here, '/')).headers['x-cache']).toBe('MISS')
  })

  it('keys by declared dimensions and gives an unknown tier nothing of others', async () => {
    const here = await site((seen) => ({ text: `${seen.header('x-tier')} ${seen.header('accept-language')}` }), {
      budget: '30s',
      key: { tier: { header: 'x-tier', tiers: ['free', 'gold'] }, locale: { offered: ['en', 'de'], default: 'en' } },
    })
    const get = async (tier: string, language: string) =>
      (await ask(here, '/', { headers: { 'x-tier': tier, 'accept-language': language } })).text

    expect([
      await get('free', 'de-AT, en;q=0.1'),
      await get('free', 'fr, de;q=0.4'),
      await get('gold', 'de'),
      await get('free', 'en-GB'),
    ]).toEqual(['free de', 'free de', 'gold de', 'free en'])
    expect([here.runs(), await get('root', 'de'), await get('root', 'de'), here.runs()]).toEqual([3, 'root de', 'root de', 5])
  })

  it('shares within a tier though every request bears credentials, and never in the wrong language', async () => {
    const here = await site(
      (seen) => ({ text: String(seen.header('x-tier')), headers: { 'content-language': seen.header('x-lies') ?? 'en' } }),
      {
        budget: '30s',
        key: { tier: { header: 'x-tier', tiers: ['free', 'gold'] }, locale: { offered: ['en', 'de'], default: 'en' } },
      },
    )
    const state = async (tier: string, token: string, more = {}) =>
      (await ask(here, '/', { headers: { 'x-tier': tier, authorization: token, ...more } })).headers['x-cache']

    expect([await state('free', 'a'), await state('free', 'b'), await state('gold', 'c')]).toEqual(['MISS', 'HIT', 'MISS'])
    expect([
      await state('free', 'a', { 'accept-language': 'de', 'x-lies': 'fr' }),
      await state('free', 'a', { 'accept-language': 'de' }),
    ]).toEqual(['MISS', 'MISS'])
  })

  it('refuses unknown options by name', async () => {
    await expect(async () => host.open(() => ({}), { budgett: '1s' } as never)).rejects.toThrow(
      /FC_OPTION_UNKNOWN: forecache\.budgett/,
    )
  })
})
