import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mentionsIn } from '../../../src/flow/prefetch-mentions.ts'
import { shapeOf, templateOf, urlFrom } from '../../../src/flow/prefetch-shape.ts'

const SITE = 'http://10.0.0.1:8080'
const mentions = (value: unknown) => mentionsIn(Buffer.from(JSON.stringify(value)))

/** What is foretold behind `there`, where `to` followed `from`. */
function foretold(from: string, to: string, there: string): string | undefined {
  const shape = shapeOf(SITE + from)
  const other = shapeOf(SITE + there)
  expect(other.text).toBe(shape.text)
  return urlFrom(templateOf(SITE + to, shape, undefined), other, undefined)?.slice(SITE.length)
}

describe('what is carried over from one URL to the next', () => {
  it.each([
    ['/users/42', '/users/42/orders', '/users/77', '/users/77/orders'],
    ['/users/42', '/orders?user=42&page=1', '/users/77', '/orders?user=77&page=1'],
    ['/items?page=2', '/items?page=3', '/items?page=9', '/items?page=10'],
    ['/missions/sts-69/', '/missions/sts-69/mission-sts-69.html', '/missions/sts-71/', '/missions/sts-71/mission-sts-71.html'],
    ['/page/7', '/style.css', '/page/8', '/style.css'],
  ])('%s is followed by %s, so %s by %s', (from, to, there, then) => {
    expect(foretold(from, to, there)).toBe(then)
  })

  it('takes GraphQL operations in URLs for shapes: the operation stays, its variables are carried over', () => {
    const hash = 'ab12'.repeat(16)
    const operation = (name: string, id: number): string =>
      `/graphql?operationName=${name}&variables=%7B%22id%22%3A${id}%7D&extensions=%7B%22sha256Hash%22%3A%22${hash}%22%7D`
    expect(foretold(operation('Product2', 5), operation('Reviews3', 5), operation('Product2', 6))).toBe(operation('Reviews3', 6))
    expect(shapeOf(SITE + operation('A1', 5)).text).not.toBe(shapeOf(SITE + operation('B1', 5)).text)
  })

  it('takes hosts for what they are: their digits are no values', () => {
    expect(shapeOf(`${SITE}/a`)).toEqual({ text: `${SITE}/a`, values: [] })
  })

  it('gives back every URL that it was told of', () => {
    const target = fc.stringMatching(/^[\w.~%/?&=:@!$'()*+,;-]{0,60}$/).map((text) => `${SITE}/${text}`)
    fc.assert(
      fc.property(target, target, (from, to) => {
        const shape = shapeOf(from)
        expect(urlFrom(templateOf(to, shape, undefined), shape, undefined)).toBe(to)
      }),
    )
  })
})

describe('what a body mentions', () => {
  it('foretells the details of what stands first in another list', () => {
    const list = shapeOf(`${SITE}/items/`)
    const seen = mentions({ items: [{ id: 'red-hat' }, { id: 'blue-hat' }] })
    const template = templateOf(`${SITE}/items/blue-hat`, list, seen)
    expect(urlFrom(template, list, mentions({ items: [{ id: 9 }, { id: 'green-hat' }] }))).toBe(`${SITE}/items/green-hat`)
    expect(urlFrom(template, list, mentions({ items: [{ id: 9 }] }))).toBeUndefined()
    expect(urlFrom(template, list, undefined)).toBeUndefined()
  })

  it('mentions identifiers alone, and none that could change what a URL means', () => {
    const found = mentions([
      { id: '../admin', slug: 'a/b', key: 'a?b', code: '.', productId: 7, sku: 'S-1', paid: 'x', name: 'y' },
    ])
    expect([...(found?.places.keys() ?? [])]).toEqual(['7', 'S-1'])
    expect(mentions({ id: 'a\u0003b' })).toBeUndefined()
  })

  it('mentions nothing where there is no JSON, too much of it, or it is too deep', () => {
    expect(mentionsIn(Buffer.from('<html>'))).toBeUndefined()
    expect(mentionsIn(Buffer.from('{"id":'))).toBeUndefined()
    expect(mentionsIn(Buffer.from(JSON.stringify([{ id: 1, text: 'x'.repeat(70_000) }])))).toBeUndefined()
    let deep: unknown = { id: 1 }
    for (let i = 0; i < 40; i += 1) deep = { deep }
    expect(mentions(deep)).toBeUndefined()
    expect(mentions(Array.from({ length: 5000 }, (_, id) => ({ id })))?.values.size).toBeLessThanOrEqual(8)
  })

  it('never throws, whatever it is given', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void mentionsIn(bytes)))
    fc.assert(fc.property(fc.json(), (text) => void mentionsIn(Buffer.from(text))))
  })
})
