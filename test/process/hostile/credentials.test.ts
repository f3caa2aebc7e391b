/**
 * What was meant for one client reaches no other: Authorization, cookies, private and no-cache, whole or by field.
 *
 * RFC 9111 sections 3, 3.5, 5.2.2.4, 5.2.2.7 and 7.3.
 */
import { describe, expect, it } from 'vitest'
import { createStand } from '../../support/hostile-stand.ts'
import type { FieldLine } from '../../support/raw-message.ts'
import { ago, answer, fresh, ok, type Script } from '../../support/raw-origin.ts'

const stand = createStand()

/** Every answer differs. */
const counted =
  (...lines: FieldLine[]): Script =>
  ({ index }) =>
    ok(lines, `answer ${index}`)

async function texts(path: string, ...requests: FieldLine[][]): Promise<string[]> {
  const found: string[] = []
  for (const lines of requests) found.push((await stand.get(path, lines)).text)
  return found
}

describe('hostile: Authorization', () => {
  const ALICE: FieldLine = 'Authorization: Basic YWxpY2U6eA=='
  const BOB: FieldLine = 'Authorization: Basic Ym9iOng='

  it.each([
    ['max-age=60', false],
    ['max-age=60, s-maxage', false],
    ['max-age=60, public=no-store, private', false],
    ['max-age=60, no-cache', false],
    ['max-age=60, proxy-revalidate', false],
    ['immutable, max-age=60', false],
    ['max-age=60, public', true],
    ['s-maxage=60', true],
    ['max-age=60, must-revalidate', false], // RFC 9111 section 3.5 would let it; the safe profile asks for plainer words
  ])('shares an answer to it that says %s: %s', async (control, shared) => {
    const path = stand.serve(counted(`Cache-Control: ${control}`))

    expect(await texts(path, [ALICE], [BOB], [])).toEqual(
      shared ? ['answer 0', 'answer 0', 'answer 0'] : ['answer 0', 'answer 1', 'answer 2'],
    )
  })

  it('does not share one that Expires alone makes fresh', async () => {
    const path = stand.serve(counted('Expires: Thu, 01 Jan 2099 00:00:00 GMT'))

    expect(await texts(path, [ALICE], [BOB])).toEqual(['answer 0', 'answer 1'])
  })

  it('does not share one of whatever scheme, spelt however', async () => {
    const path = stand.serve(counted('Cache-Control: max-age=60'))

    expect(await texts(path, ['AUTHORIZATION: Bearer a'], ['authorization:Bearer b'], ['Authorization:'], [])).toEqual([
      'answer 0',
      'answer 1',
      'answer 2',
      'answer 3',
    ])
  })

  it('does not answer who is signed in with a refusal meant for who was not', async () => {
    const path = stand.serve(answer(401, ['WWW-Authenticate: Basic realm="x"'], 'who are you'), fresh('hello'))

    expect((await stand.get(path)).status).toBe(401)
    expect((await stand.get(path, [ALICE])).status).toBe(200)
  })

  it('does not take a revalidation on behalf of one client for leave to share', async () => {
    const path = stand.serve(
      ok(['Cache-Control: max-age=10', 'Age: 20', 'ETag: "a"'], 'for all'),
      ok(['Cache-Control: max-age=60', 'ETag: "b"'], 'alice'),
      ok(['Cache-Control: max-age=60', 'ETag: "c"'], 'for all again'),
    )

    expect(await texts(path, [], [ALICE], [])).toEqual(['for all', 'alice', 'for all again'])
  })
})

describe('hostile: cookies', () => {
  it.each<[string, FieldLine[]]>([
    ['max-age', ['Cache-Control: max-age=60']],
    ['public', ['Cache-Control: public, max-age=60']],
    ['s-maxage', ['Cache-Control: s-maxage=60']],
    ['a targeted policy', ['CDN-Cache-Control: max-age=60']],
    ['Expires', ['Expires: Thu, 01 Jan 2099 00:00:00 GMT']],
    ['the field by name', ['Cache-Control: max-age=60, no-cache="Set-Cookie"']],
    ['the field by name in private', ['Cache-Control: max-age=60, private="set-cookie"']],
  ])('never gives a cookie set for one client to another, under %s', async (_, lines) => {
    const path = stand.serve(({ index }) => ok([...lines, `Set-Cookie: id=${index}`, 'Set-Cookie: b=c'], 'x'))

    expect((await stand.get(path)).all('set-cookie')).toEqual(['id=0', 'b=c'])
    expect((await stand.get(path)).all('set-cookie')).not.toContain('id=0')
  })

  it('never gives a cookie that came with a 304 to another client', async () => {
    const path = stand.serve(
      ok(['Cache-Control: max-age=10', 'Age: 20', 'ETag: "a"'], 'x'),
      answer(304, ['ETag: "a"', 'Cache-Control: max-age=60', 'Set-Cookie: id=1']),
      fresh('new'),
    )
    await stand.get(path)
    await stand.get(path)

    expect((await stand.get(path)).has('set-cookie')).toBe(false)
  })

  it('does not guess how long an answer to a request with cookies is fresh', async () => {
    const path = stand.serve(counted(`Last-Modified: ${ago(864_000)}`))

    expect(await texts(path, ['Cookie: user=1'], ['Cookie: user=2'])).toEqual(['answer 0', 'answer 1'])
  })
})

