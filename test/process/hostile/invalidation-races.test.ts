/**
 * Invalidation while something is under way: once it is acknowledged, nobody who comes later gets what was before it.
 *
 * Every way of naming a response times every way of getting one; whoever asked before may still get what he asked for.
 */
import { describe, expect, it } from 'vitest'
import { createStand } from '../../support/hostile-stand.ts'
import type { FieldLine } from '../../support/raw-message.ts'
import { answer, type Call, chunk, fresh, ok, type Script } from '../../support/raw-origin.ts'

const stand = createStand()

/** How a response is named, and how that is forgotten. */
interface Naming {
  readonly lines: FieldLine[]
  forget(path: string): Promise<unknown>
}

let counter = 0

const NAMINGS: Readonly<Record<string, () => Naming>> = {
  'a URL': () => ({ lines: [], forget: (path) => stand.gateway.invalidate({ urls: [`http://a.test${path}`] }) }),
  'Surrogate-Key': () => tagged((tag) => `Surrogate-Key: other ${tag}`),
  'Cache-Tag': () => tagged((tag) => `Cache-Tag: other,${tag}`),
  xkey: () => tagged((tag) => `xkey: ${tag} other`),
  'a prefix': () => ({ lines: [], forget: (path) => stand.gateway.invalidate({ prefixes: [`http://a.test${path}`] }) }),
  'a key': () => ({ lines: [], forget: (path) => stand.gateway.invalidate({ keys: [`http://a.test${path}`] }) }),
  'an event': () => {
    const id = (counter += 1)
    return {
      lines: [`Surrogate-Key: product:${id}`],
      forget: () => stand.gateway.invalidate({ events: [{ type: 'product.updated', id }] }),
    }
  },
  'a write': () => ({ lines: [], forget: (path) => stand.ask(`PUT ${path}`, [], 'x') }),
  'a group': () => {
    const group = `g${(counter += 1)}`
    return {
      lines: [`Cache-Groups: "${group}"`],
      forget: () => stand.ask(`POST ${stand.serve(ok([`Cache-Group-Invalidation: "${group}"`]))}`, [], 'x'),
    }
  },
}

function tagged(line: (tag: string) => FieldLine): Naming {
  const tag = `t${(counter += 1)}`
  return { lines: [line(tag)], forget: () => stand.gateway.invalidate({ tags: [tag] }) }
}

/** What the origin does for the GETs of a path; everything else is a write. */
interface Way {
  /** GETs before the race; they are answered at once. */
  readonly before: (lines: FieldLine[]) => readonly Buffer[]
  /** Answers the GET that races; `old` is what it would bring back. */
  readonly race: (call: Call, lines: FieldLine[], held: Promise<void>) => Promise<string | Uint8Array>
  /** Fields of the request that races. */
  readonly ask?: FieldLine[]
  /** Its method; default GET. */
  readonly method?: 'HEAD'
}

const AGED: FieldLine[] = ['Age: 20', 'ETag: "a"']

