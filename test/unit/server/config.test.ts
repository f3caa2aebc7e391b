/** The configuration: places in errors, precedence, defaults. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ForecacheError } from '../../../src/model/errors.ts'
import { type ConfigSources, parseConfig, readConfig } from '../../../src/server/config.ts'

const ORIGIN = 'origin: { url: "http://127.0.0.1:3000" }\n'

function refusal(
  text: string,
  more: Omit<ConfigSources, 'text'> = {},
): { code: string; message: string; line: unknown; column: unknown } {
  try {
    parseConfig({ file: 'forecache.yaml', text, ...more })
  } catch (error) {
    if (error instanceof ForecacheError)
      return { code: error.code, message: error.message, line: error.detail.line, column: error.detail.column }
    throw error
  }
  throw new Error('was accepted')
}

describe('config: a file', () => {
  it('needs nothing but an origin and fills in every default', () => {
    const config = parseConfig({ text: ORIGIN })

    expect(config.listen).toEqual({ host: '127.0.0.1', port: 8080 })
    expect(config.api).toEqual({ listen: { host: '127.0.0.1', port: 8081 }, keys: [], insecure: false })
    expect(config.origin).toMatchObject({
      url: 'http://127.0.0.1:3000',
      connectTimeout: 5000,
      headTimeout: 30_000,
      connections: 128,
    })
    expect(config.profile).toBe('safe')
    expect(config.limits.head).toBe(32 * 1024)
  })

  it('reads durations and sizes as people write them', () => {
    const config = parseConfig({
      text: `${ORIGIN}memory: { maxBytes: 64MiB }\nlimits: { drain: 1m, body: 2GiB, keepAlive: 1500 }\n`,
    })

    expect(config.memory.maxBytes).toBe(64 * 1024 * 1024)
    expect(config.limits).toMatchObject({ drain: 60_000, body: 2 * 1024 ** 3, keepAlive: 1500 })
  })

  it.each([
    ['an unknown section', `${ORIGIN}orgin: {}\n`, 2, 1, 'did you mean origin?'],
    ['an unknown option', 'origin:\n  url: http://a\n  conectTimeout: 5s\n', 3, 3, 'did you mean connectTimeout?'],
    ['a misspelt section that hides a needed one', 'orign:\n  url: http://a\n', 1, 1, 'did you mean origin?'],
    [
      'an unknown name deep in a route',
      `${ORIGIN}routes:\n  - name: a\n    match: { path: /a }\n    key:\n      query: { kep: [x] }\n`,
      6,
      16,
      'did you mean keep?',
    ],
    ['a wrong duration', 'origin:\n  url: http://a\n  connectTimeout: 5q\n', 3, 19, 'expected a duration'],
    ['a value out of range', 'origin:\n  url: http://a\n  connections: 0\n', 3, 16, 'origin.connections'],
    ['a wrong choice', `${ORIGIN}profile: fast\n`, 2, 10, '"safe"|"conformance"'],
    ['a wrong address', `${ORIGIN}listen: nowhere\n`, 2, 9, 'expected HOST:PORT'],
    ['a wrong scheme', 'origin:\n  url: ftp://a\n', 2, 8, 'expected http://host:port'],
    ['an origin with a user', 'origin:\n  url: http://u:p@a\n', 2, 8, 'without user'],
    [
      'budgets that do not nest',
      `${ORIGIN}routes:\n  - name: a\n    match: { path: /a }\n    budget: { fresh: 9s, stale: 1s }\n`,
      5,
      13,
      'must nest',
    ],
    [
      'a doubled route name',
      `${ORIGIN}routes:\n  - name: a\n    match: { path: /a }\n  - name: a\n    match: { path: /b }\n`,
      3,
      5,
      'stands twice',
    ],
    [
      'a tag with a parameter that the path does not have',
      `${ORIGIN}routes:\n  - name: a\n    match: { path: /a }\n    tags: ["x:{id}"]\n`,
      5,
      11,
      '{id}',
    ],
    ['a list where a mapping belongs', '- a\n', 1, 1, 'expected a mapping'],
  ])('names line and column of %s', (_, text, line, column, words) => {
    const found = refusal(text)

    expect(found).toMatchObject({ code: 'FC_CONFIG_VALUE', line, column })
    expect(found.message).toContain(`forecache.yaml:${line}:${column}: `)
    expect(found.message).toContain(words)
  })

  it.each([
    ['a doubled key', 'origin:\n  url: http://a\n  url: http://b\n', 3, 3],
    ['what is not YAML', 'origin: [\n', 2, 1],
    ['an alias that was never set', 'origin: *a\n', 1, 9],
  ])('names line and column of %s', (_, text, line, column) => {
    expect(refusal(text)).toMatchObject({ code: 'FC_CONFIG_SYNTAX', line, column })
  })

  it('says that an origin is needed', () => {
    expect(refusal('profile: safe\n').message).toContain('origin.url')
  })

  it('names a file that cannot be read', () => {
    expect(() => readConfig('/nonexistent/forecache.yaml')).toThrow(expect.objectContaining({ code: 'FC_CONFIG_FILE' }))
  })

  it('never throws anything but its own errors, whatever text it is given', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 200 }), fc.json()), (text) => {
        try {
          parseConfig({ text })
        } catch (error) {
          expect(error).toBeInstanceOf(ForecacheError)
        }
      }),
    )
  })
})

describe('config: what is written once and used again', () => {
  const routes = (budget: string): string => `${ORIGIN}routes:
  - &base { name: one, match: { path: /a }, budget: 30s, key: &key { query: { keep: [page] } } }
  - <<: *base
    name: two
    match: { path: /b }
    budget: ${budget}
  - { name: three, match: { path: /c }, key: *key }
`
  it('takes anchors, aliases and merge keys', () => {
    const [one, two, three] = parseConfig({ text: routes('5s') }).routes
    expect([one?.name, two?.name, three?.name]).toEqual(['one', 'two', 'three'])
    expect(two?.match).toMatchObject({ path: '/b' })
  })

  it('names the place in the file that is wrong all the same', () => {
    expect(refusal(routes('5x'))).toMatchObject({ code: 'FC_CONFIG_VALUE', line: 7 })
    expect(refusal(routes('5s').replace('match: { path: /b }', 'mtach: { path: /b }'))).toMatchObject({
      code: 'FC_CONFIG_VALUE',
      line: 6,
    })
  })

  it('refuses aliases that multiply, and those that lead to themselves', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefg'.split('').map((n, i) => `${n}: &${n} [${Array(9).fill(`*${'abcdefg'[i]}`).join()}]`),
    ]
    expect(refusal(bomb.join('\n')).code).toMatch(/^FC_CONFIG_/)
    expect(refusal('origin: &o { url: *o }\n').code).toMatch(/^FC_CONFIG_/)
  })
})

describe('config: environment and flags', () => {
  const env = {
    FORECACHE_ORIGIN_URL: 'http://env',
    FORECACHE_MEMORY_MAX_BYTES: '5MiB',
    FORECACHE_LISTEN: '0.0.0.0:80',
    FORECACHE_API_KEYS: 'a-key-of-sixteen-letters, another-key-of-many',
  }

  it('reads tls from file, environment and flags, and wants certificate and key together', () => {
    const file = `${ORIGIN}tls: { cert: a.pem, key: a.key }\n`
    const more = { env: { FORECACHE_TLS_CERT: 'b.pem', FORECACHE_TLS_HTTP2: 'false' }, flags: { 'tls.key': 'c.key' } }

    expect(parseConfig({ text: file, ...more }).tls).toMatchObject({
      cert: 'b.pem',
      key: 'c.key',
      http2: false,
      minVersion: 'TLSv1.2',
    })
    expect(parseConfig({ text: ORIGIN }).tls).toBeUndefined()
    expect(refusal(`${ORIGIN}tls: { cert: a.pem }\n`).message).toContain('tls.key: is needed')
    expect(refusal(`${ORIGIN}tls: { cert: a.pem, key: a.key, minVersion: TLSv1.1 }\n`).line).toBe(2)
    expect(refusal(`${ORIGIN}tls: { cert: a.pem, key: a.key, htp2: true }\n`).message).toContain('did you mean http2?')
  })

  it('reads FORECACHE_SECTION_OPTION over the file', () => {
    const config = parseConfig({ text: ORIGIN, env })

    expect(config.origin?.url).toBe('http://env')
    expect(config.memory.maxBytes).toBe(5 * 1024 * 1024)
    expect(config.listen).toEqual({ host: '0.0.0.0', port: 80 })
    expect(config.api.keys).toEqual(['a-key-of-sixteen-letters', 'another-key-of-many'])
  })

  it('lets flags beat the environment', () => {
    expect(parseConfig({ text: ORIGIN, env, flags: { 'origin.url': 'http://flag' } }).origin?.url).toBe('http://flag')
  })

  it('leaves variables alone that name no section', () => {
    expect(() => parseConfig({ text: ORIGIN, env: { FORECACHE_TRACES: '/somewhere' } })).not.toThrow()
  })

  it('names a variable whose option does not exist, and the nearest one', () => {
    const found = refusal(ORIGIN, { env: { FORECACHE_ORIGIN_CONECT_TIMEOUT: '5s' } })

    expect(found.code).toBe('FC_CONFIG_FILE')
    expect(found.message).toContain('FORECACHE_ORIGIN_CONECT_TIMEOUT')
    expect(found.message).toContain('FORECACHE_ORIGIN_CONNECT_TIMEOUT')
  })

  it('names the variable or the flag whose value is wrong, not the file', () => {
    expect(refusal(ORIGIN, { env: { FORECACHE_ORIGIN_URL: 'nothing' } }).message).toContain('FORECACHE_ORIGIN_URL: origin.url')
    expect(refusal(ORIGIN, { flags: { 'memory.maxBytes': 'lots' } }).message).toContain('--memory.maxBytes: memory.maxBytes')
  })

  it('takes an object instead of text, with the option path in errors', () => {
    expect(parseConfig({ values: { origin: { url: 'http://a' } } }).origin?.url).toBe('http://a')
    expect(() => parseConfig({ values: { origin: { url: 'http://a', conections: 3 } } })).toThrow(
      /FC_OPTION_VALUE: origin.conections: unknown name; did you mean connections/,
    )
  })
})
