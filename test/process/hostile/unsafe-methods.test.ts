/**
 * Writes: what an unsafe method may have changed is not served again, on any path and in no variant.
 *
 * RFC 9110 section 9.2.1; RFC 9111 section 4.4; RFC 9875.
 */
import { describe, expect, it } from 'vitest'
import { createStand } from '../../support/hostile-stand.ts'
import type { FieldLine } from '../../support/raw-message.ts'
import { answer, fresh, ok, type Script } from '../../support/raw-origin.ts'

const stand = createStand()

/** GETs are storable and numbered; everything else is answered so. */
function resource(written: Script, ...lines: FieldLine[]): string {
  return stand.serve(async (call) => {
    if (['GET', 'QUERY', 'HEAD'].includes(call.request.method)) return fresh(`${call.request.method} ${call.index}`, ...lines)
    return typeof written === 'function' ? written(call) : written
  })
}

const WRITTEN = ok([], 'written')

/** Whether a GET is answered anew. */
async function isForgotten(target: string, lines: FieldLine[] = []): Promise<boolean> {
  const path = target.split('?', 1)[0] as string
  const before = stand.hits(path)
  await stand.get(target, lines)
  return stand.hits(path) > before
}

describe('hostile: unsafe methods', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'MKCOL', 'PROPPATCH'])('forgets what %s may have changed', async (method) => {
    const path = resource(WRITTEN)
    await stand.get(path)
    const reply = await stand.ask(`${method} ${path}`, [], 'x')
    if (reply.status === 405) return

    expect(reply.text).toBe('written')
    expect(await isForgotten(path)).toBe(true)
  })

  it.each([200, 201, 202, 204, 205, 301, 302, 303, 307, 308])('forgets it when the answer is %i', async (status) => {
    const path = resource(answer(status, status === 205 ? ['Content-Length: 0'] : []))
    await stand.get(path)
    await stand.ask(`POST ${path}`, [], 'x')

    expect(await isForgotten(path)).toBe(true)
  })

  it.each([400, 401, 403, 404, 409, 500, 503])('keeps it when the answer is %i', async (status) => {
    const path = resource(answer(status, []))
    await stand.get(path)
    await stand.ask(`DELETE ${path}`)

    expect(await isForgotten(path)).toBe(false)
  })

  it.each(['OPTIONS', 'HEAD', 'QUERY'])('keeps it on %s', async (method) => {
    const path = resource(WRITTEN)
    await stand.get(path)
    await stand.ask(
      `${method} ${path}`,
      method === 'QUERY' ? ['Content-Type: text/plain'] : [],
      method === 'QUERY' ? 'x' : undefined,
    )

    expect(await isForgotten(path)).toBe(false)
  })

  it('forgets every variant', async () => {
    const path = resource(WRITTEN, 'Vary: X')
    for (const x of ['1', '2', '3']) await stand.get(path, [`X: ${x}`])
    await stand.ask(`POST ${path}`, ['X: 9'], 'x')

    for (const x of ['1', '2', '3']) expect(await isForgotten(path, [`X: ${x}`])).toBe(true)
  })

  it('forgets what QUERY was answered', async () => {
    const path = resource(WRITTEN)
    const query = (): Promise<{ text: string }> => stand.ask(`QUERY ${path}`, ['Content-Type: text/plain'], 'q')
    const first = await query()
    expect((await query()).text).toBe(first.text)
    await stand.ask(`PUT ${path}`, [], 'x')

    expect((await query()).text).not.toBe(first.text)
  })

  it('forgets exactly the target that was written, query included', async () => {
    const path = resource(WRITTEN)
    await stand.get(`${path}?a=1`)
    await stand.get(`${path}?a=2`)
    await stand.ask(`POST ${path}?a=1`, [], 'x')

    expect(await isForgotten(`${path}?a=1`)).toBe(true)
    expect(await isForgotten(`${path}?a=2`)).toBe(false)
  })

  it('does not forget the same path of another host', async () => {
    const path = resource(WRITTEN)
    await stand.get(path, ['Host: b.test'])
    await stand.ask(`POST ${path}`, [], 'x')

    expect(await isForgotten(path, ['Host: b.test'])).toBe(false)
  })

  it.each<[string, (path: string) => FieldLine, boolean]>([
    ['Location with a path', (path) => `Location: ${path}`, true],
    ['Content-Location with a path', (path) => `Content-Location: ${path}`, true],
    ['Location with the whole URL', (path) => `Location: http://a.test${path}`, true],
    ['Location with the default port', (path) => `Location: http://a.test:80${path}`, true],
    ['Location with the host in capitals', (path) => `Location: http://A.TEST${path}`, true],
    ['Location relative to the target', (path) => `Location: .${path}`, true],
    ['Location with a fragment', (path) => `Location: ${path}#there`, true],
    ['Content-Location relative to the host', (path) => `Content-Location: //a.test${path}`, true],
    ['Location of another host', (path) => `Location: http://b.test${path}`, false],
    ['Content-Location of another host', (path) => `Content-Location: http://b.test${path}`, false],
    ['Location of another port', (path) => `Location: http://a.test:81${path}`, false],
    ['Location of another scheme', (path) => `Location: https://a.test${path}`, false],
    ['Location that is no URL', () => 'Location: http://[', false],
  ])('forgets what %s names only where it is of this origin', async (_, line, forgotten) => {
    const other = resource(WRITTEN)
    const path = resource(({ request }) => ok([line(other)], request.method))
    await stand.get(other)
    await stand.get(other, ['Host: b.test'])
    await stand.ask(`POST ${path}`, [], 'x')

    expect(await isForgotten(other)).toBe(forgotten)
    expect(await isForgotten(other, ['Host: b.test'])).toBe(false)
  })

  it('does not let a GET or a failed POST forget what its Location names', async () => {
    const other = resource(WRITTEN)
    const path = stand.serve(({ request }) =>
      answer(request.method === 'GET' ? 302 : 500, [`Location: ${other}`, `Content-Location: ${other}`]),
    )
    await stand.get(other)
    await stand.get(path)
    await stand.ask(`POST ${path}`, [], 'x')

    expect(await isForgotten(other)).toBe(false)
  })

  it('keeps no answer of a GET that began before a write and came after it', async () => {
    const old = Promise.withResolvers<void>()
    const path = stand.serve(async ({ request, index }) => {
      if (request.method !== 'GET') return WRITTEN
      if (index === 0) await old.promise
      return fresh(index === 0 ? 'old' : 'new')
    })
    const slow = stand.get(path)
    await stand.origin.reached(path, 1)
    await stand.ask(`PUT ${path}`, [], 'x')
    const after = stand.get(path)
    await stand.origin.reached(path, 3)
    old.resolve()

    expect((await slow).text).toBe('old')
    expect((await after).text).toBe('new')
    expect((await stand.get(path)).text).toBe('new')
  })

  it('renews nothing by a 304 that was asked for before a write', async () => {
    const old = Promise.withResolvers<void>()
    const path = stand.serve(async ({ request, index }) => {
      if (request.method !== 'GET') return WRITTEN
      if (index === 0) return ok(['Cache-Control: max-age=10', 'Age: 20', 'ETag: "a"'], 'old')
      if (index > 1) return fresh('new', 'ETag: "b"')
      await old.promise
      return answer(304, ['ETag: "a"', 'Cache-Control: max-age=60'])
    })
    await stand.get(path)
    const slow = stand.get(path)
    await stand.origin.reached(path, 2)
    await stand.ask(`PATCH ${path}`, [], 'x')
    old.resolve()
    await slow

    expect((await stand.get(path)).text).toBe('new')
  })

  it('forgets as soon as the head of a success is there, even if its body breaks off', async () => {
    const path = resource((call) => {
      call.write('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf')
      call.end()
    })
    await stand.get(path)
    await stand.ask(`POST ${path}`, [], 'x').catch(() => undefined)

    expect(await isForgotten(path)).toBe(true)
  })

  it('forgets although the client of the write is gone before its answer', async () => {
    const answered = Promise.withResolvers<void>()
    const path = resource(async () => {
      await answered.promise
      return WRITTEN
    })
    await stand.get(path)
    const client = stand.open().ask(`POST ${path}`, [], 'x')
    await stand.origin.reached(path, 2)
    client.destroy()
    await new Promise((resolve) => setTimeout(resolve, 30))
    answered.resolve()
    await new Promise((resolve) => setTimeout(resolve, 30))

    expect(await isForgotten(path)).toBe(true)
  })

  it('forgets when a write got no answer: it may have happened', async () => {
    const path = resource((call) => call.reset())
    await stand.get(path)
    await stand.ask(`POST ${path}`, [], 'x')

    expect(await isForgotten(path)).toBe(true)
  })

  it('never answers a write from the store, whatever its answer says', async () => {
    const path = stand.serve(({ index }) => fresh(`write ${index}`))
    const texts: string[] = []
    for (const method of ['POST', 'POST', 'PUT', 'PUT', 'DELETE', 'DELETE'])
      texts.push((await stand.ask(`${method} ${path}`, [], 'x')).text)

    expect(new Set(texts).size).toBe(6)
  })

  it('never answers a GET with what a write was answered', async () => {
    const path = resource(({ request }) => fresh('written', `Content-Location: ${request.target}.other`))
    await stand.ask(`POST ${path}`, [], 'x')

    expect((await stand.get(path)).text).toMatch(/^GET/)
  })
})

