import { createServer, request, type RequestListener } from 'node:http'
import { pipeline, Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { createAdaptorServer } from '@hono/node-server'
import compression from 'compression'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { compress as honoCompress } from 'hono/compress'
import Koa from 'koa'
import koaCompress from 'koa-compress'
import { afterEach, describe, expect, it } from 'vitest'
import { forecache as forExpress } from '../../src/entry/express.ts'
import { forecache as forFastify } from '../../src/entry/fastify.ts'
import { forecache as forFetch } from '../../src/entry/fetch.ts'
import { forecache as forHono } from '../../src/entry/hono.ts'
import { forecache as forKoa } from '../../src/entry/koa.ts'
import { forecache as forNode } from '../../src/entry/node.ts'
import { createCache } from '../../src/flow/cache.ts'
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import { ask, type Got, until } from '../support/middleware-client.ts'
import { listen, type Site } from '../support/middleware-hosts.ts'

const GZIP = { 'accept-encoding': 'gzip' }
const BIG = 'forecache '.repeat(2000)

const opened: { close(): unknown }[] = []

const get = (site: Site, path = '/', headers: Record<string, string> = {}): Promise<Got> => ask(site, path, { headers })

async function serve(listener: RequestListener): Promise<Site> {
  const site = await listen(createServer(listener))
  opened.push(site)
  return site
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()))
})

describe('middleware in a stack: compression', () => {
  const builds: Record<string, (count: () => void, place: 'before' | 'behind') => Promise<Site>> = {
    express(count, place) {
      const app = express()
      const stack = [compression({ threshold: 0 }), forExpress({ budget: '30s' })]
      app.use(...(place === 'before' ? stack : stack.reverse()))
      app.get('/', (_req, res) => {
        count()
        res.type('text/plain').send(BIG)
      })
      app.get('/stream', (_req, res) => {
        count()
        res.type('text/plain')
        Readable.from([BIG, BIG, BIG]).pipe(res)
      })
      return serve(app)
    },
    koa(count, place) {
      const app = new Koa()
      const stack = [
        koaCompress({ threshold: 0, br: false, zstd: false } as koaCompress.CompressOptions),
        forKoa({ budget: '30s' }),
      ]
      for (const one of place === 'before' ? stack : stack.reverse()) app.use(one)
      app.use((ctx) => {
        count()
        ctx.type = 'text/plain'
        ctx.body = ctx.path === '/' ? BIG : Readable.from([BIG, BIG, BIG])
      })
      return serve(app.callback())
    },
    hono(count, place) {
      const app = new Hono()
      const stack = [honoCompress({ threshold: 0 }), forHono({ budget: '30s' })]
      for (const one of place === 'before' ? stack : stack.reverse()) app.use(one)
      app.get('*', (c) => {
        count()
        return c.text(c.req.path === '/' ? BIG : BIG.repeat(3))
      })
      return listen(createAdaptorServer({ fetch: app.fetch }) as never).then((site) => (opened.push(site), site))
    },
  }
  const cases = Object.keys(builds).flatMap((name) => (['before', 'behind'] as const).map((place) => ({ name, place })))

  it.each(cases)(
    '$name: one that stands $place forecache compresses misses and hits, and both say the same',
    async ({ name, place }) => {
      let runs = 0
      const site = await (builds[name] as (typeof builds)['koa'])(() => {
        runs += 1
      }, place)

      for (const [path, text] of [
        ['/', BIG],
        ['/stream', BIG.repeat(3)],
      ] as const) {
        const [miss, hit] = [await get(site, path, GZIP), await get(site, path, GZIP)]
        const plain = await get(site, path, { 'accept-encoding': 'identity' })

        expect([miss.headers['content-encoding'], hit.headers['content-encoding'], hit.headers['x-cache']]).toEqual([
          'gzip',
          'gzip',
          'HIT',
        ])
        expect([
          gunzipSync(miss.body).toString() === text,
          gunzipSync(hit.body).toString() === text,
          plain.body.toString() === text,
        ]).toEqual([true, true, true])
        expect(String(hit.headers.vary).toLowerCase()).toContain('accept-encoding')
      }
      // Behind, and where Vary was set ahead of us (Koa), there is one variant per coding.
      expect(runs).toBe(place === 'before' && name !== 'koa' ? 2 : 4)
    },
  )
})

