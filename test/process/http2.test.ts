/** HTTP/2 before the gateway: the same answers as HTTP/1.1, streamed, bounded, ended in order. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { constants } from 'node:http2'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { originHere } from '../support/gateway-here.ts'
import { answerOf, Http2Client } from '../support/http2-client.ts'
import { CA, secured } from '../support/tls-stand.ts'

const MIB = 1024 * 1024

function cacheable(body: string, fields: Record<string, string> = {}): RequestListener {
  return (_, answer) => {
    answer.writeHead(200, { 'cache-control': 'max-age=60', 'content-length': body.length, ...fields }).end(body)
  }
}

/** A client before a gateway before this origin. */
async function before(origin: RequestListener | string, more: Record<string, unknown> = {}) {
  const stand = await secured(origin, more)
  return { ...stand, client: new Http2Client(stand.port, CA) }
}

async function until(holds: () => boolean, what: string, withinMs = 5000): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`)
    await pause(5)
  }
}

describe('http2: answers', () => {
  it('answer conditions, ranges and HEAD from what is stored', async () => {
    const { client } = await before(cacheable('0123456789', { etag: '"e"', 'accept-ranges': 'bytes' }))
    await client.get('/x')

    const same = await client.get('/x', { 'if-none-match': '"e"' })
    const part = await client.get('/x', { range: 'bytes=2-4' })
    const head = await client.get('/x', { ':method': 'HEAD' })

    expect(same).toMatchObject({ status: 304, body: '' })
    expect(part).toMatchObject({ status: 206, body: '234', fields: { 'content-range': 'bytes 2-4/10', 'content-length': '3' } })
    expect(head).toMatchObject({ status: 200, body: '', fields: { 'content-length': '10', 'x-cache': 'HIT' } })
  })

  it('carry no field of a connection, every cookie on a line of its own, and the bytes of fields as they are', async () => {
    const { client } = await before((_, answer) => {
      answer.setHeader('set-cookie', ['a=1', 'b=2']).setHeader('keep-alive', 'timeout=9').setHeader('x-note', 'caf\u00e9')
      answer.setHeader('x-two', ['1', '2']).writeHead(204).end()
    })

    const { status, fields } = await client.get('/x')

    expect(status).toBe(204)
    expect(fields).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-note': 'caf\u00e9', 'x-two': '1, 2' })
    for (const name of ['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'alt-svc']) {
      expect(fields).not.toHaveProperty(name)
    }
  })

  it('bring 103 and trailers', async () => {
    const { client } = await before((_, answer) => {
      answer.writeEarlyHints({ link: '</style.css>; rel=preload' })
      answer.setHeader('trailer', 'x-sum').write('body')
      answer.addTrailers({ 'x-sum': '42' })
      answer.end()
    })

    const { body, interim, trailers } = await client.get('/x')

    expect(interim[0]).toMatchObject({ ':status': 103, link: '</style.css>; rel=preload' })
    expect(body).toBe('body')
    expect(trailers).toMatchObject({ 'x-sum': '42' })
  })

  it('are errors of this gateway where there is no other: 405, 414, 431, 413, 502', async () => {
    const { client } = await before('http://127.0.0.1:9', { limits: { body: 10, fields: 20, head: '4KiB', target: 100 } })
    const many = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`x-${i}`, '1']))

    expect(await client.get('/x', { ':method': 'TRACE' })).toMatchObject({ status: 405 })
    expect(await client.get(`/${'x'.repeat(100)}`)).toMatchObject({ status: 414 })
    expect(await client.get('/x', many)).toMatchObject({ status: 431 })
    expect(await client.get('/x', { 'x-long': 'y'.repeat(5000) })).toMatchObject({ status: 431 })
    expect(await client.ask({ ':method': 'POST', ':path': '/x', 'content-length': '11' }, '01234567890')).toMatchObject({
      status: 413,
    })
    expect(await client.get('/x')).toMatchObject({ status: 502 })
    expect(await client.get('/x', { expect: 'a miracle' })).toMatchObject({ status: 417 })
  })

  it('come to HTTP/2 without TLS where that is wanted, beside HTTP/1.1 on the same port', async () => {
    const url = await originHere(cacheable('plain'))
    const { port } = await secured(url, { tls: undefined, h2c: true })

    expect((await new Http2Client(port).get('/x')).body).toBe('plain')
    const answer = await fetch(`http://localhost:${port}/x`)
    expect(answer.headers.get('x-cache')).toBe('HIT')
    expect(await answer.text()).toBe('plain')
  })

  it('satisfy curl', async () => {
    const { port } = await before(cacheable('for curl'))
    const run = promisify(execFile)
    const args = ['-sk', '--http2', '-o', '-', '-w', ' %{http_version} %{http_code}', `https://localhost:${port}/x`]
    const found = await run('curl', args).catch((error: NodeJS.ErrnoException) => error.code)
    if (found === 'ENOENT') return // no curl here

    expect(found).toMatchObject({ stdout: 'for curl 2 200' })
  })
})

