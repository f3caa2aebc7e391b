/**
 * Middleware over node:http with handlers that do odd things: a hit answers what the miss answered, or there is no hit.
 */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forecache } from '../../src/entry/node.ts'

interface Got {
  readonly status: number
  readonly text: string
  readonly cache: string
  readonly fields: IncomingMessage['headers']
}

let calls = 0
const odd: Record<string, (res: ServerResponse, req: IncomingMessage) => void> = {
  '/trailers': (res) => {
    res.setHeader('trailer', 'x-sum')
    res.write('a')
    res.addTrailers({ 'x-sum': '1' })
    res.end(`b${calls}`)
  },
  '/ends-twice': (res) => {
    res.end(`one${calls}`)
    res.end('two')
  },
  '/lists': (res) => res.setHeader('x-list', ['1', '2']).end(`${calls}`),
  '/connection': (res) => res.setHeader('connection', 'x-hop').setHeader('x-hop', 'secret').end(`${calls}`),
  '/empty': (res) => res.writeHead(204).end(),
  '/cookie': (res) => res.setHeader('set-cookie', `s=${calls}`).end(`${calls}`),
  '/failed': (res) => res.writeHead(500).end(`${calls}`),
  '/__proto__': (res) => res.end(`${calls}`),
  '/mine': (res, req) => res.end(`${req.headers.authorization}${calls}`),
  '/host': (res, req) => res.end(`${req.headers.host}${calls}`),
}
let server: Server

beforeAll(async () => {
  const cached = forecache({ budget: '30s' })
  server = createServer(
    cached((req: IncomingMessage, res: ServerResponse) => {
      calls += 1
      odd[(req.url ?? '').split('?', 1)[0] as string]?.(res, req)
    }),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Got> {
  const { port } = server.address() as AddressInfo
  return new Promise((resolve, reject) => {
    const sent = request({ port, path, headers, method, agent: false }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      answer.on('error', reject)
      answer.on('end', () => {
        const { 'x-cache': cache, ...fields } = answer.headers
        resolve({ status: answer.statusCode ?? 0, text, cache: String(cache), fields })
      })
    })
    sent.on('error', reject).end()
  })
}

describe('middleware: odd handlers', () => {
  it.each(['/trailers', '/ends-twice', '/lists', '/connection', '/empty', '/__proto__'])(
    '%s is answered again as it was',
    async (path) => {
      const first = await get(path)
      const again = await get(path)
      const head = await get(path, {}, 'HEAD')

      expect([first.cache, again.cache, head.cache]).toEqual(['MISS', 'HIT', 'HIT'])
      expect([again.status, again.text, again.fields['x-list']]).toEqual([first.status, first.text, first.fields['x-list']])
      expect(again.fields['x-hop']).toBeUndefined()
    },
  )

  it.each(['/cookie', '/failed'])('%s is asked for anew', async (path) => {
    const first = await get(path)
    expect((await get(path)).text).not.toBe(first.text)
  })

  it('tells credentials and hosts apart', async () => {
    const mine = await Promise.all(['a', 'b'].map((name) => get('/mine', { authorization: name })))
    expect(mine.map((one) => one.text.slice(0, 1))).toEqual(['a', 'b'])
    expect((await get('/mine')).text).toMatch(/^undefined/)
    const hosts = [await get('/host', { host: 'a.test' }), await get('/host', { host: 'b.test' })]
    expect(hosts.map((one) => one.text.slice(0, 6))).toEqual(['a.test', 'b.test'])
  })
})
