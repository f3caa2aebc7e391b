/** Smuggling: bytes that two readers may read differently never become two requests, however they are cut into packets. */
import { setTimeout as pause } from 'node:timers/promises'
import { onTestFinished, describe, expect, it } from 'vitest'
import { gatewayBefore } from '../support/gateway-here.ts'
import { RawClient } from '../support/raw-client.ts'
import { ok, RawOrigin } from '../support/raw-origin.ts'

async function stand(): Promise<{ origin: RawOrigin; port: number }> {
  const origin = new RawOrigin()
  const url = await origin.listen()
  onTestFinished(() => origin.close())
  origin.on('/ok', ok(['Cache-Control: no-store'], 'fine'))
  const { port } = await gatewayBefore(url)
  return { origin, port }
}

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n'

const REFUSED: readonly [string, string, number][] = [
  [
    'CL.TE',
    `POST /ok HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${SMUGGLED.length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    400,
  ],
  [
    'TE.CL',
    `POST /ok HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n${SMUGGLED}0\r\n\r\n`,
    400,
  ],
  [
    'TE.TE with identity first',
    `POST /ok HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    400,
  ],
  [
    'TE.TE with identity last',
    `POST /ok HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    400,
  ],
  [
    'a coding that is not chunked',
    `POST /ok HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    400,
  ],
  [
    'a coding before chunked',
    `POST /ok HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    501,
  ],
  ['chunked twice', `POST /ok HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`, 400],
  [
    'a vertical tab before chunked',
    `POST /ok HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    400,
  ],
  [
    'a space before the colon of Transfer-Encoding',
    `POST /ok HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    400,
  ],
  [
    'Transfer-Encoding in HTTP/1.0',
    `POST /ok HTTP/1.0\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    400,
  ],
  [
    'two different lengths',
    `POST /ok HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
    400,
  ],
  ['two equal lengths', 'POST /ok HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n', 400],
  ['a length list', 'POST /ok HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0, 0\r\n\r\n', 400],
  ['a signed length', 'POST /ok HTTP/1.1\r\nHost: a.test\r\nContent-Length: +1\r\n\r\nx', 400],
  ['a length with a space', 'POST /ok HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1 1\r\n\r\nx', 400],
  ['an empty length', 'POST /ok HTTP/1.1\r\nHost: a.test\r\nContent-Length:\r\n\r\n', 400],
  ['obs-fold with a space', `GET /ok HTTP/1.1\r\nHost: a.test\r\nX: a\r\n Content-Length: 5\r\n\r\n`, 400],
  ['obs-fold with a tab', 'GET /ok HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding:\r\n\tchunked\r\n\r\n0\r\n\r\n', 400],
  ['a folded first line', 'GET /ok HTTP/1.1\r\n Host: a.test\r\n\r\n', 400],
  ['a bare LF behind the request line', 'GET /ok HTTP/1.1\nHost: a.test\r\n\r\n', 400],
  ['a bare LF behind a field', 'GET /ok HTTP/1.1\r\nHost: a.test\nX: 1\r\n\r\n', 400],
  ['a bare LF before the body', 'GET /ok HTTP/1.1\r\nHost: a.test\r\n\n', 400],
  ['a bare CR in a field', 'GET /ok HTTP/1.1\r\nHost: a.test\r\nX: a\rY: b\r\n\r\n', 400],
  ['a bare CR as line end', 'GET /ok HTTP/1.1\r\nHost: a.test\rX: b\r\n\r\n', 400],
  ['NUL in a field', 'GET /ok HTTP/1.1\r\nHost: a.test\r\nX: a\0b\r\n\r\n', 400],
  ['a control character in a field', 'GET /ok HTTP/1.1\r\nHost: a.test\r\nX: a\x01b\r\n\r\n', 400],
  ['two Hosts', 'GET /ok HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n', 400],
  ['no Host', 'GET /ok HTTP/1.1\r\n\r\n', 400],
  ['an invalid Host', 'GET /ok HTTP/1.1\r\nHost: a.test/x\r\n\r\n', 400],
  ['a space in a name', 'GET /ok HTTP/1.1\r\nHost: a.test\r\nX Y: 1\r\n\r\n', 400],
  ['a name with brackets', 'GET /ok HTTP/1.1\r\nHost: a.test\r\nX(y): 1\r\n\r\n', 400],
  ['an empty name', 'GET /ok HTTP/1.1\r\nHost: a.test\r\n: 1\r\n\r\n', 400],
  ['another authority in the target', 'GET http://b.test/ok HTTP/1.1\r\nHost: a.test\r\n\r\n', 400],
  ['a space in the target', 'GET /ok /x HTTP/1.1\r\nHost: a.test\r\n\r\n', 400],
  ['a version that does not exist', 'GET /ok HTTP/1.2\r\nHost: a.test\r\n\r\n', 400],
  ['HTTP/2 as text', 'GET /ok HTTP/2.0\r\nHost: a.test\r\n\r\n', 505],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['CONNECT', 'CONNECT a.test:80 HTTP/1.1\r\nHost: a.test\r\n\r\n', 405],
  ['TRACE', 'TRACE /ok HTTP/1.1\r\nHost: a.test\r\n\r\n', 405],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400],
  ['an unknown expectation', 'POST /ok HTTP/1.1\r\nHost: a.test\r\nExpect: more\r\nContent-Length: 1\r\n\r\nx', 417],
]

describe('gateway: what is refused', () => {
  it.each(REFUSED)('answers %s once, closes, and nothing of it reaches the origin', async (_, bytes, status) => {
    const { origin, port } = await stand()

    const client = new RawClient(port).write(bytes)
    const answer = await client.answer()
    const rest = await client.rest()

    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.text)).toHaveProperty('error.code')
    expect(answer.get('connection')?.toLowerCase()).toBe('close')
    expect(rest).toBe('')
    expect(origin.seen('/ok')).toEqual([])
    expect(origin.faults).toEqual([])
  })

  it.each(REFUSED.slice(0, 12))('answers %s so even when it comes byte by byte', async (_, bytes, status) => {
    const { origin, port } = await stand()

    const client = new RawClient(port)
    for (const byte of bytes) {
      client.write(byte)
      await pause(0)
    }

    expect((await client.answer()).status).toBe(status)
    expect(origin.seen('/ok')).toEqual([])
    expect(origin.faults).toEqual([])
  })

  it.each([
    ['a chunk size with a prefix', '0x3\r\nabc\r\n0\r\n\r\n'],
    ['a chunk size with a space', '3 \r\nabc\r\n0\r\n\r\n'],
    ['a signed chunk size', '+3\r\nabc\r\n0\r\n\r\n'],
    ['a chunk longer than its size', '3\r\nabcd\r\n0\r\n\r\n'],
    ['a bare LF behind a chunk size', '3\nabc\r\n0\r\n\r\n'],
    ['a bare LF behind chunk data', '3\r\nabc\n0\r\n\r\n'],
    ['a bare LF in a chunk extension', '3;a\n=b\r\nabc\r\n0\r\n\r\n'],
    ['a chunk size beyond 64 bits', '10000000000000003\r\nabc\r\n0\r\n\r\n'],
    ['a folded trailer', '3\r\nabc\r\n0\r\nX-T: 1\r\n 2\r\n\r\n'],
    ['a length in the trailer', '3\r\nabc\r\n0\r\nContent-Length: 5\r\n\r\n'],
  ])('answers 400 to %s, and the origin gets no complete request', async (_, body) => {
    const { origin, port } = await stand()

    const client = new RawClient(port).write(
      `POST /ok HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n${body}${SMUGGLED}`,
    )

    expect((await client.answer()).status).toBe(400)
    expect(await client.rest()).toBe('')
    expect(origin.seen('/ok')).toEqual([])
    expect(origin.faults).toEqual([])
  })

  it('answers what stood before the bad request first, and the bad one last', async () => {
    const { port } = await stand()

    const client = new RawClient(port).write('GET /ok HTTP/1.1\r\nHost: a.test\r\n\r\nGET /ok HTTP/1.1\r\nHost : a.test\r\n\r\n')

    expect(await client.answer()).toMatchObject({ status: 200, text: 'fine' })
    expect(await client.answer()).toMatchObject({ status: 400 })
    expect(await client.rest()).toBe('')
  })
})

describe('gateway: limits of a head', () => {
  it.each([
    ['a long target', `GET /${'x'.repeat(9000)} HTTP/1.1\r\nHost: a.test\r\n\r\n`, 414],
    ['a target longer than any head', `GET /${'x'.repeat(60_000)} HTTP/1.1\r\nHost: a.test\r\n\r\n`, 414],
    ['a large field', `GET /ok HTTP/1.1\r\nHost: a.test\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
    ['many fields', `GET /ok HTTP/1.1\r\nHost: a.test\r\n${'X: 1\r\n'.repeat(101)}\r\n`, 431],
    ['very many fields', `GET /ok HTTP/1.1\r\nHost: a.test\r\n${'X: 1\r\n'.repeat(3000)}\r\n`, 431],
  ])('answers %s', async (_, bytes, status) => {
    const { origin, port } = await stand()

    const client = new RawClient(port).write(bytes)

    expect((await client.answer()).status).toBe(status)
    expect(await client.rest()).toBe('')
    expect(origin.seen('/ok')).toEqual([])
  })

  it('gives a slow head 408 and closes', async () => {
    const origin = new RawOrigin()
    const url = await origin.listen()
    onTestFinished(() => origin.close())
    const { port } = await gatewayBefore(url, { limits: { headTimeout: 300 } })

    const client = new RawClient(port).write('GET /ok HTTP/1.1\r\nHost: a.te')

    expect((await client.answer()).status).toBe(408)
    expect(await client.rest()).toBe('')
  })
})

