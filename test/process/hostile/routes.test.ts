/**
 * Route policies under attack: what a route declares about its key never lets one client choose what another gets.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createStand } from '../../support/hostile-stand.ts'
import type { FieldLine } from '../../support/raw-message.ts'
import { fresh, ok } from '../../support/raw-origin.ts'

const folder = mkdtempSync(join(tmpdir(), 'forecache-hostile-'))
const file = join(folder, 'forecache.yaml')
writeFileSync(
  file,
  `routes:
  - name: page
    match: { path: /page/:id }
    budget: 60s
    tags: ['page:{id}']
  - name: kept
    match: { path: /kept/:id }
    budget: 60s
    key: { query: { keep: [a], defaults: { a: 1 } } }
  - name: personal
    match: { path: /personal/:id }
    budget: 60s
    key: { tier: { header: x-tier, tiers: [free, premium], anonymous: free }, cookies: [theme] }
  - name: language
    match: { path: /language/:id }
    budget: 60s
    key: { locale: { offered: [en, de], default: en } }
  - name: coded
    match: { path: /coded/:id }
    budget: 60s
    key: { encoding: [br, gzip] }
  - name: strict
    match: { path: /strict/:id }
    budget: 60s
    strict: true
`,
)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const stand = createStand(file)
let counter = 0

/** A path of a route, whose answers tell what they were asked. */
function mirror(route: string, ...lines: FieldLine[]): string {
  counter += 1
  const path = `/${route}/${counter}`
  stand.origin.on(path, ({ request, index }) =>
    ok(
      lines,
      `${index} ${request.target} ${request.get('accept-language')} ${request.get('cookie')} ${request.get('authorization')}`,
    ),
  )
  return path
}

