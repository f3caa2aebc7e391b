/**
 * Requests for the same at the same time: one question where the answer is for all, one each where it is not.
 *
 * RFC 9111 section 4 (collapsing), 3.3 (incomplete responses).
 */
import { describe, expect, it } from 'vitest'
import { createStand } from '../../support/hostile-stand.ts'
import type { Answer } from '../../support/raw-client.ts'
import type { FieldLine } from '../../support/raw-message.ts'
import { answer, chunk, fresh, ok, type Script } from '../../support/raw-origin.ts'

const stand = createStand()

const pause = (ms = 30): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Many GETs at once. */
function crowd(path: string, count: number, lines: (index: number) => FieldLine[] = () => []): Promise<Answer[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => stand.get(path, lines(index))))
}

describe('hostile: one question for many', () => {
  it('asks once for 100 callers of what is absent', async () => {
    const path = stand.serve(async () => {
      await pause(100)
      return fresh('body')
    })
    const replies = await crowd(path, 100)

    expect(new Set(replies.map((one) => `${one.status} ${one.text}`))).toEqual(new Set(['200 body']))
    expect(stand.hits(path)).toBe(1)
  })

  it('asks once for 50 callers of what has to be revalidated', async () => {
    const path = stand.serve(ok(['Cache-Control: max-age=10', 'Age: 20', 'ETag: "a"'], 'body'), async () => {
      await pause(100)
      return answer(304, ['ETag: "a"', 'Cache-Control: max-age=60'])
    })
    await stand.get(path)
    const replies = await crowd(path, 50)

    expect(new Set(replies.map((one) => `${one.status} ${one.text}`))).toEqual(new Set(['200 body']))
    expect(stand.hits(path)).toBe(2)
  })

  it('gives each follower its own answer: whole, head, part or 304', async () => {
    const held = Promise.withResolvers<void>()
    const path = stand.serve(async ({ request }) => {
      await held.promise
      return request.method === 'HEAD' ? fresh('', 'Content-Length: 10', 'ETag: "a"') : fresh('0123456789', 'ETag: "a"')
    })
    const whole = stand.get(path)
    await stand.origin.reached(path, 1)
    const others = [stand.ask(`HEAD ${path}`), stand.get(path, ['Range: bytes=2-4']), stand.get(path, ['If-None-Match: "a"'])]
    await pause()
    held.resolve()
    const [head, part, condition] = await Promise.all(others)

    expect((await whole).text).toBe('0123456789')
    expect([head?.status, head?.get('content-length')]).toEqual([200, '10'])
    expect([part?.status, part?.text]).toSatisfy(([status, text]) => (status === 206 ? text === '234' : text === '0123456789'))
    expect([200, 304]).toContain(condition?.status)
  })
})

const ONE_EACH: readonly (readonly [name: string, lines: FieldLine[]])[] = [
  ['private', ['Cache-Control: private, max-age=60']],
  ['no-store', ['Cache-Control: no-store']],
  ['no-cache', ['Cache-Control: no-cache']],
  ['max-age=0', ['Cache-Control: max-age=0']],
  ['nothing about freshness', []],
  ['a cookie', ['Cache-Control: max-age=60', 'Set-Cookie: a=b']],
  ['Vary: *', ['Cache-Control: max-age=60', 'Vary: *']],
]

