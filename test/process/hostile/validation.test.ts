/**
 * Conditional requests and 304: what is confirmed is what was asked about, and what 304 says is merged, no more.
 *
 * RFC 9110 sections 13 and 15.4.5; RFC 9111 sections 3.2 and 4.3.
 */
import { describe, expect, it } from 'vitest'
import { createStand } from '../../support/hostile-stand.ts'
import type { FieldLine } from '../../support/raw-message.ts'
import { ago, answer, type Call, fresh, ok, type Script } from '../../support/raw-origin.ts'

const stand = createStand()

const MODIFIED = ago(86_400)

/** Stale from the start, with tag "a". */
const aged = (body = 'old', ...lines: FieldLine[]): Buffer =>
  ok(['Cache-Control: max-age=10', 'Age: 20', 'ETag: "a"', ...lines], body)
/** 304 that confirms "a" for a minute. */
const same = (...lines: FieldLine[]): Buffer => answer(304, ['Cache-Control: max-age=60', 'ETag: "a"', ...lines])

describe('hostile: a 304 for what is stored', () => {
  it('asks with the stored tag and date, and serves what was confirmed', async () => {
    const path = stand.serve(aged('body', `Last-Modified: ${MODIFIED}`), same(), fresh('new'))
    await stand.get(path)
    const second = await stand.get(path)
    const third = await stand.get(path)

    expect([second.status, second.text, third.text]).toEqual([200, 'body', 'body'])
    expect(stand.seen(path)[1]?.get('if-none-match')).toBe('"a"')
    expect(stand.hits(path)).toBe(2)
  })

  it('takes over the fields of a 304 and keeps the others', async () => {
    const path = stand.serve(
      aged('body', 'X-Old: 1', 'X-Both: 1', 'X-Both: 2', 'Content-Type: text/plain', 'Content-Language: de'),
      same('X-Both: 3', 'X-New: 4', 'Content-Length: 0'),
    )
    await stand.get(path)

    for (const reply of [await stand.get(path), await stand.get(path)]) {
      expect(reply.text).toBe('body')
      expect([reply.all('x-old'), reply.all('x-both'), reply.all('x-new')]).toEqual([['1'], ['3'], ['4']])
      expect([reply.get('content-type'), reply.get('content-language'), reply.get('content-length')]).toEqual([
        'text/plain',
        'de',
        '4',
      ])
    }
    expect(stand.hits(path)).toBe(2)
  })

  it.each<[string, FieldLine]>([
    ['Content-Length', 'Content-Length: 4000'],
    ['Content-Encoding', 'Content-Encoding: gzip'],
    ['Content-Type', 'Content-Type: text/html'],
    ['Content-Range', 'Content-Range: bytes 0-1/2'],
    ['Transfer-Encoding', 'Transfer-Encoding: chunked'],
  ])('does not let a 304 change what the stored bytes are by %s', async (name, line) => {
    const path = stand.serve(aged('body', 'Content-Type: text/plain'), same(line))
    await stand.get(path)
    const merged = await stand.get(path)
    const hit = await stand.get(path)

    for (const reply of [merged, hit]) {
      expect([reply.status, reply.text]).toEqual([200, 'body'])
      expect(reply.get('content-length')).toBe('4')
      if (name === 'Content-Encoding' || name === 'Content-Range') expect(reply.has(name)).toBe(false)
    }
  })

  it('does not merge fields of the hop', async () => {
    const path = stand.serve(aged(), same('Connection: X-Hop', 'X-Hop: 1', 'Keep-Alive: timeout=9', 'Upgrade: h2c'))
    await stand.get(path)
    await stand.get(path)
    const hit = await stand.get(path)

    for (const name of ['x-hop', 'upgrade']) expect(hit.has(name)).toBe(false)
    expect(hit.get('keep-alive') ?? '').not.toContain('9')
  })

  it('counts the age from the 304 on', async () => {
    const path = stand.serve(aged(), same('Age: 7'))
    await stand.get(path)
    await stand.get(path)
    const hit = await stand.get(path)

    expect(Number(hit.get('age'))).toBeGreaterThanOrEqual(7)
    expect(Number(hit.get('age'))).toBeLessThan(12)
  })

  it('does not renew by a 304 that names another strong tag', async () => {
    const path = stand.serve(aged(), answer(304, ['Cache-Control: max-age=60', 'ETag: "b"']), fresh('new', 'ETag: "b"'))
    await stand.get(path)
    await stand.get(path)

    expect((await stand.get(path)).text).toBe('new')
  })

  it('does not answer 304 to a client that asked nothing of the kind', async () => {
    const path = stand.serve(answer(304, ['ETag: "a"', 'Cache-Control: max-age=60']), answer(304, []), fresh('good'))
    const first = await stand.get(path)

    expect(first.status).not.toBe(200)
    await stand.get(path)
    expect((await stand.get(path)).text).toBe('good')
  })

  it('does not renew by a 304 what came without any validator', async () => {
    const path = stand.serve(ok(['Cache-Control: max-age=10', 'Age: 20'], 'old'), ({ request }) =>
      request.has('if-none-match') || request.has('if-modified-since') ? same() : fresh('new'),
    )
    await stand.get(path)

    expect((await stand.get(path)).text).toBe('new')
  })

  it.each<[string, Script]>([
    ['a 200', fresh('new', 'ETag: "b"')],
    ['a 200 with the same tag', fresh('new', 'ETag: "a"')],
    ['a 404', answer(404, ['Cache-Control: max-age=60'], 'new')],
    ['a redirect', answer(301, ['Cache-Control: max-age=60', 'Location: /x'], 'new')],
  ])('replaces what is stored by %s', async (_, next) => {
    const path = stand.serve(aged(), next)
    await stand.get(path)

    expect((await stand.get(path)).text).toBe('new')
    expect((await stand.get(path)).text).toBe('new')
    expect(stand.hits(path)).toBe(2)
  })

  it('forgets what is stored when its revalidation may not be stored', async () => {
    const path = stand.serve(aged(), ok(['Cache-Control: no-store'], 'secret'), fresh('new'))
    await stand.get(path)
    await stand.get(path)

    expect((await stand.get(path)).text).toBe('new')
  })

  it('does not serve as fresh what HEAD showed to have changed', async () => {
    const path = stand.serve(({ request, index }) => {
      if (request.method === 'HEAD') return fresh('', 'ETag: "b"', 'Content-Length: 9')
      return index === 0 ? aged() : fresh('new', 'ETag: "b"')
    })
    await stand.get(path)
    await stand.ask(`HEAD ${path}`)

    expect((await stand.get(path)).text).toBe('new')
  })

  it('drops what is stored when a 304 says no-store', async () => {
    const path = stand.serve(aged(), answer(304, ['ETag: "a"', 'Cache-Control: no-store']), fresh('new'))
    await stand.get(path)
    await stand.get(path)

    expect((await stand.get(path)).text).toBe('new')
  })

  it('obeys a Vary that a 304 brings', async () => {
    const path = stand.serve(aged(), same('Vary: X'), ({ request }) => fresh(String(request.get('x')), 'Vary: X'))
    await stand.get(path, ['X: 1'])
    await stand.get(path, ['X: 1'])

    expect((await stand.get(path, ['X: 2'])).text).toBe('2')
  })

  it('renews the variant it asked about and no other', async () => {
    const path = stand.serve((call: Call) => {
      const x = String(call.request.get('x'))
      if (call.index < 2) return ok(['Cache-Control: max-age=10', 'Age: 20', `ETag: "${x}"`, 'Vary: X'], `old ${x}`)
      const tags = call.request.get('if-none-match') ?? ''
      return call.index === 2 && tags.includes('"1"')
        ? answer(304, ['ETag: "1"', 'Cache-Control: max-age=60', 'Vary: X'])
        : fresh(`new ${x}`, 'Vary: X')
    })
    await stand.get(path, ['X: 1'])
    await stand.get(path, ['X: 2'])

    expect((await stand.get(path, ['X: 1'])).text).toBe('old 1')
    expect((await stand.get(path, ['X: 2'])).text).toBe('new 2')
    expect((await stand.get(path, ['X: 1'])).text).toBe('old 1')
  })
})

