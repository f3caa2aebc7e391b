/**
 * Generated requests of a lane test: well-formed ones, as browsers, programs and proxies send them.
 *
 * `uuuuuuu` in a target stands for the conversation's own first path part, which is as long.
 */
import type { Dice } from './lane-dice.ts'
import { OTHER_KINDS, STORED_KINDS } from './lane-origin.ts'

/** A request as bytes (latin1), and what the generator knows about it. */
export interface Asked {
  readonly bytes: string
  /** Its path, without query. */
  readonly path: string
  /** Nothing in it keeps a stored answer from being used. */
  readonly isPlain: boolean
  /** The connection may end behind it, or what follows may be read otherwise. */
  readonly endsConnection: boolean
}

/** What one request is made of, before it is written. */
export interface Parts {
  method: string
  target: string
  version: string
  /** As written, in order. */
  lines: string[]
  body: string
}

const AGENT = 'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0'
const BROWSER: readonly string[] = [
  AGENT,
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept: */*',
  'Accept-Language: en-GB,en;q=0.7,de;q=0.3',
  'Accept-Language: de',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Encoding: gzip',
  'Accept-Encoding: identity',
  'Referer: http://a.test/some/page?x=1',
  'Cookie: session=0123456789abcdef; theme=dark',
  'DNT: 1',
  'Connection: keep-alive',
  'Upgrade-Insecure-Requests: 1',
  'Sec-Fetch-Dest: document',
  'Sec-Fetch-Mode: navigate',
  'sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24"',
  'Priority: u=0, i',
  'X-Var: one',
  'Origin: http://a.test',
  'accept:application/json',
  'X-Padded:   spaces around \t ',
  'X-Empty:',
  'X-Twice: 1',
  'X-Twice: 2',
]
/** Fields that change what becomes of a request. */
const DECIDING: readonly string[] = [
  'Cache-Control: no-cache',
  'Cache-Control: no-store',
  'Cache-Control: max-age=0',
  'Cache-Control: max-age=5',
  'Cache-Control: max-age=86400',
  'Cache-Control: min-fresh=10',
  'Cache-Control: min-fresh=5000',
  'Cache-Control: max-stale',
  'Cache-Control: max-stale=3000, max-age=9000',
  'Cache-Control: only-if-cached',
  'Cache-Control: only-if-cached, no-cache',
  'Cache-Control: max-age=x',
  'Cache-Control: "quoted, no-cache"',
  'cache-control: MAX-AGE=600',
  'Cache-Control: ,,',
  'Pragma: no-cache',
  'Range: bytes=0-9',
  'Range: bytes=10-',
  'Range: bytes=-5',
  'Range: bytes=0-1,4-7',
  'Range: bytes=9000-',
  'Range: bytes=5-2',
  'Range: lines=1-2',
  'range: bytes = 0-1',
  'If-None-Match: "v1"',
  'If-None-Match: W/"v1"',
  'If-None-Match: "v0", "v1"',
  'If-None-Match: *',
  'If-None-Match: "other"',
  'If-None-Match: v1',
  'If-Modified-Since: Tue, 03 Feb 2026 10:00:00 GMT',
  'If-Modified-Since: Mon, 02 Feb 2026 10:00:00 GMT',
  'If-Modified-Since: yesterday',
  'If-Match: "v1"',
  'If-Match: "v0"',
  'If-Unmodified-Since: Tue, 03 Feb 2026 10:00:00 GMT',
  'If-Range: "v1"',
  'If-Range: W/"v1"',
  'Authorization: Bearer abcdefghijklmnop',
  'Authorization: Basic dXNlcjpwYXNz',
  'forecache-token: abc.3',
  'forecache-token: nonsense',
  'x-cache-latency: 1',
  'X-Forwarded-For: 1.2.3.4',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: evil.test',
  'Forwarded: for=1.2.3.4;proto=https;host=evil.test',
  'X_Forwarded_Host: evil.test',
  'X-Original-URL: /admin',
  'X-HTTP-Method-Override: DELETE',
  'Via: 1.0 fred, 1.1 p.example',
  'TE: trailers',
  'TE: gzip, trailers;q=0.5',
  'Max-Forwards: 0',
  'Max-Forwards: 7',
  'Accept-Encoding: gzip;q=0, identity;q=0',
  'Accept-Encoding: br;q=0.1, gzip;q=0.9, *;q=0',
  'Accept-Encoding:',
  'Accept-Encoding: *;q=0',
  'Accept-Encoding: identity;q=0.5, zstd',
  'Accept-Language: fr;q=0.9, *;q=0',
  'X-Var: two',
  'Proxy-Connection: keep-alive',
  'Keep-Alive: timeout=5',
  'Connection: X-Var, keep-alive',
  'Connection: Authorization',
  'Connection: Cache-Control',
  'Connection: Host',
  'Connection: ,',
  'Content-Length: 0',
  'content-length:0',
  'Trailer: X-Sum',
  'Content-Type: application/json',
  'X-Tier: gold',
  'X-Tier: none',
  'Cookie: tier=gold',
  'Cookie: a=1; ab=2',
  'X-Latin: caf\xe9 \xff',
]
/** Fields behind which nothing is certain on the connection. */
const ENDING: readonly string[] = [
  'Connection: close',
  'connection: CLOSE',
  'Connection: keep-alive, close',
  'Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__',
  'Upgrade: websocket',
  'Upgrade: HTTP/3.0',
  'Connection: Upgrade',
  'Expect: 100-continue',
  'Expect: 200-ok',
  'Expect:',
]
/** Behind requests that are not yet answered it is refused by `node:http` alone: their answers would be lost. */
export const WEBSOCKET =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
const HOSTS: readonly string[] = [
  'Host: A.TEST',
  'Host: a.test:80',
  'Host: a.test:8080',
  'Host: b.test',
  'host:a.test',
  'HOST:\ta.test ',
]
const QUERIES: readonly string[] = [
  '',
  '',
  '',
  '',
  '?',
  '?a=1',
  '?b=2&a=1',
  '?utm=3',
  '?utm=4&a=1',
  '?a=%2F&b=%C3%A9',
  '?a=1&a=2',
  '?x=%zz',
]

/** A request for one resource. @param plain leaves out what decides about an answer */
export function anyRequest(dice: Dice, path: string, plain: boolean): Asked {
  const letter = path.slice(path.lastIndexOf('/') + 1)[0] as string
  const parts: Parts = {
    method: dice.weighed([[plain ? 90 : 60, 'GET'], [12, 'HEAD'], ...(plain ? [] : OTHER_METHODS)]),
    target: path,
    version: 'HTTP/1.1',
    lines: withHost(dice, plain ? ['Host: a.test'] : [dice.chance(0.85) ? 'Host: a.test' : dice.pick(HOSTS)]),
    body: '',
  }
  if (!plain || letter === 'k') parts.target += dice.pick(letter === 'k' ? ['', '?utm=1', '?ref=x&utm=2'] : QUERIES)
  let ends = false
  if (!plain) {
    for (const line of dice.some(DECIDING, 3)) insert(dice, parts.lines, line)
    if (dice.chance(0.1)) insert(dice, parts.lines, dice.pick(DECIDING))
    if (dice.chance(0.05)) {
      insert(dice, parts.lines, dice.pick(ENDING))
      ends = true
    }
    if (dice.chance(0.04)) {
      parts.version = 'HTTP/1.0'
      if (dice.chance(0.5)) insert(dice, parts.lines, 'Connection: keep-alive')
      ends = true
    }
    if (dice.chance(0.05)) parts.target = `http://${dice.pick(['a.test', 'A.test:80', 'b.test'])}${parts.target}`
    addBody(dice, parts)
  }
  return { bytes: written(parts), path, isPlain: plain && !'vezyADFG'.includes(letter), endsConnection: ends || isSuspect(parts) }
}

const OTHER_METHODS: readonly (readonly [number, string])[] = [
  [6, 'POST'],
  [4, 'DELETE'],
  [3, 'PUT'],
  [2, 'PATCH'],
  [3, 'OPTIONS'],
  [3, 'QUERY'],
  [1, 'PROPFIND'],
]

/** The request as bytes. */
export function written({ method, target, version, lines, body }: Parts): string {
  return `${method} ${target} ${version}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n${body}`
}

const NEW_KINDS = [...STORED_KINDS, ...OTHER_KINDS]

/** A path for something new. */
export function newPath(dice: Dice, number: number): string {
  return `/uuuuuuu/${dice.pick(NEW_KINDS)}${number}`
}

function withHost(dice: Dice, lines: string[]): string[] {
  const list = [...lines]
  for (const line of dice.some(BROWSER, dice.chance(0.5) ? 3 : 12)) insert(dice, list, line)
  return list
}

function insert(dice: Dice, lines: string[], line: string): void {
  lines.splice(dice.int(lines.length + 1), 0, line)
}

function addBody(dice: Dice, parts: Parts): void {
  const usual = ['POST', 'PUT', 'PATCH', 'QUERY'].includes(parts.method)
  if (!dice.chance(usual ? 0.9 : 0.06)) return
  const content = dice.pick([
    '',
    'x',
    'hello=world',
    '{"a":1}',
    'GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n',
    'y'.repeat(9000),
  ])
  if (parts.version === 'HTTP/1.1' && dice.chance(0.4)) {
    insert(dice, parts.lines, dice.pick(['Transfer-Encoding: chunked', 'transfer-encoding:Chunked']))
    parts.body = chunked(dice, content)
  } else {
    insert(dice, parts.lines, `Content-Length: ${content.length}`)
    parts.body = content
  }
}

function chunked(dice: Dice, content: string): string {
  let text = ''
  for (let at = 0; at < content.length; ) {
    const size = 1 + dice.int(content.length - at)
    const extension = dice.chance(0.2) ? dice.pick([';a=b', ';q="x y"', ';flag']) : ''
    text += `${dice.pick([size.toString(16), size.toString(16).toUpperCase(), `0${size.toString(16)}`])}${extension}\r\n`
    text += `${content.slice(at, at + size)}\r\n`
    at += size
  }
  return `${text}0\r\n${dice.chance(0.2) ? 'X-Sum: 7\r\n' : ''}\r\n`
}

/** Two lengths, a length beside a coding, several Hosts: the gateway refuses them and closes. */
function isSuspect({ lines }: Parts): boolean {
  const names = lines.map((line) => line.slice(0, line.indexOf(':')).toLowerCase())
  const lengths = names.filter((name) => name === 'content-length').length
  return lengths > 1 || (lengths > 0 && names.includes('transfer-encoding')) || !names.includes('host')
}
