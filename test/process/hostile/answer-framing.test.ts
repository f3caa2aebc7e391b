/**
 * Answers of an origin that lies about their ends: refused or visibly broken off, never stored, never mixed up.
 *
 * RFC 9112 sections 2.2, 5, 6.3, 7 and 8; RFC 9111 section 3.3.
 */
import { describe, expect, it } from 'vitest'
import { createStand } from '../../support/hostile-stand.ts'
import { ago, answer, chunk, fresh, ok } from '../../support/raw-origin.ts'

const stand = createStand()

const STORE = 'Cache-Control: max-age=60'
const POISON = `HTTP/1.1 200 OK\r\n${STORE}\r\nContent-Length: 6\r\n\r\npoison`
const wild = (head: string, body = 'hello'): string => `HTTP/1.1 200 OK\r\nDate: ${ago(0)}\r\n${STORE}\r\n${head}\r\n\r\n${body}`

const REFUSED: readonly (readonly [name: string, bytes: string])[] = [
  ['two lengths that differ', wild('Content-Length: 5\r\nContent-Length: 50')],
  ['a list of lengths that differ', wild('Content-Length: 5, 50')],
  ['a negative length', wild('Content-Length: -5')],
  ['a length with letters', wild('Content-Length: 5x')],
  ['a length and a transfer coding', wild('Content-Length: 5\r\nTransfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n')],
  ['a transfer coding nobody asked for', wild('Transfer-Encoding: gzip, chunked', '5\r\nhello\r\n0\r\n\r\n')],
  ['a transfer coding nobody knows', wild('Transfer-Encoding: xchunked', '5\r\nhello\r\n0\r\n\r\n')],
  ['chunked that is not the last coding', wild('Transfer-Encoding: chunked, gzip', '5\r\nhello\r\n0\r\n\r\n')],
  ['a space before a colon', wild('Content-Length: 5\r\nX : y')],
  ['NUL in a value', wild('Content-Length: 5\r\nX: a\0b')],
  ['a bare CR in a value', wild('Content-Length: 5\r\nX: a\rSet-Cookie: b')],
  ['a field without a colon', wild('Content-Length: 5\r\nX')],
  ['a status of two digits', `HTTP/1.1 20 OK\r\n${STORE}\r\nContent-Length: 5\r\n\r\nhello`],
  ['a status beyond 599', `HTTP/1.1 700 OK\r\n${STORE}\r\nContent-Length: 5\r\n\r\nhello`],
  ['another protocol', `ICY 200 OK\r\n${STORE}\r\nContent-Length: 5\r\n\r\nhello`],
  ['a head of 100 KiB', wild(`Content-Length: 5\r\nX: ${'a'.repeat(100_000)}`)],
  [
    'a switch of protocols nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhello',
  ],
]

describe('hostile: answers nobody can read', () => {
  it.each(REFUSED)('answers 502 for %s, stores nothing', async (_, bytes) => {
    const path = stand.serve((call) => {
      call.write(bytes)
      call.end()
    }, fresh('good'))

    const refused = await stand.get(path)

    expect(refused.status).toBe(502)
    expect((await stand.get(path)).text).toBe('good')
  })
})

const CUT: readonly (readonly [name: string, bytes: string])[] = [
  ['is shorter than its length', wild('Content-Length: 50')],
  ['lacks its last chunk', wild('Transfer-Encoding: chunked', '5\r\nhello\r\n')],
  ['ends inside a chunk', wild('Transfer-Encoding: chunked', '50\r\nhello')],
  ['has a chunk size in letters', wild('Transfer-Encoding: chunked', '5\r\nhello\r\nxyz\r\n')],
  ['has a chunk longer than its size', wild('Transfer-Encoding: chunked', '4\r\nhello\r\n0\r\n\r\n')],
  ['has a chunk size beyond 64 bits', wild('Transfer-Encoding: chunked', '5\r\nhello\r\n10000000000000005\r\nhello')],
  ['lacks the end of its trailers', wild('Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\nX: y\r\n')],
]

