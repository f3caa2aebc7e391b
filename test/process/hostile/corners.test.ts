/**
 * Where two rules meet: methods with stale windows, content where none belongs, bytes beyond ASCII, odd targets.
 */
import { describe, expect, it } from 'vitest'
import { createStand } from '../../support/hostile-stand.ts'
import type { FieldLine } from '../../support/raw-message.ts'
import { ago, answer, chunk, fresh, ok } from '../../support/raw-origin.ts'

const stand = createStand()

const pause = (ms = 30): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const stale = (...lines: FieldLine[]): FieldLine[] => [
  'Cache-Control: max-age=10, stale-while-revalidate=600, stale-if-error=600',
  'Age: 20',
  'ETag: "a"',
  ...lines,
]

describe('hostile: reading in other ways what is stale', () => {
  it.each<[string, string, FieldLine[]]>([
    ['HEAD', 'HEAD', []],
    ['a range', 'GET', ['Range: bytes=0-1']],
    ['a condition', 'GET', ['If-None-Match: "a"']],
    ['a condition that fails', 'GET', ['If-None-Match: "zzz"']],
    ['a condition by date', 'GET', [`If-Modified-Since: ${ago(5)}`]],
    ['a language', 'GET', ['Accept-Language: de']],
  ])('stores nothing but the whole by a refresh that %s caused', async (_, method, lines) => {
    const path = stand.serve(({ request, index }) => {
      if (index === 0) return ok(stale(), 'old body')
      if (request.method === 'HEAD') return ok(['Cache-Control: max-age=60', 'ETag: "b"', 'Transfer-Encoding: chunked'])
      if (request.has('range')) return answer(206, ['Cache-Control: max-age=60', 'ETag: "b"', 'Content-Range: bytes 0-1/8'], 'ne')
      return fresh('new body', 'ETag: "b"')
    })
    await stand.get(path)
    await stand.ask(`${method} ${path}`, lines)
    if (method === 'GET') await stand.origin.reached(path, 2)
    await pause()

    expect(['old body', 'new body']).toContain((await stand.get(path)).text)
  })

  it('stores no empty body for GET by a HEAD with length 0', async () => {
    const path = stand.serve(({ request, index }) => {
      if (index === 0) return ok(stale(), 'old body')
      return request.method === 'HEAD' ? ok(['Cache-Control: max-age=60', 'Content-Length: 0']) : fresh('new body')
    })
    await stand.get(path)
    await stand.ask(`HEAD ${path}`)
    await pause()

    expect(['old body', 'new body']).toContain((await stand.get(path)).text)
  })

  it.each<[string, string, FieldLine[], number, string]>([
    ['HEAD', 'HEAD', [], 200, ''],
    ['a range', 'GET', ['Range: bytes=0-1'], 206, 'ol'],
    ['a condition', 'GET', ['If-None-Match: "a"'], 304, ''],
  ])('answers %s from what is stale when the origin is gone and that is allowed', async (_, method, lines, status, text) => {
    const path = stand.serve(ok(['Cache-Control: max-age=10, stale-if-error=600', 'Age: 20', 'ETag: "a"'], 'old body'), (call) =>
      call.reset(),
    )
    await stand.get(path)
    const reply = await stand.ask(`${method} ${path}`, lines)

    expect([
      [status, text],
      [502, reply.text],
    ]).toContainEqual([reply.status, reply.text])
  })

  it('serves stale for an origin that resets, where that is allowed', async () => {
    const path = stand.serve(ok(['Cache-Control: max-age=10, stale-if-error=600', 'Age: 20'], 'old'), (call) => call.reset())
    await stand.get(path)

    expect((await stand.get(path)).text).toBe('old')
  })

  it('asks an origin that failed a moment ago again for a client who wants nothing stale', async () => {
    const path = stand.serve(
      ok(['Cache-Control: max-age=10, stale-if-error=600', 'Age: 20'], 'old'),
      answer(503, [], 'down'),
      fresh('new'),
    )
    await stand.get(path)
    expect((await stand.get(path)).text).toBe('old')

    expect((await stand.get(path, ['Cache-Control: max-age=0'])).text).toBe('new')
  })

  it('serves nothing stale whose replacement broke off in the middle as if it were that', async () => {
    const path = stand.serve(
      ok(['Cache-Control: max-age=10, stale-if-error=600', 'Age: 20', 'ETag: "a"'], 'old'),
      (call) => {
        call.write('HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 10\r\n\r\nnew')
        call.end()
      },
      fresh('good'),
    )
    await stand.get(path)
    const reply = await stand.get(path)

    expect(reply.complete ? reply.text : 'broken').toMatch(/^(?:old|broken)$/)
    expect((await stand.get(path)).text).toMatch(/^(?:old|good)$/)
  })
})