describe('hostile: routes', () => {
  it.each(['page?utm_source=evil', 'page?a=1&fbclid=evil', 'kept?b=evil', 'kept?a=2&b=evil', 'kept?utm_x=evil'])(
    'gives nobody what a parameter was answered with that is no part of the key: %s',
    async (wish) => {
      const [route = '', query = ''] = wish.split('?')
      const path = mirror(route)
      const attacked = await stand.get(`${path}?${query}`)
      const clean = query
        .split('&')
        .filter((pair) => !pair.includes('evil'))
        .join('&')
      const victim = await stand.get(clean === '' ? path : `${path}?${clean}`)

      expect(attacked.status).toBe(200)
      expect(victim.text).not.toContain('evil')
      expect(stand.hits(path)).toBe(1)
    },
  )

  it.each([
    ['a semicolon', '?a=1;b=evil', '?a=1'],
    ['an encoded ampersand', '?a=1%26b=evil', '?a=1'],
    ['a second value', '?a=2&a=evil', '?a=2'],
    ['a bracket', '?a[]=evil', '?a='],
    ['capitals', '?A=evil', '?a=evil2'],
    ['a default that is repeated', '?a=1&a=evil', ''],
  ])('keeps queries apart by %s', async (_, attack, query) => {
    const path = mirror('kept')
    await stand.get(path + attack)

    expect((await stand.get(path + query)).text).not.toMatch(/evil(?!2)/)
  })

  it('applies no policy to a path that servers read differently', async () => {
    const path = mirror('page')
    for (const odd of [
      `/page/../page/${counter}`,
      `//page/${counter}`,
      `/page/${counter};x`,
      `/page/x%2f${counter}`,
      `/page/./${counter}`,
    ]) {
      stand.origin.on(odd, ({ index }) => ok([], `odd ${index}`))
      expect([(await stand.get(odd)).text, (await stand.get(odd)).text]).toEqual(['odd 0', 'odd 1'])
    }
    await stand.get(path)
    await stand.get(path)
    expect(stand.hits(path)).toBe(1)
  })

  it.each<[string, FieldLine[]]>([
    ['an unknown tier', ['X-Tier: admin']],
    ['a tier in capitals', ['X-Tier: FREE']],
    ['two tiers', ['X-Tier: free', 'X-Tier: premium']],
    ['a list of tiers', ['X-Tier: free, premium']],
    ['credentials without a tier', ['Authorization: Bearer x']],
    ['a cookie that comes twice', ['Cookie: theme=a; theme=b']],
    ['a cookie that comes on two lines', ['Cookie: theme=a', 'Cookie: theme=b']],
  ])('shares nothing with %s', async (_, lines) => {
    const path = mirror('personal')
    const texts = [(await stand.get(path, lines)).text, (await stand.get(path, lines)).text, (await stand.get(path)).text]

    expect(texts.map((text) => text[0])).toEqual(['0', '1', '2'])
  })

  it('shares by tier and cookie, and never across them', async () => {
    const path = mirror('personal')
    const wishes: FieldLine[][] = [
      [],
      ['X-Tier: free'],
      ['X-Tier: premium'],
      ['Cookie: theme=dark'],
      ['Cookie: x=1; theme=dark'],
      ['Cookie: atheme=dark'],
      ['X-Tier: premium', 'Authorization: Bearer y'],
    ]
    const texts: string[] = []
    for (const lines of wishes) texts.push((await stand.get(path, lines)).text[0] as string)

    expect(texts).toEqual(['0', '0', '1', '2', '2', '0', '1'])
  })

  it.each<[string, FieldLine[]]>([
    ['private', ['Cache-Control: private']],
    ['no-store', ['Cache-Control: no-store']],
    ['a cookie', ['Set-Cookie: a=b']],
    ['Vary: *', ['Vary: *']],
    ['Vary on what the key does not hold', ['Vary: *, X-Tier']],
  ])('lets no budget make an answer shared that says %s', async (_, lines) => {
    const path = mirror('page', ...lines)
    const texts = [(await stand.get(path)).text[0], (await stand.get(path)).text[0]]

    expect(texts).toEqual(['0', '1'])
  })

  it('lets no budget make an answer shared that credentials asked for', async () => {
    const path = mirror('page')

    expect((await stand.get(path, ['Authorization: Bearer a'])).text).toContain('Bearer a')
    expect((await stand.get(path)).text).not.toContain('Bearer a')
  })

  it('lets no budget keep an answer for longer than its origin says, nor an error', async () => {
    const short = mirror('page', 'Cache-Control: max-age=10', 'Age: 20')
    await stand.get(short)
    expect((await stand.get(short)).text[0]).toBe('1')
    counter += 1
    const failing = `/page/${counter}`
    stand.origin.on(failing, ok(['Content-Length: 0', 'X: first']), fresh('x'))
    stand.origin.on(failing, 'HTTP/1.1 500 Down\r\nContent-Length: 0\r\n\r\n', fresh('good'))
    expect((await stand.get(failing)).status).toBe(500)
    expect((await stand.get(failing)).text).toBe('good')
  })

  it('asks for the language that it keys by, and keeps no answer in another', async () => {
    const path = mirror('language')
    const texts: string[] = []
    for (const accept of ['de-AT, fr;q=0.5', 'de', 'fr', 'en;q=0.1', 'x'.repeat(500)])
      texts.push((await stand.get(path, [`Accept-Language: ${accept}`])).text)

    expect(texts.map((text) => text.split(' ')[2])).toEqual(['de', 'de', 'en', 'en', 'en'])
    expect(stand.hits(path)).toBe(2)
    const other = mirror('language', 'Content-Language: de')
    await stand.get(other, ['Accept-Language: en'])
    expect((await stand.get(other, ['Accept-Language: en'])).text[0]).toBe('1')
  })

  it.each([
    ['an origin that obeys', (accept: string) => accept.split(',')[0]?.split(';')[0] ?? 'identity'],
    ['an origin that always compresses', () => 'gzip'],
    ['an origin that never does', () => 'identity'],
  ])('gives nobody a coding that he does not take, of %s', async (_, choose) => {
    counter += 1
    const path = `/coded/${counter}`
    stand.origin.on(path, ({ request }) => {
      const coding = choose(request.get('accept-encoding') ?? 'identity')
      return ok(coding === 'identity' ? [] : [`Content-Encoding: ${coding}`], coding)
    })
    const shared: string[] = []
    for (const accept of ['gzip, br', 'br', 'gzip', 'gzip;q=0.5, br;q=0.1', '', 'identity']) {
      const before = stand.hits(path)
      const reply = await stand.get(path, accept === '' ? [] : [`Accept-Encoding: ${accept}`])
      const coding = reply.get('content-encoding') ?? 'identity'
      if (stand.hits(path) === before) shared.push(`${accept} → ${coding}`)
      expect(reply.text).toBe(coding)
    }

    for (const one of shared)
      expect([
        'br → br',
        'gzip → gzip',
        'gzip;q=0.5, br;q=0.1 → gzip',
        'br → identity',
        'gzip → identity',
        'gzip;q=0.5, br;q=0.1 → identity',
        'identity → identity',
      ]).toContain(one)
  })

  it('reaches by a tag with a parameter exactly that resource', async () => {
    const [one, two] = [mirror('page'), mirror('page')]
    for (const path of [one, two, `${one}?q=1`]) await stand.get(path)
    await stand.gateway.invalidate({ tags: [`page:${one.split('/')[2]}`] })
    for (const path of [one, two, `${one}?q=1`]) await stand.get(path)

    expect([stand.hits(one), stand.hits(two)]).toEqual([4, 1])
  })

  it('forgets by a write and by URL what dimensions and canonical queries keep apart', async () => {
    const path = mirror('personal')
    const wishes: FieldLine[][] = [[], ['X-Tier: premium'], ['Cookie: theme=dark']]
    for (const lines of wishes) await stand.get(`${path}?b=1&a=2&utm_x=1`, lines)
    await stand.gateway.invalidate({ urls: [`http://a.test${path}?a=2&b=1`] })
    for (const lines of wishes) await stand.get(`${path}?b=1&a=2`, lines)
    expect(stand.hits(path)).toBe(6)
    await stand.ask(`PUT ${path}?a=2&utm_y=1&b=1`, [], 'x')
    for (const lines of wishes) await stand.get(`${path}?b=1&a=2`, lines)

    expect(stand.hits(path)).toBe(10)
  })

  it('passes everything of a strict route on as it came', async () => {
    const path = mirror('strict', 'Cache-Control: max-age=60')

    expect(
      [(await stand.get(`${path}?utm_x=1`)).text, (await stand.get(`${path}?utm_x=1`)).text].map(
        (text) => text.slice(0, -30).split(' ')[1],
      ),
    ).toEqual([`${path}?utm_x=1`, `${path}?utm_x=1`])
    expect(stand.hits(path)).toBe(2)
  })
})
