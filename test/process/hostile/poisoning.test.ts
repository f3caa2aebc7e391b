/**
 * Cache poisoning and deception: nobody chooses what others get, by what is not part of the key, by spelling or by failing.
 */
import { describe, expect, it } from 'vitest'
import { createStand } from '../../support/hostile-stand.ts'
import type { FieldLine } from '../../support/raw-message.ts'
import { answer, fresh, ok, type Script } from '../../support/raw-origin.ts'

const stand = createStand()

/** Answers everything it was told, storable. */
const mirror: Script = ({ request }) => fresh(`${request.method} ${request.target}\n${request.raw}\n${request.body.toString()}`)

describe('hostile: input that is not part of the key', () => {
  it.each<[string, FieldLine]>([
    ['X-Forwarded-Host', 'X-Forwarded-Host: evil.test'],
    ['X-Forwarded-Scheme', 'X-Forwarded-Scheme: evil'],
    ['X-Forwarded-Proto', 'X-Forwarded-Proto: evil'],
    ['X-Forwarded-Port', 'X-Forwarded-Port: evil'],
    ['X-Forwarded-Path', 'X-Forwarded-Path: /evil'],
    ['Forwarded', 'Forwarded: host=evil.test'],
    ['X-Host', 'X-Host: evil.test'],
    ['X-HTTP-Host-Override', 'X-HTTP-Host-Override: evil.test'],
    ['X-Original-Host', 'X-Original-Host: evil.test'],
    ['X-Original-URL', 'X-Original-URL: /evil'],
    ['X-Rewrite-URL', 'X-Rewrite-URL: /evil'],
    ['a method override', 'X-HTTP-Method-Override: EVIL'],
    ['X-Real-IP', 'X-Real-IP: evil'],
    ['X-Forwarded-For', 'X-Forwarded-For: evil'],
    ['X_Forwarded_Host', 'X_Forwarded_Host: evil.test'],
    ['Proxy', 'Proxy: evil'],
    ['Front-End-Https', 'Front-End-Https: evil'],
    ['Trailer', 'Trailer: evil'],
  ])('gives nobody what %s was answered with', async (_, line) => {
    const path = stand.serve(mirror)
    await stand.get(path, [line])

    expect((await stand.get(path)).text).not.toContain('evil')
    expect(stand.hits(path)).toBeLessThanOrEqual(2)
  })

  it('gives nobody what the content of a GET was answered with', async () => {
    const path = stand.serve(mirror)
    const fat = await stand.ask(`GET ${path}`, [], 'evil')
    const plain = await stand.get(path)

    expect([200, 400]).toContain(fat.status)
    expect(plain.text).not.toContain('evil')
  })

  it('does not answer a GET with content from the store as if it had none, nor keep its answer', async () => {
    const path = stand.serve(mirror)
    await stand.get(path)
    await stand.ask(`GET ${path}`, ['Transfer-Encoding: chunked'], '4\r\nevil\r\n0\r\n\r\n')

    expect((await stand.get(path)).text).not.toContain('evil')
  })

  it('gives nobody what the content of a HEAD was answered with', async () => {
    const path = stand.serve(({ request }) =>
      request.method === 'HEAD' ? fresh('', `X: ${request.body.toString()}`, 'Content-Length: 4') : fresh('good'),
    )
    await stand.ask(`HEAD ${path}`, [], 'evil')

    expect((await stand.get(path)).text).toBe('good')
    expect((await stand.ask(`HEAD ${path}`)).get('x') ?? '').not.toContain('evil')
  })

  it.each(['utm_source=evil', 'utm_content=evil', 'fbclid=evil', 'gclid=evil', '_=evil', 'callback=evil'])(
    'gives nobody who did not send %s what it was answered with',
    async (pair) => {
      const path = stand.serve(mirror)
      await stand.get(`${path}?${pair}`)
      await stand.get(`${path}?a=1&${pair}`)

      expect((await stand.get(path)).text).not.toContain('evil')
      expect((await stand.get(`${path}?a=1`)).text).not.toContain('evil')
    },
  )

  it('replaces what an origin says about this cache', async () => {
    const path = stand.serve(fresh('x', 'X-Cache: HIT', 'X-Cache-Latency: 1', 'Cache-Status: inner; hit'))
    const first = await stand.get(path)
    const second = await stand.get(path)

    expect(first.all('x-cache')).toEqual(['MISS'])
    expect(second.all('x-cache')).toEqual(['HIT'])
    expect(second.get('cache-status')).toMatch(/^inner; ?hit, forecache; ?hit/)
  })
})