const WAYS: Readonly<Record<string, Way>> = {
  'a load': {
    before: () => [],
    async race(_, lines, held) {
      await held
      return fresh('old', ...lines)
    },
  },
  'a load that streams': {
    before: () => [],
    async race(call, lines, held) {
      call.write(ok(['Cache-Control: max-age=60', 'Transfer-Encoding: chunked', ...lines], chunk('ol')))
      await held
      return `${chunk('d')}0\r\n\r\n`
    },
  },
  'a revalidation': {
    before: (lines) => [ok(['Cache-Control: max-age=10', ...AGED, ...lines], 'old')],
    async race(_, lines, held) {
      await held
      return answer(304, ['ETag: "a"', 'Cache-Control: max-age=60', ...lines])
    },
  },
  'a replacement': {
    before: (lines) => [ok(['Cache-Control: max-age=10', ...AGED, ...lines], 'older')],
    async race(_, lines, held) {
      await held
      return fresh('old', ...lines)
    },
  },
  'a revalidation in the background': {
    before: (lines) => [ok(['Cache-Control: max-age=10, stale-while-revalidate=600', ...AGED, ...lines], 'old')],
    async race(_, lines, held) {
      await held
      return answer(304, ['ETag: "a"', 'Cache-Control: max-age=60', ...lines])
    },
  },
  'a load in the background': {
    before: (lines) => [ok(['Cache-Control: max-age=10, stale-while-revalidate=600', ...AGED, ...lines], 'older')],
    async race(_, lines, held) {
      await held
      return fresh('old', ...lines)
    },
  },
  'a load of a variant': {
    before: () => [],
    async race(_, lines, held) {
      await held
      return fresh('old', 'Vary: X', ...lines)
    },
  },
  'a revalidation of a variant': {
    before: (lines) => [ok(['Cache-Control: max-age=10', 'Vary: X', ...AGED, ...lines], 'old')],
    async race(_, lines, held) {
      await held
      return answer(304, ['ETag: "a"', 'Cache-Control: max-age=60', 'Vary: X', ...lines])
    },
  },
  'a load found by No-Vary-Search': {
    before: () => [],
    async race(_, lines, held) {
      await held
      return fresh('old', 'No-Vary-Search: key-order, params=("u")', ...lines)
    },
  },
  'a HEAD that renews': {
    before: (lines) => [ok(['Cache-Control: max-age=10', ...AGED, ...lines], 'old')],
    method: 'HEAD',
    async race(_, lines, held) {
      await held
      return ok(['ETag: "a"', 'Cache-Control: max-age=60', 'Content-Length: 3', ...lines])
    },
  },
  'a load of a part': {
    before: () => [],
    ask: ['Range: bytes=0-1'],
    async race(_, lines, held) {
      await held
      return fresh('old', 'ETag: "a"', ...lines)
    },
  },
}

const CASES = Object.keys(NAMINGS).flatMap((naming) => Object.keys(WAYS).map((way) => [naming, way] as const))