describe('middleware in a stack: the ways of writing', () => {
  it('takes writeHead with lists, repeated fields, encodings, callbacks and implicit heads', async () => {
    let calls = 0
    const cached = forNode({ budget: '30s' })((req, res) => {
      if (req.url === '/list') {
        res.setHeader('X-One', 'set')
        res.writeHead(200, 'Fine', ['Content-Type', 'text/plain', 'Link', '</a>', 'Link', '</b>'])
        res.write('68c3a4', 'hex', () => {
          calls += 1
        })
        res.end(() => {
          calls += 1
        })
      } else if (req.url === '/implicit') {
        res.statusCode = 201
        res.write(Buffer.from('a'))
        res.end('b', 'latin1')
      } else {
        res.setHeader('Content-Length', '3')
        res.flushHeaders()
        setImmediate(() => res.end('abc'))
      }
    })
    const site = await serve((req, res) => void cached(req, res))

    const [miss, hit] = [await get(site, '/list'), await get(site, '/list')]
    expect([
      miss.body.toString(),
      hit.body.toString(),
      hit.headers['x-cache'],
      hit.headers['x-one'],
      hit.headers.link,
      calls,
    ]).toEqual(['hä', 'hä', 'HIT', 'set', '</a>, </b>', 2])
    const implicit = await get(site, '/implicit')
    expect([implicit.status, implicit.body.toString()]).toEqual([201, 'ab'])
    expect((await get(site, '/flush')).body.toString()).toBe('abc')
  })

  it('shows handlers a response that behaves like one', async () => {
    const seen: unknown[] = []
    const cached = forNode({ budget: '30s' })((_req, res) => {
      seen.push(res.headersSent, res.writableEnded, res.statusCode)
      res.setHeader('X-A', '1').appendHeader('X-A', '2')
      seen.push(res.getHeader('x-a'), res.hasHeader('X-A'), res.getHeaderNames())
      res.removeHeader('X-Outer')
      res.end('a')
      seen.push(res.headersSent, res.writableEnded)
      res.on('finish', () => seen.push('finish')).on('close', () => seen.push('close'))
    })
    const site = await serve((req, res) => {
      res.setHeader('X-Outer', 'yes')
      void cached(req, res)
    })

    const [miss, hit] = [await get(site), await get(site)]

    expect(seen).toEqual([false, false, 200, ['1', '2'], true, ['x-outer', 'x-a'], true, true, 'finish', 'close'])
    expect([miss.headers['x-outer'], hit.headers['x-outer'], hit.headers['x-a'], hit.headers['forecache-removed']]).toEqual([
      undefined,
      undefined,
      '1, 2',
      undefined,
    ])
  })

  it('passes events on as they are written, each client its own', async () => {
    let clients = 0
    const app = express()
    app.use(forExpress({ budget: '30s' }))
    app.get('/', (req, res) => {
      const mine = (clients += 1)
      res.writeHead(200, { 'Content-Type': 'text/event-stream' })
      res.write(`data: hello ${mine}\n\n`)
      req.on('close', () => (clients -= 1))
    })
    const site = await serve(app)
    const connect = () =>
      new Promise<{ first: string; leave: () => void }>((resolve, reject) => {
        const req = request(`${site.url}/`, { agent: false }, (res) =>
          res.once('data', (chunk: Buffer) => resolve({ first: chunk.toString(), leave: () => req.destroy() })),
        )
        req.on('error', reject).end()
      })

    const both = [await connect(), await connect()]

    expect(both.map((one) => one.first)).toEqual(['data: hello 1\n\n', 'data: hello 2\n\n'])
    for (const one of both) one.leave()
    await until(() => clients === 0)
  })

  it('serves files, redirects and bare statuses of Express as it would without', async () => {
    const build = (cached: boolean): Promise<Site> => {
      const app = express()
      if (cached) app.use(forExpress({ budget: '30s' }))
      app.get('/file', (_req, res) => res.sendFile(fileURLToPath(import.meta.url)))
      app.get('/moved', (_req, res) => res.redirect(301, '/file'))
      app.get('/none', (_req, res) => void res.sendStatus(204))
      app.get('/gone', (_req, res) => void res.status(410).json({ gone: true }))
      return serve(app)
    }
    const [plain, cached] = [await build(false), await build(true)]
    const facts = (got: Got) => [
      got.status,
      got.body.toString(),
      ...['content-type', 'content-length', 'etag', 'last-modified', 'location', 'content-range', 'accept-ranges'].map(
        (name) => got.headers[name],
      ),
    ]

    for (const [path, headers] of [
      ['/file', {}],
      ['/file', { range: 'bytes=10-19' }],
      ['/moved', {}],
      ['/none', {}],
      ['/gone', {}],
    ] as const) {
      const expected = facts(await get(plain, path, headers))
      expect([facts(await get(cached, path, headers)), facts(await get(cached, path, headers))]).toEqual([expected, expected])
    }
    const { etag } = (await get(cached, '/file')).headers
    expect((await get(cached, '/file', { 'if-none-match': String(etag) })).status).toBe(304)
  })

  it('holds no more of a large body than the limits while its client does not read', async () => {
    let written = 0
    const cached = forNode({ budget: '30s', limits: { body: 200_000 } })((_req, res) => {
      const source = async function* (): AsyncGenerator<Buffer> {
        for (let i = 0; i < 2000; i += 1) {
          written += 100_000
          yield Buffer.alloc(100_000)
        }
      }
      pipeline(Readable.from(source()), res, () => {})
    })
    const site = await serve((req, res) => void cached(req, res))

    const req = request(`${site.url}/`, { agent: false })
    const paused = new Promise<void>((resolve) =>
      req.on('response', (res) => {
        res.pause()
        resolve()
      }),
    )
    req.on('error', () => {})
    req.end()
    await paused
    let before = -1
    for (let still = 0; still < 200; before = written) {
      await new Promise((resolve) => setImmediate(resolve))
      still = before === written ? still + 1 : 0
    }

    expect(written).toBeLessThan(40_000_000) // the sockets' buffers, and what may be held; all of it would be 200 MB
    req.destroy()
  })

  it('refreshes behind a stale answer in Express and Fastify without the client waiting', async () => {
    const clock = createVirtualClock()
    const { promise: leave, resolve: open } = Promise.withResolvers<void>()
    let value = 1
    const answer = async (): Promise<{ value: number }> => {
      const mine = { value }
      if (value > 1) await leave
      return mine
    }
    const options = () => ({ cache: createCache({ clock }), budget: { fresh: '10s', stale: '60s' } })
    const app = express()
    app.use(forExpress(options()))
    app.get('/', async (_req, res) => void res.json(await answer()))
    const other = fastify()
    await other.register(forFastify(options()))
    other.get('/', answer)
    const sites = [await serve(app), { url: await other.listen({ port: 0 }), close: () => other.close() }]
    opened.push(sites[1] as Site)

    for (const site of sites) await get(site)
    value = 2
    await clock.advanceAsync(20_000)
    const during = await Promise.all(sites.map((site) => get(site)))
    open()
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    const after = await Promise.all(sites.map((site) => get(site)))

    expect(during.map((got) => `${got.headers['x-cache']} ${got.body}`)).toEqual(['STALE {"value":1}', 'STALE {"value":1}'])
    expect(after.map((got) => `${got.headers['x-cache']} ${got.body} ${got.headers['content-type']}`)).toEqual(
      Array(2).fill('HIT {"value":2} application/json; charset=utf-8'),
    )
  })

  it('lets a stream that is piped go on behind an answer that ended before it', async () => {
    const clock = createVirtualClock()
    let runs = 0
    const ended: string[] = []
    const app = express()
    app.use(forExpress({ cache: createCache({ clock }), budget: { fresh: '10s', stale: '60s' } }))
    app.get('/', (_req, res) => {
      runs += 1
      res.set('ETag', '"v1"').type('text/plain')
      for (const event of ['finish', 'close']) res.on(event, () => ended.push(`${event} ${runs}`))
      const parts = async function* (): AsyncGenerator<string> {
        for (let i = 0; i < 20; i += 1) {
          await new Promise((resolve) => setImmediate(resolve))
          yield `${runs}`
        }
      }
      Readable.from(parts()).pipe(res)
    })
    const site = await serve(app)

    const asked = await get(site, '/', { 'if-none-match': '"v1"' }) // a 304, long before the stream has ended
    await until(() => ended.length === 2)
    const filled = await get(site)
    await clock.advanceAsync(20_000)
    const stale = await get(site) // refreshed behind, on a response that has ended
    await until(() => ended.length === 4)
    const fresh = await get(site)

    expect([asked.status, filled.body.toString(), filled.headers['x-cache'], stale.headers['x-cache']]).toEqual([
      304,
      '1'.repeat(20),
      'HIT',
      'STALE',
    ])
    expect([fresh.body.toString(), fresh.headers['x-cache'], ended]).toEqual([
      '2'.repeat(20),
      'HIT',
      ['finish 1', 'close 1', 'finish 2', 'close 2'],
    ])
  })

  it('refreshes behind a stale answer in Hono when it is told how', async () => {
    const clock = createVirtualClock()
    let value = 1
    let runs = 0
    const app = new Hono()
    app.use(
      forHono({ cache: createCache({ clock }), budget: { fresh: '10s', stale: '60s' }, refresh: (again) => app.fetch(again) }),
    )
    app.get('/', (c) => {
      runs += 1
      return c.json({ value })
    })
    const site = await listen(createAdaptorServer({ fetch: app.fetch }) as never)
    opened.push(site)

    await get(site)
    value = 2
    await clock.advanceAsync(20_000)
    const stale = await get(site)
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    const fresh = await get(site)

    expect([stale.headers['x-cache'], stale.body.toString(), fresh.headers['x-cache'], fresh.body.toString(), runs]).toEqual([
      'STALE',
      '{"value":1}',
      'HIT',
      '{"value":2}',
      2,
    ])
  })

  it('shares one cache between frameworks: one hits what another stored', async () => {
    const cache = createCache()
    const viaNode = forNode({ cache, budget: '30s' })((_req, res) => res.end('from node'))
    const viaFetch = forFetch({ cache, budget: '30s' })(() => new Response('from fetch'))
    const site = await serve((req, res) => void viaNode(req, res))

    await get(site, '/shared')
    const response = await viaFetch(new Request(`${site.url}/shared`))

    expect([response.headers.get('x-cache'), await response.text()]).toEqual(['HIT', 'from node'])
  })
})
