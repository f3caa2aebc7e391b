import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fields } from '../../../src/model/fields.ts'
import { boundaryFor, multipartRanges } from '../../../src/rules/multipart.ts'
import {
  formatContentRange,
  joinParts,
  parseContentRange,
  partOf,
  sliceOf,
  unsatisfiedLength,
} from '../../../src/rules/partial.ts'
import { isRangeApplicable, MAX_RANGES, parseRange, resolveRanges } from '../../../src/rules/range.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)

describe('Range (RFC 9110 section 14)', () => {
  it.each<[string, unknown]>([
    ['bytes=0-1', [{ first: 0, last: 1 }]],
    ['bytes=5-', [{ first: 5, last: undefined }]],
    ['bytes=-5', [{ suffix: 5 }]],
    [
      'Bytes=0-0 , ,2-3',
      [
        { first: 0, last: 0 },
        { first: 2, last: 3 },
      ],
    ],
    ['bytes=2-1', undefined],
    ['bytes=', undefined],
    ['bytes=-', undefined],
    ['bytes=a-b', undefined],
    ['items=0-1', undefined],
    ['bytes 0-1', undefined],
    ['bytes=0-1;x', undefined],
    ['bytes=+1-2', undefined],
    ['bytes=1-2-3', undefined],
  ])('reads %s', (value, expected) => {
    expect(parseRange(value)).toEqual(expected)
  })

  it('is ignored when it asks for too many pieces', () => {
    expect(parseRange(`bytes=${Array.from({ length: MAX_RANGES + 1 }, (_, i) => `${i}-${i}`).join(',')}`)).toBeUndefined()
  })

  it.each<[string, number, unknown]>([
    ['bytes=0-1', 10, [{ first: 0, last: 1 }]],
    ['bytes=8-99', 10, [{ first: 8, last: 9 }]],
    ['bytes=-3', 10, [{ first: 7, last: 9 }]],
    ['bytes=-30', 10, [{ first: 0, last: 9 }]],
    ['bytes=10-', 10, []],
    ['bytes=-0', 10, []],
    ['bytes=0-', 0, []],
    [
      'bytes=0-1,20-30,-1',
      10,
      [
        { first: 0, last: 1 },
        { first: 9, last: 9 },
      ],
    ],
    ['bytes=0-9,0-9', 10, undefined],
  ])('resolves %s of %d bytes', (value, length, expected) => {
    expect(resolveRanges(parseRange(value) ?? [], length)).toEqual(expected)
  })

  it('gives only positions inside the representation, never more bytes than it has', () => {
    const specs = fc.array(
      fc.oneof(fc.record({ suffix: fc.nat(50) }), fc.record({ first: fc.nat(50), last: fc.constant(undefined) })),
      { maxLength: 4 },
    )
    fc.assert(
      fc.property(specs, fc.nat(40), (given, length) => {
        const ranges = resolveRanges(given, length) ?? []
        for (const { first, last } of ranges) expect(first >= 0 && first <= last && last < length).toBe(true)
        const sum = ranges.reduce((total, { first, last }) => total + last - first + 1, 0)
        expect(sum).toBeLessThanOrEqual(length)
      }),
    )
    fc.assert(fc.property(fc.string(), (value) => void parseRange(`bytes=${value}`)))
  })
})

describe('If-Range (RFC 9110 section 13.1.5)', () => {
  const stored = Fields.from({
    etag: '"a"',
    'last-modified': 'Wed, 01 Jan 2020 00:00:00 GMT',
    date: 'Wed, 01 Jan 2020 00:00:10 GMT',
  })
  const applies = (value: string, fields = stored): boolean => isRangeApplicable(Fields.from({ 'if-range': value }), fields)

  it('holds only for a strong match of the tag, or the very date when that is strong', () => {
    expect(applies('"a"')).toBe(true)
    expect([applies('W/"a"'), applies('"b"'), applies('a')]).toEqual([false, false, false])
    expect(applies('"a"', Fields.from({ etag: 'W/"a"' }))).toBe(false)
    expect(applies('Wed, 01 Jan 2020 00:00:00 GMT')).toBe(true)
    expect(applies('Wed, 01 Jan 2020 00:00:01 GMT')).toBe(false)
    expect(applies('Wed, 01 Jan 2020 00:00:00 GMT', stored.clone().set('date', 'Wed, 01 Jan 2020 00:00:00 GMT'))).toBe(false)
    expect(isRangeApplicable(Fields.from(), stored)).toBe(true)
  })
})