describe('http2: streams', () => {
  it('pass 20 MiB both ways without keeping them, several at once', async () => {
    const block = Buffer.alloc(64 * 1024, 'forecache')
    const hashOf = async (stream: AsyncIterable<Buffer>): Promise<string> => {
      const hash = createHash('sha256')
      for await (const chunk of stream) hash.update(chunk)
      return hash.digest('hex')
    }
    const { client } = await before(async (asked, answer) => {
      for await (const chunk of asked) if (!answer.write(chunk)) await once(answer, 'drain')
      answer.end()
    })
    const echo = async (): Promise<[string, string]> => {
      const stream = client.open({ ':method': 'POST', ':path': '/echo' }, false)
      const back = hashOf(stream)
      const hash = createHash('sha256')
      for (let sent = 0; sent < 20 * MIB; sent += block.length) {
        hash.update(block)
        if (!stream.write(block)) await once(stream, 'drain')
      }
      stream.end()
      return [hash.digest('hex'), await back]
    }

    for (const [sent, got] of await Promise.all([echo(), echo(), echo()])) expect(got).toBe(sent)
  })

  it('let a client that does not read slow the origin down, and lose it in the end; others go on', async () => {
    let sent = 0
    let closed = false
    const { client } = await before(
      (asked, answer) => {
        if (asked.url !== '/big') return void answer.end('small')
        const more = (): void => {
          while (!answer.destroyed && answer.write(Buffer.alloc(64 * 1024))) sent += 64 * 1024
        }
        answer.on('drain', more).on('close', () => (closed = true))
        more()
      },
      { limits: { writeTimeout: '700ms' } },
    )
    const stream = client.open({ ':path': '/big' })
    const reset = new Promise((resolve) => stream.once('close', resolve))
    await once(stream, 'response') // and no byte is read

    await pause(300)
    expect(sent).toBeLessThan(8 * MIB)
    expect(await client.get('/other')).toMatchObject({ body: 'small' })
    await until(() => closed, 'the origin is let go')
    stream.resume()
    await reset
    expect(stream.rstCode).not.toBe(0)
    expect(await client.get('/other')).toMatchObject({ body: 'small' })
  })

  it('that a client resets let go of the origin', async () => {
    let closed = 0
    const { client } = await before((asked, answer) => {
      answer.on('close', () => (closed += 1))
      if (asked.url === '/begun') answer.write('begun')
    })
    const begun = client.open({ ':method': 'POST', ':path': '/begun' })
    await once(begun, 'data')
    const silent = client.open({ ':method': 'POST', ':path': '/silent' })
    await pause(50)

    begun.close(constants.NGHTTP2_CANCEL)
    silent.close(constants.NGHTTP2_CANCEL)

    await until(() => closed === 2, 'both requests end at the origin')
  })

  it('never show half an answer as a whole', async () => {
    const { client } = await before((asked, answer) => {
      if (asked.url === '/long') answer.setHeader('content-length', 10)
      answer.write('half')
      setTimeout(() => answer.destroy(), 30)
    })

    await expect(client.get('/chunked')).rejects.toThrow('reset with 2')
    await expect(client.get('/long')).rejects.toThrow('reset with 2')
  })

  it('never hand the origin half a content as a whole', async () => {
    let ended = 0
    let broken = 0
    const { client } = await before((asked) => {
      asked.resume().on('end', () => (ended += 1))
      asked.on('close', () => void (asked.complete || (broken += 1))).on('error', () => {})
    })

    for (const code of [constants.NGHTTP2_CANCEL, constants.NGHTTP2_INTERNAL_ERROR]) {
      const stream = client.open({ ':method': 'POST', ':path': '/up' }, false)
      stream.write('half')
      await pause(50)
      stream.destroy(code === constants.NGHTTP2_CANCEL ? undefined : new Error('gone'))
    }

    await until(() => broken === 2, 'both uploads break at the origin')
    expect(ended).toBe(0)
  })

  it('answer 100 Continue when the content is wanted, and give it and its trailers to the origin', async () => {
    let told: unknown
    const { client } = await before((asked, answer) => {
      asked.resume().on('end', () => {
        told = { length: asked.headers['content-length'], trailers: asked.trailers, cookie: asked.headers.cookie }
        answer.end('ok')
      })
    })
    const stream = client.session.request(
      { ':method': 'POST', ':path': '/up', expect: '100-continue', trailer: 'x-sum', cookie: ['a=1', 'b=2'] } as never,
      { endStream: false, waitForTrailers: true },
    )
    const answer = answerOf(stream)
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }))
    await once(stream, 'continue')
    stream.end('content')

    expect(await answer).toMatchObject({ status: 200, body: 'ok' })
    expect(told).toMatchObject({ trailers: { 'x-sum': '7' }, cookie: 'a=1; b=2' })
  })

  it('end when the content does not come in time, between two chunks or as a whole', async () => {
    const { client } = await before((asked) => void asked.resume().on('error', () => {}), {
      limits: { bodyTimeout: '200ms', requestTimeout: '600ms', headTimeout: '600ms' },
    })
    const still = client.open({ ':method': 'POST', ':path': '/up' }, false)
    still.write('x')
    expect(await answerOf(still)).toMatchObject({ status: 408 })

    const slow = client.open({ ':method': 'POST', ':path': '/up' }, false)
    const drip = setInterval(() => void (slow.closed || slow.write('x')), 50)
    expect(await answerOf(slow)).toMatchObject({ status: 408 })
    clearInterval(drip)
  })

  it('share one load of the origin with HTTP/1.1', async () => {
    let asked = 0
    const { client, port } = await before((_, answer) => {
      asked += 1
      setTimeout(() => answer.writeHead(200, { 'cache-control': 'max-age=60' }).end('once'), 100)
    })
    const other = new Http2Client(port, CA)

    const answers = await Promise.all([client.get('/x'), client.get('/x'), other.get('/x')])

    expect(answers.map(({ body }) => body)).toEqual(['once', 'once', 'once'])
    expect(asked).toBe(1)
  })
})