describe('hostile: content where none belongs', () => {
  it.each(['GET', 'HEAD', 'OPTIONS', 'DELETE'])(
    'uses no connection again on which %s had content: who ignores that reads it as a request',
    async (method) => {
      const path = stand.serve(ok(['Cache-Control: no-store']))
      const after = stand.serve(ok(['Cache-Control: no-store']))
      await stand.ask(`${method} ${path}`, [], 'GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n')
      for (let i = 0; i < 3; i += 1) await stand.get(after)
      const [fat] = stand.seen(path)

      if (fat === undefined || fat.body.length === 0) return
      expect(stand.seen(after).map((one) => one.connection)).not.toContain(fat.connection)
    },
  )

  it('passes the trailers of a request on without those that frame, route or sign', async () => {
    const path = stand.serve(ok([], 'x'))
    const trailers =
      'X-Sum: 1\r\nContent-Type: text/evil\r\nHost: evil.test\r\nAuthorization: Basic x\r\nX-Forwarded-Host: evil.test\r\n'
    await stand.ask(
      `POST ${path}`,
      ['Transfer-Encoding: chunked', 'Trailer: X-Sum, Host'],
      `${chunk('hello')}0\r\n${trailers}\r\n`,
    )
    const seen = stand.seen(path)[0]

    expect(seen?.body.toString()).toBe('hello')
    for (const name of ['content-type', 'host', 'authorization', 'x-forwarded-host']) expect(seen?.trailers.has(name)).toBe(false)
    expect(seen?.all('host')).toEqual(['a.test'])
  })

  it.each(['Content-Length: 5', 'Transfer-Encoding: chunked', 'X: a\rb', 'X : a', ' folded'])(
    'passes no trailer %s on',
    async (line) => {
      const path = stand.serve(ok([], 'x'))
      const reply = await stand.ask(`POST ${path}`, ['Transfer-Encoding: chunked'], `${chunk('hello')}0\r\n${line}\r\n\r\n`)

      expect([200, 400]).toContain(reply.status)
      for (const one of stand.seen(path)) expect(one.trailers.lines).toEqual([])
    },
  )

  it('passes no framing on in an interim answer', async () => {
    const path = stand.serve(
      `HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\nConnection: X-Hop\r\nX-Hop: 1\r\nSet-Cookie: a=b\r\nLink: </a>\r\n\r\n${fresh('x').toString('latin1')}`,
    )
    const reply = await stand.get(path)

    for (const one of reply.informational) {
      for (const name of ['content-length', 'transfer-encoding', 'x-hop', 'connection']) expect(one.has(name)).toBe(false)
    }
    expect(reply.text).toBe('x')
  })
})

describe('hostile: bytes', () => {
  it('passes fields beyond ASCII both ways byte for byte, stored or not', async () => {
    const path = stand.serve(({ request }) => fresh(request.get('x') ?? '', 'X: caf\xe9 \xff\x80'))

    for (let i = 0; i < 2; i += 1) {
      const reply = await stand.get(path, ['X: na\xefve \xc3\xa9'])
      expect([reply.get('x'), reply.text]).toEqual(['caf\xe9 \xff\x80', 'na\xefve \xc3\xa9'])
    }
    expect(stand.hits(path)).toBe(1)
  })

  it('keeps every byte of a body', async () => {
    const body = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 256))
    const path = stand.serve(fresh(body))

    for (let i = 0; i < 2; i += 1) expect(Buffer.compare((await stand.get(path)).body, body)).toBe(0)
  })

  it('keeps an empty body', async () => {
    const path = stand.serve(fresh(''))
    await stand.get(path)
    const hit = await stand.get(path)

    expect([hit.status, hit.get('content-length'), hit.get('x-cache')]).toEqual([200, '0', 'HIT'])
  })

  it('answers every range of an empty body with 416, or the whole', async () => {
    const path = stand.serve(fresh('', 'ETag: "a"'))
    await stand.get(path)

    for (const range of ['bytes=0-0', 'bytes=-1', 'bytes=0-'])
      expect([200, 416]).toContain((await stand.get(path, [`Range: ${range}`])).status)
  })

  it('stores what lies at its limit and passes through what lies beyond, whole', async () => {
    const at = stand.serve(fresh('x'.repeat(1024 * 1024)))
    const beyond = stand.serve(
      ok(['Cache-Control: max-age=60', 'Transfer-Encoding: chunked'], `${chunk('x'.repeat(1024 * 1024))}${chunk('y')}0\r\n\r\n`),
    )
    for (const path of [at, at, beyond, beyond]) expect((await stand.get(path)).complete).toBe(true)

    expect([stand.hits(at), stand.hits(beyond)]).toEqual([1, 2])
  })
})

