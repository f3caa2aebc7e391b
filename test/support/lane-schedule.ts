/**
 * Generated conversations: what stands in the cache first, then groups of pipelined requests, cut at random places.
 *
 * Requests of one group may be answered at the same time or one after another, as a server likes (RFC 9112 section 9.3.2);
 * so a path stands twice in a group only where every use of it is a plain hit.
 */
import type { Step } from './lane-case.ts'
import type { Dice } from './lane-dice.ts'
import { type HeadLimits, hostileBytes } from './lane-hostile.ts'
import { STORED_KINDS, STREAM_KINDS } from './lane-origin.ts'
import { anyRequest, newPath, WEBSOCKET } from './lane-requests.ts'

/** A conversation of the seed. */
export function anyConversation(dice: Dice, limits: HeadLimits): Step[] {
  const { steps, stored, sure } = history(dice)
  const smooth = dice.chance(0.5)
  let made = 0
  const fresh = (): string => newPath(dice, 10 + (made += 1))
  for (let groups = 1 + dice.int(4); groups > 0; groups -= 1) {
    const bytes = group(dice, { stored, sure, fresh, limits, smooth })
    steps.push({ kind: 'send', pieces: cut(dice, bytes) }, { kind: 'await' })
    if (groups === 1) break
    if (dice.chance(0.3)) {
      steps.push(between(dice, stored))
      sure.clear()
    }
    if (dice.chance(0.5)) steps.push(...stored.map((path) => fill(path, [])))
    else continue
    for (const path of stored) sure.add(path)
  }
  return steps
}

interface Ground {
  readonly stored: readonly string[]
  /** Those of them that a plain request is certain to hit. */
  readonly sure: Set<string>
  fresh(): string
  readonly limits: HeadLimits
  /** Mostly what a fast lane could answer. */
  readonly smooth: boolean
}

/** Fills, and what became of them before the conversation begins. */
function history(dice: Dice): { steps: Step[]; stored: string[]; sure: Set<string> } {
  const stored: string[] = []
  const steps: Step[] = []
  const sure = new Set<string>()
  for (let left = 1 + dice.int(4); left > 0; left -= 1) {
    const path = `/uuuuuuu/${dice.pick(STORED_KINDS)}${left}`
    stored.push(path)
    for (
      let fills = dice.weighed([
        [8, 1],
        [1, 2],
        [1, 0],
      ]);
      fills > 0;
      fills -= 1
    ) {
      const lines = dice.some(['Accept-Encoding: gzip', 'Accept-Language: de', 'X-Var: one', 'Range: bytes=0-99'], 2)
      steps.push(fill(path, lines))
      if (!lines.includes('Range: bytes=0-99')) sure.add(path)
    }
  }
  if (dice.chance(0.25)) {
    steps.push(between(dice, stored))
    sure.clear()
  }
  return { steps, stored, sure }
}

function fill(path: string, lines: readonly string[]): Step {
  return { kind: 'aside', bytes: `GET ${path} HTTP/1.1\r\nHost: a.test\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n` }
}

function between(dice: Dice, stored: readonly string[]): Step {
  const url = `http://a.test${dice.pick(stored)}`
  return dice.weighed<Step>([
    [2, { kind: 'forward', ms: dice.pick([900, 21_000, 590_000, 601_000, 2_000_000]) }],
    [2, { kind: 'invalidate', input: { urls: [url] } }],
    [1, { kind: 'invalidate', input: { urls: [url], soft: true } }],
    [1, { kind: 'invalidate', input: { tags: ['red'] } }],
    [0.2, { kind: 'invalidate', input: { all: true } }],
    [1, { kind: 'aside', bytes: `DELETE ${dice.pick(stored)} HTTP/1.1\r\nHost: a.test\r\n\r\n` }],
  ])
}

/** Behind requests that are not yet answered, `node:http` alone closes behind it. */
const EXPECTS = /\r\nExpect: 100/

function group(dice: Dice, { stored, sure, fresh, limits, smooth }: Ground): string {
  const used = new Set<string>()
  let bytes = ''
  let ended = false
  for (
    let left = dice.weighed([
      [4, 1],
      [3, 2],
      [2, 5],
      [1, 20],
    ]);
    left > 0;
    left -= 1
  ) {
    const known = dice.pick(stored)
    const isSure = sure.has(known)
    if (dice.chance(smooth ? 0.02 : 0.07)) {
      // What is wrong in an unforeseen way may be read as any request: nothing else of the group touches its path.
      const path = used.has(known) ? fresh() : known
      sure.delete(path)
      used.add(path)
      const odd = hostileBytes(dice, path, limits).bytes
      if (bytes === '' || !EXPECTS.test(odd)) bytes += odd
      ended = dice.chance(0.7)
      if (ended) break
      continue
    }
    if (dice.chance(0.05)) bytes += dice.pick(['\r\n', '\r\n\r\n', '\n'])
    const wantsPlain = dice.chance(smooth ? 0.85 : 0.5)
    const path = !used.has(known) || (wantsPlain && isSure) ? known : fresh()
    const asked = anyRequest(dice, path, wantsPlain)
    if (bytes !== '' && EXPECTS.test(asked.bytes)) continue
    used.add(path)
    if (!asked.isPlain) sure.delete(path)
    bytes += asked.bytes
    if (left === 1 && bytes === asked.bytes && dice.chance(0.03)) bytes = bytes.replace('\r\n', `\r\n${WEBSOCKET}\r\n`)
    ended ||= asked.endsConnection
    // An answer to HTTP/1.0 that has no length closes, which is known when requests behind it may have been read.
    if (asked.endsConnection && (dice.chance(0.8) || asked.bytes.includes(' HTTP/1.0\r\n'))) break
  }
  if (!ended && dice.chance(0.1)) bytes += anyRequest(dice, `/uuuuuuu/${dice.pick(STREAM_KINDS)}${dice.int(1000)}`, true).bytes
  return bytes
}

const EVERY_BYTE = 300

/** Cuts a text: not at all, at a few places, behind each request, at every byte. */
export function cut(dice: Dice, bytes: string): string[] {
  const way = dice.weighed([
    [4, 'whole'],
    [4, 'few'],
    [2, 'lines'],
    [1, 'bytes'],
  ])
  if (way === 'bytes' && bytes.length <= EVERY_BYTE) return [...bytes]
  if (way === 'lines') return bytes.split(/(?<=\n\r?\n|\r)/)
  if (way !== 'few') return [bytes]
  const places = Array.from({ length: 1 + dice.int(4) }, () => dice.int(bytes.length + 1)).sort((a, b) => a - b)
  const pieces: string[] = []
  let from = 0
  for (const at of [...places, bytes.length]) {
    if (at > from) pieces.push(bytes.slice(from, at))
    from = Math.max(from, at)
  }
  return pieces
}
