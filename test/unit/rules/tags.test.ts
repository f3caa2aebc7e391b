import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fields } from '../../../src/model/fields.ts'
import { groupTag, MAX_GROUPS, parseGroups } from '../../../src/rules/groups.ts'
import { MAX_TAGS, parseTags } from '../../../src/rules/surrogate.ts'

const groups = (value: string | string[]): string[] | undefined =>
  parseGroups(Fields.from({ 'cache-groups': value }), 'cache-groups')
const tags = (record: Record<string, string | string[]>): string[] | undefined => parseTags(Fields.from(record))

describe('cache groups (RFC 9875)', () => {
  it('are strings of a structured list; members of another type are ignored', () => {
    expect(groups('"a", "b;c";x=1, token, 5, "a"')).toEqual(['a', 'b;c'])
    expect(groups(['"a"', '"b"'])).toEqual(['a', 'b'])
  })

  it('are none when the field is no list', () => {
    expect(groups('"a')).toEqual([])
    expect(parseGroups(Fields.from(), 'cache-group-invalidation')).toEqual([])
  })

  it('are refused when there are more than are kept', () => {
    expect(groups(Array.from({ length: MAX_GROUPS + 1 }, (_, i) => `"g${i}"`).join(', '))).toBeUndefined()
    expect(groups(`"${'x'.repeat(300)}"`)).toBeUndefined()
  })

  it('of two origins never meet, and make tags without white space', () => {
    const a = groupTag({ scheme: 'http', authority: 'a' }, 'x y')
    expect(a).not.toBe(groupTag({ scheme: 'http', authority: 'b' }, 'x y'))
    expect(a).not.toBe(groupTag({ scheme: 'https', authority: 'a' }, 'x y'))
    expect(a).not.toMatch(/\s/)
  })
})

describe('surrogate tags', () => {
  it('come from Surrogate-Key, xkey and Cache-Tag, each with its own separators', () => {
    expect(tags({ 'surrogate-key': 'a b  c', xkey: ['d', 'e f'], 'cache-tag': 'g, h i ,, j' })).toEqual([
      'a',
      'b',
      'c',
      'd',
      'e',
      'f',
      'g',
      'h%20i',
      'j',
    ])
  })

  it('come once each, and are refused when there are too many or one is too long', () => {
    expect(tags({ 'surrogate-key': 'a a a' })).toEqual(['a'])
    expect(tags({ 'surrogate-key': 'x'.repeat(1025) })).toBeUndefined()
    expect(tags({ 'cache-tag': Array.from({ length: MAX_TAGS + 1 }, (_, i) => `t${i}`).join(',') })).toBeUndefined()
  })

  it('never hold white space, whatever was sent', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        for (const tag of tags({ 'surrogate-key': a, 'cache-tag': b }) ?? []) expect(tag).toMatch(/^\S+$/)
        for (const group of groups(a) ?? []) expect(groupTag({ scheme: 'http', authority: 'a' }, group)).toMatch(/^\S+$/)
      }),
    )
  })
})