describe('hostile: private and no-store', () => {
  it.each([
    'private',
    'no-store',
    'PRIVATE',
    'max-age=60, private',
    'private, public',
    'public, no-store',
    'max-age=60,no-store',
    'private=""',
    'private, max-age=60',
    'max-age=60 , , private',
    'private="x',
    'max-age=60, private="x", no-store',
    'no-store="x", max-age=60',
    'private=x, private, max-age=60',
    'no-store=1, max-age=60',
    's-maxage=60, private',
    'max-age="60, no-store',
    'ext="a\\"b", private, max-age=60',
    'max-age=60, no-cache, no-store',
  ])('does not keep an answer that says %s', async (control) => {
    const path = stand.serve(counted(`Cache-Control: ${control}`))

    expect(await texts(path, [], [])).toEqual(['answer 0', 'answer 1'])
  })

  it('reads directives across lines', async () => {
    const path = stand.serve(counted('Cache-Control: public, max-age=60', 'Cache-Control: private'))

    expect(await texts(path, [], [])).toEqual(['answer 0', 'answer 1'])
  })

  it('does not look for directives inside quoted texts', async () => {
    const path = stand.serve(counted('Cache-Control: ext="no-store, private", max-age=60'))

    expect(await texts(path, [], [])).toEqual(['answer 0', 'answer 0'])
  })

  it('keeps nothing of a request that says no-store', async () => {
    const path = stand.serve(counted('Cache-Control: max-age=60'))

    expect(await texts(path, ['Cache-Control: no-store'], [])).toEqual(['answer 0', 'answer 1'])
  })

  it('asks the origin each time for an answer that says no-cache', async () => {
    const path = stand.serve(counted('Cache-Control: max-age=60, no-cache', 'ETag: "a"'))

    expect(await texts(path, [], [])).toEqual(['answer 0', 'answer 1'])
    expect(stand.seen(path)[1]?.get('if-none-match')).toBe('"a"')
  })

  it.each(['private', 'no-cache'])('never gives fields named in %s to others', async (directive) => {
    const path = stand.serve(({ index }) =>
      fresh(
        `answer ${index}`,
        `Cache-Control: ${directive}="X-User, x-MAIL"`,
        `X-User: u${index}`,
        `X-Mail: m${index}`,
        'X-Free: yes',
      ),
    )
    const first = await stand.get(path)
    const second = await stand.get(path)

    expect([first.get('x-user'), first.get('x-mail')]).toEqual(['u0', 'm0'])
    expect(second.get('x-user')).not.toBe('u0')
    expect(second.get('x-mail')).not.toBe('m0')
  })

  it.each(['private=X-User', 'private="X-User', 'no-cache=X-User', 'no-cache="X-User'])(
    'never gives a field to others that was named in a malformed %s',
    async (directive) => {
      const path = stand.serve(({ index }) => ok([`Cache-Control: max-age=60, ${directive}`, `X-User: u${index}`], 'x'))
      await stand.get(path)

      expect((await stand.get(path)).get('x-user')).not.toBe('u0')
    },
  )

  it.each(['no-cache', 'private'])('keeps its framing when Content-Length, Vary or ETag are named in %s', async (directive) => {
    const path = stand.serve(({ request }) =>
      fresh(
        String(request.get('x')),
        `Cache-Control: ${directive}="Content-Length, Vary, ETag, Date, Age"`,
        'Vary: X',
        'ETag: "a"',
      ),
    )

    expect((await stand.get(path, ['X: 1'])).text).toBe('1')
    expect((await stand.get(path, ['X: 2'])).text).toBe('2')
    expect((await stand.get(path, ['X: 1'])).text).toBe('1')
  })

  it('drops a stored answer when a 304 makes it private', async () => {
    const path = stand.serve(
      ok(['Cache-Control: max-age=10', 'Age: 20', 'ETag: "a"'], 'old'),
      answer(304, ['ETag: "a"', 'Cache-Control: private, max-age=60']),
      fresh('new'),
    )

    expect(await texts(path, [], [], [])).toEqual(['old', 'old', 'new'])
  })
})

describe('hostile: nothing is invented', () => {
  it.each<[string, FieldLine[]]>([
    ['nothing about freshness', []],
    ['only a tag', ['ETag: "a"']],
    ['only public', ['Cache-Control: public']],
    ['Expires in the past', ['Expires: Thu, 01 Jan 1970 00:00:00 GMT']],
    ['Expires 0', ['Expires: 0']],
    ['max-age=0', ['Cache-Control: max-age=0']],
    ['Pragma: no-cache', ['Pragma: no-cache']],
  ])('gives no answer twice that says %s', async (_, lines) => {
    const path = stand.serve(counted(...lines))

    expect(await texts(path, [], [])).toEqual(['answer 0', 'answer 1'])
  })
})
