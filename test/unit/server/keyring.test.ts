/** API keys: who is admitted, and that a comparison tells nothing else. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fields } from '../../../src/model/fields.ts'
import { createKeyring, givenKey } from '../../../src/server/keyring.ts'

const KEYS = ['the-first-key-0001', 'a-much-longer-second-key-with-many-letters', 'third-key-00000003']

describe('keyring', () => {
  it('admits every key, whatever its place and length', () => {
    const keyring = createKeyring(KEYS)

    for (const key of KEYS) expect(keyring.admits(key)).toBe(true)
  })

  it('refuses what is shorter, longer, empty, absent or nearly right', () => {
    const keyring = createKeyring(KEYS)

    for (const given of [
      '',
      't',
      'the-first-key-000',
      'the-first-key-00011',
      'THE-FIRST-KEY-0001',
      ' the-first-key-0001',
      undefined,
    ]) {
      expect(keyring.admits(given)).toBe(false)
    }
  })

  it('refuses any text that is no key', () => {
    const keyring = createKeyring(KEYS)

    fc.assert(fc.property(fc.string({ maxLength: 100 }), (given) => keyring.admits(given) === KEYS.includes(given)))
  })

  it('admits nobody when there are no keys', () => {
    expect(createKeyring([]).admits('')).toBe(false)
    expect(createKeyring([]).admits('anything')).toBe(false)
  })

  it('takes the digest of a key in place of the key', () => {
    const digest = createHash('sha256').update('only-i-know-this-key').digest('hex')
    const keyring = createKeyring([`sha256:${digest}`])

    expect(keyring.admits('only-i-know-this-key')).toBe(true)
    expect(keyring.admits(`sha256:${digest}`)).toBe(false)
  })

  it('refuses a digest that is none', () => {
    expect(() => createKeyring(['sha256:abc'])).toThrow(/64 hex digits/)
  })

  it.each([['with a blank'], ['grüße'], ['x'.repeat(4097)], ['']])('refuses a key that could never be sent', (key) => {
    expect(() => createKeyring([key])).toThrow(/visible ASCII/)
  })

  it('admits one of two equal keys', () => {
    expect(createKeyring([KEYS[0] as string, KEYS[0] as string]).admits(KEYS[0])).toBe(true)
  })
})

describe('keyring: where a request bears its key', () => {
  it.each([
    ['x-api-key', { 'x-api-key': 'k' }, 'k'],
    ['a bearer', { authorization: 'Bearer k' }, 'k'],
    ['a bearer in any case', { authorization: 'bEARER k' }, 'k'],
    ['x-api-key before a bearer', { 'x-api-key': 'a', authorization: 'Bearer b' }, 'a'],
    ['no other scheme', { authorization: 'Basic k' }, undefined],
    ['nothing', {}, undefined],
  ])('reads %s', (_, fields, key) => {
    expect(givenKey(Fields.from(fields))).toBe(key)
  })
})
