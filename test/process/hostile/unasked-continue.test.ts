/**
 * An origin that says 100 Continue without having been asked, once: what follows is spoken otherwise, and held as strictly.
 *
 * RFC 9110 section 15.2.1: a client that does not expect 100 may discard it.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { createStand } from '../../support/hostile-stand.ts'
import { ago, answer, chunk, fresh, ok } from '../../support/raw-origin.ts'

const stand = createStand()

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'
const POISON = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 6\r\n\r\npoison'
const wild = (head: string, body = 'hello'): string =>
  `HTTP/1.1 200 OK\r\nDate: ${ago(0)}\r\nCache-Control: max-age=60\r\n${head}\r\n\r\n${body}`

beforeAll(async () => {
  expect((await stand.get(stand.serve(CONTINUE + ok([], 'first').toString('latin1')))).text).toBe('first')
})

describe('hostile: an unasked 100 Continue', () => {
  it('is not passed on, and the answer behind it is kept', async () => {
    const path = stand.serve(CONTINUE + fresh('body').toString('latin1'))

    for (let i = 0; i < 2; i += 1) {
      const reply = await stand.get(path)
      expect([reply.text, reply.informational]).toEqual(['body', []])
    }
    expect(stand.hits(path)).toBe(1)
  })

  it.each([
    ['two lengths that differ', wild('Content-Length: 5\r\nContent-Length: 50')],
    ['a length and a transfer coding', wild('Content-Length: 5\r\nTransfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n')],
    ['a transfer coding nobody asked for', wild('Transfer-Encoding: gzip, chunked', '5\r\nhello\r\n0\r\n\r\n')],
    ['a bare CR in a value', wild('Content-Length: 5\r\nX: a\rSet-Cookie: b')],
    ['a head of 100 KiB', wild(`Content-Length: 5\r\nX: ${'a'.repeat(100_000)}`)],
    ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhello'],
    ['nothing but 100', CONTINUE],
  ])('lets no answer pass with %s', async (_, bytes) => {
    const path = stand.serve((call) => {
      call.write(bytes)
      call.end()
    }, fresh('good'))

    expect((await stand.get(path)).status).toBe(502)
    expect((await stand.get(path)).text).toBe('good')
  })

  it.each([
    ['is shorter than its length', wild('Content-Length: 50')],
    ['lacks its last chunk', wild('Transfer-Encoding: chunked', '5\r\nhello\r\n')],
    ['has a chunk longer than its size', wild('Transfer-Encoding: chunked', '4\r\nhello\r\n0\r\n\r\n')],
  ])('shows the client that an answer %s', async (_, bytes) => {
    for (const how of ['end', 'reset'] as const) {
      const path = stand.serve(async (call) => {
        call.write(bytes)
        await new Promise((resolve) => setTimeout(resolve, 20))
        call[how]()
      }, fresh('good'))
      const broken = await stand.get(path).catch(() => undefined)

      expect(broken === undefined || broken.status === 502 || !broken.complete).toBe(true)
      expect((await stand.get(path)).text).toBe('good')
    }
  })

  it('does not take a reset for the end where there is no length', async () => {
    const path = stand.serve(async (call) => {
      call.write(wild('X: y'))
      await new Promise((resolve) => setTimeout(resolve, 20))
      call.reset()
    })
    const broken = await stand.get(path).catch(() => undefined)

    expect(broken === undefined || broken.status === 502 || !broken.complete).toBe(true)
  })

  it('never takes what follows an answer for the next one', async () => {
    const path = stand.serve(fresh('hello').toString('latin1') + POISON, fresh('good'))
    const after = stand.serve(fresh('good'))

    expect((await stand.get(path).catch(() => undefined))?.text ?? '').not.toContain('poison')
    expect((await stand.get(after)).text).toBe('good')
  })

  it('still streams, passes 103 on, and sends content and trailers whole', async () => {
    const hinted = stand.serve(`${CONTINUE}HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${fresh('body').toString('latin1')}`)
    const posted = stand.serve(({ request }) => ok([], `${request.body.toString()} ${request.trailers.get('x-sum')}`))

    expect((await stand.get(hinted)).informational.map((one) => one.status)).toEqual([103])
    const body = `${chunk('hello')}${chunk(' world')}0\r\nX-Sum: 1\r\n\r\n`
    expect((await stand.ask(`POST ${posted}`, ['Transfer-Encoding: chunked', 'Trailer: X-Sum'], body)).text).toBe('hello world 1')
    expect((await stand.ask(`POST ${posted}`, [], 'hello')).text).toBe('hello undefined')
  })

  it('still revalidates', async () => {
    const path = stand.serve(
      ok(['Cache-Control: max-age=10', 'Age: 20', 'ETag: "a"'], 'body'),
      answer(304, ['ETag: "a"', 'Cache-Control: max-age=60']),
    )
    await stand.get(path)

    expect((await stand.get(path)).text).toBe('body')
    expect(stand.hits(path)).toBe(2)
  })
})
