/**
 * Methods and statuses beside GET and 200: QUERY, redirects, upgrades, No-Vary-Search.
 *
 * RFC 9110 sections 9, 10.1.1 and 15; RFC 10008; RFC 6455; the No-Vary-Search field.
 */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createStand } from '../../support/hostile-stand.ts'
import type { Answer } from '../../support/raw-client.ts'
import type { FieldLine } from '../../support/raw-message.ts'
import { answer, fresh, ok, type Script } from '../../support/raw-origin.ts'

const stand = createStand()

const mirror: Script = ({ request, index }) =>
  fresh(`${index} ${request.method} ${request.target} ${request.get('content-type')} ${request.body.toString()}`)
const TEXT: FieldLine = 'Content-Type: text/plain'

describe('hostile: QUERY', () => {
  const query = (path: string, body: string, ...lines: FieldLine[]): Promise<Answer> =>
    stand.ask(`QUERY ${path}`, lines.length === 0 ? [TEXT] : lines, body)

  it('shares an answer to the same content', async () => {
    const path = stand.serve(mirror)

    expect((await query(path, 'a')).text).toBe((await query(path, 'a')).text)
    expect(stand.hits(path)).toBe(1)
  })

  it.each<[string, (path: string) => Promise<Answer>]>([
    ['other content', (path) => query(path, 'b')],
    ['content with a space more', (path) => query(path, 'a ')],
    ['content of another type', (path) => query(path, 'a', 'Content-Type: text/html')],
    ['content of another charset', (path) => query(path, 'a', 'Content-Type: text/plain; charset=utf-16')],
    ['content of no type', (path) => query(path, 'a', 'X: y')],
    ['content in another coding', (path) => query(path, 'a', TEXT, 'Content-Encoding: gzip')],
    ['content in another language', (path) => query(path, 'a', TEXT, 'Content-Language: de')],
    ['no content', (path) => query(path, '')],
    ['another query', (path) => query(`${path}?a`, 'a')],
    ['another host', (path) => query(path, 'a', TEXT, 'Host: b.test')],
    ['GET', (path) => stand.get(path)],
    ['POST', (path) => stand.ask(`POST ${path}`, [TEXT], 'a')],
  ])('does not give its answer to %s', async (_, other) => {
    const path = stand.serve(mirror)
    const first = await query(path, 'a')
    const second = await other(path)

    if (second.status < 400) expect(second.text).not.toBe(first.text)
    expect((await stand.get(path)).text).not.toContain('QUERY')
  })

  it('reads content in chunks like content with a length', async () => {
    const path = stand.serve(mirror)
    const first = await query(path, 'abcd')
    const second = await stand.ask(`QUERY ${path}`, [TEXT, 'Transfer-Encoding: chunked'], '2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n')

    expect(second.text.slice(2)).toBe(first.text.slice(2))
    expect((await query(path, 'abc')).text).not.toBe(first.text)
  })

  it('passes large content through whole', async () => {
    const path = stand.serve(({ request }) => fresh(String(request.body.length)))

    expect((await query(path, 'x'.repeat(3_000_000))).text).toBe('3000000')
    expect((await query(path, 'y'.repeat(3_000_000))).text).toBe('3000000')
  })

  it('never collapses questions that differ', async () => {
    const path = stand.serve(async ({ request }) => {
      await new Promise((resolve) => setTimeout(resolve, 30))
      return fresh(request.body)
    })
    const bodies = Array.from({ length: 10 }, (_, index) => `question ${index}`)

    expect((await Promise.all(bodies.map((body) => query(path, body)))).map((one) => one.text)).toEqual(bodies)
  })

  it('keeps nothing of content that broke off', async () => {
    const path = stand.serve(mirror)
    const client = stand.open().ask(`QUERY ${path}`, [TEXT, 'Content-Length: 10'], 'half')
    await new Promise((resolve) => setTimeout(resolve, 20))
    client.destroy()

    expect((await query(path, 'half')).text).toContain('half')
    expect((await query(path, 'half      ')).text).toContain('half      ')
  })

  it('varies and expires like GET', async () => {
    const path = stand.serve(({ request, index }) => fresh(`${index} ${request.get('x')}`, 'Vary: X'))

    expect((await query(path, 'a', TEXT, 'X: 1')).text).toBe('0 1')
    expect((await query(path, 'a', TEXT, 'X: 2')).text).toBe('1 2')
    expect((await query(path, 'a', TEXT, 'X: 1')).text).toBe('0 1')
  })
})

