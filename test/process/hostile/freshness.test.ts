/**
 * How old an answer may be: Age arithmetic, directives of both sides, stale windows, targeted policies, Cache-Status.
 *
 * RFC 9111 sections 4.2, 5.1 to 5.4; RFC 5861; RFC 9211; RFC 9213.
 */
import { parseList } from 'structured-headers'
import { describe, expect, it } from 'vitest'
import { createStand } from '../../support/hostile-stand.ts'
import type { FieldLine } from '../../support/raw-message.ts'
import { ago, answer, fresh, ok, type Script } from '../../support/raw-origin.ts'

const stand = createStand()

const counted =
  (...lines: FieldLine[]): Script =>
  ({ index }) =>
    ok(lines, `answer ${index}`)

/** Whether a second request is answered from the store. */
async function isShared(...lines: FieldLine[]): Promise<boolean> {
  const path = stand.serve(counted(...lines))
  await stand.get(path)
  return (await stand.get(path)).text === 'answer 0'
}

const CASES: [boolean, string, FieldLine[]][] = [
  [true, 'an age below its life', ['Cache-Control: max-age=60', 'Age: 50']],
  [false, 'an age equal to its life', ['Cache-Control: max-age=60', 'Age: 60']],
  [false, 'a Date as long ago as its life', ['Cache-Control: max-age=60', `Date: ${ago(65)}`]],
  [true, 'a Date that lies in the future', ['Cache-Control: max-age=60', `Date: ${ago(-600)}`]],
  [false, 'Age and Date of which one is too old', ['Cache-Control: max-age=60', `Date: ${ago(5)}`, 'Age: 61']],
  [true, 'several ages of which the first counts', ['Cache-Control: max-age=60', 'Age: 0', 'Age: 70']],
  [true, 'Expires later than Date', [`Expires: ${ago(-60)}`]],
  [false, 'Expires before Date', [`Date: ${ago(-600)}`, `Expires: ${ago(-300)}`]],
  [false, 'Expires that is no date', ['Expires: tomorrow']],
  [false, 'Expires twice, differing', [`Expires: ${ago(-60)}`, `Expires: ${ago(60)}`]],
  [false, 'max-age=0 beside a later Expires', ['Cache-Control: max-age=0', `Expires: ${ago(-60)}`]],
  [true, 'max-age beside an earlier Expires', ['Cache-Control: max-age=60', `Expires: ${ago(60)}`]],
  [false, 's-maxage=0 beside max-age', ['Cache-Control: max-age=60, s-maxage=0']],
  [true, 's-maxage beside max-age=0', ['Cache-Control: max-age=0, s-maxage=60']],
  [false, 'max-age twice, one of them 0', ['Cache-Control: max-age=60, max-age=0']],
  [false, 'max-age twice, the first 0', ['Cache-Control: max-age=0', 'Cache-Control: max-age=60']],
  [false, 'a negative max-age', ['Cache-Control: max-age=-60']],
  [false, 'a max-age in letters', ['Cache-Control: max-age=sixty']],
  [false, 'a max-age with letters behind it', ['Cache-Control: max-age=60s']],
  [false, 'an empty max-age beside Expires', ['Cache-Control: max-age=', `Expires: ${ago(-60)}`]],
  [false, 'max-age without a value', ['Cache-Control: max-age']],
  [false, 'a space before the sign', ['Cache-Control: max-age =60']],
  [false, 'a name that only ends so', ['Cache-Control: x-max-age=60']],
  [false, 'a name that only begins so', ['Cache-Control: max-age60=60']],
  [true, 'a name in capitals', ['Cache-Control: MAX-AGE=60']],
  [true, 'empty members', ['Cache-Control: , ,max-age=60,']],
  [true, 'unknown directives', ['Cache-Control: x, y=1, z="a, b", max-age=60']],
  [true, 'Pragma beside Cache-Control', ['Cache-Control: max-age=60', 'Pragma: no-cache']],
  [false, 'must-understand with a status nobody knows', ['Cache-Control: max-age=60, must-understand', 'X: 299']],
  [true, 'must-understand and no-store with a status everybody knows', ['Cache-Control: max-age=60, must-understand, no-store']],
  [true, 'CDN-Cache-Control beside no-store', ['Cache-Control: no-store', 'CDN-Cache-Control: max-age=60']],
  [false, 'CDN-Cache-Control: no-store beside max-age', ['Cache-Control: max-age=60', 'CDN-Cache-Control: no-store']],
  [false, 'CDN-Cache-Control: private beside max-age', ['Cache-Control: max-age=60', 'CDN-Cache-Control: private']],
  [false, 'CDN-Cache-Control: max-age=0 beside s-maxage', ['Cache-Control: s-maxage=60', 'CDN-Cache-Control: max-age=0']],
  [false, 'our own policy before the one of all CDNs', ['CDN-Cache-Control: max-age=60', 'forecache-cache-control: no-store']],
  [true, 'our own policy that allows', ['CDN-Cache-Control: no-store', 'forecache-cache-control: max-age=60']],
  [true, 'a targeted policy that is no dictionary', ['Cache-Control: max-age=60', 'CDN-Cache-Control: no-store, "']],
  [
    false,
    'a targeted policy that is no dictionary beside no-store',
    ['Cache-Control: no-store', 'CDN-Cache-Control: max-age=60,, x'],
  ],
  [true, 'an empty targeted policy', ['Cache-Control: max-age=60', 'CDN-Cache-Control:']],
  [false, 'a targeted max-age that is no number', ['Cache-Control: no-store', 'CDN-Cache-Control: max-age="60"']],
  [false, 'a targeted policy of another CDN', ['Cache-Control: no-store', 'Cloudflare-CDN-Cache-Control: max-age=60']],
  [false, 'Surrogate-Control, which nobody asked for', ['Cache-Control: no-store', 'Surrogate-Control: max-age=60']],
]

