import { describe, expect, it } from 'vitest'
import { addressText, parseRedisUrl } from '../../../src/tier/redis-address.ts'
import { parseSlots, slotOf } from '../../../src/tier/redis-slots.ts'

describe('the URL of a Redis', () => {
  it.each([
    ['redis://h', { nodes: [{ host: 'h', port: 6379 }], tls: false, database: 0 }],
    ['rediss://h:1/2', { nodes: [{ host: 'h', port: 1 }], tls: true, database: 2 }],
    ['valkey://h', { tls: false }],
    ['valkeys://h', { tls: true }],
    ['redis://:p%40ss@h', { username: undefined, password: 'p@ss' }],
    [
      'redis://u:p@a:1,b:2,[::1]:3',
      {
        username: 'u',
        password: 'p',
        nodes: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
          { host: '::1', port: 3 },
        ],
      },
    ],
    ['redis://a:26379?master=main', { master: 'main' }],
  ])('%s', (url, expected) => {
    expect(parseRedisUrl(url)).toMatchObject(expected)
  })

  it.each([
    '',
    'h',
    'http://h',
    'redis://',
    'redis://h:0',
    'redis://h:70000',
    'redis://h/x',
    'redis://h?other=1',
    'redis://a,',
    'redis://%zz:x@h',
  ])('refuses %j without telling the password', (url) => {
    expect(() => parseRedisUrl(url)).toThrow(expect.objectContaining({ code: 'FC_OPTION_VALUE' }))
    expect(() => parseRedisUrl(url.replace('redis://', 'redis://u:topsecret@'))).not.toThrow(/topsecret/)
  })

  it('writes addresses as people do', () => {
    expect(
      [
        { host: '::1', port: 1 },
        { host: 'h', port: 2 },
      ].map(addressText),
    ).toEqual(['[::1]:1', 'h:2'])
  })
})

describe('slots of a cluster', () => {
  it.each([
    ['123456789', 12_739],
    ['foo', 12_182],
    ['{user1000}.following', 3443],
    ['foo{}{bar}', 8363],
    ['foo{{bar}}zap', 4015],
    ['foo{bar}{zap}', 5061],
    ['', 0],
  ])('%j is in %i', (key, slot) => {
    expect(slotOf(key)).toBe(slot)
  })

  it('leaves out rows that are none', () => {
    const asked = { host: 'me', port: 1 }

    expect(parseSlots([[0, 5, [Buffer.from('h'), 7]], [6, 9, ['', 8]], [1], 'x', [0, 99_999, ['h', 1]]], asked)).toEqual([
      { first: 0, last: 5, master: { host: 'h', port: 7 } },
      { first: 6, last: 9, master: { host: 'me', port: 8 } },
    ])
    expect(parseSlots(null, asked)).toEqual([])
  })
})