describe('gateway: what must go through', () => {
  it('answers pipelined requests in order', async () => {
    const { origin, port } = await stand()
    origin.on('/slow', async () => {
      await pause(50)
      return ok(['Cache-Control: no-store'], 'slow')
    })

    const client = new RawClient(port).ask('GET /slow').ask('GET /ok')

    expect((await client.answer()).text).toBe('slow')
    expect((await client.answer()).text).toBe('fine')
  })

  it('takes a request that comes byte by byte, with content', async () => {
    const { origin, port } = await stand()
    const client = new RawClient(port)
    for (const byte of 'POST /ok HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\n\r\n') {
      client.write(byte)
      await pause(0)
    }

    expect((await client.answer()).status).toBe(200)
    expect(origin.seen('/ok')[0]?.body.toString()).toBe('abcde')
  })

  it('passes targets on byte for byte and keeps them apart', async () => {
    const { origin, port } = await stand()
    const targets = ['/a/../b', '/a/%2e%2e/b', '/b', '//b', '/b/', '/b;x', '/b%3bx', '/B']
    for (const target of targets) origin.on(target, ({ request }) => ok(['Cache-Control: max-age=60'], request.target))

    for (const target of [...targets, ...targets]) {
      const client = new RawClient(port).ask(`GET ${target}`)
      expect((await client.answer()).text).toBe(target)
      client.destroy()
    }
    for (const target of targets) expect(origin.seen(target).map((one) => one.target)).toEqual([target])
  })

  it('keeps a fat GET whole and answers it from the origin alone', async () => {
    const { origin, port } = await stand()
    origin.on('/fat', ({ request }) => ok(['Cache-Control: max-age=60'], request.body.toString()))

    const answers = []
    for (const body of ['one', 'two']) answers.push(await new RawClient(port).ask('GET /fat', [], body).answer())

    expect(answers.map((answer) => answer.text)).toEqual(['one', 'two'])
    expect(answers.map((answer) => answer.get('x-cache'))).toEqual(['BYPASS', 'BYPASS'])
  })

  it('speaks HTTP/1.0: no chunks, the end of the connection ends the body', async () => {
    const { origin, port } = await stand()
    origin.on('/stream', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-t\r\n\r\n3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n')

    const client = new RawClient(port).write('GET /stream HTTP/1.0\r\n\r\n')
    const answer = await client.answer()

    expect(answer).toMatchObject({ status: 200, text: 'abc', framing: 'close', complete: true })
    expect(origin.seen('/stream')[0]?.get('host')).toMatch(/^127\.0\.0\.1:\d+$/)
  })

  it('serves an upgrade to anything but WebSocket as a plain request', async () => {
    const { origin, port } = await stand()

    const answer = await new RawClient(port)
      .ask('GET /ok', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'])
      .answer()

    expect(answer).toMatchObject({ status: 200, text: 'fine' })
    expect(origin.seen('/ok')[0]?.has('upgrade')).toBe(false)
    expect(origin.seen('/ok')[0]?.has('http2-settings')).toBe(false)
  })

  it('answers OPTIONS * itself', async () => {
    const { port } = await stand()

    const answer = await new RawClient(port).ask('OPTIONS *').answer()

    expect(answer.status).toBe(204)
    expect(answer.get('allow')).toContain('QUERY')
  })
})
