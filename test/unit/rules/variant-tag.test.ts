import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clientTag, isVariantTag, originMatch, originNoneMatch, originTag, variantTag } from '../../../src/rules/variant-tag.ts'

const tag = fc.stringMatching(/^[!#-~]{0,20}$/).map((text) => `"${text}"`)
const coding = fc.constantFrom('br', 'gzip', 'zstd', 'identity')
const mark = fc.stringMatching(/^[\w-]{8}$/)

describe('tags of representations that were made here', () => {
  it('lead back to the origin’s, whatever it is, and never to another', () => {
    fc.assert(
      fc.property(tag, coding, mark, (own, name, bytes) => {
        const made = variantTag(own, name, bytes)
        expect(isVariantTag(made)).toBe(true)
        expect(originTag(made)).toBe(own)
        expect(originMatch(made)).toBe(own)
      }),
    )
  })

  it('differ where coding or bytes do', () => {
    const made = ['br', 'gzip'].flatMap((name) => ['aaaaaaaa', 'bbbbbbbb'].map((bytes) => variantTag('"x"', name, bytes)))
    expect(new Set(made).size).toBe(4)
  })

  it('leave weak tags and what is no tag as they are', () => {
    expect(['W/"x"', 'x', '"a"b"'].map((one) => variantTag(one, 'br', 'aaaaaaaa'))).toEqual(['W/"x"', 'x', '"a"b"'])
  })

  it('are translated in lists, once each, and nothing else is', () => {
    const made = '"x;fc-br.aaaaaaaa"'
    expect(originMatch(`"y", ${made}, "x;fc-gzip.bbbbbbbb", W/"z"`)).toBe('"y", "x", W/"z"')
    expect(originNoneMatch(`"y", ${made}`)).toBe(`"y", ${made}, "x"`)
    for (const list of ['*', '"a", "b"', 'W/"x;fc-br.aaaaaaaa"', '"x;fc-br.short"']) {
      expect([originMatch(list), originNoneMatch(list)]).toEqual([list, list])
    }
  })

  it('come back by the name that the client knows', () => {
    const made = '"x;fc-br.aaaaaaaa"'
    expect(clientTag(`"y", ${made}`, '"x"')).toBe(made)
    expect(clientTag(made, 'W/"x"')).toBe(made)
    expect([clientTag(`"x", ${made}`, '"x"'), clientTag('*', '"x"'), clientTag(made, '"y"')]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })
})