describe('hostile: statuses', () => {
  it.each([200, 203, 204, 300, 301, 302, 303, 307, 308, 404, 405, 410, 414, 501])(
    'keeps a %i that says how long, as it is',
    async (status) => {
      const path = stand.serve(({ index }) =>
        answer(status, ['Cache-Control: max-age=60', 'Location: /x', `X-Index: ${index}`], status === 204 ? '' : 'body'),
      )
      const first = await stand.get(path)
      const second = await stand.get(path)

      expect([second.status, second.get('location'), second.get('x-index'), second.text]).toEqual([status, '/x', '0', first.text])
    },
  )

  it.each([206, 304, 401, 407, 412, 416, 421, 425, 429, 431])(
    'does not keep a %i, which is about one request',
    async (status) => {
      const path = stand.serve(answer(status, ['Cache-Control: max-age=60', 'Content-Range: bytes 0-0/1']), fresh('good'))
      await stand.get(path).catch(() => undefined)

      expect((await stand.get(path)).text).toBe('good')
    },
  )

  it('keeps no OPTIONS, whatever it says', async () => {
    const path = stand.serve(mirror)
    await stand.ask(`OPTIONS ${path}`)
    await stand.ask(`OPTIONS ${path}`)
    await stand.get(path)

    expect(stand.hits(path)).toBe(3)
  })

  it('tells a client that waits for it to go on, once', async () => {
    const path = stand.serve(({ request }) => ok([], request.body))
    const client = stand.open().ask(`POST ${path}`, ['Expect: 100-continue', 'Content-Length: 5'])
    expect((await client.head()).status).toBe(100)
    client.write('hello')

    expect((await client.answer()).text).toBe('hello')
    client.destroy()
  })

  it('does not have a client go on for what is in the store or refused', async () => {
    const path = stand.serve(answer(413, ['Cache-Control: no-store'], 'no'))
    const client = stand.open().ask(`POST ${path}`, ['Expect: 100-continue', 'Content-Length: 2000000000'])

    expect([413, 100]).toContain((await client.head()).status)
    client.destroy()
  })
})

describe('hostile: upgrades', () => {
  const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
  const ACCEPT = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  const HANDSHAKE: FieldLine[] = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
  ]
  const switching = (...lines: FieldLine[]): Buffer => answer(101, ['Connection: Upgrade', 'Upgrade: websocket', ...lines])

  it('opens a tunnel that the origin agreed to, and keeps nothing of it', async () => {
    const path = stand.serve(switching(`Sec-WebSocket-Accept: ${ACCEPT}`, 'Cache-Control: max-age=60'), fresh('plain'))
    const client = stand.open().ask(`GET ${path}`, HANDSHAKE)
    const head = await client.head()

    expect([head.status, head.get('sec-websocket-accept'), head.get('upgrade')?.toLowerCase()]).toEqual([
      101,
      ACCEPT,
      'websocket',
    ])
    client.destroy()
    expect((await stand.get(path)).text).toBe('plain')
  })

  it.each<[string, Buffer]>([
    ['agrees without proof', switching()],
    ['agrees with a wrong proof', switching('Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=')],
    ['agrees to another protocol', answer(101, ['Connection: Upgrade', 'Upgrade: h2c', `Sec-WebSocket-Accept: ${ACCEPT}`])],
  ])('opens no tunnel when the origin %s', async (_, bytes) => {
    const path = stand.serve(bytes)
    const client = stand.open().ask(`GET ${path}`, HANDSHAKE).ask('GET /smuggled')

    expect((await client.answer()).status).toBe(502)
    expect(await client.rest()).toBe('')
  })

  it('passes a refusal on and sends nothing behind it to the origin', async () => {
    const path = stand.serve(answer(403, [], 'no'))
    const client = stand.open().ask(`GET ${path}`, HANDSHAKE).ask('GET /smuggled')
    const reply = await client.answer()

    expect([reply.status, reply.text]).toEqual([403, 'no'])
    expect(await client.rest()).toBe('')
  })

  it('does not take a stored answer for a handshake, nor keep the answer to one', async () => {
    const path = stand.serve(fresh('0'), fresh('1'), fresh('2'))
    expect((await stand.get(path)).text).toBe('0')
    const client = stand.open().ask(`GET ${path}`, HANDSHAKE)

    expect((await client.answer()).text).toBe('1')
    expect((await stand.get(path)).text).toBe('0')
    client.destroy()
  })

  it.each<[string, FieldLine[]]>([
    ['h2c', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA']],
    ['TLS', ['Connection: Upgrade', 'Upgrade: TLS/1.0']],
    [
      'a WebSocket that Connection does not name',
      ['Upgrade: websocket', `Sec-WebSocket-Key: ${KEY}`, 'Sec-WebSocket-Version: 13'],
    ],
  ])('serves a wish for %s as a plain request, and leaves none that is pipelined behind it in doubt', async (_, lines) => {
    const path = stand.serve(fresh('plain'))
    const client = stand.open().ask(`GET ${path}`, lines).ask(`GET ${path}`)
    const first = await client.answer()

    expect(first.text).toBe('plain')
    if (first.get('connection') === 'close') expect(await client.rest()).toBe('')
    else expect((await client.answer()).text).toBe('plain')
    expect(stand.seen(path)[0]?.has('upgrade')).toBe(false)
    client.destroy()
  })

  it.each<[string, string, FieldLine[]]>([
    ['by POST', 'POST', HANDSHAKE],
    ['with content', 'GET', [...HANDSHAKE, 'Content-Length: 4']],
    ['of version 8', 'GET', [...HANDSHAKE.slice(0, 3), 'Sec-WebSocket-Version: 8']],
    ['without a key', 'GET', [...HANDSHAKE.slice(0, 2), 'Sec-WebSocket-Version: 13']],
  ])('opens no tunnel for a handshake %s', async (_, method, lines) => {
    const path = stand.serve(({ request }) =>
      request.has('upgrade') ? switching(`Sec-WebSocket-Accept: ${ACCEPT}`) : ok([], 'plain'),
    )
    const client = stand
      .open()
      .ask(`${method} ${path}`, lines, method === 'POST' || lines.includes('Content-Length: 4') ? 'abcd' : undefined)

    expect((await client.answer()).status).not.toBe(101)
    client.destroy()
  })
})

