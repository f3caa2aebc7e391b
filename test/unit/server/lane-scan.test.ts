/** Reading requests from raw bytes: what is recognised has one reading only, and nothing else is recognised. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AsideMessage } from '../../../src/server/lane-message.ts'
import { headEnd, isBare, messageLength, readFields, type RequestLine, scanRequestLine } from '../../../src/server/lane-scan.ts'

function lineOf(text: string): { readonly method: string; readonly target: string; readonly rest: string } | undefined {
  const bytes = Buffer.from(text, 'latin1')
  const line: RequestLine = { method: 'GET', targetStart: 0, targetEnd: 0, fieldsStart: 0 }
  if (!scanRequestLine(bytes, 0, line)) return undefined
  return {
    method: line.method,
    target: bytes.toString('latin1', line.targetStart, line.targetEnd),
    rest: bytes.toString('latin1', line.fieldsStart),
  }
}

describe('lane: the request line', () => {
  it('recognises GET and HEAD in HTTP/1.1 with a path, and tells where the fields begin', () => {
    expect(lineOf('GET /a?b=c HTTP/1.1\r\nHost: a\r\n')).toEqual({ method: 'GET', target: '/a?b=c', rest: 'Host: a\r\n' })
    expect(lineOf('HEAD / HTTP/1.1\r\n')).toEqual({ method: 'HEAD', target: '/', rest: '' })
  })

  it.each([
    'get / HTTP/1.1\r\n',
    'POST / HTTP/1.1\r\n',
    'GETX / HTTP/1.1\r\n',
    'HEADS / HTTP/1.1\r\n',
    'GET  / HTTP/1.1\r\n',
    'GET / HTTP/1.0\r\n',
    'GET / HTTP/1.1\n',
    'GET / HTTP/1.1 \r\n',
    'GET /\tHTTP/1.1\r\n',
    'GET /a b HTTP/1.1\r\n',
    'GET /a#b HTTP/1.1\r\n',
    'GET /\xe4 HTTP/1.1\r\n',
    'GET /\x7f HTTP/1.1\r\n',
    'GET /\0 HTTP/1.1\r\n',
    'GET http://a/ HTTP/1.1\r\n',
    'GET * HTTP/1.1\r\n',
    '\r\nGET / HTTP/1.1\r\n',
    'GET / HTTP/1.1\r',
    'GET /',
    'GE',
    '',
  ])('leaves %j to the full stack', (text) => {
    expect(lineOf(text)).toBeUndefined()
  })
})

describe('lane: field lines', () => {
  it('reads names as sent and values without the white space around them', () => {
    expect(readFields('Host: a\r\nX-Y:\tb c \t\r\nEmpty:\r\n')).toEqual(['Host', 'a', 'X-Y', 'b c', 'Empty', ''])
  })

  it.each([
    'Host : a\r\n',
    ' Host: a\r\n',
    'Host: a\r\n folded\r\n',
    'Host\r\n',
    ': a\r\n',
    'Ho st: a\r\n',
    'Host: a\x01\r\n',
    'Host: \xe4\r\n',
    'Host: a\rb\r\n',
    'Host: a\nX: b\r\n',
    'Host: a',
  ])('leaves %j to the full stack', (block) => {
    expect(readFields(block)).toBeUndefined()
  })

  it('reads a value of white space in time that grows with its length alone', () => {
    const block = `a:${' '.repeat(200_000)}\x01\r\n`

    expect(readFields(block)).toBeUndefined()
  })

  it('reads back every block that it could have been given', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9-]{1,12}$/)
    const value = fc.stringMatching(/^(?:[\x21-\x7e](?:[\t\x20-\x7e]{0,12}[\x21-\x7e])?)?$/)
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 12 }), (lines) => {
        const block = lines.map(([one, other]) => `${one}: ${other}\r\n`).join('')
        expect(readFields(block)).toEqual(lines.flat())
      }),
    )
  })
})

describe('lane: requests without content or a say in the connection', () => {
  it('takes a connection that stays for granted', () => {
    expect(isBare(['Host', 'a', 'Connection', 'Keep-Alive', 'Proxy-Connection', 'keep-alive'])).toBe(true)
  })

  it.each(['Content-Length', 'Transfer-Encoding', 'Upgrade', 'Expect', 'TE', 'Trailer', 'HTTP2-Settings', 'Connection'])(
    'leaves one with %s to the full stack',
    (name) => {
      expect(isBare(['Host', 'a', name, 'x'])).toBe(false)
    },
  )
})

describe('lane: where a message of another reader ends', () => {
  const length = (head: string): number | undefined => messageLength(Buffer.from(head, 'latin1'))

  it('counts the head alone, and with it what Content-Length says', () => {
    const bare = 'DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n'
    const full = 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n'

    expect(length(bare)).toBe(bare.length)
    expect(length(full)).toBe(full.length + 12)
  })

  it.each([
    'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n',
    'POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n',
    'POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n',
    'POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n',
    'GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    'GET / HTTP/1.1\r\nConnection: close\r\n\r\n',
    'GET / HTTP/1.0\r\nHost: a\r\n\r\n',
    'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n',
    'BREW / HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\n',
  ])('tells no end of %j', (head) => {
    expect(length(head)).toBeUndefined()
  })

  it('finds the end of a message however it is cut, and takes not a byte more', () => {
    const message = 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde'
    const bytes = Buffer.from(`${message}GET / HTTP/1.1\r\n`, 'latin1')
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(bytes.length), { maxLength: 8 }), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), bytes.length]
        const reader = new AsideMessage(1000)
        let taken = 0
        for (let i = 1; i < places.length; i += 1) {
          const piece = bytes.subarray(places[i - 1], places[i])
          reader.look(piece)
          taken += reader.take(piece.length)
        }
        expect({ taken, whole: reader.isWhole }).toEqual({ taken: message.length, whole: true })
      }),
    )
  })

  it('gives a head that outgrows its bound no end', () => {
    const reader = new AsideMessage(100)
    reader.look(Buffer.alloc(101, 'a'))

    expect(reader.isEndless).toBe(true)
    expect(headEnd(Buffer.from('ab\r\n\r\n'), 0)).toBe(6)
  })
})
