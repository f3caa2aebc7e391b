import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRoutes, isAmbiguousPath, patternParams } from '../../../src/key/route.ts'
import { parseTemplate } from '../../../src/key/template.ts'

describe('route: policies by method and path', () => {
  const routes = createRoutes([
    { path: '/api/products' },
    { path: '/api/products/:id' },
    { path: '/static/*' },
    { methods: ['POST'], path: '/graphql' },
  ])

  it('finds the most particular pattern, with decoded parameters and whatever query', () => {
    expect(routes.match('GET', '/api/products?x=/../')).toEqual({ index: 0, params: {} })
    expect(routes.match('HEAD', '/api/products/4%C3%A9?x=1')).toEqual({ index: 1, params: { id: '4é' } })
    expect(routes.match('GET', '/static/a/b.css')).toEqual({ index: 2, params: { '*': 'a/b.css' } })
  })

  it('finds nothing for other methods, case, trailing slashes and unknown words', () => {
    const others = [
      ['POST', '/api/products'],
      ['GET', '/API/products'],
      ['GET', '/api/products/'],
      ['constructor', '/api/products'],
      ['GET', '*'],
    ] as const
    expect(others.filter(([method, target]) => routes.match(method, target) !== undefined)).toEqual([])
    expect(routes.match('POST', '/graphql')?.index).toBe(3)
  })

  it('finds nothing for paths that servers read differently', () => {
    const paths = [
      '/static/../api/me',
      '/static/%2e%2e/api/me',
      '/static/..%2fapi/me',
      '/static/..;/api/me',
      '/static/a;x=1',
      '/static//a',
      '/static/a%5cb',
      '/static/a\\b',
      '/api/products/a%2Fb',
      '/static/%252e',
      '/static/a%00.css',
      '/static/a#b',
      '/static/.',
      '/static/a%0ab',
      '/api/products/1%3fx',
    ]
    expect(paths.filter((path) => !isAmbiguousPath(path))).toEqual([])
    expect(paths.filter((path) => routes.match('GET', path) !== undefined)).toEqual([])
  })

  it('never throws on any target', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 60 }), (text) => {
        routes.match('GET', `/api/products/${text}`)
      }),
      { numRuns: 1000 },
    )
  })

  it('refuses a pattern that two policies share', () => {
    expect(() => createRoutes([{ path: '/a/:id' }, { path: '/a/:id' }])).toThrow(/FC_OPTION_VALUE: match: GET \/a\/:id/)
  })
})

describe('template: tags with parameters', () => {
  it("fills in the path's parameters", () => {
    const known = patternParams('/shop/:shop/products/:id')
    expect(known).toEqual(['shop', 'id'])
    expect(parseTemplate('product:{shop}:{id}', known)({ shop: 'a', id: '7 8%' })).toBe('product:a:7%208%')
    expect(parseTemplate('products', known)({})).toBe('products')
  })

  it('refuses names that the path does not have, and white space', () => {
    expect(() => parseTemplate('product:{sku}', ['id'], 'routes.0.tags.0')).toThrow(
      /FC_OPTION_VALUE: routes\.0\.tags\.0: \{sku\} is not in the path; known: id/,
    )
    expect(() => parseTemplate('a b', [])).toThrow(/white space/)
    expect(() => parseTemplate('a{b', [])).toThrow(/FC_OPTION_VALUE/)
  })
})
