/**
 * What no honest client sends: broken requests, ambiguous ones, other protocols, heads at the edge of a limit.
 */
import type { Dice } from './lane-dice.ts'
import { anyRequest, type Asked } from './lane-requests.ts'

const END = '\r\n\r\n'
const GET = 'GET {P} HTTP/1.1\r\nHost: a.test\r\n'
const NEXT = `GET /uuuuuuu/smuggled HTTP/1.1\r\nHost: a.test${END}`

/** Whole messages that are wrong, or nearly. `{P}` is a path that is stored. */
const SHAPES: readonly string[] = [
  `GET {P} HTTP/1.1${END}`,
  `GET {P}${END}`,
  `GET {P} HTTP/1.1\r\nHost:${END}`,
  `GET {P} HTTP/1.1\nHost: a.test\n\n`,
  `GET {P} HTTP/1.1\r\nHost: a.test\r\nX: y\n\r\n`,
  `GET {P} HTTP/1.1\r\nHost: a.test\nX: y${END}`,
  `GET {P} HTTP/1.1\r\nHost: a.test\r\nX: y\r\n\n`,
  `GET {P} HTTP/1.1\r\nHost: a.test\r\nX: y\r\r\n\r\n`,
  `GET {P} HTTP/1.1\rHost: a.test${END}`,
  `${GET}Host: a.test${END}`,
  `${GET}Host: b.test${END}`,
  `${GET}host : b.test${END}`,
  `GET {P} HTTP/1.1\r\n Host: a.test${END}`,
  `${GET}X: a\r\n b${END}`,
  `${GET}X: a\r\n\tb${END}`,
  `${GET} X: a${END}`,
  `${GET}X: a\0b${END}`,
  `${GET}X: a\x01b${END}`,
  `${GET}X: a\x7fb${END}`,
  `${GET}X: a\x0bb${END}`,
  `${GET}X\xe9: a${END}`,
  `${GET}X Y: a${END}`,
  `${GET}X: \rb${END}`,
  `${GET}: a${END}`,
  `${GET}X${END}`,
  `${GET}X : a${END}`,
  `${GET}X(y): a${END}`,
  `get {P} HTTP/1.1\r\nHost: a.test${END}`,
  `Get {P} HTTP/1.1\r\nHost: a.test${END}`,
  `GETT {P} HTTP/1.1\r\nHost: a.test${END}`,
  `GE {P} HTTP/1.1\r\nHost: a.test${END}`,
  `GET  {P} HTTP/1.1\r\nHost: a.test${END}`,
  `GET\t{P} HTTP/1.1\r\nHost: a.test${END}`,
  ` GET {P} HTTP/1.1\r\nHost: a.test${END}`,
  `GET {P}  HTTP/1.1\r\nHost: a.test${END}`,
  `GET {P} HTTP/1.1 \r\nHost: a.test${END}`,
  `GET {P} x HTTP/1.1\r\nHost: a.test${END}`,
  `GET {P} HTTP/1.2\r\nHost: a.test${END}`,
  `GET {P} HTTP/2.0\r\nHost: a.test${END}`,
  `GET {P} HTTP/0.9\r\nHost: a.test${END}`,
  `GET {P} HTTP/1.\r\nHost: a.test${END}`,
  `GET {P} HTTP/11\r\nHost: a.test${END}`,
  `GET {P} HTTPS/1.1\r\nHost: a.test${END}`,
  `GET {P} http/1.1\r\nHost: a.test${END}`,
  `GET {P} HTTP/1.1x\r\nHost: a.test${END}`,
  `GET {P} ICE/1.0\r\nHost: a.test${END}`,
  `GET {P}#frag HTTP/1.1\r\nHost: a.test${END}`,
  `GET {P}?#frag HTTP/1.1\r\nHost: a.test${END}`,
  `GET {P}\xff HTTP/1.1\r\nHost: a.test${END}`,
  `GET {P}\0 HTTP/1.1\r\nHost: a.test${END}`,
  `GET {P}\x7f HTTP/1.1\r\nHost: a.test${END}`,
  `GET {P}"<>^\`{|}\\ HTTP/1.1\r\nHost: a.test${END}`,
  `GET {P}?q="<>^\`{|}\\ HTTP/1.1\r\nHost: a.test${END}`,
  `GET * HTTP/1.1\r\nHost: a.test${END}`,
  `GET a.test:80 HTTP/1.1\r\nHost: a.test${END}`,
  `GET uuuuuuu/h0 HTTP/1.1\r\nHost: a.test${END}`,
  `GET //uuuuuuu/h0 HTTP/1.1\r\nHost: a.test${END}`,
  `GET {P}/../h0 HTTP/1.1\r\nHost: a.test${END}`,
  `GET {P}/%2e%2e/h0 HTTP/1.1\r\nHost: a.test${END}`,
  `GET /uuuuuuu//h0 HTTP/1.1\r\nHost: a.test${END}`,
  `GET /uuuuuuu/%680 HTTP/1.1\r\nHost: a.test${END}`,
  `GET /uuuuuuu/h0;x=1 HTTP/1.1\r\nHost: a.test${END}`,
  `GET http://a.test{P} HTTP/1.1\r\nHost: a.test${END}`,
  `GET HTTP://a.test{P} HTTP/1.1\r\nHost: a.test${END}`,
  `GET http://b.test{P} HTTP/1.1\r\nHost: a.test${END}`,
  `GET https://a.test{P} HTTP/1.1\r\nHost: a.test${END}`,
  `GET http://u@a.test{P} HTTP/1.1\r\nHost: a.test${END}`,
  `GET http://a.test HTTP/1.1\r\nHost: a.test${END}`,
  `GET http://a.test?x HTTP/1.1\r\nHost: a.test${END}`,
  `GET ftp://a.test{P} HTTP/1.1\r\nHost: a.test${END}`,
  `OPTIONS * HTTP/1.1\r\nHost: a.test${END}`,
  `OPTIONS {P} HTTP/1.1\r\nHost: a.test\r\nMax-Forwards: 0${END}`,
  `TRACE {P} HTTP/1.1\r\nHost: a.test${END}`,
  `CONNECT a.test:443 HTTP/1.1\r\nHost: a.test${END}`,
  `CONNECT {P} HTTP/1.1\r\nHost: a.test${END}`,
  `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  '\0\0\0\0',
  'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  '\r\n\r\n\r\n',
  '\n\n',
  '\r',
  '\r\r\n',
  '\r\nX',
  ' \r\n',
  `${GET}Content-Length: 0${END}`,
  `${GET}Content-Length: 00${END}`,
  `${GET}Content-Length: 3${END}abc`,
  `${GET}Content-Length: +3${END}abc`,
  `${GET}Content-Length: -3${END}abc`,
  `${GET}Content-Length: 0x3${END}abc`,
  `${GET}Content-Length: 3, 3${END}abc`,
  `${GET}Content-Length: 3\r\nContent-Length: 3${END}abc`,
  `${GET}Content-Length: 0\r\nContent-Length: ${NEXT.length}${END}${NEXT}`,
  `${GET}Content-Length: ${NEXT.length}\r\nTransfer-Encoding: chunked${END}0${END}${NEXT}`,
  `${GET}Transfer-Encoding: chunked\r\nContent-Length: 0${END}0${END}`,
  `${GET}Transfer-Encoding: chunked${END}0${END}`,
  `${GET}Transfer-Encoding: chunked${END}3\r\nabc\r\n0${END}`,
  `${GET}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity${END}0${END}`,
  `${GET}Transfer-Encoding: identity${END}${NEXT}`,
  `${GET}Transfer-Encoding: chunked, identity${END}0${END}`,
  `${GET}Transfer-Encoding: xchunked${END}0${END}`,
  `${GET}Transfer-Encoding: \x0bchunked${END}0${END}`,
  `${GET}Transfer-Encoding:chunked${END}3;x\r\nabc\r\n0\r\nA: b${END}`,
  `${GET}Transfer-Encoding : chunked${END}0${END}`,
  `${GET}Transfer_Encoding: chunked${END}`,
  `${GET}Content_Length: 5${END}`,
  `${GET}Transfer-Encoding:${END}${NEXT}`,
  `${GET}Content-Length:${END}${NEXT}`,
  `${GET}Transfer-Encoding: chunked${END}zz\r\n`,
  `${GET}Transfer-Encoding: chunked${END}3\r\nabcd\r\n0${END}`,
  `HEAD {P} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3${END}abc`,
  `POST {P} HTTP/1.1\r\nHost: a.test${END}`,
  `POST {P} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5${END}ab`,
  `POST {P} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked${END}0${END}${NEXT}`,
  `POST {P} HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 3${END}abc`,
  `POST {P} HTTP/1.0\r\nHost: a.test\r\nTransfer-Encoding: chunked${END}0${END}`,
  `GET {P} HTTP/1.0${END}`,
  `GET {P} HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive${END}`,
  `${GET}Expect: 100-continue${END}`,
  `${GET}Connection: close${END}${NEXT}`,
  `${GET}Connection: close\r\nConnection: keep-alive${END}`,
  `${GET}Connection:${END}`,
  `${GET}Authorization: a\r\nAuthorization: b${END}`,
  `${GET}Range: bytes=0-1\r\nRange: bytes=2-3${END}`,
  `${GET}Content-Type: a/b\r\nContent-Type: c/d${END}`,
  `${GET}Cookie: a=1\r\nCookie: b=2${END}`,
  `${GET}If-None-Match: "v1"\r\nIf-None-Match: "v2"${END}`,
  `${GET}Cache-Control: max-age=9\r\nCache-Control: no-cache${END}`,
  `${GET}Accept-Encoding: gzip\r\nAccept-Encoding: br${END}`,
  `${GET}Accept-Encoding: gzip\r\n${END}`,
  `\r\n${GET}\r\n`,
  `\r\n\r\n\r\n${GET}\r\n`,
  `\n${GET}\r\n`,
  `${GET}\r\n\r\n`,
  `${GET}\r\n\r\n\r\n${NEXT}`,
  `${GET}\r\nabc`,
  `${GET}__proto__: x\r\nconstructor: y\r\nhasOwnProperty: z${END}`,
]

/** A message that is wrong, or nearly; or a good one with a byte or two changed. @param stored a path that is stored */
export function hostileBytes(dice: Dice, stored: string, limits: HeadLimits): Asked {
  const bytes = dice.weighed<() => string>([
    [60, () => dice.pick(SHAPES).replaceAll('{P}', stored)],
    [25, () => mutated(dice, anyRequest(dice, stored, dice.chance(0.5)).bytes)],
    [15, () => nearLimit(dice, stored, limits)],
  ])()
  return { bytes, path: stored, isPlain: false, endsConnection: true }
}

/** All of SHAPES, for exhaustive runs. */
export function hostileShapes(stored: string): string[] {
  return SHAPES.map((shape) => shape.replaceAll('{P}', stored))
}

/** Limits of the gateway under test. */
export interface HeadLimits {
  readonly head: number
  readonly fields: number
  readonly target: number
}

function mutated(dice: Dice, bytes: string): string {
  let text = bytes
  for (let left = 1 + dice.int(2); left > 0; left -= 1) {
    const at = dice.int(text.length)
    const odd = dice.pick(['\r', '\n', '\0', ' ', '\t', ':', '\xff', '\x7f', ',', 'A', '%', '\r\n', '\r\n\r\n', '"', '0'])
    text = dice.weighed<() => string>([
      [3, () => text.slice(0, at) + odd + text.slice(at)],
      [3, () => text.slice(0, at) + text.slice(at + 1)],
      [3, () => text.slice(0, at) + odd + text.slice(at + 1)],
      [1, () => text.slice(0, at)],
      [1, () => text.slice(0, at) + text.slice(Math.max(0, at - 9))],
    ])()
  }
  return text
}

function nearLimit(dice: Dice, path: string, { head, fields, target }: HeadLimits): string {
  const by = dice.int(7) - 3
  const line = `GET ${path} HTTP/1.1\r\nHost: a.test\r\n`
  switch (dice.int(4)) {
    case 0:
      return `GET ${path}?${'a'.repeat(Math.max(0, target - path.length - 1 + by))} HTTP/1.1\r\nHost: a.test\r\n\r\n`
    case 1:
      return `${line}${Array.from({ length: Math.max(0, fields - 1 + by) }, (_, at) => `X${at}: y\r\n`).join('')}\r\n`
    case 2:
      return `${line}X: ${'a'.repeat(Math.max(0, head - line.length - 7 + by))}\r\n\r\n`
    default:
      return `${line}X: ${'a'.repeat(head * 2)}`
  }
}
