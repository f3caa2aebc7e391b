import { describe, expect, it } from 'vitest'
import { namesOf } from '../../../src/tier/jetstream-api.ts'
import { parseNatsUrl } from '../../../src/tier/nats-address.ts'

describe('the URL of a NATS', () => {
  it.each([
    ['nats://h', { servers: ['h:4222'], tls: false, username: undefined, token: undefined }],
    ['tls://h:1', { servers: ['h:1'], tls: true }],
    ['nats://a:1,b:2,[::1]:3/', { servers: ['a:1', 'b:2', '[::1]:3'] }],
    ['nats://app:p%40ss@h', { username: 'app', password: 'p@ss', token: undefined }],
    ['nats://s3cret@h', { token: 's3cret', username: undefined }],
  ])('%s', (url, expected) => {
    expect(parseNatsUrl(url)).toMatchObject(expected)
  })

  it.each([
    '',
    'h',
    'http://h',
    'nats://',
    'nats://h:0',
    'nats://h:70000',
    'nats://h/x',
    'nats://a,',
    'nats://%zz@h',
    'nats://h?x=1',
  ])('refuses %j without telling the password', (url) => {
    expect(() => parseNatsUrl(url)).toThrow(expect.objectContaining({ code: 'FC_OPTION_VALUE' }))
    expect(() => parseNatsUrl(url.replace('nats://', 'nats://u:topsecret@'))).not.toThrow(/topsecret/)
  })
})

describe('the streams of a log', () => {
  it('have names that JetStream takes, others for each prefix', () => {
    const prefixes = ['', 'forecache:', 'forecache.', 'forecache-', 'a.b:c', 'x'.repeat(64)]
    const names = prefixes.map(namesOf)
    for (const { log, members, records } of names) {
      expect(log).toMatch(/^[\w-]{1,255}$/)
      expect(members).toMatch(/^[\w-]{1,255}$/)
      expect(records).toMatch(/^[\w-]+\.log$/)
    }
    expect(new Set(names.map(({ log }) => log)).size).toBe(prefixes.length)
  })
})
