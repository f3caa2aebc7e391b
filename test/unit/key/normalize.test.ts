import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalText, digestContent, digestKey } from '../../../src/key/digest.ts'
import { type KeyParts, normalizeKey } from '../../../src/key/normalize.ts'
import { Fields } from '../../../src/model/fields.ts'

const scalar = fc.oneof(
  fc.string({ maxLength: 5 }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('1', 'true', 'null', '"1"', '[1]', '_', '@5', '-1', 'NaN', '5n', 'a b', 'a=b', 'a&b', 'a,b', '%', 'Infinity'),
)
const value = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 2 }),
  fc.dictionary(fc.string({ maxLength: 3 }), scalar, { maxKeys: 2 }),
)
const name = fc.oneof(
  fc.string({ minLength: 1, maxLength: 4 }),
  fc.constantFrom('__proto__', 'constructor', 'a b', 'a=', '&', '?'),
)
const parts: fc.Arbitrary<KeyParts> = fc.record(
  {
    route: fc.oneof(
      fc.constantFrom('/a', '/a?b=1', '/a tier=x', 'ns:v1:x', 'x', '/a/:id'),
      fc.string({ minLength: 1, maxLength: 6 }),
    ),
    params: fc.dictionary(name, value, { maxKeys: 3 }),
    authTier: fc.option(fc.constantFrom('free', 'gold', 'a b', ''), { nil: undefined }),
    locale: fc.option(fc.constantFrom('en', 'de-at', ''), { nil: undefined }),
    flags: fc.oneof(fc.uniqueArray(name, { maxLength: 2 }), fc.dictionary(name, scalar, { maxKeys: 2 })),
    cookies: fc.dictionary(name, fc.string({ maxLength: 3 }), { maxKeys: 2 }),
  },
  { requiredKeys: ['route'] },
)

/** What a key is about, by other means than the key's own. */
function meaning(of: KeyParts): string {
  const flags = Array.isArray(of.flags) ? of.flags.map((flag: string) => [flag, true]) : Object.entries(of.flags ?? {})
  const sorted = (entries: (readonly unknown[])[]) =>
    entries.map(([key, item]) => [key, canonicalText(item)]).sort((a, b) => ((a[0] as string) < (b[0] as string) ? -1 : 1))
  const cookies = Object.entries(of.cookies ?? {}).map(([key, item]) => [key, item?.trim()])
  return JSON.stringify([
    of.route,
    sorted(Object.entries(of.params ?? {})),
    of.authTier ?? null,
    of.locale ?? null,
    sorted(flags),
    sorted(cookies),
  ])
}

describe("normalizeKey: keys of an application's own data", () => {
  it('reads like what it stands for', () => {
    expect(
      normalizeKey({
        route: '/api/products',
        params: { sort: 'price', page: 2 },
        authTier: 'free',
        locale: 'de-AT',
        flags: ['b', 'a'],
      }),
    ).toBe('/api/products?page=2&sort=price flags=a,b locale=de-at tier=free')
  })

  it('gives one key to every order, undefined members and declared defaults', () => {
    const key = normalizeKey({ route: 'quote', params: { a: 1, b: ['x'] } })
    expect(
      normalizeKey({
        route: 'quote',
        params: { b: ['x'], c: undefined, a: 1, currency: 'USD', utm_source: 'x' },
        defaults: { currency: 'USD' },
      }),
    ).toBe(key)
    expect(normalizeKey({ route: 'quote', params: { page: '1' }, defaults: { page: 1 } })).toBe('quote')
    expect(normalizeKey({ route: 'quote', authTier: 'Gold', locale: 'EN' })).toBe(
      normalizeKey({ route: 'quote', authTier: 'gold', locale: 'en' }),
    )
    expect(normalizeKey({ route: 'quote', flags: { a: true, b: undefined } })).toBe(
      normalizeKey({ route: 'quote', flags: ['a'] }),
    )
  })

  it('keeps apart what is not the same: text and number, list and text, order in lists', () => {
    const keys = [
      1,
      '1',
      [1],
      ['1'],
      '[1]',
      ['a', 'b'],
      ['b', 'a'],
      'a,b',
      null,
      'null',
      true,
      'true',
      '',
      new Date(5),
      '@5',
      5n,
    ].map((a) => normalizeKey({ route: 'r', params: { a } }))
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('puts namespace and version before everything', () => {
    expect(normalizeKey({ namespace: 'quote', version: 2, route: '/q', params: { a: 1 } })).toBe('quote:v2:/q?a=1')
    expect(normalizeKey({ route: 'quote:v2:/q' })).not.toBe(normalizeKey({ namespace: 'quote', version: 2, route: '/q' }))
  })

  it('refuses parts it does not know and data that is no data', () => {
    expect(() => normalizeKey({ route: 'a', tier: 'x' } as never)).toThrow(/FC_OPTION_UNKNOWN: key\.tier/)
    expect(() => normalizeKey({ route: '' })).toThrow(/FC_OPTION_TYPE/)
    expect(() => normalizeKey({ route: 'a', params: { f: () => 1 } })).toThrow(/FC_KEY_DATA/)
    expect(() => normalizeKey({ route: 'a', params: { m: new Map([[1, 2]]) } })).toThrow(/an instance of Map/)
    const ring: Record<string, unknown> = {}
    ring['self'] = ring
    expect(() => normalizeKey({ route: 'a', params: { ring } })).toThrow(/FC_KEY_DATA/)
  })

  it('is the same for two inputs exactly when they mean the same', () => {
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        expect(normalizeKey(one) === normalizeKey(other)).toBe(meaning(one) === meaning(other))
      }),
      { numRuns: 5000 },
    )
  })

  it('is the same for every order of members', () => {
    fc.assert(
      fc.property(parts, (given) => {
        const reversed = { ...given, params: Object.fromEntries(Object.entries(given.params ?? {}).reverse()) }
        expect(normalizeKey(reversed)).toBe(
          normalizeKey({ ...given, params: Object.fromEntries(Object.entries(given.params ?? {})) }),
        )
      }),
    )
  })
})

