/** HTTP/2 towards the origin when it breaks: whole answers alone, deadlines, requests that may be sent again. */
import { constants } from 'node:http2'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ForecacheError } from '../../src/model/errors.ts'
import { FLAG, frame, type FramePeer, serveFrames, TYPE, word } from '../support/http2-frames.ts'
import { chunks, http2Origin, originAt, read, send } from '../support/http2-origin.ts'
import { PAIR } from '../support/tls-stand.ts'

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

    const { body, endsByClose } = await send(originAt(url), '/')

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

    expect(await read((await send(originAt(url), '/')).body)).toBe('whole')
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

    const answer = send(originAt(url), '/').then(({ body }) => read(body))
    await expect(answer).rejects.toMatchObject({ code: 'FC_ORIGIN_BROKEN' })
  })

  it('sends a request again that was refused unread, once, and only where that is safe', async () => {
    const seen: string[] = []
    const { url } = await http2Origin((stream, headers) => {
      seen.push(String(headers[':method']))
      if (seen.filter((one) => one === headers[':method']).length < 2) return stream.close(constants.NGHTTP2_REFUSED_STREAM)
      stream.respond({ ':status': 200 })
      stream.end('second')
    })
    const origin = originAt(url)

    expect(await read((await send(origin, '/')).body)).toBe('second')
    await expect(send(origin, '/', { method: 'POST', body: chunks('x') })).rejects.toMatchObject({ code: 'FC_ORIGIN_BROKEN' })
    expect(seen).toEqual(['GET', 'GET', 'POST'])
  })

  it('goes on over another connection when one is told to go, and ends what was begun', async () => {
    const { url, sessions } = await http2Origin((stream, headers) => {
      stream.respond({ ':status': 200 })
      if (headers[':path'] !== '/slow') return void stream.end('ok')
      stream.write('begun ')
      setTimeout(() => stream.end('and ended'), 200)
    })
    const origin = originAt(url)
    const slow = await send(origin, '/slow')

    sessions[0]?.close()
    await pause(50)
    expect(await read((await send(origin, '/')).body)).toBe('ok')

    expect(await read(slow.body)).toBe('begun and ended')
    expect(sessions.length).toBe(2)
  })

  it('answers in time where the origin does not: no head, no further data, no handshake', async () => {
    const { url } = await http2Origin((stream, headers) => {
      if (headers[':path'] !== '/half') return
      stream.respond({ ':status': 200 })
      stream.write('half')
    })
    const origin = originAt(url, { headMs: 200, bodyIdleMs: 300 })

    await expect(send(origin, '/')).rejects.toMatchObject({ code: 'FC_ORIGIN_TIMEOUT' })
    const { body } = await send(origin, '/half')
    await expect(read(body)).rejects.toMatchObject({ code: 'FC_ORIGIN_TIMEOUT' })

    const mute = createServer(() => {})
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void mute.close())
    const late = originAt(`https://localhost:${(mute.address() as AddressInfo).port}`, { connectMs: 200, headMs: 5000 })
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
    const origin = originAt(`https://localhost:${server.port}`, { headMs: 200, connectMs: 300 })

    await expect(send(origin, '/')).rejects.toMatchObject({ code: 'FC_ORIGIN_TIMEOUT' })
    const next = await send(origin, '/')

    expect(next.head.status).toBe(204)
    expect(connections).toBe(2)
  })

  it('lets go of a request whose client is gone, before and while it is asked', async () => {
    let closed = 0
    const { url } = await http2Origin((stream) => void stream.on('close', () => (closed += 1)))
    const origin = originAt(url)
    const abort = new AbortController()
    const sent = send(origin, '/', { signal: abort.signal })
    await pause(100)

    abort.abort(new ForecacheError('FC_REQUEST_ABORTED'))

    await expect(sent).rejects.toMatchObject({ code: 'FC_REQUEST_ABORTED' })
    await expect.poll(() => closed).toBe(1)
    expect(origin.active).toBe(0)
  })

  it('closes a connection that is not used', async () => {
    const { url, sessions } = await http2Origin((stream) => {
      stream.respond({ ':status': 200 })
      stream.end('ok')
    })
    const origin = originAt(url, { keepAliveMs: 100 })
    await read((await send(origin, '/')).body)

    await expect.poll(() => sessions[0]?.destroyed, { timeout: 3000 }).toBe(true)
    expect(await read((await send(origin, '/')).body)).toBe('ok')
  })

  it('refuses a head above the limit', async () => {
    const { url } = await http2Origin((stream) => {
      stream.respond({ ':status': 200, 'x-long': 'y'.repeat(10_000) })
      stream.end('ok')
    })
    const origin = originAt(url, { maxHeadBytes: 4096 })
    await send(origin, '/').catch(() => {}) // the origin has our limits from here on

    await expect(send(origin, '/')).rejects.toMatchObject({ code: 'FC_ORIGIN_BROKEN' })
  })
})
