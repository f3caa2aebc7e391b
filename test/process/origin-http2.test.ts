/** HTTP/2 towards the origin: everything that holds for HTTP/1.1, many requests on few connections, and a way back. */
import { once } from 'node:events'
import { createServer as createHttps } from 'node:https'
import { constants, createSecureServer, type Http2Session, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { BodySource, OriginAnswer, RequestHead, ResponseHead } from '../../src/model/exchange.ts'
import { ForecacheError } from '../../src/model/errors.ts'
import { Fields } from '../../src/model/fields.ts'
import { createOrigin, type Origin, type OriginOptions } from '../../src/server/origin.ts'
import { makeCertificate } from '../support/certificate.ts'
import { Http2Client } from '../support/http2-client.ts'
import { FLAG, frame, type FramePeer, serveFrames, TYPE, word } from '../support/http2-frames.ts'
import { AUTHORITY, CA, PAIR, secured } from '../support/tls-stand.ts'

type Listener = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

/** An origin of HTTP/2 and how often it was connected to. */
async function originOf(listener: Listener, options: object = {}) {
  const sessions: Http2Session[] = []
  const server = createSecureServer({ cert: PAIR.cert, key: PAIR.key, ...options })
  server.on('session', (session) => sessions.push(session.on('error', () => {})))
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {})
    listener(stream, headers)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    for (const session of sessions) session.destroy()
  })
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, sessions, server }
}

function open(url: string, more: Partial<OriginOptions> = {}): Origin {
  const origin = createOrigin({
    url,
    connectMs: 1000,
    headMs: 1000,
    bodyIdleMs: 1000,
    keepAliveMs: 4000,
    connections: 4,
    maxWaiting: 100,
    maxHeadBytes: 64 * 1024,
    http2: true,
    tls: { ca: CA, rejectUnauthorized: true },
    ...more,
  })
  onTestFinished(() => origin.close())
  return origin
}

interface Asked {
  readonly method?: string
  readonly fields?: Record<string, string | string[]>
  readonly body?: BodySource
  readonly signal?: AbortSignal
  readonly onInformational?: (head: ResponseHead) => void
}

function send(origin: Origin, target: string, asked: Asked = {}): Promise<OriginAnswer> {
  const { method = 'GET', fields = {}, body, signal = new AbortController().signal, onInformational } = asked
  const head: RequestHead = {
    method,
    target,
    scheme: 'https',
    authority: 'a.test',
    fields: Fields.from({ host: 'a.test', ...fields }),
  }
  return origin.send(head, body, { signal, ...(onInformational && { onInformational }) })
}

async function read(body: BodySource): Promise<string> {
  let text = ''
  for await (const chunk of body) text += Buffer.from(chunk).toString()
  return text
}

async function* chunks(...given: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const one of given) {
    await pause(5)
    yield Buffer.from(one)
  }
}

