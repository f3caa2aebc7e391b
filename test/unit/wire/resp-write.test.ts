import { describe, expect, it } from 'vitest'
import { formatDouble } from '../../../src/wire/resp-double.ts'
import { ReplyWriter } from '../../../src/wire/resp-write.ts'

function written(version: 2 | 3, write: (writer: ReplyWriter) => void): string {
  const writer = new ReplyWriter()
  writer.version = version
  write(writer)
  return writer.take().toString('latin1')
}

describe('resp-write', () => {
  it.each([
    ['map(2)', '*4\r\n', '%2\r\n', (writer: ReplyWriter) => writer.map(2)],
    ['set(3)', '*3\r\n', '~3\r\n', (writer: ReplyWriter) => writer.set(3)],
    ['push(3)', '*3\r\n', '>3\r\n', (writer: ReplyWriter) => writer.push(3)],
    ['array(0)', '*0\r\n', '*0\r\n', (writer: ReplyWriter) => writer.array(0)],
    ['null', '$-1\r\n', '_\r\n', (writer: ReplyWriter) => writer.null()],
    ['null array', '*-1\r\n', '_\r\n', (writer: ReplyWriter) => writer.nullArray()],
    ['true', ':1\r\n', '#t\r\n', (writer: ReplyWriter) => writer.boolean(true)],
    ['false', ':0\r\n', '#f\r\n', (writer: ReplyWriter) => writer.boolean(false)],
    ['0.1', '$19\r\n0.10000000000000001\r\n', ',0.10000000000000001\r\n', (writer: ReplyWriter) => writer.double(0.1)],
    ['verbatim', '$2\r\nab\r\n', '=6\r\ntxt:ab\r\n', (writer: ReplyWriter) => writer.verbatim('txt', Buffer.from('ab'))],
    ['big number', '$3\r\n123\r\n', '(123\r\n', (writer: ReplyWriter) => writer.bigNumber('123')],
    ['simple', '+OK\r\n', '+OK\r\n', (writer: ReplyWriter) => writer.simple('OK')],
    ['error', '-ERR \u00c3\u00a4\r\n', '-ERR \u00c3\u00a4\r\n', (writer: ReplyWriter) => writer.error('ERR ä')],
    ['text', '$2\r\n\u00c3\u00a4\r\n', '$2\r\n\u00c3\u00a4\r\n', (writer: ReplyWriter) => writer.bulkText('ä')],
    ['bulk', '$2\r\nbc\r\n', '$2\r\nbc\r\n', (writer: ReplyWriter) => writer.bulk(Buffer.from('abcd'), 1, 3)],
    [
      'bigint',
      ':-9223372036854775808\r\n',
      ':-9223372036854775808\r\n',
      (writer: ReplyWriter) => writer.bigInteger(-(2n ** 63n)),
    ],
  ])('writes %s in both versions of the protocol', (_, second, third, write) => {
    expect(written(2, write)).toBe(second)
    expect(written(3, write)).toBe(third)
  })

  it('writes every integer as its digits', () => {
    for (const value of [0, -1, 9, 10, 99, 100, 12_345, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 53, -(2 ** 53)]) {
      expect(written(2, (writer) => writer.integer(value))).toBe(`:${value}\r\n`)
    }
  })

  it('gathers what is written, whatever its length, and takes it back on demand', () => {
    const long = Buffer.alloc(100_000, 'x')
    const writer = new ReplyWriter()
    writer.text('+1\r\n').bulk(long).put(Buffer.from('abcdef'), 2, 4)
    const length = writer.length
    writer.integer(5).cut(length)
    expect(writer.take().toString('latin1')).toBe(`+1\r\n$100000\r\n${long.toString()}\r\ncd`)
    expect(writer.length).toBe(0)
  })

  it('does not write over bytes that have not left', () => {
    const writer = new ReplyWriter()
    const first = writer.text('+first\r\n').take()
    writer.settle(false)
    writer.text('+other\r\n').take()
    expect(first.toString()).toBe('+first\r\n')
    writer.settle(true)
    const reused = writer.text('+third\r\n').take()
    writer.settle(true)
    writer.text('+4\r\n').take()
    expect(reused.toString()).toBe('+4\r\nrd\r\n')
  })

  it('lends room to be filled by the caller', () => {
    const writer = new ReplyWriter()
    writer.text('+a\r\n')
    const at = writer.reserve(3)
    writer.room.write('xyz', at)
    expect(writer.take().toString()).toBe('+a\r\nxyz')
  })
})

describe('resp-double', () => {
  it.each([
    [0, '0'],
    [-0, '-0'],
    [3, '3'],
    [1.5, '1.5'],
    [0.1, '0.10000000000000001'],
    [-1e-5, '-1.0000000000000001e-05'],
    [0.0001, '0.0001'],
    [1e16, '10000000000000000'],
    [1e17, '1e+17'],
    [123456789012345680, '1.2345678901234568e+17'],
    [1e100, '1e+100'],
    [5e-324, '4.9406564584124654e-324'],
    [1_125_899_906_842_624.25, '1125899906842624.2'],
    [1_125_899_906_842_624.75, '1125899906842624.8'],
    [Number.MAX_VALUE, '1.7976931348623157e+308'],
    [Number.POSITIVE_INFINITY, 'inf'],
    [Number.NEGATIVE_INFINITY, '-inf'],
    [Number.NaN, 'nan'],
  ])('prints %d as C does with %%.17g', (value, text) => {
    expect(formatDouble(value)).toBe(text)
  })
})
