/**
 * Whether two gateways did the same: answers byte for byte, but for what tells the time or names the instance.
 */
import type { Outcome } from './lane-case.ts'

/** Fields whose value may differ, and by how much; null: in any way. */
const TIMES: readonly (readonly [field: RegExp, within: number | null])[] = [
  [/(?<=\r\n)(?<name>date: )(?<value>[^\r\n]*)/gi, null],
  [/(?<=\r\n)(?<name>age: *)(?<value>\d+)/gi, 2],
  [/(?<name>; ttl=)(?<value>-?\d+)/g, 2],
  [/(?<=\r\n)(?<name>x-cache-latency: )(?<value>\d+)/gi, null],
  [/(?<name>1\.1 forecache-)(?<value>[\w-]+)/g, null],
  [/(?<name>"ageMs":)(?<value>\d+)/g, null],
  [/(?<name>"token":")(?<value>[\w-]+\.\d+)/g, null],
  [/(?<=\r\n)(?<name>forecache-token: )(?<value>[\w-]+\.\d+)/gi, null],
]

/** Interim answers may be left out (RFC 9110 section 15.2), and are where an answer waits for others. */
const INTERIM = /HTTP\/1\.1 103 Early Hints\r\n(?:[^\r\n]+\r\n)+\r\n/g

/** Which of the two a head was that came in pieces, the parser does not tell. */
const TOO_LARGE = /HTTP\/1\.1 (?:414 URI Too Long|431 Request Header)[\s\S]*?FC_(?:TARGET_TOO_LONG|HEADERS_TOO_LARGE): [^"]*/g

/** What is counted by a timer, or behind an answer in another thread; what tells the ways apart. */
const UNTIMELY = /^(?:expirations|evictions|variants|lane)/

/** A text without its times, and the times that were in it. */
interface Timeless {
  readonly text: string
  readonly times: readonly (readonly number[])[]
}

/** @returns what differs, in words; empty when nothing does */
export function differences(left: Outcome, right: Outcome): string[] {
  const found: string[] = []
  const [one, other] = [timeless(left.text), timeless(right.text)]
  if (one.text !== other.text) found.push(`answers differ${place(one.text, other.text)}`)
  else if (!near(one.times, other.times)) found.push(`times differ: ${JSON.stringify(one.times)} ${JSON.stringify(other.times)}`)
  left.asides.forEach((text, at) => {
    const [a, b] = [timeless(text), timeless(right.asides[at] ?? '')]
    if (a.text !== b.text) found.push(`answer ${at} beside differs${place(a.text, b.text)}`)
  })
  const isKernels = left.cut || right.cut
  if (left.fate !== right.fate && !(isKernels && isOver(left.fate) && isOver(right.fate)))
    found.push(`fates differ: ${left.fate} and ${right.fate}`)
  if (left.end !== right.end && !(isKernels && isOver(left.end) && isOver(right.end)))
    found.push(`ends differ: ${left.end} and ${right.end}`)
  const [here, there] = [left.seen.map(nameless), right.seen.map(nameless)]
  const [onlyHere, onlyThere] = [without(here, there), without(there, here)]
  if (onlyHere.length + onlyThere.length > 0)
    found.push(`the origin saw ${quote(onlyHere)}\n    but on the other side ${quote(onlyThere)}`)
  const [counts, alsoCounts] = [countsText(left), countsText(right)]
  if (counts !== alsoCounts) found.push(`counted${place(counts, alsoCounts)}`)
  return found
}

function isOver(fate: Outcome['fate'] | Outcome['end']): boolean {
  return fate === 'closed' || fate === 'reset'
}

function countsText({ counts }: Outcome): string {
  return Object.entries(counts)
    .filter(([name]) => !UNTIMELY.test(name))
    .map(([name, value]) => `${name} ${value}`)
    .sort()
    .join('\n')
}

function timeless(given: string): Timeless {
  let text = given.replaceAll(INTERIM, '').replaceAll(TOO_LARGE, 'too large')
  const times: number[][] = []
  for (const [field, within] of TIMES) {
    const values: number[] = []
    text = text.replaceAll(field, (...parts) => {
      const groups = parts.at(-1) as { name: string; value: string }
      values.push(Number(groups.value))
      return `${groups.name.replace(/ +$/, ' ')}*`
    })
    if (within !== null) times.push(values)
  }
  return { text, times }
}

function near(left: Timeless['times'], right: Timeless['times']): boolean {
  return left.every((values, kind) => values.every((value, at) => Math.abs(value - (right[kind]?.[at] ?? Number.NaN)) <= 2))
}

/** Without the instance's own name, and without the origin's port, which stands in for the Host that HTTP/1.0 need not tell. */
function nameless(text: string): string {
  return text.replaceAll(/forecache-[\w-]{8}/g, 'forecache-*').replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:*')
}

/** What stands in the first list more often than in the second. */
function without(list: readonly string[], other: readonly string[]): string[] {
  const left = [...other]
  return list.filter((one) => {
    const at = left.indexOf(one)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}

function quote(list: readonly string[]): string {
  return JSON.stringify(list.map((one) => one.slice(0, 500)))
}

/** Where two texts part, with what stands around. */
function place(left: string, right: string): string {
  let at = 0
  while (at < left.length && left[at] === right[at]) at += 1
  const from = Math.max(0, at - 160)
  const around = (text: string): string => JSON.stringify(text.slice(from, at + 240))
  return ` at ${at} of ${left.length} and ${right.length}:\n    ${around(left)}\n    ${around(right)}`
}