describe('parts (RFC 9110 sections 14.4 and 15.3.7)', () => {
  it.each<[string | undefined, unknown]>([
    ['bytes 0-4/10', { first: 0, last: 4, total: 10 }],
    ['bytes 0-4/*', undefined],
    ['bytes 4-0/10', undefined],
    ['bytes 0-10/10', undefined],
    ['bytes */10', undefined],
    ['bytes=0-4/10', undefined],
    [undefined, undefined],
    ['bytes 0-4/10, bytes 5-9/10', undefined],
  ])('reads Content-Range %s', (value, expected) => {
    expect(parseContentRange(value)).toEqual(expected)
  })

  it('reads the length that a 416 names', () => {
    expect(unsatisfiedLength('bytes */10')).toBe(10)
    expect(unsatisfiedLength('bytes 0-1/10')).toBeUndefined()
  })

  it('are kept only with exactly the bytes they claim', () => {
    const fields = Fields.from({ 'content-range': 'bytes 4-9/10' })
    expect(partOf(fields, 6, false)).toEqual({ first: 4, last: 9, total: 10 })
    expect([partOf(fields, 5, false), partOf(fields, 7, false), partOf(fields, 0, true), partOf(Fields.from(), 6, true)]).toEqual(
      [undefined, undefined, undefined, undefined],
    )
    expect(partOf(fields, 5, true)).toEqual({ first: 4, last: 9, total: 10 })
  })

  it('answer what they hold and nothing else', () => {
    const part = { first: 4, last: 9, total: 10 }
    expect(sliceOf({ first: 6, last: 8 }, part, 6)).toEqual({ from: 2, to: 4, range: { first: 6, last: 8 } })
    expect(sliceOf({ first: 6, last: undefined }, part, 6)).toEqual({ from: 2, to: 5, range: { first: 6, last: 9 } })
    expect(sliceOf({ suffix: 2 }, part, 6)).toEqual({ from: 4, to: 5, range: { first: 8, last: 9 } })
    expect(sliceOf({ first: 3, last: 5 }, part, 6)).toBeUndefined()
    expect(sliceOf({ suffix: 7 }, part, 6)).toBeUndefined()
    expect(sliceOf({ first: 10, last: undefined }, part, 6)).toBeUndefined()
    const head = { first: 0, last: 4, total: 10 }
    expect(sliceOf({ first: 2, last: undefined }, head, 5)).toBeUndefined()
    expect(sliceOf({ suffix: 5 }, head, 5)).toBeUndefined()
  })

  it('are put together only under one strong tag, one length, one coding, and without a gap', () => {
    const at = (
      first: number,
      text: string,
      record: Record<string, string> = { etag: '"a"' },
      total = 10,
    ): Parameters<typeof joinParts>[0] => ({
      part: { first, last: first + text.length - 1, total },
      bytes: bytes(text),
      fields: Fields.from(record),
    })
    expect(joinParts(at(5, '56789'), at(0, '01234'))).toEqual({
      part: { first: 0, last: 9, total: 10 },
      bytes: new Uint8Array(bytes('0123456789')),
    })
    expect(joinParts(at(0, '0123456'), at(4, '456789'))?.part).toEqual({ first: 0, last: 9, total: 10 })
    expect(joinParts(at(0, '012345'), at(2, '23'))?.part).toEqual({ first: 0, last: 5, total: 10 })
    expect(joinParts(at(0, '0123'), at(5, '56789'))).toBeUndefined()
    expect(joinParts(at(0, '01234', { etag: 'W/"a"' }), at(5, '56789', { etag: 'W/"a"' }))).toBeUndefined()
    expect(joinParts(at(0, '01234', {}), at(5, '56789', {}))).toBeUndefined()
    expect(joinParts(at(0, '01234'), at(5, '56789', { etag: '"b"' }))).toBeUndefined()
    expect(joinParts(at(0, '01234'), at(5, '56789', { etag: '"a"' }, 11))).toBeUndefined()
    expect(joinParts(at(0, '01234'), at(5, '56789', { etag: '"a"', 'content-encoding': 'br' }))).toBeUndefined()
  })

  it('put together give the bytes of the whole, however they overlap', () => {
    const whole = '0123456789abcdefghij'
    fc.assert(
      fc.property(fc.nat(19), fc.nat(19), fc.nat(19), fc.nat(19), (a, b, c, d) => {
        const piece = (x: number, y: number): Parameters<typeof joinParts>[0] => {
          const [first, last] = x <= y ? [x, y] : [y, x]
          return {
            part: { first, last, total: 20 },
            bytes: bytes(whole.slice(first, last + 1)),
            fields: Fields.from({ etag: '"a"' }),
          }
        }
        const joined = joinParts(piece(a, b), piece(c, d))
        if (joined === undefined) return
        expect(Buffer.from(joined.bytes).toString()).toBe(whole.slice(joined.part.first, joined.part.last + 1))
      }),
    )
  })
})

describe('multipart/byteranges (RFC 9110 section 14.6)', () => {
  it('names each piece and ends as the grammar wants it', () => {
    const body = multipartRanges(
      bytes('0123456789'),
      [
        { first: 0, last: 1 },
        { first: 8, last: 9 },
      ],
      { contentType: 'text/plain', boundary: 'B' },
    )
    expect(Buffer.from(body).toString()).toBe(
      '\r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01' +
        '\r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 8-9/10\r\n\r\n89\r\n--B--\r\n',
    )
  })

  it('finds a boundary that the body does not hold', () => {
    const first = boundaryFor(bytes(''), 'seed')
    expect(boundaryFor(bytes(`x${first}x`), 'seed')).not.toBe(first)
    expect(formatContentRange({ first: 1, last: 2 }, 3)).toBe('bytes 1-2/3')
  })
})