describe('origin over HTTP/2: requests', () => {
  it('bear the client’s Host, every field once, Cookie in one line, and no field of a connection', async () => {
    let told: IncomingHttpHeaders = {}
    const { url } = await originOf((stream, headers) => {
      told = headers
      stream.respond({ ':status': 200 })
      stream.end('ok')
    })

    const { head, body } = await send(open(url), '/p?q', {
      fields: { cookie: ['a=1', 'b=2'], 'x-two': ['1', '2'], te: 'trailers', connection: 'close', 'x-note': 'caf\u00e9' },
    })

    expect(head.status).toBe(200)
    expect(await read(body)).toBe('ok')
    expect(told).toMatchObject({
      ':path': '/p?q',
      ':authority': 'a.test',
      cookie: 'a=1; b=2',
      'x-two': '1, 2',
      'x-note': 'caf\u00e9',
    })
    for (const name of ['host', 'connection', 'te']) expect(told).not.toHaveProperty(name)
  })

  it('share one connection', async () => {
    const { url, sessions } = await originOf((stream) => {
      setTimeout(() => {
        stream.respond({ ':status': 200 })
        stream.end('ok')
      }, 30)
    })
    const origin = open(url)

    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => send(origin, `/${i}`)))

    for (const { body } of answers) expect(await read(body)).toBe('ok')
    expect(sessions.length).toBe(1)
  })

  it('open another connection where the origin takes no more on one, up to the limit', async () => {
    const { url, sessions } = await originOf(
      (stream) => {
        setTimeout(() => {
          stream.respond({ ':status': 200 })
          stream.end('ok')
        }, 50)
      },
      { settings: { maxConcurrentStreams: 2 } },
    )
    const origin = open(url, { connections: 3 })

    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => send(origin, `/${i}`)))

    for (const { body } of answers) expect(await read(body)).toBe('ok')
    expect(sessions.length).toBe(3)
  })

  it('bring their content as it comes', async () => {
    const { url } = await originOf(async (stream, headers) => {
      const content = await read(stream as unknown as BodySource)
      stream.respond({ ':status': 200 })
      stream.end(`${headers[':method']} ${content} ${headers['content-length']}`)
    })
    const origin = open(url)

    const free = await send(origin, '/', { method: 'POST', body: chunks('one ', 'two') })
    const measured = await send(origin, '/', { method: 'PUT', body: chunks('123', '45'), fields: { 'content-length': '5' } })

    expect(await read(free.body)).toBe('POST one two undefined')
    expect(await read(measured.body)).toBe('PUT 12345 5')
  })

  it('are never whole where their content broke off', async () => {
    let ended = 0
    let reset = 0
    const { url } = await originOf((stream) => {
      stream
        .resume()
        .on('end', () => (ended += stream.rstCode === 0 ? 1 : 0))
        .on('close', () => (reset += stream.rstCode === 0 ? 0 : 1))
    })
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half')
      await pause(30)
      throw new Error('the client is gone')
    }

    await expect(send(open(url), '/', { method: 'POST', body: broken() })).rejects.toThrow()
    const abort = new AbortController()
    const sent = send(open(url), '/', {
      method: 'POST',
      body: chunks('half', ...Array.from({ length: 100 }, () => '.')),
      signal: abort.signal,
    })
    setTimeout(() => abort.abort(new ForecacheError('FC_REQUEST_ABORTED')), 60)
    await expect(sent).rejects.toMatchObject({ code: 'FC_REQUEST_ABORTED' })

    await expect.poll(() => reset).toBe(2)
    expect(ended).toBe(0)
  })
})

describe('origin over HTTP/2: answers', () => {
  it('bring 103, cookies line by line, and trailers', async () => {
    const { url } = await originOf((stream) => {
      stream.additionalHeaders({ ':status': 103, link: '</a.css>; rel=preload' })
      stream.respond({ ':status': 200, 'set-cookie': ['a=1', 'b=2'] }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '42' }))
      stream.end('body')
    })
    const early: ResponseHead[] = []

    const answer = await send(open(url), '/', { onInformational: (head) => early.push(head) })

    expect(early.map(({ status, fields }) => [status, fields.first('link')])).toEqual([[103, '</a.css>; rel=preload']])
    expect(answer.head.fields.all('set-cookie')).toEqual(['a=1', 'b=2'])
    expect(answer.endsByClose).toBe(false)
    expect(await read(answer.body)).toBe('body')
    expect(answer.trailers()?.first('x-sum')).toBe('42')
  })

  it.each([204, 304])('without a body are whole: %i, and those to HEAD', async (status) => {
    const { url } = await originOf((stream) => stream.respond({ ':status': status, etag: '"e"' }, { endStream: true }))
    const origin = open(url)

    const answer = await send(origin, '/')
    const head = await send(origin, '/', { method: 'HEAD' })

    expect(answer.head.status).toBe(status)
    expect(await read(answer.body)).toBe('')
    expect(await read(head.body)).toBe('')
  })

  it('of 32 MiB come with back-pressure', async () => {
    let sent = 0
    const { url } = await originOf(async (stream) => {
      stream.respond({ ':status': 200 })
      for (let i = 0; i < 512 && !stream.destroyed; i += 1) {
        sent += 64 * 1024
        if (!stream.write(Buffer.alloc(64 * 1024))) await once(stream, 'drain')
      }
      stream.end()
    })

    const { body } = await send(open(url), '/')
    await pause(200)
    expect(sent).toBeLessThan(4 * 1024 * 1024)

    let bytes = 0
    for await (const chunk of body) bytes += chunk.byteLength
    expect(bytes).toBe(32 * 1024 * 1024)
  })

  it('that nobody reads any more are let go, and the connection goes on', async () => {
    let closed = 0
    const { url, sessions } = await originOf((stream, headers) => {
      stream.on('close', () => (closed += 1)).respond({ ':status': 200 })
      if (headers[':path'] === '/endless') stream.write('begun')
      else stream.end('ok')
    })
    const origin = open(url)

    const { body } = await send(origin, '/endless')
    await body[Symbol.asyncIterator]().return?.()
    await expect.poll(() => closed).toBe(1)

    expect(await read((await send(origin, '/')).body)).toBe('ok')
    expect(sessions.length).toBe(1)
    expect(origin.active).toBe(0)
  })
})