describe('hostile: odd targets', () => {
  it.each([
    '//evil.test/p',
    '/@evil.test/p',
    '/http://evil.test/p',
    '/?',
    '/%2e%2e/p',
    '/..;/p',
    '/a|b',
    "/it's",
    '/{x}',
    '/x:y@z',
  ])('sends %s to the origin as it came, and nowhere else', async (target) => {
    stand.origin.on(target.split('?', 1)[0] as string, ({ request }) => fresh(`${request.target} ${request.get('host')}`))

    for (let i = 0; i < 2; i += 1) expect((await stand.get(target)).text).toBe(`${target} a.test`)
  })

  it.each<[string, string, (target: string) => FieldLine]>([
    ['a quote in its query', "?name='x'", (target) => `Location: ${target}`],
    ['a quote in its query, as a URL', "?name='x'", (target) => `Content-Location: http://a.test${target}`],
    ['a bar', '?a|b', (target) => `Location: ${target}`],
    ['braces', '?{a}', (target) => `Content-Location: ${target}`],
    ['encoded letters', '?a=%41%7e', (target) => `Location: ${target}`],
    ['dots encoded', '?a=%2e', (target) => `Location: ${target.replace('%2e', '.')}`],
  ])('forgets a target with %s that a write names', async (_, tail, line) => {
    const path = stand.serve(({ index }) => fresh(String(index)))
    const write = stand.serve(ok([line(path + tail)]))
    await stand.get(path + tail)
    await stand.ask(`POST ${write}`, [], 'x')

    expect((await stand.get(path + tail)).text).toBe('1')
  })
})

describe('hostile: what clients cannot know', () => {
  it('says how long an answer took only when asked to', async () => {
    const path = stand.serve(fresh('x', 'X-Cache-Latency: 5'))
    for (let i = 0; i < 2; i += 1) expect((await stand.get(path)).get('x-cache-latency') ?? '5').toBe('5')
    expect(stand.seen(path)[0]?.has('x-cache-latency')).toBe(false)
  })

  it('gives followers and later clients the same bytes as the first, in every coding', async () => {
    const path = stand.serve(async ({ request }) => {
      await pause(20)
      const gzip = (request.get('accept-encoding') ?? '').includes('gzip')
      return fresh(
        gzip ? 'gzip bytes' : 'plain bytes',
        'Vary: Accept-Encoding',
        ...(gzip ? ['Content-Encoding: gzip' as FieldLine] : []),
      )
    })
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, index) => stand.get(path, index % 2 === 0 ? ['Accept-Encoding: gzip'] : [])),
    )

    expect(replies.map((one) => [one.text, one.get('content-encoding')])).toEqual(
      replies.map((_, index) => (index % 2 === 0 ? ['gzip bytes', 'gzip'] : ['plain bytes', undefined])),
    )
  })

  it('answers 150 pipelined requests', async () => {
    const path = stand.serve(fresh('x'))
    const client = stand.open()
    for (let i = 0; i < 150; i += 1) client.ask(`GET ${path}?${i}`)
    for (let i = 0; i < 150; i += 1) expect((await client.answer()).status).toBe(200)
    client.destroy()
  })

  it('gives a cookie to who caused the answer alone, however many wait for it', async () => {
    const path = stand.serve(async ({ index }) => {
      await pause(20)
      return ok(['Cache-Control: public, max-age=60', `Set-Cookie: id=${index}`], 'x')
    })
    const replies = await Promise.all(Array.from({ length: 10 }, () => stand.get(path)))
    const cookies = replies.flatMap((one) => one.all('set-cookie'))

    expect(new Set(cookies).size).toBe(cookies.length)
  })

  it('never mixes clients that share a connection to it', async () => {
    const path = stand.serve(({ request }) => fresh(String(request.get('cookie')), 'Vary: Cookie'))
    const client = stand.open()
    for (let i = 0; i < 40; i += 1) client.ask(`GET ${path}`, [`Cookie: user=${i % 7}`])
    const texts: string[] = []
    for (let i = 0; i < 40; i += 1) texts.push((await client.answer()).text)

    expect(texts).toEqual(texts.map((_, index) => `user=${index % 7}`))
    client.destroy()
  })
})