describe('hostile: spellings', () => {
  it.each([
    ['a slash at its end', '', '/'],
    ['a doubled slash', '/x', '//x'],
    ['an encoded slash', '/x/y', '/x%2Fy'],
    ['an encoded question mark', '?a=1', '%3Fa=1'],
    ['an encoded hash', '/x', '/x%23'],
    ['an encoded NUL', '/x', '/x%00'],
    ['an encoded line end', '/x', '/x%0d%0a'],
    ['an encoded semicolon', '/x;y', '/x%3By'],
    ['a path parameter', '/x', '/x;y'],
    ['capitals', '/x', '/X'],
    ['a dot segment', '/x', '/y/../x'],
    ['an encoded dot segment', '/x', '/y/%2e%2e/x'],
    ['a backslash', '/x/y', '/x\\y'],
    ['an encoding of an encoding', '/%41', '/%2541'],
    ['a query of nothing', '', '?a'],
    ['a value that is empty', '?a', '?a='],
    ['a value that is encoded', '?a=1&b=2', '?a=1%26b=2'],
    ['an encoded equals sign', '?a=b', '?a%3Db'],
    ['a plus', '?a=1+2', '?a=1%2B2'],
    ['a semicolon between parameters', '?a=1&b=2', '?a=1;b=2'],
    ['a repeated parameter in another order', '?a=1&a=2', '?a=2&a=1'],
    ['a repeated parameter', '?a=1', '?a=1&a=1'],
    ['a bracket', '?a=1', '?a[]=1'],
    ['capitals in a name', '?a=1', '?A=1'],
    ['invalid UTF-8', '?a=%ff', '?a=%fe'],
    ['an encoding that is broken', '?a=%', '?a=%25'],
    ['a file extension', '/account', '/account/x.css'],
  ])('tells two targets apart that differ by %s, and passes both on as they came', async (_, one, two) => {
    const path = stand.serve(mirror)
    for (const tail of [one, two]) stand.origin.on(`${path}${tail}`.split('?', 1)[0] as string, mirror)
    const texts = [one, two, one, two].map(async (tail) => (await stand.get(`${path}${tail}`)).text.split('\n', 1)[0])

    expect(await Promise.all(texts)).toEqual([one, two, one, two].map((tail) => `GET ${path}${tail}`))
  })

  it.each<[string, FieldLine, FieldLine]>([
    ['names', 'Host: a.test', 'Host: b.test'],
    ['ports', 'Host: a.test', 'Host: a.test:8080'],
    ['a dot at the end', 'Host: a.test', 'Host: a.test.'],
    ['a name before it', 'Host: a.test', 'Host: x.a.test'],
  ])('keeps hosts apart that differ by %s', async (_, one, two) => {
    const path = stand.serve(({ request }) => fresh(String(request.get('host'))))
    const texts: string[] = []
    for (const line of [one, two, one]) {
      const reply = await stand.get(path, [line])
      texts.push(reply.status === 400 ? 'refused' : reply.text)
    }

    expect(texts[0]).toBe(texts[2])
    expect(texts[0]).not.toBe(texts[1])
  })

  it('shares what is the same host in capitals or with the default port', async () => {
    const path = stand.serve(mirror)
    for (const host of ['a.test', 'A.TEST', 'a.test:80'] as const) await stand.get(path, [`Host: ${host}`])

    expect(stand.hits(path)).toBe(1)
  })

  it('does not keep a deceived answer because its path looks like a file', async () => {
    const path = stand.serve(ok(['Cache-Control: no-store'], 'secret'))
    for (const tail of ['/x.css', ';x.js', '%2Fx.png', '/.js']) {
      const deceived = `${path}${tail}`
      stand.origin.on(deceived, ok(['Cache-Control: private'], 'secret'), ok([], 'nobody'))
      await stand.get(deceived, ['Cookie: user=1'])
      expect((await stand.get(deceived)).text).toBe('nobody')
    }
  })
})

