import { once } from 'node:events'
import { request } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import type { MiddlewareOptions } from '../../src/http/middleware.ts'
import { ask, type Got, inChunks, openStand } from '../support/middleware-client.ts'
import { HOSTS, type Play, type Script } from '../support/middleware-hosts.ts'

describe.each(HOSTS)('middleware: $name', (host) => {
  const open: { close(): Promise<void> }[] = []

  const site = async (script: Script, options: MiddlewareOptions = { budget: '30s' }, times = 1) => {
    const stand = await openStand(host, script, { options, times })
    open.push(stand)
    return stand
  }

  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()))
  })

  it('answers a hit with the bytes, status and headers of the miss', async () => {
    const here = await site(() => ({
      status: 203,
      json: { name: 'Ä', list: [1, 2] },
      headers: { 'X-Custom': 'yes', 'Content-Type': 'application/vnd.shop+json; charset=utf-8' },
    }))

    const miss = await ask(here, '/a?x=1')
    const hit = await ask(here, '/a?x=1')

    expect([miss.headers['x-cache'], hit.headers['x-cache'], here.runs()]).toEqual(['MISS', 'HIT', 1])
    expect(hit.body).toEqual(miss.body)
    expect(miss.text).toBe('{"name":"Ä","list":[1,2]}')
    const changing = new Set([
      'x-cache',
      'cache-status',
      'age',
      'x-request',
      'connection',
      'transfer-encoding',
      'content-length',
      'keep-alive',
    ])
    const lasting = (got: Got) => Object.fromEntries(Object.entries(got.headers).filter(([name]) => !changing.has(name)))
    expect(lasting(hit)).toEqual(lasting(miss))
    expect([hit.status, hit.headers['content-type'], hit.headers['x-custom'], hit.headers.age]).toEqual([
      203,
      'application/vnd.shop+json; charset=utf-8',
      'yes',
      '0',
    ])
    expect(hit.headers['content-length']).toBe(String(miss.body.length))
  })

  it('lets what runs before it set its own headers on every request', async () => {
    const here = await site(() => ({ text: 'a' }))

    const [miss, hit] = [await ask(here, '/'), await ask(here, '/')]

    expect(hit.headers['x-cache']).toBe('HIT')
    expect(hit.headers['x-request']).not.toBe(miss.headers['x-request'])
  })

  it('keeps queries, paths and methods apart', async () => {
    const here = await site(({ path }) => ({ text: path }))

    const texts = [await ask(here, '/a'), await ask(here, '/a?b=1'), await ask(here, '/b'), await ask(here, '/a')].map(
      (got) => got.text,
    )

    const spellings = [
      await ask(here, '/a?c=%7e&b=1&b=0'),
      await ask(here, '/a?b=1&utm_source=x&c=~&b=0'),
      await ask(here, '/a?b=0&b=1&c=~'),
    ]

    expect(texts).toEqual(['/a', '/a?b=1', '/b', '/a'])
    expect(spellings.map((got) => got.headers['x-cache'])).toEqual(['MISS', 'HIT', 'MISS'])
    expect(here.runs()).toBe(5)
  })

  it('answers bytes that are no text exactly', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    const here = await site(() => ({ bytes, headers: { 'content-type': 'application/octet-stream' } }))

    const [miss, hit] = [await ask(here, '/'), await ask(here, '/')]

    expect([new Uint8Array(miss.body), new Uint8Array(hit.body), here.runs()]).toEqual([bytes, bytes, 1])
  })

  it('captures streams, chunk by chunk, and answers them whole', async () => {
    const here = await site(() => ({ chunks: () => inChunks(40, 5000), headers: { 'content-type': 'text/plain' } }))

    const [miss, hit] = [await ask(here, '/'), await ask(here, '/')]

    expect([miss.body.length, hit.headers['x-cache'], here.runs()]).toEqual([200_000, 'HIT', 1])
    expect(hit.body.equals(miss.body)).toBe(true)
  })

  it('lets bodies above the limit through and does not store them', async () => {
    const here = await site(() => ({ chunks: () => inChunks(100, 5000), headers: { 'content-type': 'text/plain' } }), {
      budget: '30s',
      limits: { body: 100_000 },
    })

    const [first, second] = [await ask(here, '/'), await ask(here, '/')]

    expect([first.body.length, second.body.length, here.runs(), here.cache.stats().bytes < 50_000]).toEqual([
      500_000,
      500_000,
      2,
      true,
    ])
  })

  it('answers HEAD from what GET stored, with its headers and no body', async () => {
    const here = await site(({ method }) =>
      method === 'HEAD' ? { text: '', headers: { 'x-head': '1' } } : { text: 'hello', headers: { 'x-get': '1' } },
    )

    await ask(here, '/')
    const head = await ask(here, '/', { method: 'HEAD' })
    const missed = await ask(here, '/other', { method: 'HEAD' })

    expect([head.status, head.text, head.headers['x-cache'], head.headers['x-get'], head.headers['content-length']]).toEqual([
      200,
      '',
      'HIT',
      '1',
      '5',
    ])
    expect([missed.status, missed.text, missed.headers['x-cache']]).toEqual([200, '', 'MISS'])
  })

  it('answers conditional requests with 304, on a hit and on the miss that fills', async () => {
    const here = await site(() => ({ text: 'hello', headers: { etag: '"v1"' } }))

    const miss = await ask(here, '/', { headers: { 'if-none-match': '"v1"' } })
    const hit = await ask(here, '/', { headers: { 'if-none-match': '"v1"' } })
    const other = await ask(here, '/', { headers: { 'if-none-match': '"v0"' } })

    expect([miss.status, miss.text, hit.status, hit.text, hit.headers.etag]).toEqual([304, '', 304, '', '"v1"'])
    expect([other.status, other.text, other.headers['x-cache'], here.runs()]).toEqual([200, 'hello', 'HIT', 1])
  })

  it('answers ranges from the stored whole', async () => {
    const here = await site(() => ({ text: '0123456789', headers: { etag: '"v1"' } }))

    await ask(here, '/')
    const part = await ask(here, '/', { headers: { range: 'bytes=2-4' } })

    expect([part.status, part.text, part.headers['content-range'], here.runs()]).toEqual([206, '234', 'bytes 2-4/10', 1])
  })

  it('stores what the handler says in Cache-Control, without any budget of its own', async () => {
    const here = await site(
      ({ path }) => ({ text: path, headers: { 'cache-control': path === '/a' ? 'max-age=60' : 'no-cache' } }),
      {},
    )

    for (const path of ['/a', '/a', '/b', '/b', '/a']) await ask(here, path)

    expect(here.seen.map(({ path }) => path)).toEqual(['/a', '/b', '/b'])
  })

  it.each([
    ['Set-Cookie', { text: 'a', headers: { 'set-cookie': 'id=1' } }],
    ['no-store', { text: 'a', headers: { 'cache-control': 'no-store' } }],
    ['private', { text: 'a', headers: { 'cache-control': 'private, max-age=60' } }],
    ['Vary: *', { text: 'a', headers: { vary: '*' } }],
    ['an error', { status: 500, text: 'failed' }],
    ['a 404 without freshness', { status: 404, text: 'nothing' }],
    ['an event stream', { text: 'data: 1\n\n', headers: { 'content-type': 'text/event-stream' } }],
  ] as [string, Play][])('does not store answers with %s', async (_, play) => {
    const here = await site(() => play)

    const [first, second] = [await ask(here, '/'), await ask(here, '/')]

    expect([first.status, second.status, second.text, here.runs()]).toEqual([
      play.status ?? 200,
      play.status ?? 200,
      first.text,
      2,
    ])
    expect(second.headers['set-cookie']).toEqual(first.headers['set-cookie'])
  })

  it('does not share answers to requests with credentials', async () => {
    const here = await site((seen) => ({ text: seen.header('authorization') ?? 'nobody' }))

    const mine = await ask(here, '/', { headers: { authorization: 'Bearer a' } })
    const yours = await ask(here, '/', { headers: { authorization: 'Bearer b' } })

    expect([mine.text, yours.text, (await ask(here, '/')).text]).toEqual(['Bearer a', 'Bearer b', 'nobody'])
  })

  it('keeps variants apart by Vary', async () => {
    const here = await site((seen) => ({ text: seen.header('x-kind') ?? 'none', headers: { vary: 'X-Kind' } }))

    const kinds = ['a', 'b', 'a', 'b']
    const texts = []
    for (const kind of kinds) texts.push((await ask(here, '/', { headers: { 'x-kind': kind } })).text)

    expect([texts, here.runs()]).toEqual([kinds, 2])
  })

  it('leaves errors that handlers throw to the framework, and does not store them', async () => {
    let fails = true
    const here = await site(() => {
      if (fails) throw new Error('no')
      return { text: 'well' }
    })

    const first = await ask(here, '/')
    fails = false
    const second = await ask(here, '/')

    expect([first.status, second.status, second.text, here.runs()]).toEqual([500, 200, 'well', 2])
  })

  it('does not store a body that breaks off, and breaks it off for the client', async () => {
    let fails = true
    const here = await site(() => ({
      headers: { 'content-type': 'text/plain' },
      chunks: async function* () {
        yield* inChunks(3, 1000)
        if (fails) throw new Error('broken')
      },
    }))

    await expect(ask(here, '/')).rejects.toThrow()
    fails = false
    const again = await ask(here, '/')

    expect([again.status, again.body.length, again.headers['x-cache'], here.runs()]).toEqual([200, 3000, 'MISS', 2])
  })

  it('does not store a body shorter than its Content-Length', async () => {
    const here = await site(() => ({
      headers: { 'content-type': 'text/plain', 'content-length': '5000' },
      chunks: () => inChunks(3, 1000),
    }))

    await ask(here, '/').catch(() => undefined)

    expect(here.cache.stats().entries).toBe(0)
  })

  it('goes on well when a client leaves in the middle', async () => {
    const here = await site(() => ({ headers: { 'content-type': 'text/plain' }, chunks: () => inChunks(50, 4000) }))

    const gone = request(`${here.url}/`, { agent: false })
    gone.on('error', () => {})
    gone.end()
    const [res] = (await once(gone, 'response')) as [{ destroy(): void }]
    res.destroy()
    gone.destroy()
    const next = await ask(here, '/')

    expect([next.status, next.body.length]).toEqual([200, 200_000])
  })
})