describe('hostile: answers that break off', () => {
  it.each(CUT)('shows the client that an answer %s, and stores nothing', async (_, bytes) => {
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

  it('takes a close without length as the end, and may keep that', async () => {
    const path = stand.serve((call) => {
      call.write(wild('X: y'))
      call.end()
    }, fresh('other'))
    const first = await stand.get(path)

    expect(first.text).toBe('hello')
    expect(first.complete).toBe(true)
  })

  it('does not take a reset for the end where there is no length', async () => {
    const path = stand.serve(async (call) => {
      call.write(wild('X: y'))
      await new Promise((resolve) => setTimeout(resolve, 20))
      call.reset()
    }, fresh('good'))
    const broken = await stand.get(path)

    expect(broken.status === 502 || !broken.complete).toBe(true)
    expect((await stand.get(path)).text).toBe('good')
  })

  it('answers 502 when the origin closes without a byte, and asks anew afterwards', async () => {
    const path = stand.serve(
      (call) => call.end(),
      (call) => call.end(),
      (call) => call.end(),
      fresh('good'),
    )
    let reply = await stand.get(path)
    expect(reply.status).toBe(502)

    while (reply.status === 502 && stand.hits(path) < 5) reply = await stand.get(path)

    expect(reply.text).toBe('good')
  })

  it('never sends a POST twice, however its connection ends', async () => {
    const path = stand.serve((call) => call.reset())

    expect((await stand.ask(`POST ${path}`, [], 'x')).status).toBe(502)
    expect(stand.hits(path)).toBe(1)
  })

  it('refuses a folded field or passes it on in one line', async () => {
    const path = stand.serve(wild('Content-Length: 5\r\nX: a\r\n b'))
    const reply = await stand.get(path)

    if (reply.status !== 502) expect(reply.get('x')).toMatch(/^a +b$/)
  })

  it('refuses heads with bare LFs or reads them as lines', async () => {
    const path = stand.serve(wild('Content-Length: 5').replaceAll('\r\n', '\n'))
    const reply = await stand.get(path)

    if (reply.status !== 502) expect(reply.text).toBe('hello')
  })
})

describe('hostile: more bytes than announced', () => {
  it.each([
    ['an answer with a length', fresh('hello').toString('latin1') + POISON],
    ['an answer in chunks', wild('Transfer-Encoding: chunked', `5\r\nhello\r\n0\r\n\r\n${POISON}`)],
    ['a 204', answer(204, [STORE]).toString('latin1') + POISON],
    ['a 204 with a length', answer(204, [STORE, `Content-Length: ${POISON.length}`]).toString('latin1') + POISON],
    ['a 304', answer(304, []).toString('latin1') + POISON],
  ])('never takes what follows %s for the next answer', async (_, bytes) => {
    const path = stand.serve(bytes, fresh('good'))
    const after = Array.from({ length: 5 }, () => stand.serve(fresh('good')))

    const first = await stand.get(path).catch(() => undefined)
    const next = await Promise.all(after.map((one) => stand.get(one)))

    expect(first?.text ?? '').not.toContain('poison')
    for (const one of next) expect(['good', 502]).toContain(one.status === 502 ? 502 : one.text)
    expect((await stand.get(path)).text).not.toContain('poison')
  })

  it('never takes the body an origin sends to HEAD for the next answer', async () => {
    const path = stand.serve(wild(`Content-Length: ${POISON.length}`, POISON))
    const after = stand.serve(fresh('good'))

    await stand.ask(`HEAD ${path}`).catch(() => undefined)

    expect(['good', 502]).toContain(await stand.get(after).then((one) => (one.status === 502 ? 502 : one.text)))
  })

  it('never takes an answer that came before its request for that request', async () => {
    const early = stand.serve(async (call) => {
      call.write(fresh('hello'))
      await new Promise((resolve) => setTimeout(resolve, 20))
      call.write(POISON)
    })
    const next = stand.serve(fresh('good'))
    await stand.get(early)
    await new Promise((resolve) => setTimeout(resolve, 60))

    expect((await stand.get(next)).text).toBe('good')
  })
})

describe('hostile: interim answers and trailers', () => {
  it('passes 103 on to whoever asked, and stores none of it', async () => {
    const hint = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX-Hint: a\r\n\r\n'
    const path = stand.serve(hint + fresh('body').toString('latin1'))
    const first = await stand.get(path)
    const second = await stand.get(path)

    expect(first.informational.map((one) => [one.status, one.get('link')])).toEqual([[103, '</a.css>; rel=preload']])
    expect([first.text, second.text]).toEqual(['body', 'body'])
    expect(second.informational).toEqual([])
    expect(second.has('x-hint') || second.has('link')).toBe(false)
    expect(stand.hits(path)).toBe(1)
  })

  it('does not let an interim answer make the final one storable', async () => {
    const path = stand.serve(
      `HTTP/1.1 103 Early Hints\r\nCache-Control: max-age=60\r\n\r\n${ok(['Cache-Control: no-store'], 'a').toString('latin1')}`,
    )

    await stand.get(path)
    await stand.get(path)

    expect(stand.hits(path)).toBe(2)
  })

  it('gives up an origin that sends interim answers without end', async () => {
    const path = stand.serve((call) => call.write('HTTP/1.1 102 Processing\r\n\r\n'.repeat(500)))

    expect((await stand.get(path)).status).toBe(502)
  })

  it('sends no interim answer to HTTP/1.0', async () => {
    const path = stand.serve(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok([], 'x').toString('latin1')}`)
    const client = stand.open().write(`GET ${path} HTTP/1.0\r\nHost: a.test\r\n\r\n`)

    expect((await client.head()).status).toBe(200)
    client.destroy()
  })

  it('passes trailers on, without those that frame, route or control', async () => {
    const trailers = 'X-Sum: 1\r\nContent-Length: 99\r\nSet-Cookie: a=b\r\nCache-Control: max-age=60\r\nVary: *\r\n'
    const path = stand.serve(ok(['Transfer-Encoding: chunked', 'Trailer: X-Sum'], `${chunk('hello')}0\r\n${trailers}\r\n`))
    const reply = await stand.get(path, ['TE: trailers'])

    expect(reply.text).toBe('hello')
    expect(reply.lines.map(([name]) => name.toLowerCase())).not.toContain('x-sum')
    for (const name of ['content-length', 'set-cookie', 'cache-control', 'vary']) expect(reply.trailers.has(name)).toBe(false)
    await stand.get(path)
    expect(stand.hits(path)).toBe(2)
  })

  it('keeps an answer with trailers whole, and never merges them into its head', async () => {
    const path = stand.serve(ok([STORE, 'Transfer-Encoding: chunked'], `${chunk('hello')}0\r\nX-Sum: 1\r\nAge: 5000\r\n\r\n`))
    await stand.get(path)
    const hit = await stand.get(path)

    expect(hit.text).toBe('hello')
    expect(hit.has('x-sum')).toBe(false)
    expect(Number(hit.get('age') ?? 0)).toBeLessThan(10)
  })

  it('passes an answer without a reason phrase', async () => {
    const path = stand.serve(`HTTP/1.1 200 \r\nDate: ${ago(0)}\r\nContent-Length: 5\r\n\r\nhello`)

    expect((await stand.get(path)).text).toBe('hello')
  })

  it('adds no body to 204, and sends no length with it', async () => {
    const path = stand.serve(answer(204, [STORE]))

    for (let i = 0; i < 2; i += 1) {
      const reply = await stand.get(path)
      expect(reply.status).toBe(204)
      expect(reply.has('content-length') || reply.has('transfer-encoding')).toBe(false)
    }
    expect(stand.hits(path)).toBe(1)
  })
})