/** An origin that plays frames by hand once a request has come. */
async function played(play: (peer: FramePeer) => void): Promise<string> {
  const server = await serveFrames(PAIR, (peer) => {
    void peer
      .awaited(({ type }) => type === TYPE.HEADERS, 'a request')
      .then(
        () => play(peer),
        () => {},
      )
  })
  onTestFinished(() => server.close())
  return `https://localhost:${server.port}`
}

function goaway(last: number, code: number): Buffer {
  return frame(TYPE.GOAWAY, 0, 0, Buffer.concat([word(last), word(code)]))
}

describe('origin over HTTP/2: what breaks', () => {
  it.each<[string, (peer: FramePeer) => void]>([
    ['a reset with NO_ERROR', (peer) => peer.send(frame(TYPE.RST_STREAM, 0, 1, word(0)))],
    ['a reset with INTERNAL_ERROR', (peer) => peer.send(frame(TYPE.RST_STREAM, 0, 1, word(2)))],
    ['a reset with CANCEL', (peer) => peer.send(frame(TYPE.RST_STREAM, 0, 1, word(8)))],
    ['the end of the connection', (peer) => peer.socket.end()],
    ['its breaking', (peer) => peer.socket.destroy()],
    ['GOAWAY and the end', (peer) => peer.send(goaway(1, 0)).socket.end()],
    ['GOAWAY with an error', (peer) => peer.send(goaway(1, 2))],
    ['a frame that is none', (peer) => peer.send(frame(TYPE.DATA, 0, 0, Buffer.from('x')))],
  ])('never takes an answer for whole behind which comes %s', async (_, play) => {
    const url = await played((peer) => {
      peer.headers(1, [[':status', '200']], FLAG.END_HEADERS).send(frame(TYPE.DATA, 0, 1, Buffer.from('half')))
      setTimeout(() => play(peer), 30)
    })

    const { body, endsByClose } = await send(open(url), '/')

    expect(endsByClose).toBe(false)
    await expect(read(body)).rejects.toMatchObject({ code: 'FC_ORIGIN_BROKEN' })
  })

  it.each<[string, (peer: FramePeer) => void]>([
    ['END_STREAM on data', (peer) => peer.send(frame(TYPE.DATA, FLAG.END_STREAM, 1, Buffer.from('whole')))],
    ['an empty frame', (peer) => peer.send(frame(TYPE.DATA, 0, 1, Buffer.from('whole')), frame(TYPE.DATA, FLAG.END_STREAM, 1))],
    [
      'trailers',
      (peer) =>
        peer.send(frame(TYPE.DATA, 0, 1, Buffer.from('whole'))).headers(1, [['x-t', '1']], FLAG.END_HEADERS | FLAG.END_STREAM),
    ],
    [
      'END_STREAM, and a reset that asks for no more content',
      (peer) => peer.send(frame(TYPE.DATA, FLAG.END_STREAM, 1, Buffer.from('whole')), frame(TYPE.RST_STREAM, 0, 1, word(0))),
    ],
  ])('takes an answer for whole that ends by %s', async (_, play) => {
    const url = await played((peer) => {
      peer.headers(1, [[':status', '200']], FLAG.END_HEADERS)
      setTimeout(() => play(peer), 10)
    })

    expect(await read((await send(open(url), '/')).body)).toBe('whole')
  })

  it('takes no length that is not the one announced', async () => {
    const url = await played((peer) => {
      peer.headers(
        1,
        [
          [':status', '200'],
          ['content-length', '9'],
        ],
        FLAG.END_HEADERS,
      )
      peer.send(frame(TYPE.DATA, FLAG.END_STREAM, 1, Buffer.from('four')))
    })

    const answer = send(open(url), '/').then(({ body }) => read(body))
    await expect(answer).rejects.toMatchObject({ code: 'FC_ORIGIN_BROKEN' })
  })

  it('sends a request again that was refused unread, once, and only where that is safe', async () => {
    const seen: string[] = []
    const { url } = await originOf((stream, headers) => {
      seen.push(String(headers[':method']))
      if (seen.filter((one) => one === headers[':method']).length < 2) return stream.close(constants.NGHTTP2_REFUSED_STREAM)
      stream.respond({ ':status': 200 })
      stream.end('second')
    })
    const origin = open(url)

    expect(await read((await send(origin, '/')).body)).toBe('second')
    await expect(send(origin, '/', { method: 'POST', body: chunks('x') })).rejects.toMatchObject({ code: 'FC_ORIGIN_BROKEN' })
    expect(seen).toEqual(['GET', 'GET', 'POST'])
  })

  it('goes on over another connection when one is told to go, and ends what was begun', async () => {
    const { url, sessions } = await originOf((stream, headers) => {
      stream.respond({ ':status': 200 })
      if (headers[':path'] !== '/slow') return void stream.end('ok')
      stream.write('begun ')
      setTimeout(() => stream.end('and ended'), 200)
    })
    const origin = open(url)
    const slow = await send(origin, '/slow')

    sessions[0]?.close()
    await pause(50)
    expect(await read((await send(origin, '/')).body)).toBe('ok')

    expect(await read(slow.body)).toBe('begun and ended')
    expect(sessions.length).toBe(2)
  })

  it('answers in time where the origin does not: no head, no further data, no handshake', async () => {
    const { url } = await originOf((stream, headers) => {
      if (headers[':path'] !== '/half') return
      stream.respond({ ':status': 200 })
      stream.write('half')
    })
    const origin = open(url, { headMs: 200, bodyIdleMs: 300 })

    await expect(send(origin, '/')).rejects.toMatchObject({ code: 'FC_ORIGIN_TIMEOUT' })
    const { body } = await send(origin, '/half')
    await expect(read(body)).rejects.toMatchObject({ code: 'FC_ORIGIN_TIMEOUT' })

    const { createServer } = await import('node:net')
    const mute = createServer(() => {})
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void mute.close())
    const late = open(`https://localhost:${(mute.address() as AddressInfo).port}`, { connectMs: 200, headMs: 5000 })
    await expect(send(late, '/')).rejects.toMatchObject({ code: 'FC_ORIGIN_TIMEOUT' })
  })

  it('drops a connection that answers no PING after it let a request wait', async () => {
    let connections = 0
    const server = await serveFrames(PAIR, (peer) => {
      connections += 1
      const mute = connections === 1
      void peer
        .awaited(({ type }) => type === TYPE.HEADERS, 'a request')
        .then(() => {
          if (mute) peer.socket.pause()
          else peer.headers(1, [[':status', '204']])
        })
    })
    onTestFinished(() => server.close())
    const origin = open(`https://localhost:${server.port}`, { headMs: 200, connectMs: 300 })

    await expect(send(origin, '/')).rejects.toMatchObject({ code: 'FC_ORIGIN_TIMEOUT' })
    const next = await send(origin, '/')

    expect(next.head.status).toBe(204)
    expect(connections).toBe(2)
  })

  it('lets go of a request whose client is gone, before and while it is asked', async () => {
    let closed = 0
    const { url } = await originOf((stream) => void stream.on('close', () => (closed += 1)))
    const origin = open(url)
    const abort = new AbortController()
    const sent = send(origin, '/', { signal: abort.signal })
    await pause(100)

    abort.abort(new ForecacheError('FC_REQUEST_ABORTED'))

    await expect(sent).rejects.toMatchObject({ code: 'FC_REQUEST_ABORTED' })
    await expect.poll(() => closed).toBe(1)
    expect(origin.active).toBe(0)
  })

  it('closes a connection that is not used', async () => {
    const { url, sessions } = await originOf((stream) => {
      stream.respond({ ':status': 200 })
      stream.end('ok')
    })
    const origin = open(url, { keepAliveMs: 100 })
    await read((await send(origin, '/')).body)

    await expect.poll(() => sessions[0]?.destroyed, { timeout: 3000 }).toBe(true)
    expect(await read((await send(origin, '/')).body)).toBe('ok')
  })

  it('refuses a head above the limit', async () => {
    const { url } = await originOf((stream) => {
      stream.respond({ ':status': 200, 'x-long': 'y'.repeat(10_000) })
      stream.end('ok')
    })
    const origin = open(url, { maxHeadBytes: 4096 })
    await send(origin, '/').catch(() => {}) // the origin has our limits from here on

    await expect(send(origin, '/')).rejects.toMatchObject({ code: 'FC_ORIGIN_BROKEN' })
  })
})

