import { describe, expect, it } from 'vitest'
import { ReplyScanner, TYPE } from '../../../src/wire/resp-reply.ts'

/** The frames of one chunk. */
function frames(text: string): string[] {
  const scanner = new ReplyScanner()
  const found: string[] = []
  scanner.push(Buffer.from(text, 'latin1'))
  while (scanner.next()) if (scanner.isLast) found.push(text.slice(scanner.start, scanner.end))
  if (scanner.broken !== undefined) found.push(scanner.broken)
  return found
}

describe('resp-reply', () => {
  it.each([
    ['+OK\r\n', 'a simple string'],
    ['-ERR no\r\n', 'an error'],
    [':-12\r\n', 'an integer'],
    ['$3\r\na\r\n\r\n', 'a bulk with an end of line in it'],
    ['$0\r\n\r\n', 'an empty bulk'],
    ['$-1\r\n', 'a null bulk'],
    ['*-1\r\n', 'a null array'],
    ['*0\r\n', 'an empty array'],
    ['*2\r\n*1\r\n:1\r\n$1\r\na\r\n', 'nested arrays'],
    ['_\r\n', 'null'],
    ['#t\r\n', 'a boolean'],
    [',1.5e3\r\n', 'a double'],
    ['(12345678901234567890123\r\n', 'a big number'],
    ['!5\r\nERR x\r\n', 'a bulk error'],
    ['=7\r\ntxt:abc\r\n', 'a verbatim string'],
    ['%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n_\r\n', 'a map'],
    ['~2\r\n:1\r\n:2\r\n', 'a set'],
    ['>2\r\n+message\r\n+x\r\n', 'a push'],
    ['|1\r\n+ttl\r\n:3\r\n*1\r\n|1\r\n+a\r\n:1\r\n+b\r\n', 'a reply with attributes, within and before'],
    ['|0\r\n:1\r\n', 'a reply with no attributes'],
    ['$?\r\n;2\r\nab\r\n;1\r\nc\r\n;0\r\n', 'a streamed string'],
    ['*?\r\n:1\r\n*?\r\n.\r\n%?\r\n+a\r\n:1\r\n.\r\n.\r\n', 'streamed aggregates'],
  ])('finds the end of %j, %s', (text) => {
    expect(frames(text)).toEqual([text])
    expect(frames(`${text}+behind\r\n`)).toEqual([text, '+behind\r\n'])
    expect(frames(`*1\r\n${text}`)).toEqual([`*1\r\n${text}`])
  })

  it('tells pushes, types and lengths, behind attributes too', () => {
    const scanner = new ReplyScanner()
    const seen: unknown[] = []
    scanner.push(Buffer.from('>1\r\n+x\r\n$5\r\nabcde\r\n$-1\r\n|1\r\n+a\r\n+b\r\n%0\r\n'))
    while (scanner.next()) seen.push([scanner.isPush, scanner.type, scanner.declaredBytes])
    expect(seen).toEqual([
      [true, TYPE.push, Number.NaN],
      [false, TYPE.bulk, 5],
      [false, TYPE.bulk, -1],
      [false, TYPE.map, Number.NaN],
    ])
  })

  it('hands on a long bulk piece by piece, with its length from the first', () => {
    const scanner = new ReplyScanner()
    scanner.push(Buffer.from('$1000000\r\nabc'))
    expect(scanner.next()).toBe(true)
    expect([scanner.isFirst, scanner.isLast, scanner.declaredBytes, scanner.end]).toEqual([true, false, 1_000_000, 13])
    expect(scanner.next()).toBe(false)
    scanner.push(Buffer.alloc(999_997))
    expect(scanner.next()).toBe(true)
    expect([scanner.isFirst, scanner.isLast]).toEqual([false, false])
    scanner.push(Buffer.from('\r\n:1\r\n'))
    expect(scanner.next()).toBe(true)
    expect([scanner.isLast, scanner.start, scanner.end]).toEqual([true, 0, 2])
    expect(scanner.isIdle).toBe(true)
    expect(scanner.next()).toBe(true)
    expect([scanner.isFirst, scanner.isLast]).toEqual([true, true])
  })

  it.each([
    ['x\r\n', 'a reply begins with byte 0x78'],
    ['$a\r\n', 'a length reads "a\\r"'],
    ['$1 \r\n', 'a length reads "1 \\r"'],
    ['$-2\r\n', 'a length reads "-2\\r"'],
    [`$${'1'.repeat(40)}`, 'a length does not end'],
    [';1\r\na\r\n', 'a chunk stands alone'],
    ['.\r\n', 'an end stands alone'],
    ['|?\r\n', 'an attribute has no length'],
    ['*1\r\n'.repeat(1025), 'replies nest deeper than 1024'],
  ])('gives up on %j', (text, why) => {
    expect(frames(`+OK\r\n${text}`)).toEqual(['+OK\r\n', why])
  })
})
