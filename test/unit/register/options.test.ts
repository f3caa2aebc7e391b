import { describe, expect, it } from 'vitest'
import { readSettings, ROWS } from '../../../src/register/options.ts'

describe('register: options', () => {
  it('has a default for each', () => {
    const warned: string[] = []
    const settings = readSettings({}, (text) => warned.push(text))
    for (const [name, { byDefault }] of Object.entries(ROWS)) expect(settings[name as keyof typeof settings]).toEqual(byDefault)
    expect(warned).toEqual([])
  })

  it('reads sizes, durations, addresses and lists as people write them', () => {
    const settings = readSettings(
      {
        FORECACHE_HOOK: 'off',
        FORECACHE_MEMORY: '16MiB',
        FORECACHE_MAX_STALE: '1s',
        FORECACHE_CAUSALITY: 'eventual',
        FORECACHE_PREFIXES: 'user:,product:',
        FORECACHE_API: '[::1]:9000',
      },
      () => expect.unreachable(),
    )
    expect(settings).toMatchObject({
      isOn: false,
      maxBytes: 16 * 2 ** 20,
      maxStaleMs: 1000,
      causality: 'eventual',
      prefixes: ['user:', 'product:'],
      api: { host: '::1', port: 9000 },
    })
  })

  it.each([
    ['FORECACHE_HOOK', 'maybe'],
    ['FORECACHE_MEMORY', '1KiB'],
    ['FORECACHE_MAX_REPLY', 'large'],
    ['FORECACHE_MAX_STALE', '0'],
    ['FORECACHE_MAX_AGE', '-1s'],
    ['FORECACHE_CAUSALITY', 'strict'],
    ['FORECACHE_API', '0.0.0.0:8081'],
    ['FORECACHE_API', '127.0.0.1:99999'],
  ])('says what is wrong with %s=%s, and takes the default', (name, value) => {
    const warned: string[] = []
    const settings = readSettings({ [name]: value }, (text) => warned.push(text))
    expect(settings).toEqual(readSettings({}, () => undefined))
    expect(warned).toHaveLength(1)
    expect(warned[0]).toContain(`${name}: expected`)
    expect(warned[0]).toContain(value)
  })
})
