/** The api port: keys, methods, limits, foreign pages. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/model/clock.ts'
import { type Endpoint, jsonReply } from '../../src/model/endpoint.ts'
import { ForecacheError } from '../../src/model/errors.ts'
import { SILENT } from '../../src/model/port.ts'
import { type ApiOptions, createApi } from '../../src/server/api.ts'
import { ask, RawClient } from '../support/raw-client.ts'

const KEYS = ['a-key-of-sixteen-letters', 'short-key-000001', 'a-much-longer-key-than-all-the-others-have-ever-been']

const stream = { ended: false }
const ENDPOINTS: readonly Endpoint[] = [
  { method: 'GET', path: '/livez', open: true, handle: () => jsonReply(200, { status: 'live' }) },
  { method: 'GET', path: '/v1/thing/:name', handle: ({ params, query }) => jsonReply(200, { params, q: query.get('q') }) },
  {
    method: 'POST',
    path: '/v1/echo',
    maxBodyBytes: 10,
    handle: ({ body }) => jsonReply(200, { got: Buffer.from(body).toString() }),
  },
  { method: 'DELETE', path: '/v1/echo', handle: () => ({ status: 204 }) },
  {
    method: 'GET',
    path: '/v1/bad',
    handle: () => {
      throw new ForecacheError('FC_API_BODY', { reason: 'what was said' })
    },
  },
  {
    method: 'GET',
    path: '/v1/broken',
    handle: () => {
      throw new Error('secret detail')
    },
  },
  {
    method: 'GET',
    path: '/v1/stream',
    handle: () => ({
      status: 200,
      fields: { 'content-type': 'text/event-stream' },
      body: (async function* () {
        try {
          for (;;) {
            yield 'data: x\n\n'
            await new Promise((resolve) => setTimeout(resolve, 10))
          }
        } finally {
          stream.ended = true
        }
      })(),
    }),
  },
]

async function api(options: Partial<ApiOptions> = {}): Promise<number> {
  const server = createApi({ endpoints: ENDPOINTS, keys: [], insecure: false, clock: systemClock(), logger: SILENT, ...options })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => server.close(0))
  return port
}

const LOCAL = 'Host: localhost' as const

describe('api port: keys', () => {
  it.each(KEYS)('admits %s as x-api-key and as bearer', async (key) => {
    const port = await api({ keys: KEYS })

    expect((await ask(port, 'GET /v1/thing/a', [`X-Api-Key: ${key}`])).status).toBe(200)
    expect((await ask(port, 'GET /v1/thing/a', [`Authorization: Bearer ${key}`])).status).toBe(200)
  })

  it.each([
    ['nothing', []],
    ['an empty key', ['X-Api-Key: ']],
    ['a part of a key', ['X-Api-Key: a-key-of-sixteen-letter']],
    ['more than a key', ['X-Api-Key: a-key-of-sixteen-lettersX']],
    ['the length of a key alone', ['X-Api-Key: xxxxxxxxxxxxxxxx']],
    ['a very long key', [`X-Api-Key: ${'x'.repeat(10_000)}`]],
    ['another scheme', ['Authorization: Basic a-key-of-sixteen-letters']],
    ['a key twice', ['X-Api-Key: wrong-key-0000000', 'X-Api-Key: a-key-of-sixteen-letters']],
  ] as [string, `${string}:${string}`[]][])('answers 401 to %s', async (_, lines) => {
    const answer = await ask(await api({ keys: KEYS }), 'GET /v1/thing/a', lines)

    expect(answer.status).toBe(401)
    expect(answer.get('www-authenticate')).toBe('Bearer')
    expect(JSON.parse(answer.text).error.code).toBe('FC_API_KEY')
  })

  it('leaves health open, and reads no content of who is not admitted', async () => {
    const port = await api({ keys: KEYS })

    expect((await ask(port, 'GET /livez')).status).toBe(200)
    expect((await ask(port, 'POST /v1/echo', [], 'x'.repeat(5))).status).toBe(401)
  })

  it('refuses an address beyond loopback without keys', async () => {
    const server = createApi({ endpoints: ENDPOINTS, keys: [], insecure: false, clock: systemClock(), logger: SILENT })

    expect(() => server.listen({ host: '0.0.0.0', port: 0 })).toThrow(expect.objectContaining({ code: 'FC_LISTEN_EXPOSED' }))
    expect(() => server.listen({ host: '::', port: 0 })).toThrow(/api keys/)
  })
})

describe('api port: without keys', () => {
  it.each([
    ['a page of another site', ['Host: localhost', 'Origin: http://evil.test']],
    ['a sandboxed page', ['Host: localhost', 'Origin: null']],
    ['a cross-site request', ['Host: localhost', 'Sec-Fetch-Site: cross-site']],
    ['a name that was rebound', ['Host: evil.test']],
  ] as [string, `${string}:${string}`[]][])('answers 403 to %s', async (_, lines) => {
    const answer = await ask(await api(), 'POST /v1/echo', lines, 'x')

    expect(answer.status).toBe(403)
    expect(JSON.parse(answer.text).error.code).toBe('FC_API_FOREIGN')
  })

  it('answers its own pages, curl, and addresses', async () => {
    const port = await api()

    expect(
      (
        await ask(
          port,
          'POST /v1/echo',
          [`Host: localhost:${port}`, `Origin: http://localhost:${port}`, 'Sec-Fetch-Site: same-origin'],
          'x',
        )
      ).status,
    ).toBe(200)
    expect((await ask(port, 'POST /v1/echo', ['Host: 127.0.0.1'], 'x')).status).toBe(200)
    expect((await ask(port, 'POST /v1/echo', ['Host: [::1]:80'], 'x')).status).toBe(200)
  })
})

describe('api port: routes', () => {
  it('decodes parameters and reads the query', async () => {
    const answer = await ask(await api(), 'GET /v1/thing/a%2Fb%20c?q=1%202', [LOCAL])

    expect(JSON.parse(answer.text)).toEqual({ params: { name: 'a/b c' }, q: '1 2' })
  })

  it('answers HEAD as GET without the body', async () => {
    const answer = await ask(await api(), 'HEAD /v1/thing/a', [LOCAL])

    expect(answer).toMatchObject({ status: 200, text: '' })
    expect(Number(answer.get('content-length'))).toBeGreaterThan(0)
  })

  it('answers 405 with what is allowed, 404 where nothing is', async () => {
    const port = await api()
    const wrong = await ask(port, 'PUT /v1/echo', [LOCAL], 'x')
    const none = await ask(port, 'GET /v1/nothing', [LOCAL])

    expect(wrong.status).toBe(405)
    expect(wrong.get('allow')).toBe('POST, DELETE')
    expect((await ask(port, 'POST /v1/thing/a', [LOCAL])).get('allow')).toBe('GET, HEAD')
    expect(none.status).toBe(404)
    expect(JSON.parse(none.text).error.code).toBe('FC_API_ROUTE')
  })

  it('turns errors into codes, and tells nothing of those it does not know', async () => {
    const port = await api()
    const broken = await ask(port, 'GET /v1/broken', [LOCAL])

    expect(JSON.parse((await ask(port, 'GET /v1/bad', [LOCAL])).text).error).toMatchObject({
      code: 'FC_API_BODY',
      message: expect.stringContaining('what was said'),
    })
    expect(broken.status).toBe(500)
    expect(broken.text).not.toContain('secret')
  })

  it.each([
    ['told', ['Content-Length: 11'], 'x'.repeat(11)],
    ['chunked', ['Transfer-Encoding: chunked'], `b\r\n${'x'.repeat(11)}\r\n0\r\n\r\n`],
  ] as [string, `${string}:${string}`[], string][])('answers 413 to content above the limit, %s', async (_, lines, body) => {
    expect((await ask(await api(), 'POST /v1/echo', [LOCAL, ...lines], body)).status).toBe(413)
  })

  it('answers 413 to content where none belongs', async () => {
    expect((await ask(await api(), 'GET /v1/thing/a', [LOCAL], 'x')).status).toBe(413)
  })

  it('refuses what is ambiguous', async () => {
    const client = new RawClient(await api()).write(
      'POST /v1/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    )

    expect((await client.answer()).status).toBe(400)
    expect(await client.rest()).toBe('')
  })

  it('streams, and lets the stream go with its client', async () => {
    const client = new RawClient(await api()).ask('GET /v1/stream', [LOCAL])
    await client.head()
    await client.sees('data: x')
    stream.ended = false

    client.destroy()

    const deadline = Date.now() + 3000
    while (!stream.ended && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10))
    expect(stream.ended).toBe(true)
  })
})