describe('origin over HTTP/2: where it is not offered', () => {
  it('speaks HTTP/1.1 as before', async () => {
    let connections = 0
    const server = createHttps({ cert: PAIR.cert, key: PAIR.key }, (asked, answer) =>
      answer.end(`${asked.httpVersion} ${asked.url}`),
    )
    server.on('secureConnection', () => (connections += 1))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.close()
      server.closeAllConnections()
    })
    const origin = open(`https://localhost:${(server.address() as AddressInfo).port}`)

    const answers = await Promise.all(['/a', '/b', '/c'].map((target) => send(origin, target)))
    expect(await Promise.all(answers.map(({ body }) => read(body)))).toEqual(['1.1 /a', '1.1 /b', '1.1 /c'])
    const before = connections
    expect(await read((await send(origin, '/d')).body)).toBe('1.1 /d')
    expect(connections).toBe(before)
  })
})

describe('origin: its certificate', () => {
  const answering: Listener = (stream) => {
    stream.respond({ ':status': 200 })
    const { authorized } = stream.session?.socket as unknown as TLSSocket
    stream.end(authorized ? 'proven' : 'not proven')
  }

  it.each([true, false])('is proven by the authorities named, or not at all (HTTP/2: %s)', async (http2) => {
    const { url } = await originOf(answering, { allowHTTP1: true })
    const refusal = { code: 'FC_ORIGIN_REFUSED' }

    await expect(send(open(url, { http2, tls: undefined }), '/')).rejects.toMatchObject(refusal)
    await expect(
      send(open(url, { http2, tls: { ca: makeCertificate().cert, rejectUnauthorized: true } }), '/'),
    ).rejects.toMatchObject(refusal)
    await expect(
      send(open(url, { http2, tls: { ca: CA, servername: 'other.test', rejectUnauthorized: true } }), '/'),
    ).rejects.toMatchObject(refusal)
    if (!http2) return
    expect((await send(open(url, { tls: { rejectUnauthorized: false } }), '/')).head.status).toBe(200)
  })

  it('may ask for ours', async () => {
    const { url } = await originOf(answering, { ca: CA, requestCert: true, rejectUnauthorized: false })
    const { cert, key } = makeCertificate({ names: ['gateway'], issuer: AUTHORITY })

    expect(await read((await send(open(url), '/')).body)).toBe('not proven')
    expect(await read((await send(open(url, { tls: { ca: CA, cert, key, rejectUnauthorized: true } }), '/')).body)).toBe('proven')
  })

  it('is named with its file where it cannot be read', () => {
    const tls = { ca: '/nowhere/ca.pem', rejectUnauthorized: true }
    expect(() => open('https://localhost:1', { tls })).toThrow(
      'origin.tls.ca: /nowhere/ca.pem cannot be read: there is no such file',
    )
  })
})