describe('hostile: failures', () => {
  it.each([400, 401, 403, 404, 405, 408, 410, 413, 414, 429, 431, 500, 501, 502, 503, 504])(
    'does not let a %i without freshness stand for the resource',
    async (status) => {
      const path = stand.serve(answer(status, [], 'failed'), fresh('good'))

      expect((await stand.get(path, [`X: ${'a'.repeat(8000)}`])).status).toBe(status)
      expect((await stand.get(path)).text).toBe('good')
    },
  )

  it.each([
    ['a head of the client that is too large', [`X: ${'a'.repeat(40_000)}` as FieldLine], 431],
    ['an expectation of the client', ['Expect: nonsense' as FieldLine], 417],
    ['a doubled Host', ['Host: a.test' as FieldLine, 'Host: a.test' as FieldLine], 400],
  ])('does not let %s stand for the resource', async (_, lines, status) => {
    const path = stand.serve(fresh('good'))

    expect((await stand.get(path, lines)).status).toBe(status)
    expect((await stand.get(path)).text).toBe('good')
  })

  it('does not let an answer whose head is too large stand for the resource', async () => {
    const path = stand.serve(fresh('x', `X: ${'a'.repeat(70_000)}`), fresh('good'))

    expect((await stand.get(path)).status).toBe(502)
    expect((await stand.get(path)).text).toBe('good')
  })

  it('does not let its own errors be kept by whoever stands before it', async () => {
    const path = stand.serve((call) => call.reset())
    const failed = await stand.get(path)

    expect(failed.status).toBe(502)
    expect(failed.get('cache-control')).toContain('no-store')
    expect(failed.text).not.toMatch(/127\.0\.0\.1|node_modules|\/src\//)
  })

  it('does not let a failed revalidation replace what it may still serve later', async () => {
    const path = stand.serve(
      ok(['Cache-Control: max-age=10', 'Age: 20', 'ETag: "a"'], 'good'),
      answer(500, [], 'failed'),
      answer(304, ['ETag: "a"', 'Cache-Control: max-age=60']),
    )
    await stand.get(path)
    await stand.get(path)

    const third = await stand.get(path)
    expect([third.status, third.text]).toEqual([200, 'good'])
  })

  it.each(['99999999999', '99999999999999999999999', '2147483648'])('serves no answer whose Age is %s', async (age) => {
    const path = stand.serve(ok(['Cache-Control: max-age=60', `Age: ${age}`], 'old'), fresh('good'))
    await stand.get(path)

    expect((await stand.get(path)).text).toBe('good')
  })

  it('counts a max-age beyond all numbers as long, not as nonsense', async () => {
    const path = stand.serve(ok(['Cache-Control: max-age=99999999999999999999999'], 'x'))
    await stand.get(path)
    const hit = await stand.get(path)

    expect(hit.text).toBe('x')
    expect(stand.hits(path)).toBeLessThanOrEqual(2)
  })
})

describe('hostile: HEAD and GET', () => {
  it('answers HEAD from a stored GET with its fields and no body', async () => {
    const path = stand.serve(fresh('hello', 'ETag: "a"'))
    await stand.get(path)
    const client = stand.open().ask(`HEAD ${path}`).ask(`GET ${path}`)
    const head = await client.answer('HEAD')

    expect([head.status, head.get('content-length'), head.get('etag')]).toEqual([200, '5', '"a"'])
    expect((await client.answer()).text).toBe('hello')
    expect(stand.hits(path)).toBe(1)
    client.destroy()
  })

  it('never gives a GET the empty body of a HEAD', async () => {
    const path = stand.serve(({ request }) => fresh(request.method === 'HEAD' ? '' : 'hello', 'Content-Length: 5'))
    await stand.ask(`HEAD ${path}`)

    expect((await stand.get(path)).text).toBe('hello')
  })

  it('never gives a GET the empty body of a HEAD without length', async () => {
    const path = stand.serve(({ request }) =>
      fresh(request.method === 'HEAD' ? '' : '5\r\nhello\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'),
    )
    const head = await stand.ask(`HEAD ${path}`)

    expect(head.status).toBe(200)
    expect((await stand.get(path)).text).toBe('hello')
  })

  it.each(['no-store', 'private', 'max-age=0'])('does not let HEAD make a GET storable that says %s', async (control) => {
    const path = stand.serve(({ request, index }) =>
      request.method === 'HEAD' ? fresh('', 'Content-Length: 1') : ok([`Cache-Control: ${control}`], String(index)),
    )
    await stand.ask(`HEAD ${path}`)

    expect((await stand.get(path)).text).toBe('1')
    expect((await stand.get(path)).text).toBe('2')
  })
})
