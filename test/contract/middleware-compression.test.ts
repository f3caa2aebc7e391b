/** `compress` in the six frameworks' middleware: what clients get, what handlers see of their conditions. */
import { setTimeout as pause } from 'node:timers/promises'
import { brotliDecompressSync } from 'node:zlib'
import compression from 'compression'
import express from 'express'
import { createServer } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { forecache as forExpress } from '../../src/entry/express.ts'
import type { Cache } from '../../src/flow/cache.ts'
import type { MiddlewareOptions } from '../../src/http/middleware.ts'
import { wordy } from '../support/coded-origin.ts'
import { ask, openStand } from '../support/middleware-client.ts'
import { type Host, HOSTS, listen, type Script } from '../support/middleware-hosts.ts'

const TEXT = wordy('handled', 8000)
const HEADERS = { 'content-type': 'text/plain', 'cache-control': 'max-age=60', etag: '"page"' }
const BR = { 'accept-encoding': 'br' }

const opened: { close(): unknown }[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()))
})

/** Waits for the codings, which real threads make. */
async function made({ engine }: Cache, count: number): Promise<void> {
  const deadline = Date.now() + 10_000
  while (engine.meter.read('variantsMade') < count) {
    if (Date.now() > deadline) throw new Error('no codings within 10 s')
    await pause(2)
  }
}

async function warmed(host: Host, options: MiddlewareOptions = { compress: true }) {
  /** Conditions as the handler saw them, last. */
  const shown: Record<string, string | undefined> = {}
  const page: Script = ({ method, header }) => {
    for (const name of ['if-match', 'if-none-match']) shown[name] = header(name)
    return method === 'PUT' ? { status: 204 } : { text: TEXT, headers: HEADERS }
  }
  const stand = { ...(await openStand(host, page, { options, times: 1 })), shown }
  opened.push(stand)
  await ask(stand, '/', { headers: BR })
  if (options.compress === true) await made(stand.cache, 3)
  return stand
}

describe.each(HOSTS)('middleware: $name with compress', (host) => {
  it('answers hits in the coding that the client accepts, and its own conditions with 304', async () => {
    const stand = await warmed(host)
    const got = await ask(stand, '/', { headers: BR })
    expect([got.headers['content-encoding'], brotliDecompressSync(got.body).toString() === TEXT]).toEqual(['br', true])
    expect(got.headers['content-length']).toBe(String(got.body.length))
    expect((await ask(stand, '/', {})).text).toBe(TEXT)
    const again = await ask(stand, '/', { headers: { ...BR, 'if-none-match': got.headers.etag as string } })
    expect([again.status, again.headers.etag]).toEqual([304, got.headers.etag])
    expect(stand.runs()).toBe(1)
  })

  it('shows handlers their own tags in conditions, never none where there was one', async () => {
    const stand = await warmed(host)
    const tag = (await ask(stand, '/', { headers: BR })).headers.etag as string
    expect(tag).toMatch(/^"page;fc-br\./)
    await ask(stand, '/', { method: 'PUT', headers: { 'if-match': tag } })
    expect(stand.shown['if-match']).toBe('"page"')
    await ask(stand, '/', { method: 'PUT', headers: { 'if-match': '"other"' } })
    expect(stand.shown['if-match']).toBe('"other"')
    await ask(stand, '/', { method: 'PUT', headers: { 'if-none-match': tag } })
    expect(stand.shown['if-none-match']).toBe(`${tag}, "page"`)
  })

  it('still hides conditions from a handler that is to answer in full', async () => {
    const stand = await warmed(host)
    stand.clock.advance(61_000)
    await ask(stand, '/', { headers: { ...BR, 'if-none-match': '"page;fc-br.12345678"' } })
    expect([stand.runs(), stand.shown['if-none-match']]).toEqual([2, undefined])
  })

  it('changes nothing unless it is asked for', async () => {
    const stand = await warmed(host, {})
    const got = await ask(stand, '/', { headers: BR })
    expect([got.text, got.headers['content-encoding'], got.headers.vary]).toEqual([TEXT, undefined, undefined])
  })
})

describe('middleware: compress beside a framework’s own compression', () => {
  it.each(['before', 'behind'] as const)('stays readable with express compression %s it', async (place) => {
    const app = express()
    const cached = forExpress({ budget: '30s', compress: true })
    const stack = [compression({ threshold: 0 }), cached]
    app.use(...(place === 'before' ? stack : stack.toReversed()))
    app.get('/', (_req, res) => void res.type('text/plain').send(TEXT))
    const site = await listen(createServer(app))
    opened.push(site)
    await ask(site, '/', { headers: { 'accept-encoding': 'gzip' } })
    await made(cached.cache, 2)
    for (const [accept, coding] of [
      ['br', 'br'],
      ['identity', undefined],
    ] as const) {
      const got = await ask(site, '/', { headers: { 'accept-encoding': accept } })
      const text = coding === 'br' ? brotliDecompressSync(got.body).toString() : got.text
      expect([got.headers['content-encoding'], text === TEXT, got.headers['x-cache']]).toEqual([coding, true, 'HIT'])
    }
  })
})
