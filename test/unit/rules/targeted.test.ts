import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fields } from '../../../src/model/fields.ts'
import { governingControl, parseTargeted } from '../../../src/rules/targeted.ts'

const governing = (record: Record<string, string | string[]>): ReturnType<typeof governingControl> =>
  governingControl(Fields.from(record))

describe('targeted cache control (RFC 9213)', () => {
  it('prefers the most specific valid field, and falls back to Cache-Control', () => {
    const both = { 'cache-control': 'max-age=1', 'cdn-cache-control': 'max-age=2', 'forecache-cache-control': 'max-age=3' }
    expect(governing(both)).toMatchObject({ field: 'forecache-cache-control', targeted: true, control: { maxAge: 3 } })
    expect(governing({ ...both, 'forecache-cache-control': '' })).toMatchObject({
      field: 'cdn-cache-control',
      control: { maxAge: 2 },
    })
    expect(governing({ 'cache-control': 'max-age=1', 'cdn-cache-control': '&&' })).toMatchObject({
      field: 'cache-control',
      targeted: false,
      control: { maxAge: 1 },
    })
  })

  it.each(['max-age=10000, &&&&&', 'MaX-aGe=3600', 'max-age =100', 'max-age= 100', '', '   ', 'a="x'])(
    'ignores %j: it is no dictionary',
    (value) => {
      expect(parseTargeted(value)).toBeUndefined()
    },
  )

  it.each<[string, object]>([
    ['max-age=60', { maxAge: 60 }],
    ['foobar, max-age=3600', { maxAge: 3600 }],
    ['max-age=99999999999', { maxAge: 2 ** 31 }],
    ['max-age="60"', { maxAge: 0 }],
    ['max-age=60.5', { maxAge: 0 }],
    ['max-age=-1', { maxAge: 0 }],
    ['max-age', { maxAge: 0 }],
    ['no-store', { noStore: true }],
    ['no-store=?0', { noStore: false }],
    ['private="x-a, x-b"', { isPrivate: false, privateFields: ['x-a', 'x-b'] }],
    ['private=("x-a")', { isPrivate: true }],
    ['no-cache', { noCache: true }],
    ['max-age=5;a=1, public', { maxAge: 5, isPublic: true }],
    ['max-age=1, max-age=9', { maxAge: 9 }],
  ])('reads %s', (value, expected) => {
    expect(parseTargeted(value)).toMatchObject(expected)
  })

  it('combines lines', () => {
    expect(governing({ 'cdn-cache-control': ['max-age=5', 'no-store'] }).control).toMatchObject({ maxAge: 5, noStore: true })
  })

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (value) => void parseTargeted(value)))
  })
})