describe('hostile: groups', () => {
  const grouped = (group: string): string => stand.serve(({ index }) => fresh(String(index), `Cache-Groups: ${group}`))

  it('forgets a group that a write names, and no other', async () => {
    const paths = [grouped('"one"'), grouped('"two", "one"'), grouped('"One"'), grouped('"two"')]
    for (const path of paths) await stand.get(path)
    const write = stand.serve(ok(['Cache-Group-Invalidation: "one"'], ''))
    await stand.ask(`POST ${write}`, [], 'x')

    expect(await Promise.all(paths.map((path) => isForgotten(path)))).toEqual([true, true, false, false])
  })

  it.each<[string, string, FieldLine[]]>([
    ['a GET', 'GET', []],
    ['a write to another host', 'POST', ['Host: b.test']],
  ])('does not let %s forget a group', async (_, method, lines) => {
    const path = grouped('"g3"')
    await stand.get(path)
    const write = stand.serve(ok(['Cache-Group-Invalidation: "g3"'], ''))
    await stand.ask(`${method} ${write}`, lines, method === 'POST' ? 'x' : undefined)

    expect(await isForgotten(path)).toBe(false)
  })

  it('forgets every group that a write names, however many and however long', async () => {
    const names = [...Array.from({ length: 400 }, (_, index) => `m${index}`), '%'.repeat(250)]
    const paths = [grouped('"m399"'), grouped(`"${'%'.repeat(250)}"`)]
    for (const path of paths) await stand.get(path)
    const write = stand.serve(ok([`Cache-Group-Invalidation: ${names.map((name) => `"${name}"`).join(', ')}`], 'done'))

    expect((await stand.ask(`POST ${write}`, [], 'x')).text).toBe('done')
    expect(await Promise.all(paths.map((path) => isForgotten(path)))).toEqual([true, true])
  })

  it('ignores groups that are no list of strings', async () => {
    const path = grouped('"g4"')
    await stand.get(path)
    const write = stand.serve(ok(['Cache-Group-Invalidation: g4, "g4'], ''))
    await stand.ask(`POST ${write}`, [], 'x')

    expect(await isForgotten(path)).toBe(false)
  })
})
