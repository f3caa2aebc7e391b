/**
 * The same bytes in one piece, cut at every byte, and byte by byte: through the lane and through `node:http` alone; and every
 * hostile shape alone, behind a hit and between hits.
 *
 * FORECACHE_LANE_RUNS above 1000: every shape is cut at every byte too.
 */
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Step } from '../support/lane-case.ts'
import { type Duel, startDuel } from '../support/lane-duel.ts'
import { hostileShapes } from '../support/lane-hostile.ts'

const RUNS = Number(process.env['FORECACHE_LANE_RUNS'] ?? 100)
const EXHAUSTIVE = RUNS > 1000

const HOST = 'Host: a.test\r\n'
const get = (name: string, lines = ''): string => `GET /uuuuuuu/${name} HTTP/1.1\r\n${HOST}${lines}\r\n`
const HIT = get('h1')
const fill = (name: string): Step => ({ kind: 'aside', bytes: get(name) })
const FILLS: readonly Step[] = [fill('h1'), fill('h2'), fill('r1')]

const STREAMS: [name: string, bytes: string][] = [
  ['a hit', get('h1', 'Accept: */*\r\nAccept-Encoding: gzip\r\n')],
  ['three hits', HIT + get('h1', 'If-None-Match: "v1"\r\n') + HIT.replace('GET', 'HEAD')],
  ['a hit, a miss, a hit', HIT + get('p2') + HIT],
  ['a hit, a range, a hit', HIT + get('r1', 'Range: bytes=2-5\r\n') + HIT],
  ['a hit, a POST, a hit', `${HIT}POST /uuuuuuu/n3 HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello${HIT}`],
  ['a DELETE of what was hit', `${HIT}DELETE /uuuuuuu/h4 HTTP/1.1\r\n${HOST}\r\n${HIT}`],
  [
    'chunked content between hits',
    `${HIT}PUT /uuuuuuu/n4 HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n${HIT}`,
  ],
  ['content that reads like a request', `PUT /uuuuuuu/n5 HTTP/1.1\r\n${HOST}Content-Length: ${HIT.length}\r\n\r\n${HIT}${HIT}`],
  ['a hit, then the last request', HIT + get('h1', 'Connection: close\r\n') + HIT],
  ['empty lines before requests', `\r\n${HIT}\r\n\r\n${HIT}`],
  ['HTTP/1.0', `${HIT}GET /uuuuuuu/h1 HTTP/1.0\r\n${HOST}\r\n`],
  ['a request that is refused', HIT + get('h1', HOST)],
  ['a request that cannot be read', `${HIT}GET /uuuuuuu/h1 HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n`],
  ['a long and a short length', `POST /uuuuuuu/n6 HTTP/1.1\r\n${HOST}Content-Length: 5\r\nContent-Length: 0\r\n\r\n${HIT}`],
]

async function duel(): Promise<Duel> {
  const started = await startDuel()
  onTestFinished(() => started.close())
  return started
}

function* cuts(bytes: string, every: number): Generator<readonly string[]> {
  yield [bytes]
  for (let at = 1; at < bytes.length; at += every) yield [bytes.slice(0, at), bytes.slice(at)]
  yield [...bytes]
}

const send = (pieces: readonly string[]): Step => ({ kind: 'send', pieces })

describe('lane and node:http read the same out of the same bytes', () => {
  for (const [name, bytes] of STREAMS) {
    it(`cut anywhere: ${name}`, { timeout: 60_000 }, async () => {
      const { judge } = await duel()

      for (const pieces of cuts(bytes, EXHAUSTIVE ? 1 : 3)) {
        expect(await judge([...FILLS, send(pieces)]), JSON.stringify(pieces)).toBeUndefined()
      }
    })
  }

  it.each([
    ['chunked content', 'Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n0\r\n\r\n'],
    ['a length', 'Content-Length: 3\r\n', 'abc'],
    ['a connection that lists', 'Connection: X-Odd\r\nContent-Length: 3\r\n', 'abc'],
  ])('never takes what follows half a head for a request: behind %s', async (_, framing, content) => {
    const { judge } = await duel()
    const begun = `POST /uuuuuuu/n7 HTTP/1.1\r\n${HOST}${framing}\r\n${content}GET /uuuuuuu/n8 HTTP/1.1\r\nX: `

    for (const pieces of cuts(begun, 1)) {
      expect(
        await judge([...FILLS, send(pieces), { kind: 'await' }, send([HIT]), { kind: 'await' }, send([HIT])]),
      ).toBeUndefined()
    }
  })

  it('every hostile shape: alone, behind a hit, between hits, in two pieces', { timeout: 600_000 }, async () => {
    const { judge, remains } = await duel()
    const found: string[] = []

    for (const shape of hostileShapes('/uuuuuuu/h2')) {
      const half = Math.floor(shape.length / 2)
      const ways = [[shape], [HIT + shape], [HIT, shape + HIT], [HIT + shape.slice(0, half), shape.slice(half)]]
      if (/Expect: 100/.test(shape))
        ways.length = 1 // behind others, `node:http` alone may close behind it
      else if (EXHAUSTIVE) ways.push(...[...cuts(HIT + shape, 1)].map((pieces) => [...pieces]))
      for (const pieces of ways) {
        const told = await judge([...FILLS, send(pieces)])
        if (told !== undefined) found.push(told)
      }
    }

    expect(found).toEqual([])
    expect(await remains()).toEqual([])
  })
})