describe('HTTP/2 on both sides of a gateway', () => {
  it('streams, caches and ends as a whole', async () => {
    let asked = 0
    const { url } = await originOf((stream, headers) => {
      asked += 1
      stream.respond({ ':status': 200, 'cache-control': 'max-age=60', 'x-via': String(headers.via) })
      stream.write('one ')
      setTimeout(() => stream.end('two'), 30)
    })
    const { port } = await secured(url, { origin: { http2: true, tls: { ca: CA } } })
    const client = new Http2Client(port, CA)

    const first = await client.get('/x')
    const second = await client.get('/x')

    expect(first).toMatchObject({ body: 'one two', fields: { 'x-cache': 'MISS' } })
    expect(second).toMatchObject({ body: 'one two', fields: { 'x-cache': 'HIT' } })
    expect(asked).toBe(1)
  })

  it('passes request trailers on', async () => {
    let told: IncomingHttpHeaders = {}
    const { url } = await originOf((stream) => {
      stream.on('trailers', (trailers) => (told = trailers))
      stream.resume().on('end', () => {
        stream.respond({ ':status': 200 })
        stream.end('ok')
      })
    })
    const { port } = await secured(url, { origin: { http2: true, tls: { ca: CA } } })
    const { session } = new Http2Client(port, CA)
    const stream = session.request(
      { ':method': 'POST', ':path': '/up', trailer: 'x-sum' },
      { endStream: false, waitForTrailers: true },
    )
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }))
    stream.end('content')
    await once(stream.resume(), 'close')

    expect(told).toMatchObject({ 'x-sum': '7' })
  })
})
