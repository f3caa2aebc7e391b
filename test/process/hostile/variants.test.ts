/**
 * Vary: an answer is given only to requests for which the origin would have chosen it.
 *
 * RFC 9110 section 12.5.5; RFC 9111 section 4.1.
 */
import { describe, expect, it } from 'vitest'
import { createStand } from '../../support/hostile-stand.ts'
import type { FieldLine } from '../../support/raw-message.ts'
import { answer, fresh, ok, type Script } from '../../support/raw-origin.ts'

const stand = createStand()

/** Answers what the request's fields were, varying on them. */
const echo =
  (...names: string[]): Script =>
  ({ request }) =>
    fresh(names.map((name) => JSON.stringify(request.all(name))).join(';'), `Vary: ${names.join(', ')}`)

describe('hostile: variants', () => {
  it('keeps a variant for every value, and shares each', async () => {
    const path = stand.serve(echo('x'))
    for (let round = 0; round < 2; round += 1) {
      for (const value of ['a', 'b', 'A', 'a,b', 'a, b ', '']) {
        expect((await stand.get(path, [`X: ${value}`])).text).toContain(value.trim())
      }
    }

    expect((await stand.get(path, ['X: a'])).text).toBe('["a"]')
    expect((await stand.get(path, ['X: A'])).text).toBe('["A"]')
    expect(stand.hits(path)).toBeLessThanOrEqual(6)
  })

  it.each<[string, string, FieldLine[], FieldLine[]]>([
    ['an absent field and an empty one', 'X', [], ['X:']],
    ['an absent field and a given one', 'X', [], ['X: a']],
    ['values split otherwise between two fields', 'X, Y', ['X: a', 'Y: b'], ['X: a, b']],
    ['values swapped between two fields', 'X, Y', ['X: a', 'Y: b'], ['X: b', 'Y: a']],
    ['a value that spells a separator and another field', 'X, Y', ['X: a|y=b'], ['X: a', 'Y: b']],
    ['a value with a tab that could be a separator', 'X, Y', ['X: a\tb'], ['X: a', 'Y: b']],
    ['a value with a colon and a name', 'X, Y', ['X: a, y: b'], ['X: a', 'Y: b']],
    ['a value in JSON', 'X, Y', ['X: a","b'], ['X: a', 'Y: b']],
    ['a value and its percent-encoding', 'X', ['X: a b'], ['X: a%20b']],
    ['an absent first and an absent second field', 'X, Y', ['X: a'], ['Y: a']],
    ['cookies', 'Cookie', ['Cookie: user=1'], ['Cookie: user=2']],
    ['a cookie and none', 'Cookie', ['Cookie: user=1'], []],
    ['cookies in another order', 'Cookie', ['Cookie: a=1; b=2; a=3'], ['Cookie: a=3; b=2; a=1']],
    ['user agents', 'User-Agent', ['User-Agent: curl/8'], ['User-Agent: phone']],
    ['origins', 'Origin', ['Origin: https://a.test'], ['Origin: https://b.test']],
    ['an origin and none', 'Origin', [], ['Origin: null']],
    ['languages', 'Accept-Language', ['Accept-Language: de'], ['Accept-Language: en']],
    ['a language and its refusal', 'Accept-Language', ['Accept-Language: de'], ['Accept-Language: de;q=0']],
    ['weights of languages', 'Accept-Language', ['Accept-Language: de;q=0.9, en;q=0.1'], ['Accept-Language: de;q=0.1, en;q=0.9']],
    ['codings', 'Accept-Encoding', ['Accept-Encoding: gzip'], ['Accept-Encoding: br']],
    ['a coding and its refusal', 'Accept-Encoding', ['Accept-Encoding: gzip'], ['Accept-Encoding: gzip;q=0']],
    ['any coding and no coding', 'Accept-Encoding', ['Accept-Encoding: *'], ['Accept-Encoding: identity']],
    ['a coding and no field', 'Accept-Encoding', ['Accept-Encoding: gzip'], []],
    ['identity refused and not', 'Accept-Encoding', ['Accept-Encoding: gzip'], ['Accept-Encoding: gzip, identity;q=0']],
    ['weights of codings', 'Accept-Encoding', ['Accept-Encoding: gzip;q=1, br;q=0.1'], ['Accept-Encoding: gzip;q=0.1, br;q=1']],
    ['a name every object has', 'constructor', [], ['constructor: a']],
    ['another name every object has', '__proto__, toString', ['toString: a'], ['__proto__: a']],
    ['names of which one is in capitals', 'X-A, ACCEPT', ['Accept: text/html'], ['Accept: text/plain']],
  ])('tells %s apart', async (_, vary, first, second) => {
    const path = stand.serve(({ request }) => fresh(String(request.get('x-who')), `Vary: ${vary}`))

    expect((await stand.get(path, [...first, 'X-Who: first'])).text).toBe('first')
    expect((await stand.get(path, [...second, 'X-Who: second'])).text).toBe('second')
    expect((await stand.get(path, [...first, 'X-Who: third'])).text).not.toBe('second')
  })

  it.each<[string, string[]]>([
    ['*', ['*']],
    ['* behind a name', ['X, *']],
    ['* before a name', ['*, X']],
    ['* on a line of its own', ['X', '*']],
    ['a name that no field can have', ['"X"']],
    ['a name with a space inside', ['X Y']],
  ])('never uses an answer that varies on %s again', async (_, lines) => {
    const path = stand.serve((call) => fresh(String(call.index), ...lines.map((line): FieldLine => `Vary: ${line}`)))

    expect((await stand.get(path)).text).toBe('0')
    expect((await stand.get(path)).text).toBe('1')
  })

  it('reads Vary across lines and empty members', async () => {
    const path = stand.serve(({ request }) => fresh(`${request.get('x')}${request.get('y')}`, 'Vary: , X,', 'Vary:', 'Vary: ,,Y'))

    expect((await stand.get(path, ['X: 1', 'Y: 2'])).text).toBe('12')
    expect((await stand.get(path, ['X: 1', 'Y: 3'])).text).toBe('13')
    expect((await stand.get(path, ['X: 2', 'Y: 2'])).text).toBe('22')
    expect((await stand.get(path, ['X: 1', 'Y: 2'])).text).toBe('12')
    expect(stand.hits(path)).toBe(3)
  })

  it('never gives a variant to others because a later answer varies on another field', async () => {
    const path = stand.serve(({ request, index }) =>
      fresh(`${index}:${request.get('x')}:${request.get('y')}`, `Vary: ${index === 0 ? 'X' : 'Y'}`),
    )
    await stand.get(path, ['X: 1', 'Y: 1'])
    await stand.get(path, ['X: 2', 'Y: 2'])

    expect((await stand.get(path, ['X: 3', 'Y: 3'])).text).toBe('2:3:3')
    expect(['1:2:2', '3:2:4']).toContain((await stand.get(path, ['X: 2', 'Y: 4'])).text.replace(/^\d:2:4$/, '3:2:4'))
  })

  it('never gives an answer that varies to others because an earlier one did not', async () => {
    const path = stand.serve(ok(['Cache-Control: max-age=60', 'Age: 120'], 'for all'), ({ request }) =>
      fresh(String(request.get('x')), 'Vary: X'),
    )
    await stand.get(path, ['X: 1'])

    expect((await stand.get(path, ['X: 2'])).text).toBe('2')
    expect((await stand.get(path, ['X: 3'])).text).toBe('3')
    expect((await stand.get(path, ['X: 2'])).text).toBe('2')
  })

  it('varies redirects and errors like everything else', async () => {
    const path = stand.serve(({ request }) => answer(404, ['Cache-Control: max-age=60', 'Vary: X'], String(request.get('x'))))

    expect((await stand.get(path, ['X: 1'])).text).toBe('1')
    expect((await stand.get(path, ['X: 2'])).text).toBe('2')
    expect((await stand.get(path, ['X: 1'])).text).toBe('1')
    expect(stand.hits(path)).toBe(2)
  })

  it('never mixes 300 variants, whatever it keeps of them', async () => {
    const path = stand.serve(echo('x'))
    const client = stand.open()
    const texts: string[] = []
    for (let round = 0; round < 2; round += 1) {
      for (let i = 0; i < 300; i += 1) texts.push((await client.ask(`GET ${path}`, [`X: ${i}`]).answer()).text)
    }
    client.destroy()

    expect(texts).toEqual([...Array(600).keys()].map((i) => `["${i % 300}"]`))
  })

  it('chooses by the field as the client sent it, not by what was made of it for the origin', async () => {
    const path = stand.serve(({ request }) => fresh(String(request.get('x-forwarded-host')), 'Vary: X-Forwarded-Host'))

    expect((await stand.get(path, ['X-Forwarded-Host: evil.test'])).text).toBe('a.test')
    expect((await stand.get(path)).text).toBe('a.test')
  })

  it('keeps what varies on Host or a field of the connection apart by Host', async () => {
    const path = stand.serve(({ request }) => fresh(String(request.get('host')), 'Vary: Host'))

    expect((await stand.get(path)).text).toBe('a.test')
    expect((await stand.get(path, ['Host: b.test'])).text).toBe('b.test')
    expect((await stand.get(path)).text).toBe('a.test')
    expect(stand.hits(path)).toBe(2)
  })

  it('names the fields it chose by to the client', async () => {
    const path = stand.serve(fresh('x', 'Vary: X, Accept-Encoding'))
    await stand.get(path)

    expect((await stand.get(path)).get('vary')?.toLowerCase().split(/, */)).toEqual(['x', 'accept-encoding'])
  })
})
