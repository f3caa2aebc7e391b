/** WebSocket tunnels: open only when the origin agreed, carry bytes both ways, and smuggle nothing. */
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { gatewayBefore, originHere } from '../support/gateway-here.ts'
import { RawClient } from '../support/raw-client.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const HANDSHAKE = [
  'Connection: keep-alive, Upgrade',
  'Upgrade: websocket',
  `Sec-WebSocket-Key: ${KEY}`,
  'Sec-WebSocket-Version: 13',
] as const
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n'

function accept(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

/** An origin that agrees and echoes, and tells what it saw. */
async function echo(agree: (key: string) => string = accept): Promise<{ url: string; heads: string[][]; sockets: Socket[] }> {
  const heads: string[][] = []
  const sockets: Socket[] = []
  const server: Server = createServer((_, response) => void response.end('plain'))
  server.on('upgrade', (request, socket, early) => {
    heads.push(request.rawHeaders)
    sockets.push(socket as Socket)
    socket.on('error', () => {})
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${agree(String(request.headers['sec-websocket-key']))}\r\nSec-WebSocket-Protocol: chat\r\n\r\n`,
    )
    if (early.length > 0) socket.write(early)
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heads, sockets }
}

describe('gateway: WebSocket', () => {
  it('opens a tunnel and carries bytes both ways, those sent too early as well', async () => {
    const origin = await echo()
    const { port } = await gatewayBefore(origin.url)

    const client = new RawClient(port)
      .ask('GET /chat?room=1', [...HANDSHAKE, 'Sec-WebSocket-Protocol: chat', 'X-Forwarded-For: 6.6.6.6'])
      .write('early ')
    const head = await client.head()
    client.write('and late')
    await client.sees('early and late')

    expect(head.status).toBe(101)
    expect(head.get('sec-websocket-accept')).toBe(accept(KEY))
    expect(head.get('sec-websocket-protocol')).toBe('chat')
    expect(head.get('upgrade')).toBe('websocket')
    const seen = origin.heads[0]?.map((part) => part.toLowerCase()) ?? []
    expect(seen[seen.indexOf('host') + 1]).toBe('a.test')
    expect(seen[seen.indexOf('x-forwarded-for') + 1]).toBe('127.0.0.1')
    client.destroy()
  })

  it('carries a megabyte through with back-pressure', async () => {
    const { port } = await gatewayBefore((await echo()).url)
    const client = new RawClient(port).ask('GET /chat', HANDSHAKE)
    await client.head()

    client.write('x'.repeat(1024 * 1024)).write('END')

    await client.sees('xEND')
    client.destroy()
  })

  it('ends one side when the other ends', async () => {
    const origin = await echo()
    const { port } = await gatewayBefore(origin.url)
    const [left, right] = [new RawClient(port).ask('GET /', HANDSHAKE), new RawClient(port).ask('GET /', HANDSHAKE)]
    await left.head()
    await right.head()

    left.destroy()
    await new Promise((resolve) => origin.sockets[0]?.once('close', resolve))
    origin.sockets[1]?.destroy()

    expect(await right.rest()).toBe('')
  })

  it('closes a tunnel on which nothing moves', async () => {
    const { port } = await gatewayBefore((await echo()).url, { limits: { tunnelTimeout: 200 } })
    const client = new RawClient(port).ask('GET /', HANDSHAKE)
    await client.head()

    expect(await client.rest()).toBe('')
  })

  it('passes on what the origin says instead of 101, and ends the connection there', async () => {
    let requests = 0
    const url = await originHere((_, response) => {
      requests += 1
      response.writeHead(403, { 'x-why': 'closed' }).end('not here')
    })
    const { port } = await gatewayBefore(url)

    const client = new RawClient(port).ask('GET /chat', HANDSHAKE).write(SMUGGLED)
    const answer = await client.answer()

    expect(answer).toMatchObject({ status: 403, text: 'not here' })
    expect(answer.get('connection')).toBe('close')
    expect(await client.rest()).toBe('')
    await pause(50)
    expect(requests).toBe(1)
  })

  it('does not open for an origin that says 101 without having understood the handshake', async () => {
    const { port } = await gatewayBefore((await echo(() => accept('something else'))).url)

    const client = new RawClient(port).ask('GET /chat', HANDSHAKE)

    expect((await client.answer()).status).toBe(502)
    expect(await client.rest()).toBe('')
  })

  it.each([
    ['a wrong version', [...HANDSHAKE.slice(0, 3), 'Sec-WebSocket-Version: 777']],
    ['no key', [HANDSHAKE[0], HANDSHAKE[1], HANDSHAKE[3]]],
    ['a key that is none', [HANDSHAKE[0], HANDSHAKE[1], 'Sec-WebSocket-Key: x', HANDSHAKE[3]]],
    ['two hosts', [...HANDSHAKE, 'Host: a.test', 'Host: b.test']],
  ] as [string, `${string}:${string}`[]][])('refuses a handshake with %s before the origin hears of it', async (_, lines) => {
    const origin = await echo()
    const { port } = await gatewayBefore(origin.url)

    const client = new RawClient(port).ask('GET /chat', lines).write(SMUGGLED)

    expect((await client.answer()).status).toBe(400)
    expect(await client.rest()).toBe('')
    expect(origin.heads).toEqual([])
  })

  it('serves a handshake with content, or of another method, as the plain request it also is', async () => {
    const origin = await echo()
    const { port } = await gatewayBefore(origin.url)

    expect((await new RawClient(port).ask('POST /chat', HANDSHAKE, 'abc').answer()).text).toBe('plain')
    expect((await new RawClient(port).ask('GET /chat', HANDSHAKE, 'abc').answer()).text).toBe('plain')
    expect(origin.heads).toEqual([])
  })

  it('answers 502 and 504 where the origin cannot be reached or does not answer', async () => {
    const refused = await gatewayBefore('http://127.0.0.1:9')
    const silent = await gatewayBefore(
      await originHere(
        () => {},
        (server) => server.on('upgrade', () => {}),
      ),
      { origin: { headTimeout: 200 } },
    )

    expect((await new RawClient(refused.port).ask('GET /', HANDSHAKE).answer()).status).toBe(502)
    expect((await new RawClient(silent.port).ask('GET /', HANDSHAKE).answer()).status).toBe(504)
  })

  it('is cut when the gateway closes', async () => {
    const { gateway, port } = await gatewayBefore((await echo()).url)
    const client = new RawClient(port).ask('GET /', HANDSHAKE)
    await client.head()

    await gateway.close(100)

    expect(await client.rest()).toBe('')
  })
})
