import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseLinks } from '../../../src/rules/link.ts'

describe('links in a header', () => {
  it.each([
    ['</a>; rel=prefetch', [{ target: '/a', rels: ['prefetch'] }]],
    [
      '</a>; rel="Prefetch preload"; as=script, <b>;rel=next',
      [
        { target: '/a', rels: ['prefetch', 'preload'] },
        { target: 'b', rels: ['next'] },
      ],
    ],
    ['</a,b>; title="x, <y>; rel=prefetch"; rel=preload', [{ target: '/a,b', rels: ['preload'] }]],
    ['</a>', [{ target: '/a', rels: [] }]],
    ['</a>; rel=prefetch, broken, </b>; rel=prefetch', [{ target: '/a', rels: ['prefetch'] }]],
    ['</a>; rel="open', []],
    ['', []],
  ])('%s', (value, links) => {
    expect(parseLinks(value)).toEqual(links)
  })

  it('does not take its relation out of another parameter', () => {
    expect(parseLinks('</a>; title=";rel=prefetch"; rel=next')).toEqual([{ target: '/a', rels: ['next'] }])
  })

  it('never throws, takes linear time, and reads no field that is too long', () => {
    fc.assert(fc.property(fc.string(), (value) => void parseLinks(value)))
    fc.assert(fc.property(fc.stringMatching(/^[<>;,="\\a-z /]{0,300}$/), (value) => void parseLinks(value)))
    expect(parseLinks(`</a>; rel=${'x'.repeat(20_000)}`)).toEqual([])
    const hostile = `</a>${'; a="'.repeat(3000)}`
    const begun = performance.now()
    parseLinks(hostile)
    parseLinks(`</a>${' ;'.repeat(6000)}`)
    expect(performance.now() - begun).toBeLessThan(1000)
  })
})
