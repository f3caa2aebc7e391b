/** HTTP/2 frame by frame: what no well-behaved client sends costs little, ends in order, and reaches no origin. */
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { originHere } from '../support/gateway-here.ts'
import { Http2Client } from '../support/http2-client.ts'
import { block, FLAG, frame, type FramePeer, type Line, openFrames, setting, TYPE, word } from '../support/http2-frames.ts'
import { CA, secured } from '../support/tls-stand.ts'

const PROTOCOL_ERROR = 1
const FLOW_CONTROL_ERROR = 3
const REFUSED_STREAM = 7
const ENHANCE_YOUR_CALM = 11

const ASKED: readonly Line[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', '/x'],
]

/** A gateway before an origin that notes what reaches it, and how to open connections to it. */
async function stand(more: Record<string, unknown> = {}, answer = 'ok') {
  const paths: string[] = []
  const state = { paths, working: 0, most: 0 }
  const url = await originHere((asked, reply) => {
    paths.push(`${asked.method} ${asked.url}`)
    state.working += 1
    state.most = Math.max(state.most, state.working)
    reply.on('close', () => (state.working -= 1))
    asked.resume()
    if (asked.url?.startsWith('/never') !== true) reply.writeHead(200, { 'content-length': answer.length }).end(answer)
  })
  const { port, gateway } = await secured(url, more)
  const open = async (settings?: Buffer): Promise<FramePeer> => {
    const peer = await openFrames(port, CA, settings)
    onTestFinished(() => peer.destroy())
    return peer
  }
  /** Other clients are served while one misbehaves. */
  const serves = async (): Promise<boolean> => (await new Http2Client(port, CA).get('/well')).status === 200
  return { state, open, serves, gateway }
}

/** The request with one pseudo-header field said differently, or left out. */
function asked(name: string, value?: string): readonly Line[] {
  return ASKED.flatMap((line) => (line[0] !== name ? [line] : value === undefined ? [] : [[name, value] as const]))
}

