/** HTTP/2 towards the origin: requests and answers, many on few connections, and a way back. */
import { once } from 'node:events'
import { createServer as createHttps } from 'node:https'
import type { IncomingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { BodySource, ResponseHead } from '../../src/model/exchange.ts'
import { ForecacheError } from '../../src/model/errors.ts'
import { makeCertificate } from '../support/certificate.ts'
import { Http2Client } from '../support/http2-client.ts'
import { chunks, type Http2Listener, http2Origin, originAt, read, send } from '../support/http2-origin.ts'
import { AUTHORITY, CA, PAIR, secured } from '../support/tls-stand.ts'

describe('origin over HTTP/2: requests', () => {
  it('bear the client’s Host, every field once, Cookie in one line, and no field of a connection', async () => {
    let told: IncomingHttpHeaders = {}
    const { url } = await http2Origin((stream, headers) => {
      told = headers
      stream.respond({ ':status': 200 })
      stream.end('ok')
    })

    const { head, body } = await send(originAt(url), '/p?q', {
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
    const { url, sessions } = await http2Origin((stream) => {
      setTimeout(() => {
        stream.respond({ ':status': 200 })
        stream.end('ok')
      }, 30)
    })
    const origin = originAt(url)

    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => send(origin, `/${i}`)))

    for (const { body } of answers) expect(await read(body)).toBe('ok')
    expect(sessions.length).toBe(1)
  })

  it('open another connection where the origin takes no more on one, up to the limit', async () => {
    const { url, sessions } = await http2Origin(
      (stream) => {
        setTimeout(() => {
          stream.respond({ ':status': 200 })
          stream.end('ok')
        }, 50)
      },
      { settings: { maxConcurrentStreams: 2 } },
    )
    const origin = originAt(url, { connections: 3 })

    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => send(origin, `/${i}`)))

    for (const { body } of answers) expect(await read(body)).toBe('ok')
    expect(sessions.length).toBe(3)
  })

  it('bring their content as it comes', async () => {
    const { url } = await http2Origin(async (stream, headers) => {
      const content = await read(stream as unknown as BodySource)
      stream.respond({ ':status': 200 })
      stream.end(`${headers[':method']} ${content} ${headers['content-length']}`)
    })
    const origin = originAt(url)

    const free = await send(origin, '/', { method: 'POST', body: chunks('one ', 'two') })
    const measured = await send(origin, '/', { method: 'PUT', body: chunks('123', '45'), fields: { 'content-length': '5' } })

    expect(await read(free.body)).toBe('POST one two undefined')
    expect(await read(measured.body)).toBe('PUT 12345 5')
  })

  it('are never whole where their content broke off', async () => {
    let ended = 0
    let reset = 0
    const { url } = await http2Origin((stream) => {
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

    await expect(send(originAt(url), '/', { method: 'POST', body: broken() })).rejects.toThrow()
    const abort = new AbortController()
    const sent = send(originAt(url), '/', {
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
    const { url } = await http2Origin((stream) => {
      stream.additionalHeaders({ ':status': 103, link: '</a.css>; rel=preload' })
      stream.respond({ ':status': 200, 'set-cookie': ['a=1', 'b=2'] }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '42' }))
      stream.end('body')
    })
    const early: ResponseHead[] = []

    const answer = await send(originAt(url), '/', { onInformational: (head) => early.push(head) })

    expect(early.map(({ status, fields }) => [status, fields.first('link')])).toEqual([[103, '</a.css>; rel=preload']])
    expect(answer.head.fields.all('set-cookie')).toEqual(['a=1', 'b=2'])
    expect(answer.endsByClose).toBe(false)
    expect(await read(answer.body)).toBe('body')
    expect(answer.trailers()?.first('x-sum')).toBe('42')
  })

  it.each([204, 304])('without a body are whole: %i, and those to HEAD', async (status) => {
    const { url } = await http2Origin((stream) => stream.respond({ ':status': status, etag: '"e"' }, { endStream: true }))
    const origin = originAt(url)

    const answer = await send(origin, '/')
    const head = await send(origin, '/', { method: 'HEAD' })

    expect(answer.head.status).toBe(status)
    expect(await read(answer.body)).toBe('')
    expect(await read(head.body)).toBe('')
  })

  it('of 32 MiB come with back-pressure', async () => {
    let sent = 0
    const { url } = await http2Origin(async (stream) => {
      stream.respond({ ':status': 200 })
      for (let i = 0; i < 512 && !stream.destroyed; i += 1) {
        sent += 64 * 1024
        if (!stream.write(Buffer.alloc(64 * 1024))) await once(stream, 'drain')
      }
      stream.end()
    })

    const { body } = await send(originAt(url), '/')
    await pause(200)
    expect(sent).toBeLessThan(4 * 1024 * 1024)

    let bytes = 0
    for await (const chunk of body) bytes += chunk.byteLength
    expect(bytes).toBe(32 * 1024 * 1024)
  })

  it('that nobody reads any more are let go, and the connection goes on', async () => {
    let closed = 0
    const { url, sessions } = await http2Origin((stream, headers) => {
      stream.on('close', () => (closed += 1)).respond({ ':status': 200 })
      if (headers[':path'] === '/endless') stream.write('begun')
      else stream.end('ok')
    })
    const origin = originAt(url)

    const { body } = await send(origin, '/endless')
    await body[Symbol.asyncIterator]().return?.()
    await expect.poll(() => closed).toBe(1)

    expect(await read((await send(origin, '/')).body)).toBe('ok')
    expect(sessions.length).toBe(1)
    expect(origin.active).toBe(0)
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
    const origin = originAt(`https://localhost:${(server.address() as AddressInfo).port}`)

    const answers = await Promise.all(['/a', '/b', '/c'].map((target) => send(origin, target)))
    expect(await Promise.all(answers.map(({ body }) => read(body)))).toEqual(['1.1 /a', '1.1 /b', '1.1 /c'])
    const before = connections
    expect(await read((await send(origin, '/d')).body)).toBe('1.1 /d')
    expect(connections).toBe(before)
  })
})

describe('origin: its certificate', () => {
  const answering: Http2Listener = (stream) => {
    stream.respond({ ':status': 200 })
    const socket = stream.session?.socket as TLSSocket | undefined
    stream.end(socket?.authorized === true ? 'proven' : 'not proven')
  }

  it.each([true, false])('is proven by the authorities named, or not at all (HTTP/2: %s)', async (http2) => {
    const { url } = await http2Origin(answering, { allowHTTP1: true })
    const refusal = { code: 'FC_ORIGIN_REFUSED' }

    await expect(send(originAt(url, { http2, tls: undefined }), '/')).rejects.toMatchObject(refusal)
    await expect(
      send(originAt(url, { http2, tls: { ca: makeCertificate().cert, rejectUnauthorized: true } }), '/'),
    ).rejects.toMatchObject(refusal)
    await expect(
      send(originAt(url, { http2, tls: { ca: CA, servername: 'other.test', rejectUnauthorized: true } }), '/'),
    ).rejects.toMatchObject(refusal)
    if (!http2) return
    expect((await send(originAt(url, { tls: { rejectUnauthorized: false } }), '/')).head.status).toBe(200)
  })

  it('may ask for ours', async () => {
    const { url } = await http2Origin(answering, { ca: CA, requestCert: true, rejectUnauthorized: false })
    const { cert, key } = makeCertificate({ names: ['gateway'], issuer: AUTHORITY })

    expect(await read((await send(originAt(url), '/')).body)).toBe('not proven')
    expect(await read((await send(originAt(url, { tls: { ca: CA, cert, key, rejectUnauthorized: true } }), '/')).body)).toBe(
      'proven',
    )
  })

  it('is named with its file where it cannot be read', () => {
    const tls = { ca: '/nowhere/ca.pem', rejectUnauthorized: true }
    expect(() => originAt('https://localhost:1', { tls })).toThrow(
      'origin.tls.ca: /nowhere/ca.pem cannot be read: there is no such file',
    )
  })
})

describe('HTTP/2 on both sides of a gateway', () => {
  it('streams, caches and ends as a whole', async () => {
    let asked = 0
    const { url } = await http2Origin((stream, headers) => {
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
    const { url } = await http2Origin((stream) => {
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
