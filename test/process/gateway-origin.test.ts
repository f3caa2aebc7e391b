/** The origin's failures: each becomes the right status in time, and no request is sent twice that could have been read. */
import { createServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { gatewayBefore, originHere } from '../support/gateway-here.ts'
import { RawClient } from '../support/raw-client.ts'
import { ok, RawOrigin } from '../support/raw-origin.ts'

async function rawOrigin(): Promise<{ origin: RawOrigin; url: string }> {
  const origin = new RawOrigin()
  const url = await origin.listen()
  onTestFinished(() => origin.close())
  return { origin, url }
}

/** An origin of plain sockets: what happens with each connection. */
async function socketOrigin(onSocket: (socket: Socket, index: number) => void): Promise<string> {
  let count = 0
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    onSocket(socket, count++)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

describe('gateway: an origin that fails', () => {
  it('answers 502 with the reason when nobody listens', async () => {
    const { port } = await gatewayBefore('http://127.0.0.1:9')

    const answer = await new RawClient(port).ask('GET /').answer()

    expect(answer.status).toBe(502)
    expect(JSON.parse(answer.text).error).toMatchObject({
      code: 'FC_ORIGIN_REFUSED',
      message: expect.stringContaining('ECONNREFUSED'),
    })
    expect(answer.get('cache-control')).toBe('no-store')
  })

  it('answers 504 when the head does not come in time', async () => {
    const url = await socketOrigin(() => {})
    const { port } = await gatewayBefore(url, { origin: { headTimeout: 200 } })
    const startedAt = Date.now()

    const answer = await new RawClient(port).ask('GET /').answer()

    expect(answer.status).toBe(504)
    expect(JSON.parse(answer.text).error.code).toBe('FC_ORIGIN_TIMEOUT')
    expect(Date.now() - startedAt).toBeLessThan(2000)
  })

  it('does not let 1xx answers prolong the wait', async () => {
    const url = await socketOrigin((socket) => {
      const timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 50)
      socket.on('close', () => clearInterval(timer))
    })
    const { port } = await gatewayBefore(url, { origin: { headTimeout: 300 } })

    expect((await new RawClient(port).ask('GET /').answer()).status).toBe(504)
  })

  it.each([
    ['closes without a word', ''],
    ['says what is not HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['gives two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'gives a length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
    ],
    ['folds a line', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n'],
    ['ends a line with LF', 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n'],
    ['switches protocols unasked', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
    ['answers with a status beyond 599', 'HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n'],
    ['sends a head that is too large', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}\r\nContent-Length: 0\r\n\r\n`],
  ])('answers 502 when it %s', async (_, bytes) => {
    const url = await socketOrigin((socket) => void socket.once('data', () => socket.end(bytes, 'latin1')))
    const { port } = await gatewayBefore(url)

    const answer = await new RawClient(port).ask('GET /').answer()

    expect(answer.status).toBe(502)
    expect(JSON.parse(answer.text).error.code).toBe('FC_ORIGIN_BROKEN')
  })

  it('breaks an answer off whose body stands still', async () => {
    const { origin, url } = await rawOrigin()
    origin.on('/stuck', 'HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 10\r\n\r\nhalf')
    const { port } = await gatewayBefore(url, { origin: { bodyTimeout: 300 } })

    const answer = await new RawClient(port).ask('GET /stuck').answer()

    expect(answer.complete).toBe(false)
  })

  it('does not take bytes behind an answer for the answer to another request', async () => {
    const { origin, url } = await rawOrigin()
    origin.on('/split', Buffer.concat([ok(['Cache-Control: no-store'], 'mine'), ok([], 'POISON')]))
    origin.on('/next', ok(['Cache-Control: no-store'], 'next'))
    const { port } = await gatewayBefore(url)

    expect((await new RawClient(port).ask('GET /split').answer()).text).toBe('mine')
    await pause(20)
    for (let i = 0; i < 5; i += 1) expect((await new RawClient(port).ask('GET /next').answer()).text).toBe('next')
  })

  it('does not take the body of a HEAD, 204 or 304 for the answer to another request', async () => {
    const { origin, url } = await rawOrigin()
    origin.on(
      '/headed',
      'HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 38\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    )
    origin.on('/empty', 'HTTP/1.1 204 No Content\r\nContent-Length: 38\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    origin.on('/next', ok(['Cache-Control: no-store'], 'next'))
    const { port } = await gatewayBefore(url)

    expect((await new RawClient(port).ask('HEAD /headed').answer('HEAD')).status).toBe(200)
    expect((await new RawClient(port).ask('GET /next').answer()).text).toBe('next')
    expect((await new RawClient(port).ask('GET /empty').answer()).status).toBe(204)
    expect((await new RawClient(port).ask('GET /next').answer()).text).toBe('next')
  })

  it('answers 503 when too many wait', async () => {
    const url = await socketOrigin(() => {})
    const { port } = await gatewayBefore(url, { origin: { connections: 1, waiting: 1, headTimeout: 500 } })
    const clients = Array.from({ length: 4 }, (_, i) => new RawClient(port).ask(`POST /${i}`, [], 'x'))

    const statuses = (await Promise.all(clients.map((client) => client.answer()))).map((answer) => answer.status)

    expect(statuses.sort()).toEqual([503, 503, 504, 504])
  })

  it('refuses to run in circles', async () => {
    const url = await originHere(() => {})
    const { port, gateway } = await gatewayBefore(url)
    await gateway.reload(
      (await import('../../src/server/config.ts')).parseConfig({ values: { origin: { url: `http://127.0.0.1:${port}` } } }),
    )

    expect((await new RawClient(port).ask('GET /loop').answer()).status).toBe(508)
  })
})

describe('gateway: connections to the origin', () => {
  it('are used again', async () => {
    let sockets = 0
    const url = await originHere(
      (_, response) => void response.setHeader('cache-control', 'no-store').end('x'),
      (server) => server.on('connection', () => (sockets += 1)),
    )
    const { port } = await gatewayBefore(url)

    for (let i = 0; i < 10; i += 1) await new RawClient(port).ask('GET /').answer()

    expect(sockets).toBe(1)
  })

  it('that went stale are replaced without the client noticing, for requests that may be sent twice', async () => {
    const seen: string[] = []
    const url = await socketOrigin((socket, index) => {
      let served = 0
      socket.on('data', (data) => {
        seen.push(`${index}:${data.toString().split(' ', 1)[0]}`)
        served += 1
        if (index === 0 && served === 2) socket.resetAndDestroy()
        else socket.write('HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 2\r\n\r\nok')
      })
    })
    const { port } = await gatewayBefore(url)

    const first = await new RawClient(port).ask('GET /').answer()
    const second = await new RawClient(port).ask('GET /').answer()

    expect([first.text, second.text]).toEqual(['ok', 'ok'])
    expect(seen).toEqual(['0:GET', '0:GET', '1:GET'])
  })

  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('that went stale under a %s are not tried again', async (method) => {
    const seen: string[] = []
    const url = await socketOrigin((socket, index) => {
      let served = 0
      socket.on('data', () => {
        seen.push(String(index))
        served += 1
        if (index === 0 && served === 2) socket.resetAndDestroy()
        else socket.write('HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 2\r\n\r\nok')
      })
    })
    const { port } = await gatewayBefore(url)

    await new RawClient(port).ask('GET /').answer()
    const answer = await new RawClient(port).ask(`${method} /`).answer()

    expect(answer.status).toBe(502)
    expect(seen).toEqual(['0', '0'])
  })

  it('that break on first use are not tried again, not even for GET', async () => {
    let count = 0
    const url = await socketOrigin(
      (socket) =>
        void socket.once('data', () => {
          count += 1
          socket.resetAndDestroy()
        }),
    )
    const { port } = await gatewayBefore(url)

    expect((await new RawClient(port).ask('GET /').answer()).status).toBe(502)
    expect(count).toBe(1)
  })
})