describe('http2 hostile: malformed requests', () => {
  it.each<[string, readonly Line[]]>([
    ['no :method', asked(':method')],
    ['no :path', asked(':path')],
    ['an empty :path', asked(':path', '')],
    ['no :scheme', asked(':scheme')],
    ['another :scheme', asked(':scheme', 'http')],
    ['no :authority', asked(':authority')],
    ['a doubled :method', [...ASKED, [':method', 'POST']]],
    ['a doubled :path', [...ASKED, [':path', '/y']]],
    ['a pseudo-header field behind others', [...ASKED.slice(1), ['accept', '*/*'], [':method', 'GET']]],
    ['an unknown pseudo-header field', [...ASKED, [':x', '1']]],
    [':status in a request', [...ASKED, [':status', '200']]],
    [':protocol without leave', [...ASKED, [':protocol', 'websocket']]],
    ['extended CONNECT (RFC 8441)', [...asked(':method', 'CONNECT'), [':protocol', 'websocket']]],
    ['CONNECT with :path', asked(':method', 'CONNECT')],
    ['CONNECT', asked(':method', 'CONNECT').filter(([name]) => name !== ':path' && name !== ':scheme')],
    ['upper case in a name', [...ASKED, ['X-Upper', '1']]],
    ['a line break in :path', asked(':path', '/x HTTP/1.1\r\nHost: evil\r\n\r\n')],
    ['Connection', [...ASKED, ['connection', 'close']]],
    ['Keep-Alive', [...ASKED, ['keep-alive', 'timeout=5']]],
    ['Proxy-Connection', [...ASKED, ['proxy-connection', 'keep-alive']]],
    ['Transfer-Encoding', [...ASKED, ['transfer-encoding', 'chunked']]],
    ['Upgrade', [...ASKED, ['upgrade', 'websocket']]],
    ['TE that says gzip', [...ASKED, ['te', 'gzip']]],
    ['Host that differs from :authority', [...ASKED, ['host', 'evil.test']]],
    ['two Hosts', [...ASKED, ['host', 'localhost'], ['host', 'evil.test']]],
    ['a Content-Length that is no number', [...ASKED, ['content-length', 'x']]],
    ['two Content-Lengths', [...ASKED, ['content-length', '0'], ['content-length', '1']]],
    ['a Content-Length without content', [...ASKED, ['content-length', '5']]],
    ['a whole URL as :path', asked(':path', 'https://evil.test/')],
    ['a user in :authority', asked(':authority', 'a@localhost')],
  ])('refuses %s: 4xx or a reset, and nothing reaches the origin', async (_, lines) => {
    const { state, open, serves } = await stand()
    const peer = await open()

    peer.headers(1, lines)
    const { type, payload } = await peer.awaited(
      (one) => (one.stream === 1 && (one.type === TYPE.HEADERS || one.type === TYPE.RST_STREAM)) || one.type === TYPE.GOAWAY,
      'a refusal',
    )

    // 400 is 0x8c in the static table, 405 a literal of its own.
    if (type === TYPE.HEADERS) expect([0x8c, 0x48]).toContain(payload[0])
    else expect(payload.readUInt32BE(type === TYPE.GOAWAY ? 4 : 0)).toBe(PROTOCOL_ERROR)
    expect(state.paths).toEqual([])
    expect(await serves()).toBe(true)
  })

  it.each<[string, Line]>([
    ['an empty name', ['', 'evil']],
    ['white space in a name', ['x y', 'evil']],
    ['a colon in a name', ['x:y', 'evil']],
    ['a line break in a value', ['x', 'a\r\nhost: evil']],
    ['NUL in a value', ['x', 'evil\0']],
  ])('never lets a field through that HTTP/1 could not carry: %s', async (_, line) => {
    const told: string[] = []
    const url = await originHere((request, answer) => {
      told.push(...request.rawHeaders)
      answer.end('ok')
    })
    const { port } = await secured(url)
    const peer = await openFrames(port, CA)
    onTestFinished(() => peer.destroy())

    peer.headers(1, [...ASKED, line])
    await peer.awaited(({ stream, type }) => stream === 1 || type === TYPE.GOAWAY, 'an answer or a refusal')

    expect(told.join()).not.toContain('evil')
  })

  it.each(['sixsix', 'four'])('never hands content on as whole that is not as long as it was said to be: %s', async (content) => {
    let whole = 0
    const url = await originHere((request, answer) => {
      request.on('end', () => (whole += 1)).on('error', () => {})
      request.resume()
      answer.on('error', () => {})
    })
    const { port } = await secured(url)
    const peer = await openFrames(port, CA)
    onTestFinished(() => peer.destroy())

    peer.headers(1, [...asked(':method', 'POST'), ['content-length', '5']], FLAG.END_HEADERS)
    peer.send(frame(TYPE.DATA, FLAG.END_STREAM, 1, Buffer.from(content)))
    const { type } = await peer.awaited((one) => one.type === TYPE.RST_STREAM || one.type === TYPE.GOAWAY, 'a refusal')

    expect([TYPE.RST_STREAM, TYPE.GOAWAY]).toContain(type)
    await pause(100)
    expect(whole).toBe(0)
  })

  it('never takes content for whole that a reset cut off, whatever code it bears', async () => {
    let began = 0
    let ended = 0
    let broken = 0
    const url = await originHere((request) => {
      request.once('data', () => (began += 1))
      request.on('error', () => {}).resume()
      request.on('end', () => (ended += 1)).on('close', () => void (request.complete || (broken += 1)))
    })
    const { port } = await secured(url)
    const peer = await openFrames(port, CA)
    onTestFinished(() => peer.destroy())

    for (const [i, code] of [0, 2, 8].entries()) {
      const stream = 1 + 2 * i
      peer.headers(stream, asked(':method', 'POST'), FLAG.END_HEADERS)
      peer.send(frame(TYPE.DATA, 0, stream, Buffer.from('half')))
      await expect.poll(() => began).toBe(i + 1)
      peer.send(frame(TYPE.RST_STREAM, 0, stream, word(code)))
    }

    await expect.poll(() => broken).toBe(3)
    expect(ended).toBe(0)
  })
})

