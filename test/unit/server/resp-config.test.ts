import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../src/server/config.ts'

const parse = (resp: unknown, more: object = {}): ReturnType<typeof parseConfig> => parseConfig({ values: { resp, ...more } })

describe('the section resp', () => {
  it('needs no origin, and nothing at all', () => {
    const { resp, origin } = parse({})

    expect(origin).toBeUndefined()
    expect(resp).toMatchObject({
      listen: { host: '127.0.0.1', port: 6380 },
      namespace: 'redis',
      maxStaleMs: 250,
      causality: 'session',
      maxReplyBytes: 1024 * 1024,
      insecure: false,
    })
  })

  it('asks for an origin where there is no other door', () => {
    expect(() => parseConfig({ values: {} })).toThrow(/origin\.url/)
  })

  it.each(['redis://h', 'redis://u:p@h:1', 'rediss://[::1]:6379/', 'unix:///run/redis.sock'])(
    'takes the upstream %s',
    (upstream) => {
      expect(parse({ upstream }).resp?.upstream).toBe(upstream)
    },
  )

  it.each(['http://h', 'redis://h/3', 'redis://a,b', 'redis://h?x=1', 'h:6379', 'unix://'])(
    'refuses the upstream %s',
    (upstream) => {
      expect(() => parse({ upstream })).toThrow(/resp.upstream: expected redis:/)
    },
  )

  it.each([
    [{ maxStale: 1 }, /did you mean maxStaleMs/],
    [{ maxStaleMs: '5ms' }, /from 10ms to 1m/],
    [{ causality: 'perhaps' }, /resp.causality/],
    [{ limits: { client: 1 } }, /did you mean clients/],
    [{ namespace: 'a b' }, /resp.namespace/],
    [{ maxReplyBytes: '1GiB' }, /resp.maxReplyBytes/],
  ])('refuses %j', (resp, words) => {
    expect(() => parse(resp)).toThrow(words)
  })

  it('reads the environment', () => {
    const { resp } = parseConfig({ env: { FORECACHE_RESP_UPSTREAM: 'redis://h', FORECACHE_RESP_MAX_STALE_MS: '100' } })

    expect(resp).toMatchObject({ upstream: 'redis://h', maxStaleMs: 100 })
  })
})