describe('digestKey: short stable keys', () => {
  const input = { namespace: 'quote', version: 2, value: { product: 7, promos: ['b', 'a'], currency: 'USD', tier: 'Gold' } }

  it('has the form namespace, version and 16 hex digits', () => {
    expect(digestKey(input)).toMatch(/^quote:v2:[0-9a-f]{16}$/)
    expect(digestKey({ ...input, digits: 40 })).toMatch(/^quote:v2:[0-9a-f]{40}$/)
  })

  it('does not see order of members, of declared sets, declared case and declared defaults', () => {
    const declared = { unordered: ['promos'], ignoreCase: ['tier'], defaults: { currency: 'USD' } }
    const other = { ...input, value: { tier: 'gold', promos: ['a', 'b'], product: 7 } }
    expect(digestKey({ ...other, ...declared })).toBe(digestKey({ ...input, ...declared }))
    expect(digestKey(other)).not.toBe(digestKey(input))
  })

  it('sees version and namespace', () => {
    const keys = [input, { ...input, version: 3 }, { ...input, namespace: 'price' }].map((one) => digestKey(one))
    expect(new Set(keys).size).toBe(3)
  })

  it('refuses instances, so that two maps are not one key', () => {
    expect(() => digestKey({ ...input, value: new Map([[1, 2]]) })).toThrow(/FC_KEY_DATA/)
    expect(() => digestKey({ ...input, namespace: 'a:b' })).toThrow(/FC_OPTION_VALUE/)
  })

  it('is the same in another process', () => {
    const url = fileURLToPath(new URL('../../../src/key/digest.ts', import.meta.url))
    const code = `import { digestKey } from ${JSON.stringify(url)}; process.stdout.write(digestKey(${JSON.stringify(input)}))`
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' })).toBe(digestKey(input))
  })

  it('gives one canonical text per JSON value', () => {
    const json = fc.jsonValue({ maxDepth: 3 })
    const sorted = (data: unknown): unknown =>
      Array.isArray(data)
        ? data.map(sorted)
        : typeof data === 'object' && data !== null
          ? Object.entries(data)
              .map(([key, item]) => [key, sorted(item)] as const)
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([key, item]) => ({ key, item }))
          : data === 0
            ? 0
            : data
    fc.assert(
      fc.property(json, json, (one, other) => {
        const tell = (data: unknown) => JSON.stringify(sorted(data), (_, item: unknown) => item)
        if (canonicalText(one) === canonicalText(other)) expect(tell(one)).toBe(tell(other))
        expect(canonicalText(JSON.parse(JSON.stringify(one)))).toBe(canonicalText(one))
      }),
    )
  })
})

describe('digestContent: content as part of a key', () => {
  it('sees bytes and what they are said to be, not how they were cut', () => {
    const bytes = (text: string) => new TextEncoder().encode(text)
    const json = Fields.from({ 'content-type': 'application/json' })
    expect(digestContent(json, [bytes('ab'), bytes('c')])).toBe(digestContent(json, [bytes('abc')]))
    expect(digestContent(json, [bytes('abd')])).not.toBe(digestContent(json, [bytes('abc')]))
    expect(digestContent(Fields.from({ 'content-type': 'text/plain' }), [bytes('abc')])).not.toBe(
      digestContent(json, [bytes('abc')]),
    )
  })
})