describe('http2 hostile: frames', () => {
  it.each<[string, Buffer]>([
    ['DATA on stream 0', frame(TYPE.DATA, 0, 0, Buffer.from('x'))],
    ['DATA on an idle stream', frame(TYPE.DATA, 0, 5, Buffer.from('x'))],
    ['HEADERS on stream 0', frame(TYPE.HEADERS, FLAG.END_HEADERS, 0, block(ASKED))],
    ['HEADERS on a stream of the server', frame(TYPE.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, 2, block(ASKED))],
    ['CONTINUATION without HEADERS', frame(TYPE.CONTINUATION, FLAG.END_HEADERS, 1, block(ASKED))],
    [
      'another frame amid a head',
      Buffer.concat([frame(TYPE.HEADERS, 0, 1, block(ASKED)), frame(TYPE.PING, 0, 0, Buffer.alloc(8))]),
    ],
    ['PUSH_PROMISE', frame(TYPE.PUSH_PROMISE, FLAG.END_HEADERS, 1, Buffer.concat([word(2), block(ASKED)]))],
    ['SETTINGS of a wrong length', frame(TYPE.SETTINGS, 0, 0, Buffer.alloc(5))],
    ['SETTINGS on a stream', frame(TYPE.SETTINGS, 0, 1)],
    ['a window above its limit in SETTINGS', frame(TYPE.SETTINGS, 0, 0, setting(4, 0x8000_0000))],
    ['a PING of a wrong length', frame(TYPE.PING, 0, 0, Buffer.alloc(7))],
    ['RST_STREAM of an idle stream', frame(TYPE.RST_STREAM, 0, 9, word(8))],
    ['WINDOW_UPDATE by nothing', frame(TYPE.WINDOW_UPDATE, 0, 0, word(0))],
    ['WINDOW_UPDATE beyond all bounds', frame(TYPE.WINDOW_UPDATE, 0, 0, word(0x7fff_ffff))],
    ['a frame above the largest size', frame(TYPE.DATA, 0, 1, Buffer.alloc(16_385))],
    ['a head that is no HPACK', frame(TYPE.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, 1, Buffer.from('ffffffffffff', 'hex'))],
  ])('ends a connection that sends %s', async (_, bytes) => {
    const { state, open, serves } = await stand()
    const peer = await open()

    peer.send(bytes)

    expect(await peer.goaway()).toBeGreaterThan(0)
    await peer.end()
    expect(state.paths).toEqual([])
    expect(await serves()).toBe(true)
  })

  it('ends a connection that never speaks HTTP/2 although it agreed to', async () => {
    const { open, serves } = await stand({ limits: { headTimeout: '500ms' } })
    const peer = await open()
    peer.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')

    await peer.end()
    expect(await serves()).toBe(true)
  })

  it('overlooks frames of unknown types and PRIORITY, a few of them', async () => {
    const { open } = await stand()
    const peer = await open()

    for (let i = 0; i < 20; i += 1) peer.send(frame(0x77, 0xff, 0, Buffer.from('?')), frame(TYPE.PRIORITY, 0, 7, Buffer.alloc(5)))
    peer.headers(9, ASKED)

    expect(await peer.status(9)).toBe(200)
  })
})