describe('hostile: conditions of clients', () => {
  it.each<[string, FieldLine[], number]>([
    ['the tag', ['If-None-Match: "a"'], 304],
    ['the tag in weak form', ['If-None-Match: W/"a"'], 304],
    ['the tag among others', ['If-None-Match: "x", "a,b", W/"y","a"'], 304],
    ['the tag on a second line', ['If-None-Match: "x"', 'If-None-Match: "a"'], 304],
    ['*', ['If-None-Match: *'], 304],
    ['another tag', ['If-None-Match: "b"'], 200],
    ['a tag that contains it', ['If-None-Match: "x", "xa", "ax"'], 200],
    ['a tag without quotes', ['If-None-Match: a'], 200],
    ['a tag in capitals', ['If-None-Match: "A"'], 200],
    ['the time of the change', [`If-Modified-Since: ${MODIFIED}`], 304],
    ['a later time', [`If-Modified-Since: ${ago(60)}`], 304],
    ['an earlier time', [`If-Modified-Since: ${ago(90_000)}`], 200],
    ['no time', ['If-Modified-Since: yesterday'], 200],
    ['another tag and the time of the change', ['If-None-Match: "b"', `If-Modified-Since: ${MODIFIED}`], 200],
    ['the tag and an earlier time', ['If-None-Match: "a"', `If-Modified-Since: ${ago(90_000)}`], 304],
  ])('answers a condition with %s from the store', async (_, lines, status) => {
    const path = stand.serve(
      fresh(
        'body',
        'ETag: "a"',
        `Last-Modified: ${MODIFIED}`,
        'Vary: X',
        'Expires: Thu, 01 Jan 2099 00:00:00 GMT',
        'Content-Location: /x',
      ),
    )
    await stand.get(path)
    const reply = await stand.get(path, lines)

    expect([reply.status, reply.text]).toEqual([status, status === 304 ? '' : 'body'])
    for (const name of ['etag', 'cache-control', 'date', 'vary', 'expires', 'content-location'])
      expect(reply.has(name)).toBe(true)
    expect(stand.hits(path)).toBe(1)
  })

  it.each<[string, FieldLine]>([
    ['If-Match', 'If-Match: "b"'],
    ['If-Unmodified-Since', `If-Unmodified-Since: ${ago(100_000)}`],
  ])('leaves %s to the origin', async (name, line) => {
    const path = stand.serve(({ request }) =>
      request.has(name) ? answer(412, []) : fresh('body', 'ETag: "a"', `Last-Modified: ${MODIFIED}`),
    )
    await stand.get(path)

    expect((await stand.get(path, [line])).status).toBe(412)
    expect((await stand.get(path)).text).toBe('body')
  })

  it('passes 304 to the client whose own tag it confirms, and gives others the whole', async () => {
    const path = stand.serve(({ request }) =>
      request.get('if-none-match')?.includes('"mine"')
        ? answer(304, ['ETag: "mine"', 'Cache-Control: max-age=60'])
        : fresh('body', 'ETag: "mine"'),
    )
    const mine = await stand.get(path, ['If-None-Match: "mine"'])
    const whole = await stand.get(path)

    expect([304, 200]).toContain(mine.status)
    expect([whole.status, whole.text]).toEqual([200, 'body'])
  })

  it('does not renew what is stored by a 304 for the tag of a client', async () => {
    const path = stand.serve(
      aged('old'),
      ({ request }) =>
        request.get('if-none-match')?.includes('"b"')
          ? answer(304, ['ETag: "b"', 'Cache-Control: max-age=60'])
          : fresh('new', 'ETag: "b"'),
      fresh('new', 'ETag: "b"'),
    )
    await stand.get(path)
    const conditional = await stand.get(path, ['If-None-Match: "b"'])

    expect(conditional.status).toBe(304)
    expect((await stand.get(path)).text).toBe('new')
  })

  it('answers a condition on what was just revalidated', async () => {
    const path = stand.serve(aged('body'), same())
    await stand.get(path)
    const reply = await stand.get(path, ['If-None-Match: "a"'])

    expect([reply.status, reply.text]).toEqual([304, ''])
    expect((await stand.get(path)).text).toBe('body')
  })

  it('does not let a condition of one client decide what another gets', async () => {
    const held = Promise.withResolvers<void>()
    const path = stand.serve(async ({ request }) => {
      await held.promise
      return request.has('if-none-match') ? answer(304, ['ETag: "a"']) : fresh('body', 'ETag: "a"')
    })
    const conditional = stand.get(path, ['If-None-Match: "a"'])
    await stand.origin.reached(path, 1)
    const plain = stand.get(path)
    await new Promise((resolve) => setTimeout(resolve, 20))
    held.resolve()

    expect([304, 200]).toContain((await conditional).status)
    expect([(await plain).status, (await plain).text]).toEqual([200, 'body'])
  })

  it('applies conditions to HEAD as well', async () => {
    const path = stand.serve(fresh('body', 'ETag: "a"'))
    await stand.get(path)

    expect((await stand.ask(`HEAD ${path}`, ['If-None-Match: "a"'])).status).toBe(304)
  })

  it('does not apply conditions to a stored error', async () => {
    const path = stand.serve(answer(404, ['Cache-Control: max-age=60', 'ETag: "a"'], 'none'))
    await stand.get(path)

    expect((await stand.get(path, ['If-None-Match: "a"'])).status).toBe(404)
  })
})
