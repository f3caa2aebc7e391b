/**
 * Generated conversations with the native cache API: values written, read and asked for in vain, with keys right and wrong.
 */
import type { Door, Step } from './lane-case.ts'
import type { Dice } from './lane-dice.ts'
import { hostileShapes } from './lane-hostile.ts'
import { cut } from './lane-schedule.ts'

/** The API key of the ports that have one. */
export const API_KEY = 'a-key-of-sixteen-letters'
const KEY_LINE = `x-api-key: ${API_KEY}`

/** Where these conversations are held. @param keyed whether the port asks for a key */
export function cacheDoor(keyed: boolean): Door {
  return {
    port: 'apiPort',
    last: `GET /cache/uuuuuuu-last HTTP/1.1\r\nHost: localhost\r\n${keyed ? `${KEY_LINE}\r\n` : ''}\r\n`,
    mark: 'the last value',
  }
}

const CREDENTIALS: readonly string[][] = [
  [`X-API-Key: ${API_KEY}`],
  [`Authorization: Bearer ${API_KEY}`],
  [`authorization: bearer ${API_KEY}`],
  [],
  ['x-api-key: '],
  [`x-api-key: ${API_KEY.slice(0, -1)}`],
  [`x-api-key: ${API_KEY}x`],
  [`x-api-key: ${API_KEY.toUpperCase()}`],
  [`x-api-key: ${'a'.repeat(3000)}`],
  ['x-api-key: another-key-of-letters'],
  [`Authorization: Basic ${API_KEY}`],
  [`Authorization: Bearer ${API_KEY}`, 'x-api-key: wrong-key-of-letters'],
  [`x-api-key: ${API_KEY}`, `x-api-key: ${API_KEY}`],
  [`x-api-key: wrong`, `x-api-key: ${API_KEY}`],
  [`x_api_key: ${API_KEY}`],
]
const FIELDS: readonly string[] = [
  'Accept: */*',
  'Accept-Encoding: gzip',
  'Accept-Encoding: br, gzip;q=0.5, *;q=0',
  'Accept-Encoding: identity;q=0',
  'Accept-Encoding: *;q=0',
  'User-Agent: program/1.0',
  'Origin: http://evil.test',
  'Origin: http://localhost',
  'Sec-Fetch-Site: cross-site',
  'Sec-Fetch-Site: none',
  'If-None-Match: *',
  'If-None-Match: "x", W/"y"',
  'If-Modified-Since: Tue, 03 Feb 2026 10:00:00 GMT',
  'Range: bytes=0-3',
  'forecache-namespace: other',
  'forecache-namespace: no/name',
  'forecache-token: abc.1',
  'forecache-token: x',
  'Cache-Control: no-cache',
  'Cache-Control: max-stale=600',
  'Content-Length: 0',
  'Connection: keep-alive',
  'Connection: close',
  'Content-Type: text/plain',
  'X: y',
  'X: \xe9',
]
const HOSTS: readonly string[] = ['Host: localhost', 'Host: 127.0.0.1:8081', 'Host: a.test', 'Host: LOCALHOST', 'host:localhost']
const VALUES: readonly (readonly [type: string, body: string])[] = [
  ['text/plain', 'a value'],
  ['application/json', '{"a":1}'],
  ['application/octet-stream', '\0\x01\xff'],
  ['text/plain', ''],
  ['text/html', '<p>words and words</p>'.repeat(200)],
  ['image/png', 'x'.repeat(70_000)],
]