describe('hostile: freshness', () => {
  it.each(CASES)('shares (%s) an answer with %s', async (shared, _, lines) => {
    if (lines.includes('X: 299')) {
      const path = stand.serve(({ index }) => answer(299, lines, String(index)))
      await stand.get(path)
      expect((await stand.get(path)).text === '0').toBe(shared)
      return
    }
    expect(await isShared(...lines)).toBe(shared)
  })

  it('adds its own time to the age it was told, in one field', async () => {
    const path = stand.serve(ok(['Cache-Control: max-age=600', 'Age: 100', `Date: ${ago(40)}`], 'x'))
    await stand.get(path)
    const [age, ...more] = (await stand.get(path)).all('age')

    expect(more).toEqual([])
    expect(Number(age)).toBeGreaterThanOrEqual(100)
    expect(Number(age)).toBeLessThan(105)
  })

  it('takes the age from Date when that is greater', async () => {
    const path = stand.serve(ok(['Cache-Control: max-age=600', 'Age: 1', `Date: ${ago(40)}`], 'x'))
    await stand.get(path)

    expect(Number((await stand.get(path)).get('age'))).toBeGreaterThanOrEqual(40)
  })

  it('counts the time an answer took as age', async () => {
    const path = stand.serve(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1100))
      return ok(['Cache-Control: max-age=600'], 'x')
    })
    await stand.get(path)

    expect(Number((await stand.get(path)).get('age'))).toBeGreaterThanOrEqual(1)
  })

  it('asks anew when the second is over', async () => {
    const path = stand.serve(counted('Cache-Control: max-age=1'))
    await stand.get(path)
    await new Promise((resolve) => setTimeout(resolve, 1050))

    expect((await stand.get(path)).text).toBe('answer 1')
  })
})

