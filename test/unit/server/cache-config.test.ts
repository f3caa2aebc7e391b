/** The section cacheApi of the configuration: defaults, ranges, strictness. */
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../src/server/config.ts'
import { CACHE_API_DEFAULTS } from '../../support/cache-api-here.ts'

const ORIGIN = 'origin: { url: "http://127.0.0.1:3000" }\n'

describe('config: cacheApi', () => {
  it('has defaults for everything', () => {
    expect(parseConfig({ text: ORIGIN }).cacheApi).toEqual(CACHE_API_DEFAULTS)
  })

  it('is read from file and environment', () => {
    const text = `${ORIGIN}cacheApi: { maxValue: 2MiB, ttl: 5m, maxTtl: 10m }\n`

    expect(parseConfig({ text, env: { FORECACHE_CACHE_API_MAX_KEYS: '10' } }).cacheApi).toMatchObject({
      maxValue: 2 * 1024 * 1024,
      ttl: 300_000,
      maxTtl: 600_000,
      maxKeys: 10,
    })
  })

  it.each([
    ['maxValue: 1GiB', /256MiB/],
    ['ttl: 0', /1ms/],
    ['ttl: 2h, maxTtl: 1h', /cacheApi.maxTtl/],
    ['maxKeys: 0', /maxKeys/],
    ['ttk: 1s', /did you mean ttl/],
  ])('refuses %s', (section, text) => {
    expect(() => parseConfig({ text: `${ORIGIN}cacheApi: { ${section} }\n` })).toThrow(text)
  })
})