describe('hostile: one question each', () => {
  it.each(ONE_EACH)('gives nobody else the answer that says %s, and makes nobody queue', async (_, lines) => {
    const all = Promise.withResolvers<void>()
    const first = Promise.withResolvers<void>()
    const path = stand.serve(async ({ index }) => {
      if (index === 0) await first.promise
      else await all.promise
      return ok(lines, `answer ${index}`)
    })
    const replies = crowd(path, 12)
    await stand.origin.reached(path, 1)
    await pause()
    first.resolve()
    await stand.origin.reached(path, 12) // all at once: a queue would never get here
    all.resolve()

    expect(new Set((await replies).map((one) => one.text)).size).toBe(12)
  })

  it('remembers for a while that a key is not for sharing', async () => {
    const all = Promise.withResolvers<void>()
    const path = stand.serve(ok(['Cache-Control: no-store'], 'mine'), async ({ index }) => {
      await all.promise
      return ok(['Cache-Control: no-store'], `answer ${index}`)
    })
    await stand.get(path)
    const replies = crowd(path, 10)
    await stand.origin.reached(path, 11)
    all.resolve()

    expect(new Set((await replies).map((one) => one.text)).size).toBe(10)
  })

  it('shares again when a key that was not for sharing becomes so', async () => {
    const path = stand.serve(ok(['Cache-Control: no-store'], 'mine'), fresh('shared'))
    await stand.get(path)
    await stand.get(path)
    await stand.get(path)

    expect(stand.hits(path)).toBe(2)
  })

  it.each<[string, (index: number) => FieldLine[], string]>([
    ['authorizations', (index) => [`Authorization: Bearer ${index}`], 'authorization'],
    ['cookies that the answer varies on', (index) => [`Cookie: user=${index}`], 'cookie'],
    ['values that the answer varies on', (index) => [`X: ${index}`], 'x'],
  ])('gives every caller with %s of its own its own answer', async (_, lines, name) => {
    const path = stand.serve(async ({ request }) => {
      await pause(20)
      return fresh(request.get(name) ?? '', ...(name === 'authorization' ? [] : [`Vary: ${name}` as FieldLine]))
    })
    const replies = await crowd(path, 10, lines)

    expect(replies.map((one) => one.text)).toEqual(replies.map((_one, index) => lines(index)[0]?.split(': ')[1]))
  })

  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('sends every %s', async (method) => {
    const path = stand.serve(async ({ index }) => {
      await pause(20)
      return fresh(String(index))
    })
    await Promise.all(Array.from({ length: 5 }, () => stand.ask(`${method} ${path}`, [], 'x')))

    expect(stand.hits(path)).toBe(5)
  })

  it('sends the first of many and lets the others decide for themselves when it is refused', async () => {
    const path = stand.serve(async ({ index }) => {
      await pause(20)
      return index === 0 ? answer(403, [], 'not you') : fresh('you')
    })
    const replies = await crowd(path, 5)

    expect(replies.filter((one) => one.status === 403).length).toBeLessThanOrEqual(1)
  })
})