describe('hostile: directives of requests', () => {
  it.each<[string, FieldLine[], boolean]>([
    ['no-cache', ['Cache-Control: no-cache'], false],
    ['max-age=0', ['Cache-Control: max-age=0'], false],
    ['a max-age below the age', ['Cache-Control: max-age=10'], false],
    ['a max-age above the age', ['Cache-Control: max-age=40'], true],
    ['a min-fresh beyond what is left', ['Cache-Control: min-fresh=50'], false],
    ['a min-fresh within what is left', ['Cache-Control: min-fresh=20'], true],
    ['no-store', ['Cache-Control: no-store'], true],
    ['Pragma: no-cache', ['Pragma: no-cache'], false],
    ['Pragma beside Cache-Control', ['Pragma: no-cache', 'Cache-Control: max-age=40'], true],
    ['only-if-cached', ['Cache-Control: only-if-cached'], true],
    ['max-stale', ['Cache-Control: max-stale'], true],
  ])('obeys %s', async (name, lines, shared) => {
    const path = stand.serve(counted('Cache-Control: max-age=60', 'Age: 20'))
    await stand.get(path)
    const reply = await stand.get(path, lines)

    if (name !== 'no-store') expect(reply.text).toBe(shared ? 'answer 0' : 'answer 1')
    if (shared && name !== 'no-store') expect(stand.hits(path)).toBe(1)
  })

  it('answers 504 to only-if-cached where nothing may be served, without asking', async () => {
    const path = stand.serve(ok(['Cache-Control: max-age=10', 'Age: 20'], 'x'))

    expect((await stand.get(path, ['Cache-Control: only-if-cached'])).status).toBe(504)
    expect(stand.hits(path)).toBe(0)
    await stand.get(path)
    expect((await stand.get(path, ['Cache-Control: only-if-cached'])).status).toBe(504)
    expect(stand.hits(path)).toBe(1)
  })

  it('serves stale for max-stale only as far as that goes, and never where the origin forbids', async () => {
    const path = stand.serve(counted('Cache-Control: max-age=10', 'Age: 20'))
    const strict = stand.serve(counted('Cache-Control: max-age=10, must-revalidate', 'Age: 20'))
    for (const one of [path, strict]) await stand.get(one)

    expect((await stand.get(path, ['Cache-Control: max-stale=5'])).text).toBe('answer 1')
    expect((await stand.get(strict, ['Cache-Control: max-stale'])).text).toBe('answer 1')
  })
})

describe('hostile: stale answers', () => {
  const stale = (...lines: string[]): FieldLine[] => [
    `Cache-Control: max-age=10${lines.map((one) => `, ${one}`).join('')}`,
    'Age: 20',
    'ETag: "a"',
  ]
  const down: Script = (call) => call.reset()

  it.each<[string, Script]>([
    ['that resets', down],
    ['that closes', (call) => call.end()],
    ['that answers 500', answer(500, [], 'down')],
    ['that answers 503', answer(503, [], 'down')],
    [
      'that answers nonsense',
      (call) => {
        call.write('nonsense\r\n\r\n')
        call.end()
      },
    ],
  ])('serves nothing stale unasked for an origin %s', async (_, script) => {
    const path = stand.serve(ok(stale(), 'old'), script)
    await stand.get(path)
    const reply = await stand.get(path)

    expect(reply.status).toBeGreaterThanOrEqual(500)
    expect(reply.text).not.toBe('old')
  })

  it.each<[string, string[], number]>([
    ['stale-if-error', ['stale-if-error=600'], 200],
    ['stale-if-error that is over', ['stale-if-error=5'], 503],
    ['must-revalidate beside stale-if-error', ['stale-if-error=600', 'must-revalidate'], 503],
    ['proxy-revalidate beside stale-if-error', ['stale-if-error=600', 'proxy-revalidate'], 503],
    ['s-maxage beside stale-if-error', ['s-maxage=10', 'stale-if-error=600'], 503],
    ['no-cache beside stale-if-error', ['no-cache', 'stale-if-error=600'], 503],
    ['a stale-if-error that is no number', ['stale-if-error=long'], 503],
  ])('goes by %s when the origin fails', async (_, lines, status) => {
    const path = stand.serve(ok(stale(...lines), 'old'), answer(503, [], 'down'))
    await stand.get(path)
    const reply = await stand.get(path)

    expect(reply.status).toBe(status)
    if (status === 200) expect([reply.text, Number(reply.get('age')) >= 20]).toEqual(['old', true])
  })

  it('takes 404 and 403 for answers, not for failures', async () => {
    for (const status of [403, 404]) {
      const path = stand.serve(ok(stale('stale-if-error=600'), 'old'), answer(status, [], 'gone'))
      await stand.get(path)

      expect((await stand.get(path)).status).toBe(status)
    }
  })

  it.each<[string, string[], boolean]>([
    ['stale-while-revalidate', ['stale-while-revalidate=600'], true],
    ['one that is over', ['stale-while-revalidate=5'], false],
    ['one beside must-revalidate', ['stale-while-revalidate=600', 'must-revalidate'], false],
    ['one beside no-cache', ['stale-while-revalidate=600', 'no-cache'], false],
    ['one beside s-maxage', ['stale-while-revalidate=600', 's-maxage=10'], false],
  ])('goes by %s', async (_, lines, served) => {
    const path = stand.serve(ok(stale(...lines), 'old'), fresh('new'))
    await stand.get(path)
    const reply = await stand.get(path)
    if (served) await stand.origin.reached(path, 2)

    expect(reply.text).toBe(served ? 'old' : 'new')
    expect(stand.hits(path)).toBe(2)
  })

  it('revalidates in the background once, however many ask', async () => {
    const held = Promise.withResolvers<void>()
    const path = stand.serve(ok(stale('stale-while-revalidate=600'), 'old'), async () => {
      await held.promise
      return fresh('new')
    })
    await stand.get(path)
    const replies = await Promise.all(Array.from({ length: 30 }, () => stand.get(path)))
    await stand.origin.reached(path, 2)
    held.resolve()

    expect(new Set(replies.map((one) => one.text))).toEqual(new Set(['old']))
    expect(stand.hits(path)).toBe(2)
  })

  it('drops a stale answer when its background revalidation says no-store', async () => {
    const path = stand.serve(
      ok(stale('stale-while-revalidate=600'), 'old'),
      ok(['Cache-Control: no-store'], 'secret'),
      ok(['Cache-Control: no-store'], 'mine'),
    )
    await stand.get(path)
    await stand.get(path)
    await stand.origin.reached(path, 2)
    await new Promise((resolve) => setTimeout(resolve, 30))

    expect((await stand.get(path)).text).toBe('mine')
  })

  it('does not tell the origin of one client’s credentials while it revalidates for all', async () => {
    const path = stand.serve(ok(stale('stale-while-revalidate=600', 'public'), 'old'), ({ request }) =>
      fresh(request.get('authorization') ?? 'nobody'),
    )
    await stand.get(path)
    await stand.get(path, ['Authorization: Bearer mine'])
    await stand.origin.reached(path, 2)
    await new Promise((resolve) => setTimeout(resolve, 30))

    expect((await stand.get(path)).text).not.toBe('Bearer mine')
  })
})

