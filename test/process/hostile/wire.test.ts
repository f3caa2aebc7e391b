/**
 * Bytes that come late, one by one or not at all: messages are the same however they are cut, and half of one is none.
 *
 * RFC 9112 sections 8 and 9; RFC 9110 section 7.6.1.
 */
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startGateway } from '../../support/gateway-process.ts'
import { createStand } from '../../support/hostile-stand.ts'
import { ask, RawClient, request } from '../../support/raw-client.ts'
import type { FieldLine } from '../../support/raw-message.ts'
import { answer, chunk, fresh, ok } from '../../support/raw-origin.ts'

const stand = createStand()

const pause = (ms = 30): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('hostile: bytes one by one', () => {
  it('reads a request however it is cut', async () => {
    const path = stand.serve(({ request: seen }) => ok([], `${seen.get('x')} ${seen.body.toString()}`))
    const client = stand.open()
    for (const byte of request(`POST ${path}`, ['X: y', 'Transfer-Encoding: chunked'], '5;a=b\r\nhello\r\n0\r\nT: u\r\n\r\n')) {
      client.write(byte)
      await tick()
    }

    expect((await client.answer()).text).toBe('y hello')
    client.destroy()
  })

  it('reads an answer however it is cut, and keeps it whole', async () => {
    const bytes = ok(
      ['Cache-Control: max-age=60', 'Transfer-Encoding: chunked', 'X: y'],
      `${chunk('hello')}${chunk(' world')}0\r\n\r\n`,
    )
    const path = stand.serve(async (call) => {
      for (const byte of bytes) {
        call.write(Uint8Array.of(byte))
        await tick()
      }
    })

    for (let i = 0; i < 2; i += 1) expect((await stand.get(path)).text).toBe('hello world')
    expect(stand.hits(path)).toBe(1)
  })
})

describe('hostile: half a message', () => {
  it.each<[string, FieldLine[], string]>([
    ['a length', ['Content-Length: 10'], 'hello'],
    ['chunks', ['Transfer-Encoding: chunked'], chunk('hello')],
    ['a chunk that is cut', ['Transfer-Encoding: chunked'], 'a\r\nhello'],
    ['a last chunk that is cut', ['Transfer-Encoding: chunked'], `${chunk('hello')}0\r\n`],
  ])('never completes for the origin what a client with %s broke off', async (_, lines, body) => {
    const path = stand.serve(ok([], 'done'))
    const client = stand.open().ask(`POST ${path}`, lines, body)
    await pause()
    client.destroy()
    await pause()

    expect(stand.hits(path)).toBe(0)
  })

  it('never completes for the origin what could not be parsed to its end', async () => {
    const path = stand.serve(ok([], 'done'))
    const client = stand.open().ask(`POST ${path}`, ['Transfer-Encoding: chunked'], `${chunk('hello')}zz\r\n`)

    expect((await client.answer()).status).toBe(400)
    await pause()
    expect(stand.hits(path)).toBe(0)
  })

  it('does not wait for a client who announced more than he sends, and serves others meanwhile', async () => {
    const path = stand.serve(fresh('x'))
    const idle = stand.open().write(`GET ${path} HTTP/1.1\r\nHost: a.test\r\nX: `)

    expect((await stand.get(path)).text).toBe('x')
    idle.destroy()
  })
})

describe('hostile: an origin that answers too early or reads nothing', () => {
  /** An origin that does `act` as soon as a request's head is there. */
  async function impatient(act: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => {
      socket.on('error', () => {}).once('data', () => act(socket))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const gateway = await startGateway(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    onTestFinished(async () => {
      await gateway.stop()
      server.close()
    })
    return gateway.port
  }

  it('passes an answer on that came before the content was sent, and breaks the rest off', async () => {
    const port = await impatient((socket) => socket.end(answer(413, ['Connection: close'], 'too much')))
    const client = new RawClient(port).ask('POST /', ['Content-Length: 1000000'], 'x'.repeat(1000))
    const reply = await client.answer()

    expect([413, 502]).toContain(reply.status)
    expect(await client.rest()).toBe('')
    expect((await ask(port, 'POST /', [], 'hello')).status).toBe(413)
  })
})

describe('hostile: tags that a 304 brings', () => {
  it('reaches what was renewed by its new tag and by its old ones', async () => {
    for (const [index, tag] of ['w-new', 'w-old'].entries()) {
      const path = stand.serve(
        ok(
          ['Cache-Control: max-age=10', 'Age: 20', 'ETag: "a"', ...(index === 0 ? [] : ['Surrogate-Key: w-old' as FieldLine])],
          'old',
        ),
        answer(304, ['ETag: "a"', 'Cache-Control: max-age=60', ...(index === 0 ? ['Surrogate-Key: w-new' as FieldLine] : [])]),
        fresh('new'),
      )
      await stand.get(path)
      expect((await stand.get(path)).text).toBe('old')
      await stand.gateway.invalidate({ tags: [tag] })

      expect((await stand.get(path)).text).toBe('new')
    }
  })

  it.each<[string, FieldLine[]]>([
    ['a targeted policy', ['Cache-Control: max-age=60', 'CDN-Cache-Control: no-store', 'Connection: CDN-Cache-Control']],
    ['our own policy', ['Cache-Control: max-age=60', 'forecache-cache-control: private', 'Connection: forecache-cache-control']],
    ['a tag', ['Cache-Control: max-age=60', 'Surrogate-Key: w-hop', 'Connection: Surrogate-Key']],
    ['a group', ['Cache-Control: max-age=60', 'Cache-Groups: "w-hop"', 'Connection: Cache-Groups']],
  ])('reads %s that Connection names: it is meant for this very hop', async (_, lines) => {
    const path = stand.serve(({ index }) => ok(lines, String(index)))
    await stand.get(path)
    await stand.gateway.invalidate({ tags: ['w-hop'] })
    await stand.ask(`POST ${stand.serve(ok(['Cache-Group-Invalidation: "w-hop"']))}`, [], 'x')

    expect((await stand.get(path)).text).toBe('1')
  })
})

describe('hostile: QUERY under invalidation', () => {
  it.each(['a URL', 'a tag', 'a write'])('gives nobody what was before %s was forgotten while it was asked', async (how) => {
    const held = Promise.withResolvers<void>()
    const path = stand.serve(async ({ request: seen, index }) => {
      if (seen.method !== 'QUERY') return ok([])
      if (index === 0) await held.promise
      return fresh(index === 0 ? 'old' : 'new', 'Surrogate-Key: w-query')
    })
    const query = (): ReturnType<typeof ask> => stand.ask(`QUERY ${path}`, ['Content-Type: text/plain'], 'q')
    const first = query()
    await stand.origin.reached(path, 1)
    if (how === 'a URL') await stand.gateway.invalidate({ urls: [`http://a.test${path}`] })
    else if (how === 'a tag') await stand.gateway.invalidate({ tags: ['w-query'] })
    else await stand.ask(`PUT ${path}`, [], 'x')
    const second = query()
    await pause(10)
    held.resolve()

    expect((await first).text).toBe('old')
    expect((await second).text).toBe('new')
    expect((await query()).text).toBe('new')
  })
})

describe('hostile: many at once', () => {
  it('answers 600 callers of one absent key with one question', async () => {
    const path = stand.serve(async () => {
      await pause(400)
      return fresh('body')
    })
    const replies = await Promise.all(Array.from({ length: 600 }, () => stand.get(path)))

    expect(new Set(replies.map((one) => `${one.status} ${one.text}`))).toEqual(new Set(['200 body']))
    expect(stand.hits(path)).toBe(1)
  })
})
