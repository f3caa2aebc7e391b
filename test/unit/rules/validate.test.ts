import { describe, expect, it } from 'vitest'
import { Fields } from '../../../src/model/fields.ts'
import {
  isFreshenedBy,
  judgeHead,
  mergeFields,
  unconditional,
  validationFields,
  validatorsOf,
} from '../../../src/rules/validate.ts'

const MODIFIED = 'Wed, 01 Jan 2020 00:00:00 GMT'
const LATER = 'Thu, 02 Jan 2020 00:00:00 GMT'
const from = (record: Record<string, string | string[]>): Fields => Fields.from(record)

describe('the validating request (RFC 9111 section 4.3.1)', () => {
  it('bears the stored validators alone, whatever the client asked for', () => {
    const request = from({
      'if-none-match': '"client"',
      'if-match': '*',
      'if-range': '"x"',
      range: 'bytes=0-1',
      'if-unmodified-since': LATER,
      a: '1',
    })
    const fields = validationFields(request, { etag: '"stored"', lastModified: MODIFIED })
    expect(fields.raw()).toEqual(['a', '1', 'if-none-match', '"stored"', 'if-modified-since', MODIFIED])
    expect(unconditional(request).raw()).toEqual(['a', '1'])
  })

  it('is not possible without validators', () => {
    expect(validatorsOf(from({ a: '1' }))).toBeUndefined()
    expect(validatorsOf(from({ etag: '"a"' }))).toEqual({ etag: '"a"', lastModified: undefined })
  })
})

describe('which 304 speaks of a stored response (RFC 9111 section 4.3.4)', () => {
  it.each<[Record<string, string>, Record<string, string>, boolean]>([
    [{ etag: '"a"' }, {}, true],
    [{ etag: '"a"' }, { etag: '"a"' }, true],
    [{ etag: '"a"' }, { etag: '"b"' }, false],
    [{ etag: 'W/"a"' }, { etag: '"a"' }, true],
    [{ etag: '"a"' }, { etag: 'W/"a"' }, true],
    [{ etag: 'W/"a"' }, { etag: 'W/"b"' }, false],
    [{ 'last-modified': MODIFIED }, { 'last-modified': MODIFIED }, true],
    [{ 'last-modified': MODIFIED }, { 'last-modified': 'Wednesday, 01-Jan-20 00:00:00 GMT' }, true],
    [{ 'last-modified': MODIFIED }, { 'last-modified': LATER }, false],
    [{ 'last-modified': MODIFIED }, { etag: '"new"' }, true],
    [{ etag: '"a"', 'last-modified': MODIFIED }, { 'last-modified': LATER }, false],
    [{ etag: '"a"', 'last-modified': MODIFIED }, { etag: '"a"', 'last-modified': LATER }, true],
  ])('stored %j, answered %j: %s', (stored, answer, expected) => {
    expect(isFreshenedBy(from(stored), from(answer))).toBe(expected)
  })
})

describe('what a 304 changes (RFC 9111 section 3.2)', () => {
  const stored = from({
    a: ['1', '2'],
    b: '1',
    etag: '"a"',
    'content-type': 'text/plain',
    'content-length': '4',
    'content-encoding': 'br',
  })
  const answer = from({
    a: '3',
    c: ['4', '5'],
    etag: 'W/"a"',
    'content-type': 'text/html',
    'content-length': '0',
    'content-encoding': 'gzip',
    'content-range': 'bytes 0-1/2',
    'content-md5': 'x',
    age: '5',
    connection: 'x-hop',
    'x-hop': '1',
    'proxy-authenticate': 'Basic',
  })

  it('replaces fields line for line, adds new ones, and leaves alone what the bytes depend on', () => {
    expect(mergeFields(stored, answer, { contentType: false }).raw()).toEqual([
      'b',
      '1',
      'etag',
      '"a"',
      'content-type',
      'text/plain',
      'content-length',
      '4',
      'content-encoding',
      'br',
      'a',
      '3',
      'c',
      '4',
      'c',
      '5',
    ])
  })

  it('takes the type where that is wanted', () => {
    expect(mergeFields(stored, answer, { contentType: true }).all('content-type')).toEqual(['text/html'])
  })

  it('gives a tag to a response that had none', () => {
    expect(mergeFields(from({ a: '1' }), from({ etag: '"a"' }), { contentType: false }).first('etag')).toBe('"a"')
  })
})

describe('what HEAD says about a stored response (RFC 9111 section 4.3.5)', () => {
  it.each<[Record<string, string>, Record<string, string>, string]>([
    [{ etag: '"a"' }, { etag: '"a"' }, 'same'],
    [{ etag: '"a"' }, { etag: '"b"' }, 'other'],
    [{ etag: '"a"', 'content-length': '4' }, { etag: '"a"', 'content-length': '5' }, 'other'],
    [{ 'content-length': '4' }, { 'content-length': '4' }, 'unknown'],
    [{ 'content-length': '4' }, { 'content-length': '5' }, 'other'],
    [{ 'last-modified': MODIFIED }, { 'last-modified': MODIFIED }, 'same'],
    [{ etag: '"a"' }, {}, 'unknown'],
    [{}, { etag: '"a"' }, 'unknown'],
  ])('stored %j, head %j: %s', (stored, head, expected) => {
    expect(judgeHead(from(stored), from(head))).toBe(expected)
  })
})