describe('hostile: Cache-Status', () => {
  it.each<[string, Script[], number, FieldLine[]]>([
    ['a miss', [fresh('x')], 1, []],
    ['a hit', [fresh('x')], 2, []],
    ['a revalidation', [ok(['Cache-Control: max-age=10', 'Age: 20', 'ETag: "a"'], 'x'), answer(304, ['ETag: "a"'])], 2, []],
    ['a bypass', [ok(['Cache-Control: no-store'], 'x')], 1, []],
    ['a request that wants no store', [fresh('x')], 1, ['Cache-Control: no-store']],
    ['a failure', [(call) => call.reset()], 1, []],
  ])('is well-formed and true for %s', async (name, scripts, times, lines) => {
    const path = stand.serve(...scripts)
    let reply = await stand.get(path, lines)
    for (let i = 1; i < times; i += 1) reply = await stand.get(path, lines)
    const list = parseList(reply.get('cache-status') ?? '')
    const [token, parameters] = list.at(-1) as [unknown, Map<string, unknown>]

    expect(list).toHaveLength(1)
    expect(String(token)).toBe('forecache')
    expect(parameters.has('hit') && parameters.has('fwd')).toBe(false)
    expect(parameters.get('hit') === true).toBe(name === 'a hit')
    if (name === 'a revalidation') expect([String(parameters.get('fwd')), parameters.get('fwd-status')]).toEqual(['stale', 304])
    if (name === 'a miss') expect([String(parameters.get('fwd')), parameters.get('stored')]).toEqual(['uri-miss', true])
    if (name === 'a bypass') expect(parameters.get('stored') ?? false).toBe(false)
    expect(reply.all('x-cache')).toHaveLength(1)
  })

  it('stands behind what caches nearer to the origin said', async () => {
    const path = stand.serve(fresh('x', 'Cache-Status: inner; hit; ttl=5', 'Cache-Status: second;fwd=miss'))
    await stand.get(path)
    const list = parseList((await stand.get(path)).get('cache-status') ?? '')

    expect(list.map(([token]) => String(token))).toEqual(['inner', 'second', 'forecache'])
  })

  it('stays well-formed behind one that is not', async () => {
    const path = stand.serve(fresh('x', 'Cache-Status: "inner; hit, ('))
    await stand.get(path)

    expect((await stand.get(path)).get('cache-status')).toContain('forecache')
  })
})
