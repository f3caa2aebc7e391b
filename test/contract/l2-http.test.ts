import type { RequestListener } from 'node:http'
import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type GatewayHere, gatewayBefore, originHere, type Wish } from '../support/gateway-here.ts'
import { joinMachine, type Machine } from '../support/l2-here.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

let server: RedisHere
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

interface Node extends GatewayHere, Pick<Machine, 'written' | 'count'> {}

interface Got {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly cache: string
}

/** Two gateways before one origin that counts. */
async function stand(listener: RequestListener, wish: Wish = {}): Promise<{ nodes: [Node, Node]; asked: () => number }> {
  await server.command('FLUSHALL')
  let asked = 0
  const url = await originHere((req, res) => {
    asked += 1
    listener(req, res)
  })
  const open = async (): Promise<Node> => {
    const here = await gatewayBefore(url, { ...wish, l2: { url: server.url, deadline: '2s' } })
    const machine = await joinMachine(here.gateway.cache)
    onTestFinished(() => machine.close())
    return { ...here, written: machine.written, count: machine.count }
  }
  return { nodes: [await open(), await open()], asked: () => asked }
}

async function get(node: Node, path: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET'): Promise<Got> {
  const {
    statusCode,
    headers: fields,
    body,
  } = await request(`${node.url}${path}`, { method, headers: { host: 'shop', ...headers } })
  return { status: statusCode, headers: fields, text: await body.text(), cache: String(fields['x-cache']) }
}