/** @param keyed whether the port asks for a key */
export function anyCacheTalk(dice: Dice, keyed: boolean): Step[] {
  const right = keyed ? [KEY_LINE] : []
  const stored = Array.from({ length: 1 + dice.int(4) }, (_, at) => `uuuuuuu-k${at}`)
  const steps: Step[] = [{ kind: 'aside', bytes: write('PUT /cache/uuuuuuu-last', right, 'the last value') }]
  for (const key of stored) {
    const [type, body] = dice.pick(VALUES)
    const wish = dice.pick(['', '', '?ttl=20s', '?ttl=20s&stale=10m', '?tags=red,green', '?namespace=other'])
    steps.push({ kind: 'aside', bytes: write(`PUT /cache/${key}${wish}`, [...right, `Content-Type: ${type}`], body) })
  }
  let made = 0
  for (let groups = 1 + dice.int(3); groups > 0; groups -= 1) {
    const touched = new Set<string>()
    let bytes = ''
    for (
      let left = dice.weighed([
        [4, 1],
        [3, 3],
        [1, 12],
      ]);
      left > 0;
      left -= 1
    ) {
      const known = dice.pick(stored)
      const key = touched.has(known) ? `uuuuuuu-m${(made += 1)}` : known
      bytes += dice.weighed<() => string>([
        [
          12,
          () =>
            read(dice, known === key ? key : dice.pick(stored.filter((one) => !touched.has(one)).concat('uuuuuuu-none')), right),
        ],
        [2, () => (touched.add(key), change(dice, key, right))],
        [1, () => other(dice, right)],
        [
          0.6,
          () =>
            dice.pick(
              hostileShapes(`/cache/${known}`).filter(
                (shape) => shape.startsWith('GET') && !/Expect|Upgrade|Content-Length|Transfer-Encoding/.test(shape),
              ),
            ),
        ],
      ])()
    }
    steps.push({ kind: 'send', pieces: cut(dice, bytes) }, { kind: 'await' })
    if (dice.chance(0.4)) steps.push(between(dice))
  }
  return steps
}

function between(dice: Dice): Step {
  return dice.pick<Step>([
    { kind: 'forward', ms: 900 },
    { kind: 'forward', ms: 21_000 },
    { kind: 'invalidate', input: { tags: ['red'] } },
  ])
}

function read(dice: Dice, key: string, right: readonly string[]): string {
  const method = dice.weighed([
    [8, 'GET'],
    [2, 'HEAD'],
  ])
  const path = dice.weighed([
    [12, key],
    [1, key.replace('-', '%2D')],
    [1, `${key}?namespace=other`],
    [1, `${key}?x=1`],
    [0.5, `${key}/x`],
    [0.5, `${key}%`],
    [0.5, `${key}%ff`],
    [0.5, ''],
    [0.5, `${key}${'k'.repeat(1100)}`],
  ])
  const credentials = dice.chance(0.75) ? right : dice.pick(CREDENTIALS)
  const host = dice.chance(0.9) ? 'Host: localhost' : dice.pick(HOSTS)
  const lines = shuffled(dice, [host, ...credentials, ...(dice.chance(0.5) ? [] : dice.some(FIELDS, 3))])
  return `${method} /cache/${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
}

function change(dice: Dice, key: string, right: readonly string[]): string {
  const [type, body] = dice.pick(VALUES)
  const wish = dice.pick(['', '?ttl=5m', '?tags=red', '?namespace=other'])
  // What is refused before its content was read closes its connection or not, as the parser was called: none here.
  const credentials = dice.chance(0.8) ? right : dice.pick(CREDENTIALS)
  switch (dice.int(4)) {
    case 0:
      return `DELETE /cache/${key} HTTP/1.1\r\n${['Host: localhost', ...credentials].join('\r\n')}\r\n\r\n`
    case 1:
      return write('POST /cache', [...right, 'Content-Type: application/json'], JSON.stringify({ get: [key] }))
    default:
      return write(`PUT /cache/${key}${wish}`, [...right, `Content-Type: ${type}`], body)
  }
}

function other(dice: Dice, right: readonly string[]): string {
  const start = dice.pick([
    'GET /livez',
    'GET /readyz',
    'GET /nowhere',
    'PATCH /cache/x',
    'OPTIONS /cache/x',
    'GET /cache',
    'HEAD /livez',
  ])
  return `${start} HTTP/1.1\r\n${['Host: localhost', ...right].join('\r\n')}\r\n\r\n`
}

function write(start: string, lines: readonly string[], body: string): string {
  const fields = ['Host: localhost', ...lines, `Content-Length: ${body.length}`]
  return `${start} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n${body}`
}

function shuffled(dice: Dice, lines: readonly string[]): string[] {
  const list: string[] = []
  for (const line of lines) list.splice(dice.int(list.length + 1), 0, line)
  return list
}