describe('http2: ends', () => {
  it('lets answers under way come whole when it drains, and says goodbye first', async () => {
    const { gateway, client } = await before((_, answer) => {
      answer.write('begun ')
      setTimeout(() => answer.end('and ended'), 300)
    })
    const stream = client.open({ ':path': '/slow' })
    const answer = answerOf(stream)
    await once(stream, 'response')

    const closed = gateway.close(5000)

    expect(await answer).toMatchObject({ body: 'begun and ended' })
    await closed
    expect(client.goaways[0]).toBe(0)
  })

  it('cuts answers off that do not end within the deadline of a drain', async () => {
    const { gateway, client } = await before((_, answer) => void answer.write('endless'))
    const stream = client.open({ ':path': '/endless' })
    const answer = answerOf(stream)
    await once(stream, 'response')

    await gateway.close(200)

    await expect(answer).rejects.toThrow()
  })

  it('closes a connection that asks nothing, before and after its first request', async () => {
    const { client, port } = await before(cacheable('x'), { limits: { keepAlive: '300ms', headTimeout: '300ms' } })
    const silent = new Http2Client(port, CA)
    await client.get('/x')

    await until(() => client.goaways.length > 0 && silent.goaways.length > 0, 'both are told to go')
    await until(() => client.session.destroyed && silent.session.destroyed, 'both are closed')
  })

  it('counts connections of both versions against one limit', async () => {
    const { client, port } = await before(cacheable('x'), { limits: { connections: 1 } })
    await client.get('/x')

    const late = new Http2Client(port, CA)
    await until(() => late.session.destroyed, 'the second connection is closed')
    expect((await client.get('/x')).status).toBe(200)
  })

  it('refuses more requests at once than allowed, and serves them afterwards', async () => {
    const { client } = await before((_, answer) => void setTimeout(() => answer.end('ok'), 100), { limits: { streams: 3 } })
    await client.get('/first')

    const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => client.get(`/${i}`)))

    expect(client.session.remoteSettings.maxConcurrentStreams).toBe(3)
    expect(answers.every(({ status }) => status === 200)).toBe(true)
  })
})