describe('http2 hostile: floods', () => {
  it('ends a flood of CONTINUATION before it costs memory', async () => {
    const { state, open, serves } = await stand()
    const peer = await open()

    peer.send(frame(TYPE.HEADERS, FLAG.END_STREAM, 1, block(ASKED)))
    for (let i = 0; i < 2000 && !peer.closed; i += 1) {
      peer.send(frame(TYPE.CONTINUATION, 0, 1, block([[`x-${i}`, 'y'.repeat(1000)]])))
      if (i % 50 === 0) await pause(1)
    }

    await peer.end()
    expect(state.paths).toEqual([])
    expect(await serves()).toBe(true)
  })

  it('ends a head that comes byte by byte', async () => {
    const { open, serves } = await stand({ limits: { headTimeout: '500ms' } })
    const peer = await open()

    peer.send(frame(TYPE.HEADERS, FLAG.END_STREAM, 1, block(ASKED)))
    const drip = setInterval(() => peer.send(frame(TYPE.CONTINUATION, 0, 1)), 400)

    await peer.end(4000)
    clearInterval(drip)
    expect(await serves()).toBe(true)
  })

  it('answers 431 or resets where fields are too large or too many, and keeps the connection', async () => {
    const { state, open } = await stand({ limits: { head: '2KiB', fields: 10 } })
    const peer = await open()
    const many = Array.from({ length: 100 }, (_, i) => [`x-${i}`, '1'] as const)
    await peer.awaited(({ type, flags }) => type === TYPE.SETTINGS && flags === 0, 'its limits')
    await pause(50) // until it knows that we know them

    peer.headers(1, [...ASKED, ['x', 'y'.repeat(15_000)]])
    peer.headers(3, [...ASKED, ...many])
    peer.headers(5, ASKED)

    expect(await peer.reset(1)).toBe(ENHANCE_YOUR_CALM)
    expect(await peer.reset(3)).toBe(ENHANCE_YOUR_CALM)
    expect(await peer.status(5)).toBe(200)
    expect(state.paths).toEqual(['GET /x'])
  })

  it('bounds the work of a client that resets what it asks for (CVE-2023-44487)', async () => {
    const { state, open, serves } = await stand({ limits: { streams: 20 } })
    const peer = await open()

    for (let stream = 1; stream < 20_000 && !peer.closed; stream += 2) {
      const lines = asked(':path', `/never-${stream}`).map(
        ([name, value]) => [name, name === ':method' ? 'POST' : value] as const,
      )
      peer.headers(stream, lines).send(frame(TYPE.RST_STREAM, 0, stream, word(8)))
      if (stream % 101 === 0) await pause(1)
    }

    await peer.end()
    expect(state.most).toBeLessThanOrEqual(128)
    await expect.poll(() => state.working).toBe(0)
    expect(await serves()).toBe(true)
  })

  it('refuses more requests at once than it said', async () => {
    const { state, open } = await stand({ limits: { streams: 5 } })
    const peer = await open()

    for (let i = 0; i < 8; i += 1) peer.headers(1 + 2 * i, asked(':path', `/never-${i}`))

    for (const stream of [11, 13, 15]) expect(await peer.reset(stream)).toBe(REFUSED_STREAM)
    await expect.poll(() => state.paths.length).toBe(5)
  })

  it.each<[string, () => Buffer]>([
    ['PING', () => frame(TYPE.PING, 0, 0, Buffer.alloc(8))],
    ['SETTINGS', () => frame(TYPE.SETTINGS, 0, 0, setting(3, 100))],
    ['empty SETTINGS', () => frame(TYPE.SETTINGS, 0, 0)],
  ])('ends a flood of %s', async (_, one) => {
    const { open, serves } = await stand()
    const peer = await open()

    for (let i = 0; i < 200 && !peer.closed; i += 1) {
      peer.send(one(), one(), one())
      await pause(1)
    }

    await peer.end()
    expect(await serves()).toBe(true)
  })

  it.each<[string, () => Buffer]>([
    ['PRIORITY', () => frame(TYPE.PRIORITY, 0, 3, Buffer.alloc(5))],
    ['frames of unknown types', () => frame(0x77, 0, 0, Buffer.alloc(64))],
    ['WINDOW_UPDATE', () => frame(TYPE.WINDOW_UPDATE, 0, 0, word(1))],
  ])('ends a flood of %s, which asks for nothing', async (_, one) => {
    const { open, serves } = await stand()
    const peer = await open()
    const burst = Buffer.concat(Array.from({ length: 2000 }, one))

    const deadline = Date.now() + 6000
    while (!peer.closed && Date.now() < deadline) {
      peer.send(burst)
      await pause(20)
    }

    expect(peer.closed).toBe(true)
    expect(await serves()).toBe(true)
  })

  it('ends a flood of empty DATA', async () => {
    const { open, serves } = await stand()
    const peer = await open()
    peer.headers(1, asked(':method', 'POST'), FLAG.END_HEADERS)

    const deadline = Date.now() + 6000
    const burst = Buffer.concat(Array.from({ length: 1000 }, () => frame(TYPE.DATA, 0, 1)))
    while (!peer.closed && Date.now() < deadline) {
      peer.send(burst)
      await pause(20)
    }

    expect(peer.closed).toBe(true)
    expect(await serves()).toBe(true)
  })
})

describe('http2 hostile: flow control', () => {
  it('lets a client that opens no window wait, then lose its answer; the connection goes on', async () => {
    const { open } = await stand({ limits: { writeTimeout: '500ms' } }, 'x'.repeat(100_000))
    const peer = await open(setting(4, 0))

    peer.headers(1, ASKED)
    expect(await peer.status(1)).toBe(200)
    expect(await peer.reset(1)).toBeGreaterThan(0)

    peer.headers(3, asked(':method', 'HEAD'))
    expect(await peer.status(3)).toBe(200)
  })

  it('writes no more than the window allows, and goes on when it opens', async () => {
    const { open } = await stand({}, 'x'.repeat(1000))
    const peer = await open(setting(4, 100))
    const sent = (): number =>
      peer.frames
        .filter(({ type, stream }) => type === TYPE.DATA && stream === 1)
        .reduce((sum, { payload }) => sum + payload.length, 0)

    peer.headers(1, ASKED)
    await expect.poll(sent).toBe(100)
    await pause(50)
    expect(sent()).toBe(100)

    peer.send(frame(TYPE.WINDOW_UPDATE, 0, 1, word(900)))
    await expect.poll(sent).toBe(1000)
  })

  it('ends what opens its window beyond its limit', async () => {
    const { open, serves } = await stand()
    const peer = await open()

    peer.headers(1, asked(':path', '/never'), FLAG.END_HEADERS | FLAG.END_STREAM)
    peer.send(frame(TYPE.WINDOW_UPDATE, 0, 1, word(0x7fff_ffff)))

    const { type, payload } = await peer.awaited((one) => one.type === TYPE.RST_STREAM || one.type === TYPE.GOAWAY, 'its end')
    expect(payload.readUInt32BE(type === TYPE.GOAWAY ? 4 : 0)).toBe(FLOW_CONTROL_ERROR)
    expect(await serves()).toBe(true)
  })
})
