/** Streams through the gateway: big, slow, broken off, with trailers and 1xx, both ways. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { request as requestHttp } from 'node:http'
import { connect } from 'node:net'
import { pipeline, Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { gatewayBefore, originHere } from '../support/gateway-here.ts'
import { spawnGateway } from '../support/gateway-spawn.ts'
import { RawClient } from '../support/raw-client.ts'
import { chunk, ok, RawOrigin } from '../support/raw-origin.ts'

const MIB = 1024 * 1024
const BLOCK = Buffer.alloc(64 * 1024, 'forecache')

async function rawOrigin(): Promise<{ origin: RawOrigin; url: string }> {
  const origin = new RawOrigin()
  const url = await origin.listen()
  onTestFinished(() => origin.close())
  return { origin, url }
}

/** Writes `bytes` of blocks with back-pressure. */
async function pour(stream: NodeJS.WritableStream, bytes: number): Promise<string> {
  const hash = createHash('sha256')
  for (let sent = 0; sent < bytes; sent += BLOCK.byteLength) {
    hash.update(BLOCK)
    if (!stream.write(BLOCK)) await once(stream, 'drain')
  }
  stream.end()
  return hash.digest('hex')
}

async function until(holds: () => boolean, what: string, withinMs = 5000): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`)
    await pause(10)
  }
}

describe('gateway: large bodies', () => {
  it('streams 100 MiB up and 100 MiB down at once without keeping them', async () => {
    let sent = ''
    const url = await originHere((request, response) => {
      const hash = createHash('sha256')
      request.on('data', (data: Buffer) => hash.update(data))
      request.on('end', async () => {
        response.setHeader('x-got', hash.digest('hex'))
        sent = await pour(response, 100 * MIB)
      })
    })
    const gateway = await spawnGateway(['--origin', url])
    const before = gateway.peakBytes()

    const upload = requestHttp({ port: gateway.port, method: 'POST', path: '/big', headers: { 'transfer-encoding': 'chunked' } })
    const answered = once(upload, 'response')
    const up = await pour(upload, 100 * MIB)
    const [response] = await answered
    const hash = createHash('sha256')
    for await (const data of response) hash.update(data)

    expect(response.headers['x-got']).toBe(up)
    expect(hash.digest('hex')).toBe(sent)
    expect((gateway.peakBytes() - before) / MIB).toBeLessThan(90)
  })

  it('lets a client that does not read slow the origin down, and cuts it off in the end', async () => {
    let written = 0
    let closed = false
    function* endless(): Generator<Buffer> {
      for (; written < 200 * MIB; written += BLOCK.byteLength) yield BLOCK
    }
    const url = await originHere((_, response) => {
      response.on('close', () => (closed = true))
      response.setHeader('cache-control', 'no-store')
      pipeline(Readable.from(endless(), { objectMode: false }), response, () => {})
    })
    const { port } = await gatewayBefore(url, { limits: { writeTimeout: 500 } })
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    onTestFinished(() => void socket.destroy())
    socket.write('GET /endless HTTP/1.1\r\nHost: a.test\r\n\r\n')
    socket.pause()

    await until(() => closed, 'the origin is let go', 8000)

    expect(written).toBeLessThan(64 * MIB)
  })

  it('does not let a client that takes nothing hold the fill that others read', async () => {
    const body = Buffer.alloc(900_000, 'forecache')
    let loads = 0
    const url = await originHere(async (_, response) => {
      loads += 1
      response.setHeader('cache-control', 'max-age=60')
      await pour(response, body.byteLength)
    })
    const { port } = await gatewayBefore(url)
    const stuck = connect(port, '127.0.0.1')
    onTestFinished(() => void stuck.destroy())
    stuck.on('error', () => {}).pause()
    stuck.write('GET /shared HTTP/1.1\r\nHost: a.test\r\n\r\n')
    await until(() => loads === 1, 'the load begins')
    const startedAt = Date.now()

    const others = await Promise.all(Array.from({ length: 5 }, () => new RawClient(port).ask('GET /shared').answer()))

    expect(others.every((answer) => answer.complete && answer.body.length >= body.byteLength)).toBe(true)
    expect(Date.now() - startedAt).toBeLessThan(5000)
    expect(loads).toBe(1)
  })

  it.each([256, 16 * 1024, 16 * 1024 + 1, 500_000])(
    'hands %i bytes of any value on as they are, from the origin and from memory',
    async (size) => {
      const body = Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 7) % 256))
      const url = await originHere((_, response) => void response.setHeader('cache-control', 'max-age=60').end(body))
      const { port } = await gatewayBefore(url)

      const answers = [await new RawClient(port).ask('GET /bytes').answer(), await new RawClient(port).ask('GET /bytes').answer()]

      expect(answers.map((answer) => answer.get('x-cache'))).toEqual(['MISS', 'HIT'])
      expect(answers.every((answer) => answer.body.equals(body))).toBe(true)
    },
  )

  it('answers 413 to content above the limit, told before or found out on the way, and the origin gets no complete request', async () => {
    const { origin, url } = await rawOrigin()
    origin.on('/up', ok([], 'took it'))
    const { port } = await gatewayBefore(url, { limits: { body: 1000 } })

    const told = await new RawClient(port).write('POST /up HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1001\r\n\r\n').answer()
    const found = await new RawClient(port)
      .write(
        `POST /up HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('x'.repeat(600))}${chunk('x'.repeat(600))}`,
      )
      .answer()

    expect(told.status).toBe(413)
    expect(found.status).toBe(413)
    expect(found.get('connection')?.toLowerCase()).toBe('close')
    expect(origin.seen('/up')).toEqual([])
  })
})

describe('gateway: broken off', () => {
  it('cancels the request at the origin when the client goes', async () => {
    let aborted = false
    const url = await originHere((request, response) => {
      response.setHeader('cache-control', 'no-store')
      response.write('begun')
      request.on('close', () => {})
      response.on('close', () => (aborted = true))
    })
    const { port } = await gatewayBefore(url)
    const client = new RawClient(port).ask('POST /work', [], 'x')
    await client.head()
    await client.sees('begun')

    client.destroy()

    await until(() => aborted, 'the origin sees the end')
  })

  it('cancels it too when the client goes before any answer', async () => {
    let reached = false
    let aborted = false
    const url = await originHere((request, response) => {
      reached = true
      response.on('close', () => (aborted = true))
      request.resume()
    })
    const { port } = await gatewayBefore(url)
    const client = new RawClient(port).ask('POST /work', [], 'x')
    await until(() => reached, 'the origin is reached')

    client.destroy()

    await until(() => aborted, 'the origin sees the end')
  })

  it('never hands an origin half a content as a whole', async () => {
    const { origin, url } = await rawOrigin()
    origin.on('/up', ok([], 'took it'))
    const { port } = await gatewayBefore(url)

    const length = new RawClient(port).write('POST /up HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhalf')
    const chunked = new RawClient(port).write(
      `POST /up HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('half')}`,
    )
    await pause(200)
    length.destroy()
    chunked.destroy()
    await pause(200)

    expect(origin.seen('/up')).toEqual([])
    expect(origin.faults).toEqual([])
  })

  it('gives a client that stops sending 408', async () => {
    const { origin, url } = await rawOrigin()
    origin.on('/up', ok([], 'took it'))
    const { port } = await gatewayBefore(url, { limits: { bodyTimeout: 200 } })

    const answer = await new RawClient(port).write('POST /up HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhalf').answer()

    expect(answer.status).toBe(408)
    expect(origin.seen('/up')).toEqual([])
  })

  it.each([
    ['a length', 'Content-Length: 100\r\n\r\nonly this'],
    ['chunks', 'Transfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n'],
    ['a broken chunk', 'Transfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\nzz\r\n'],
  ])('shows a client that the answer is not whole when the origin breaks off %s', async (_, rest) => {
    const { origin, url } = await rawOrigin()
    origin.on('/down', (call) => {
      call.write(`HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n${rest}`)
      call.end()
    })
    const { port } = await gatewayBefore(url)

    for (const version of ['1.1', '1.0']) {
      const client = new RawClient(port).write(`GET /down HTTP/${version}\r\nHost: a.test\r\n\r\n`)
      const answer = await client.answer().catch((error: unknown) => error)

      expect(answer instanceof Error || ('complete' in (answer as object) && !(answer as { complete: boolean }).complete)).toBe(
        true,
      )
    }
    expect(origin.seen('/down').length).toBeGreaterThanOrEqual(2)
  })
})

describe('gateway: 1xx and trailers', () => {
  it('passes 103 and 102 on at once, hop-by-hop fields removed', async () => {
    const { origin, url } = await rawOrigin()
    origin.on('/early', async (call) => {
      call.write(
        'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r\n',
      )
      await pause(50)
      return ok(['Cache-Control: no-store'], 'done')
    })
    const { port } = await gatewayBefore(url)

    const answer = await new RawClient(port).ask('GET /early').answer()

    expect(answer.informational.map((one) => one.status)).toEqual([102, 103])
    expect(answer.informational[1]?.get('link')).toBe('</a.css>; rel=preload')
    expect(answer.informational[1]?.has('x-hop')).toBe(false)
    expect(answer.text).toBe('done')
  })

  it('sends no 1xx to HTTP/1.0', async () => {
    const { origin, url } = await rawOrigin()
    origin.on(
      '/early',
      Buffer.concat([Buffer.from('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n'), ok(['Cache-Control: no-store'], 'done')]),
    )
    const { port } = await gatewayBefore(url)

    const answer = await new RawClient(port).write('GET /early HTTP/1.0\r\nHost: a.test\r\n\r\n').answer()

    expect(answer.informational).toEqual([])
    expect(answer.text).toBe('done')
  })

  it('passes trailers of the origin on, without those that frame or control', async () => {
    const { origin, url } = await rawOrigin()
    origin.on(
      '/trailed',
      'HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 5\r\nSet-Cookie: a=b\r\nCache-Control: max-age=9\r\n\r\n',
    )
    const { port } = await gatewayBefore(url)

    const answer = await new RawClient(port).ask('GET /trailed').answer()

    expect(answer).toMatchObject({ text: 'abc', complete: true })
    expect(answer.trailers.lines).toEqual([['x-sum', '5']])
  })

  it('passes trailers of a request on, without those that frame or route', async () => {
    const { origin, url } = await rawOrigin()
    const heads: string[] = []
    origin.on('/up', ({ request }) => {
      heads.push(request.raw)
      return ok([], request.body.toString())
    })
    const trailers: string[][] = []
    const seen = await originHere((request, response) => {
      request.resume().on('end', () => {
        trailers.push(request.rawTrailers)
        response.end('got it')
      })
    })
    const message = `POST /up HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, Host\r\n\r\n${chunk('abc')}0\r\nX-Sum: 5\r\nHost: evil\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n`

    const [raw, node] = [await gatewayBefore(url), await gatewayBefore(seen)]
    const answers = [
      await new RawClient(raw.port).write(message).answer(),
      await new RawClient(node.port).write(message).answer(),
    ]

    expect(answers.map((answer) => answer.text)).toEqual(['abc', 'got it'])
    expect(heads[0]?.toLowerCase()).toContain('\r\ntrailer: x-sum\r\n')
    expect(trailers).toEqual([['x-sum', '5']])
  })

  it('understands an origin that says 100 unasked', async () => {
    const { origin, url } = await rawOrigin()
    origin.on('/hasty', ({ request }) =>
      Buffer.concat([
        Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'),
        ok(['Cache-Control: no-store'], `${request.method} ${request.body.toString()}`),
      ]),
    )
    const { port } = await gatewayBefore(url)

    const first = await new RawClient(port).ask('GET /hasty').answer()
    const second = await new RawClient(port).ask('POST /hasty', [], 'abc').answer()

    expect(first).toMatchObject({ status: 200, text: 'GET ', informational: [] })
    expect(second).toMatchObject({ status: 200, text: 'POST abc', informational: [] })
  })

  it('sends 100 only when the content is wanted, and never passes Expect on', async () => {
    const { origin, url } = await rawOrigin()
    origin.on('/up', ({ request }) => ok([], `got ${request.body.toString()}`))
    const { port } = await gatewayBefore(url, { limits: { body: 100 } })

    const wanted = new RawClient(port).write(
      'POST /up HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n',
    )
    const unwanted = new RawClient(port).write(
      'POST /up HTTP/1.1\r\nHost: a.test\r\nContent-Length: 999\r\nExpect: 100-continue\r\n\r\n',
    )

    expect((await wanted.head()).status).toBe(100)
    expect((await wanted.write('abc').answer()).text).toBe('got abc')
    expect(await unwanted.answer()).toMatchObject({ status: 413, informational: [] })
    expect(origin.seen('/up')[0]?.has('expect')).toBe(false)
  })
})
