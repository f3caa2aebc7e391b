/**
 * Answers that overtake each other: what was asked for later is newer, whatever comes in last.
 *
 * RFC 5861; RFC 9111 section 4 (the most recent response); section 4.3.4.
 */
import { describe, expect, it } from 'vitest'
import { createStand } from '../../support/hostile-stand.ts'
import type { FieldLine } from '../../support/raw-message.ts'
import { answer, chunk, fresh, ok } from '../../support/raw-origin.ts'

const stand = createStand()

const pause = (ms = 30): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const aged = (...more: string[]): FieldLine[] => [`Cache-Control: ${['max-age=10', ...more].join(', ')}`, 'Age: 20', 'ETag: "a"']

const LATE: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['an older body', fresh('older', 'ETag: "b"')],
  ['a 304', answer(304, ['ETag: "a"', 'Cache-Control: max-age=60'])],
  ['an answer that may not be stored', ok(['Cache-Control: no-store'], 'older')],
  ['a private answer', ok(['Cache-Control: private'], 'older')],
  ['a 404', answer(404, ['Cache-Control: max-age=60'], 'older')],
  ['a 503', answer(503, [], 'older')],
  ['a 503 that says how long', answer(503, ['Cache-Control: max-age=60'], 'older')],
]

describe('hostile: answers that come late', () => {
  it.each(LATE)('keeps what was asked for later when a refresh behind it brings %s', async (_, late) => {
    const held = Promise.withResolvers<void>()
    const path = stand.serve(
      ok(aged('stale-while-revalidate=600'), 'old'),
      async () => {
        await held.promise
        return late
      },
      fresh('newest', 'ETag: "c"'),
    )
    await stand.get(path)
    expect((await stand.get(path)).text).toBe('old')
    await stand.origin.reached(path, 2)
    expect((await stand.get(path, ['Cache-Control: no-cache'])).text).toBe('newest')
    held.resolve()
    await pause()

    expect((await stand.get(path)).text).toBe('newest')
    expect(stand.hits(path)).toBe(3)
  })

  it.each(LATE)('keeps what was asked for later when a load brings %s', async (name, late) => {
    if (name === 'a 304') return
    const held = Promise.withResolvers<void>()
    const path = stand.serve(async () => {
      await held.promise
      return late
    }, fresh('newest'))
    const slow = stand.get(path)
    await stand.origin.reached(path, 1)
    await pause(15)
    expect((await stand.get(path, ['Cache-Control: no-cache'])).text).toBe('newest')
    held.resolve()
    expect((await slow).text).toBe('older')

    expect((await stand.get(path)).text).toBe('newest')
    expect(stand.hits(path)).toBe(2)
  })

  it('keeps what was asked for later when a HEAD brings an older tag', async () => {
    const held = Promise.withResolvers<void>()
    const path = stand.serve(async ({ request, index }) => {
      if (request.method !== 'HEAD') return index === 0 ? ok(aged(), 'old') : fresh('newest', 'ETag: "c"')
      await held.promise
      return fresh('', 'ETag: "a"', 'Content-Length: 3')
    })
    await stand.get(path)
    const head = stand.ask(`HEAD ${path}`)
    await stand.origin.reached(path, 2)
    await stand.get(path, ['Cache-Control: no-cache'])
    held.resolve()
    await head

    expect((await stand.get(path)).text).toBe('newest')
  })

  it('does not let an origin that fails once take away what it may serve meanwhile', async () => {
    const path = stand.serve(
      ok(aged('stale-if-error=600', 'stale-while-revalidate=600'), 'old'),
      answer(503, [], 'down'),
      fresh('new'),
    )
    await stand.get(path)
    await stand.get(path)
    await stand.origin.reached(path, 2)
    await pause()

    expect(['old', 'new']).toContain((await stand.get(path)).text)
  })

  it('answers many at once from what is stale while the origin fails, and asks it little', async () => {
    const path = stand.serve(ok(aged('stale-if-error=600'), 'old'), async () => {
      await pause(20)
      return answer(503, [], 'down')
    })
    await stand.get(path)
    const replies = await Promise.all(Array.from({ length: 30 }, () => stand.get(path)))

    expect(new Set(replies.map((one) => one.text))).toEqual(new Set(['old']))
    expect(stand.hits(path)).toBeLessThan(5)
  })

  it('drops by a private targeted policy the fields it names', async () => {
    const path = stand.serve(({ index }) =>
      ok(['CDN-Cache-Control: max-age=60, private="X-User"', `X-User: u${index}`], String(index)),
    )
    await stand.get(path)
    const hit = await stand.get(path)

    expect(hit.get('x-user')).not.toBe('u0')
  })

  it('obeys max-stale of a client as far as it goes', async () => {
    const path = stand.serve(ok(aged(), 'old'), fresh('new'))
    await stand.get(path)

    const reply = await stand.get(path, ['Cache-Control: max-stale=60'])
    expect([reply.text, reply.get('x-cache')]).toEqual(['old', 'STALE'])
    expect((await stand.get(path, ['Cache-Control: max-stale=5'])).text).toBe('new')
  })

  it('serves nothing softly forgotten for max-stale as if nothing had happened', async () => {
    const path = stand.serve(ok(['Cache-Control: max-age=60', 'ETag: "a"', 'Surrogate-Key: late-soft'], 'old'), fresh('new'))
    await stand.get(path)
    await stand.gateway.invalidate({ tags: ['late-soft'], soft: true })

    expect((await stand.get(path, ['Cache-Control: max-stale=5'])).text).toBe('new')
  })
})

describe('hostile: streams that are nobody else’s', () => {
  it.each(['no-store', 'private'])('passes every piece of a stream that says %s on as it comes', async (control) => {
    const go = Promise.withResolvers<void>()
    const path = stand.serve(async (call) => {
      call.write(
        ok(
          [`Cache-Control: ${control}`, 'Content-Type: text/event-stream', 'Transfer-Encoding: chunked'],
          chunk(`data: ${call.index}`),
        ),
      )
      await go.promise
      return `${chunk('data: end')}0\r\n\r\n`
    })
    const clients = [stand.open(), stand.open()].map((one) => one.ask(`GET ${path}`))
    const heads = await Promise.all(clients.map((one) => one.head()))
    await Promise.all(clients.map((one) => one.sees('data: ')))
    go.resolve()
    const texts = await Promise.all(clients.map(async (one, index) => (await one.body(heads[index] as (typeof heads)[0])).text))

    expect(texts.sort()).toEqual(['data: 0data: end', 'data: 1data: end'])
    for (const one of clients) one.destroy()
  })

  it('lets the origin go when the client of such a stream has gone', async () => {
    const gone = Promise.withResolvers<void>()
    const path = stand.serve(async (call) => {
      call.write(ok(['Cache-Control: no-store', 'Transfer-Encoding: chunked'], chunk('data')))
      await call.closed
      gone.resolve()
    })
    const client = stand.open().ask(`GET ${path}`)
    await client.head()
    client.destroy()

    await gone.promise
    expect(stand.hits(path)).toBe(1)
  })
})