describe('the gateway over two levels', () => {
  it('answers from what another machine has fetched: status, fields, body, age', async () => {
    const { nodes, asked } = await stand((_, res) => {
      res
        .writeHead(203, {
          'cache-control': 'max-age=60',
          etag: '"v1"',
          'x-more': 'ä'.slice(0, 0) + 'more',
          'surrogate-key': 'p:1',
        })
        .end('body')
    })
    const [a, b] = nodes
    const first = await get(a, '/x')
    await a.written()
    await new Promise((resolve) => setTimeout(resolve, 1100))

    const second = await get(b, '/x')

    expect(second).toMatchObject({ status: 203, text: 'body', cache: 'HIT' })
    expect(second.headers).toMatchObject({ etag: '"v1"', 'x-more': 'more', date: first.headers['date'] })
    expect(Number(second.headers['age'])).toBeGreaterThanOrEqual(1)
    expect(asked()).toBe(1)
    expect((await get(b, '/x', { 'if-none-match': '"v1"' })).status).toBe(304)
    expect((await get(b, '/x', {}, 'HEAD')).headers['content-length']).toBe('4')
    expect(asked()).toBe(1)
  })

  it('tells variants apart there as in memory', async () => {
    const { nodes, asked } = await stand((req, res) => {
      const lang = String(req.headers['accept-language'] ?? 'none')
      res.writeHead(200, { 'cache-control': 'max-age=60', vary: 'accept-language' }).end(`in ${lang}`)
    })
    const [a, b] = nodes
    for (const lang of ['de', 'en']) await get(a, '/v', { 'accept-language': lang })
    await a.written()

    expect(await get(b, '/v', { 'accept-language': 'en' })).toMatchObject({ text: 'in en', cache: 'HIT' })
    expect(await get(b, '/v', { 'accept-language': 'de' })).toMatchObject({ text: 'in de', cache: 'HIT' })
    expect(await get(b, '/v', { 'accept-language': 'fr' })).toMatchObject({ text: 'in fr', cache: 'MISS' })
    expect(asked()).toBe(3)
  })

  it('carries the codings that were made, and gives each client one that it takes', async () => {
    const text = JSON.stringify({ list: Array.from({ length: 400 }, (_, i) => `entry ${i}`) })
    const { nodes, asked } = await stand((_, res) => {
      res.writeHead(200, { 'cache-control': 'max-age=60', 'content-type': 'application/json' }).end(text)
    })
    const [a, b] = nodes
    await get(a, '/j', { 'accept-encoding': 'gzip, br' })
    await until(
      async () => (await get(a, '/j', { 'accept-encoding': 'br' })).headers['content-encoding'] === 'br',
      'the codings',
      20_000,
    )
    await a.written()

    expect((await get(b, '/j', { 'accept-encoding': 'br' })).headers['content-encoding']).toBe('br')
    expect((await get(b, '/j', { 'accept-encoding': 'gzip' })).headers['content-encoding']).toBe('gzip')
    expect((await get(b, '/j')).text).toBe(text)
    expect(b.count('variantsMade')).toBe(0)
    expect(asked()).toBe(1)
  })

  it('believes nothing that was purged on the other machine, by URL, tag or prefix', async () => {
    let version = 1
    const { nodes } = await stand((_, res) => {
      res.writeHead(200, { 'cache-control': 'max-age=60', vary: 'x-a', 'surrogate-key': 'item' }).end(`v${version}`)
    })
    const [a, b] = nodes
    const targets = [{ urls: ['http://shop/p'] }, { tags: ['item'] }, { prefixes: ['http://shop/'] }]
    for (const target of targets) {
      await get(a, '/p')
      await get(b, '/p')
      await a.written()
      version += 1
      await a.gateway.cache.engine.invalidateEverywhere(target)
      expect((await get(b, '/p')).text).toBe(`v${version}`)
      expect((await get(a, '/p')).text).toBe(`v${version}`)
    }
  })

  it('never writes what may not be shared, nor what a route keeps in memory', async () => {
    const { nodes, asked } = await stand(
      (req, res) => {
        const isPrivate = req.url === '/private'
        res.writeHead(200, { 'cache-control': isPrivate ? 'private, max-age=60' : 'max-age=60' }).end('x')
      },
      { routes: [{ name: 'session', match: { path: '/session' }, tiers: ['memory'] }] },
    )
    const [a, b] = nodes
    for (const path of ['/private', '/session']) await get(a, path)
    await a.written()
    await get(b, '/private')
    expect((await get(b, '/session')).cache).toBe('MISS')
    expect(asked()).toBe(4)
    const names = ((await server.command('KEYS', 'forecache:k:*')) as readonly Buffer[]).map(String)
    expect(names.filter((name) => name.includes('session'))).toEqual([])
  })

  it('writes through what a 304 renewed', async () => {
    const { nodes, asked } = await stand((req, res) => {
      const isKnown = req.headers['if-none-match'] === '"e"'
      res.writeHead(isKnown ? 304 : 200, { 'cache-control': 'max-age=1', etag: '"e"' }).end(isKnown ? undefined : 'body')
    })
    const [a, b] = nodes
    await get(a, '/r')
    await new Promise((resolve) => setTimeout(resolve, 1200))
    expect((await get(a, '/r')).cache).toBe('REFRESH')
    await a.written()

    expect(await get(b, '/r')).toMatchObject({ cache: 'HIT', text: 'body' })
    expect(asked()).toBe(2)
  })

  it('deletes for all machines what is named in a namespace that only others know', async () => {
    const { nodes } = await stand((_, res) => res.end())
    const [a, b] = nodes
    const api = (node: Node, path: string): string => `http://127.0.0.1:${node.apiPort}${path}`
    await request(api(a, '/cache/k?namespace=theirs'), { method: 'PUT', body: 'there' })

    const deleted = await request(api(b, '/cache/k?namespace=theirs'), { method: 'DELETE' })

    expect(await deleted.body.json()).toMatchObject({ nodes: { expected: 2, acknowledged: 2 } })
    expect((await request(api(a, '/cache/k?namespace=theirs'))).statusCode).toBe(404)
  })

  it('gives the cache API of one machine what was put into that of another', async () => {
    const { nodes } = await stand((_, res) => res.end())
    const [a, b] = nodes
    const api = (node: Node, path: string): string => `http://127.0.0.1:${node.apiPort}${path}`
    const json = { 'content-type': 'application/json' }
    await request(api(a, '/cache/k?namespace=n'), { method: 'PUT', body: '{"a":1}', headers: json })
    await request(api(a, '/cache/plain'), { method: 'PUT', body: 'text', headers: { 'content-type': 'text/plain' } })
    await a.written()

    const got = await request(api(b, '/cache/k?namespace=n'))
    expect(got.statusCode).toBe(200)
    expect(await got.body.json()).toEqual({ a: 1 })
    const batch = await request(api(b, '/cache'), {
      method: 'POST',
      body: JSON.stringify({ get: ['plain', 'none'] }),
      headers: json,
    })
    expect(await batch.body.json()).toMatchObject({ get: [{ status: 200, text: 'text' }, { status: 404 }] })
    await request(api(b, '/cache/plain'), { method: 'DELETE' })
    expect((await request(api(a, '/cache/plain'))).statusCode).toBe(404)
  })
})