describe('hostile: streams', () => {
  /** Half a body, then the rest when told. */
  function halves(size = 10): { script: Script; go: () => void } {
    const rest = Promise.withResolvers<void>()
    const script: Script = async (call) => {
      call.write(ok(['Cache-Control: max-age=60', 'Transfer-Encoding: chunked'], chunk('a'.repeat(size))))
      await rest.promise
      return `${chunk('b'.repeat(size))}0\r\n\r\n`
    }
    return { script, go: rest.resolve }
  }

  it('gives followers the first byte before the last one is there', async () => {
    const { script, go } = halves()
    const path = stand.serve(script)
    const clients = Array.from({ length: 5 }, () => stand.open().ask(`GET ${path}`))
    const heads = await Promise.all(clients.map((one) => one.head()))
    await Promise.all(clients.map((one) => one.sees('aaaaaaaaaa')))
    const late = stand.open().ask(`GET ${path}`)
    const lateHead = await late.head()
    await late.sees('aaaaaaaaaa')
    expect(stand.hits(path)).toBe(1)
    go()
    const replies = await Promise.all([...clients.map((one, index) => one.body(heads[index] as Answer)), late.body(lateHead)])

    expect(replies.map((one) => one.text)).toEqual(Array(6).fill('aaaaaaaaaabbbbbbbbbb'))
    for (const one of [...clients, late]) one.destroy()
  })

  it('goes on for the others when the client that came first leaves', async () => {
    const { script, go } = halves()
    const path = stand.serve(script, fresh('other'))
    const leader = stand.open().ask(`GET ${path}`)
    await leader.head()
    await leader.sees('aaaa')
    const follower = stand.open().ask(`GET ${path}`)
    const head = await follower.head()
    await follower.sees('aaaa')
    leader.destroy()
    await pause()
    go()
    const reply = await follower.body(head)

    expect([reply.text, reply.complete]).toEqual(['aaaaaaaaaabbbbbbbbbb', true])
    expect((await stand.get(path)).text).toBe('aaaaaaaaaabbbbbbbbbb')
    expect(stand.hits(path)).toBe(1)
    follower.destroy()
  })

  it('goes on for the others when the first leaves before there is a head', async () => {
    const held = Promise.withResolvers<void>()
    const path = stand.serve(async () => {
      await held.promise
      return fresh('body')
    })
    const leader = stand.open().ask(`GET ${path}`)
    await stand.origin.reached(path, 1)
    const follower = stand.get(path)
    await pause()
    leader.destroy()
    await pause()
    held.resolve()

    expect((await follower).text).toBe('body')
  })

  it('keeps nothing half when every client leaves', async () => {
    const { script, go } = halves()
    const path = stand.serve(script, fresh('new'))
    const clients = Array.from({ length: 3 }, () => stand.open().ask(`GET ${path}`))
    await Promise.all(clients.map((one) => one.head()))
    for (const one of clients) one.destroy()
    await pause()
    go()
    await pause()

    expect(['aaaaaaaaaabbbbbbbbbb', 'new']).toContain((await stand.get(path)).text)
  })

  it.each(['end', 'reset'] as const)('shows everybody that the origin broke off (%s), and keeps nothing', async (how) => {
    const broken = Promise.withResolvers<void>()
    const path = stand.serve(async (call) => {
      call.write(ok(['Cache-Control: max-age=60', 'Content-Length: 20'], 'aaaaaaaaaa'))
      await broken.promise
      call[how]()
    }, fresh('new'))
    const clients = Array.from({ length: 4 }, () => stand.open().ask(`GET ${path}`))
    const heads = await Promise.all(clients.map((one) => one.head()))
    await Promise.all(clients.map((one) => one.sees('aaaaaaaaaa')))
    broken.resolve()
    const replies = await Promise.all(clients.map((one, index) => one.body(heads[index] as Answer)))

    expect(replies.map((one) => one.complete)).toEqual([false, false, false, false])
    expect((await stand.get(path)).text).toBe('new')
  })

  it.each([300_000, 3_000_000])('does not let a client that reads nothing hold a body of %i bytes from others', async (size) => {
    const body = 'x'.repeat(size)
    const path = stand.serve(fresh(body))
    const slow = stand.open()
    slow.pause()
    slow.ask(`GET ${path}`)
    await stand.origin.reached(path, 1)
    const others = await crowd(path, 3)

    expect(others.map((one) => [one.complete, one.body.length])).toEqual(others.map(() => [true, size]))
    slow.resume()
    expect((await slow.answer()).body.length).toBe(size)
    slow.destroy()
  })

  it('sends the next question when the first broke before its answer', async () => {
    const path = stand.serve(async (call) => {
      await pause(20)
      if (call.index < 1) call.reset()
      else return fresh('good')
      return undefined
    })
    const replies = await crowd(path, 6)

    for (const one of replies) expect([200, 502]).toContain(one.status)
    expect((await stand.get(path)).text).toBe('good')
  })

  it('serves whole what was streamed to its first client', async () => {
    const { script, go } = halves(50_000)
    const path = stand.serve(script)
    go()
    const first = await stand.get(path)
    const hit = await stand.get(path)

    expect(hit.text).toBe(first.text)
    expect(hit.get('content-length')).toBe('100000')
    expect(stand.hits(path)).toBe(1)
  })
})