describe('hostile: invalidation races', () => {
  it.each(CASES)('gives nobody what was before %s was forgotten during %s', async (naming, way) => {
    const { lines, forget } = (NAMINGS[naming] as () => Naming)()
    const { before, race, ask = [], method = 'GET' } = WAYS[way] as Way
    const first = before(lines)
    const held = Promise.withResolvers<void>()
    const gets: Script[] = [...first, (call) => race(call, lines, held.promise), fresh('new', ...lines)]
    let got = 0
    const path = stand.serve((call) => {
      if (call.request.method !== 'GET' && call.request.method !== 'HEAD') return ok([], 'written')
      const script = gets[Math.min(got, gets.length - 1)] as Script
      got += 1
      return typeof script === 'function' ? script(call) : script
    })
    for (const _ of first) await stand.get(path)
    const racing = stand.ask(`${method} ${path}`, ask)
    await stand.origin.reached(path, first.length + 1)
    await forget(path)
    const late = stand.get(path)
    await new Promise((resolve) => setTimeout(resolve, 10)) // asks by itself, or waits for what it then must not take
    held.resolve()
    const during = await late
    const mine = await racing
    const later = [await stand.get(path), await stand.get(path)]
    await new Promise((resolve) => setTimeout(resolve, 10))
    later.push(await stand.get(path))

    expect(during.text).toBe('new')
    expect(['old', 'older', 'ol', 'new', 'ne', '']).toContain(mine.text)
    expect(mine.complete).toBe(true)
    expect(later.map((one) => one.text)).toEqual(['new', 'new', 'new'])
  })

  it.each(Object.keys(NAMINGS))('reaches all variants by %s', async (naming) => {
    const { lines, forget } = (NAMINGS[naming] as () => Naming)()
    const path = stand.serve(({ request, index }) =>
      request.method === 'GET' ? fresh(`${request.get('x')} ${index}`, 'Vary: X', ...lines) : ok([]),
    )
    for (const x of ['1', '2', '3']) await stand.get(path, [`X: ${x}`])
    await forget(path)
    const asked = stand.hits(path)
    for (const x of ['1', '2', '3']) await stand.get(path, [`X: ${x}`])

    expect(stand.hits(path)).toBe(asked + 3)
  })

  it.each(Object.keys(NAMINGS))('does not bring back for a failing origin what %s had forgotten', async (naming) => {
    const { lines, forget } = (NAMINGS[naming] as () => Naming)()
    const path = stand.serve(({ request, index }) => {
      if (request.method !== 'GET') return ok([])
      return index === 0 ? ok(['Cache-Control: max-age=60, stale-if-error=600', ...lines], 'old') : answer(503, [], 'down')
    })
    await stand.get(path)
    await forget(path)

    expect([(await stand.get(path)).status, (await stand.get(path)).status]).toEqual([503, 503])
  })

  it('forgets what was found under another URL by No-Vary-Search', async () => {
    const path = stand.serve(({ index }) => fresh(String(index), 'No-Vary-Search: params=("a")'))
    await stand.get(`${path}?a=1`)
    expect((await stand.get(`${path}?a=2`)).text).toBe('0')
    await stand.gateway.invalidate({ urls: [`http://a.test${path}?a=2`] })

    expect((await stand.get(`${path}?a=2`)).text).not.toBe('0')
  })

  it('counts only, when asked to', async () => {
    const path = stand.serve(({ index }) => fresh(String(index), 'Surrogate-Key: dry'))
    await stand.get(path)

    expect((await stand.gateway.invalidate({ tags: ['dry'], dryRun: true })).matched).toBe(1)
    expect((await stand.get(path)).text).toBe('0')
    expect((await stand.gateway.invalidate({ tags: ['dry'] })).matched).toBe(1)
    expect((await stand.get(path)).text).toBe('1')
  })

  it('does not serve as fresh what was softly forgotten', async () => {
    const path = stand.serve(({ index }) => fresh(String(index), 'Surrogate-Key: soft', 'ETag: "a"'))
    await stand.get(path)
    await stand.gateway.invalidate({ tags: ['soft'], soft: true })

    expect((await stand.get(path)).text).toBe('1')
  })

  it('takes tags as exact names', async () => {
    const path = stand.serve(({ index }) => fresh(String(index), 'Surrogate-Key: item:1'))
    await stand.get(path)
    await stand.gateway.invalidate({ tags: ['item:10', 'item:', 'ITEM:1', 'item'] })

    expect((await stand.get(path)).text).toBe('0')
  })

  it('keeps what is tagged beyond all limits out, rather than forget a tag of it', async () => {
    const tags = Array.from({ length: 5000 }, (_, index) => `many${index}`)
    const path = stand.serve(({ index }) =>
      fresh(String(index), `Surrogate-Key: ${tags.slice(0, 2500).join(' ')}`, `Surrogate-Key: ${tags.slice(2500).join(' ')}`),
    )
    await stand.get(path)
    await stand.gateway.invalidate({ tags: ['many4999'] })

    expect((await stand.get(path)).text).toBe('1')
  })

  it('stores nothing of a request that began before everything was forgotten', async () => {
    const held = Promise.withResolvers<void>()
    const path = stand.serve(async ({ index }) => {
      if (index === 0) await held.promise
      return fresh(String(index))
    })
    const slow = stand.get(path)
    await stand.origin.reached(path, 1)
    await stand.gateway.invalidate({ prefixes: ['http://a.test/', '/', 'GET', 'g'] }).catch(() => undefined)
    await stand.gateway.invalidate({ urls: [`http://a.test${path}`] })
    held.resolve()
    await slow

    expect((await stand.get(path)).text).toBe('1')
  })
})