describe('hostile: No-Vary-Search', () => {
  const cases: [string, string, string, string, boolean][] = [
    ['key-order', 'key-order', '?a=1&b=2', '?b=2&a=1', true],
    ['key-order with other values', 'key-order', '?a=1&b=2', '?a=2&b=1', false],
    ['key-order with repeated names', 'key-order', '?a=1&a=2', '?a=2&a=1', false],
    ['a list of names', 'params=("u")', '?a=1&u=2', '?u=3&a=1', true],
    ['a list of names that differs from the other', 'params=("u")', '?a=1&u=2', '?a=2&u=2', false],
    ['names in capitals', 'params=("u")', '?U=1', '?U=2', false],
    ['all names', 'params', '?a=1', '?b=2', true],
    ['all names but one', 'params, except=("a")', '?a=1&b=2', '?a=1&b=3', true],
    ['all names but one, which differs', 'params, except=("a")', '?a=1&b=2', '?a=2&b=2', false],
    ['except without params', 'except=("a")', '?a=1&b=2', '?a=1&b=3', false],
    ['a name in another type', 'params=(u)', '?u=1', '?u=2', false],
    ['a list that is broken', 'params=("u"', '?u=1', '?u=2', false],
    ['params false', 'params=?0', '?u=1', '?u=2', false],
    ['names encoded otherwise', 'params=("a b")', '?a+b=1', '?a%20b=2', true],
  ]

  it.each(cases)('goes by %s', async (_, value, one, two, shared) => {
    const path = stand.serve(({ request }) => fresh(request.target, `No-Vary-Search: ${value}`))
    await stand.get(path + one)
    const reply = await stand.get(path + two)

    expect(reply.text).toBe(path + (shared ? one : two))
  })

  it('does not reach other paths, other hosts or answers without the field', async () => {
    const path = stand.serve(({ request, index }) =>
      fresh(
        `${request.get('host')} ${request.target} ${index}`,
        ...(request.target.includes('v=2') ? [] : ['No-Vary-Search: params' as FieldLine]),
      ),
    )
    await stand.get(`${path}?v=1`)

    expect((await stand.get(`${path}?v=1`, ['Host: b.test'])).text).toContain('b.test')
    const other = stand.serve(fresh('other'))
    expect((await stand.get(`${other}?v=1`)).text).toBe('other')
  })

  it('does not share by it what is not to be shared', async () => {
    const path = stand.serve(({ index }) => ok(['Cache-Control: private', 'No-Vary-Search: params'], String(index)))
    await stand.get(`${path}?a=1`)

    expect((await stand.get(`${path}?a=2`)).text).toBe('1')
  })

  it('still goes by Vary', async () => {
    const path = stand.serve(({ request }) => fresh(String(request.get('x')), 'No-Vary-Search: params', 'Vary: X'))
    await stand.get(`${path}?a=1`, ['X: 1'])

    expect((await stand.get(`${path}?a=2`, ['X: 2'])).text).toBe('2')
    expect((await stand.get(`${path}?a=3`, ['X: 1'])).text).toBe('1')
  })
})
