/**
 * Ranges of sorted sets: by rank, by score, by the members' bytes.
 *
 * Floor 4, room resp. Every range becomes places [from, end), found in O(log n).
 */
import type { SkipNode } from '../keyspace/skip-list.ts'
import type { ZsetValue } from '../keyspace/zset-value.ts'
import { REFUSED } from './embedded-errors.ts'
import { looseDoubleOf } from './embedded-numbers.ts'

/** Members between two bounds. */
export interface Bounds {
  readonly isEmpty: boolean
  isAboveMin(node: SkipNode): boolean
  isBelowMax(node: SkipNode): boolean
}

/** Places, the second exclusive. */
export type Places = readonly [from: number, end: number]

const NOWHERE: Places = [0, 0]

/** Places of a range of ranks as it was given. */
export function placesOfRanks(size: number, start: number, stop: number): Places {
  const from = start < 0 ? Math.max(0, size + start) : start
  const last = stop < 0 ? size + stop : stop
  return from > last || from >= size ? NOWHERE : [from, Math.min(last, size - 1) + 1]
}

export function placesOf(zset: ZsetValue, bounds: Bounds): Places {
  if (bounds.isEmpty) return NOWHERE
  const from = zset.list.countLower((node) => !bounds.isAboveMin(node))
  const end = zset.list.countLower((node) => bounds.isBelowMax(node))
  return end <= from ? NOWHERE : [from, end]
}

interface ScoreBound {
  readonly score: number
  readonly isOpen: boolean
}

function scoreBound(text: string): ScoreBound {
  const isOpen = text.startsWith('(')
  const score = looseDoubleOf(isOpen ? text.slice(1) : text)
  if (score === undefined) throw REFUSED.minMaxFloat
  return { score, isOpen }
}

/** `1.5`, `(1.5`, `-inf`. @throws min or max is not a float */
export function scoreBounds(minText: string, maxText: string): Bounds {
  const [min, max] = [scoreBound(minText), scoreBound(maxText)]
  return {
    isEmpty: min.score > max.score || (min.score === max.score && (min.isOpen || max.isOpen)),
    isAboveMin: ({ score }) => (min.isOpen ? score > min.score : score >= min.score),
    isBelowMax: ({ score }) => (max.isOpen ? score < max.score : score <= max.score),
  }
}

/** Before everything, behind everything, or at some bytes. */
interface TextBound {
  readonly side: -1 | 0 | 1
  readonly text: string
  readonly isOpen: boolean
}

function textBound(given: string): TextBound {
  const [first, second] = [given.charAt(0), given.charAt(1)]
  const isAlone = second === '' || second === '\0'
  if (first === '+' && isAlone) return { side: 1, text: '', isOpen: true }
  if (first === '-' && isAlone) return { side: -1, text: '', isOpen: true }
  if (first === '(' || first === '[') return { side: 0, text: given.slice(1), isOpen: first === '(' }
  throw REFUSED.minMaxText
}

function compare(a: TextBound, b: TextBound): number {
  if (a.side !== b.side) return a.side - b.side
  if (a.side !== 0 || a.text === b.text) return 0
  return a.text < b.text ? -1 : 1
}

/** `[a`, `(a`, `-`, `+`. @throws min or max not valid string range item */
export function textBounds(minText: string, maxText: string): Bounds {
  const [min, max] = [textBound(minText), textBound(maxText)]
  const order = compare(min, max)
  return {
    isEmpty: order > 0 || (order === 0 && (min.isOpen || max.isOpen)),
    isAboveMin: ({ member }) => (min.side === 0 ? (min.isOpen ? member > min.text : member >= min.text) : min.side < 0),
    isBelowMax: ({ member }) => (max.side === 0 ? (max.isOpen ? member < max.text : member <= max.text) : max.side > 0),
  }
}

/** Members of places, front to back or back to front. */
export function nodesOf(zset: ZsetValue, [from, end]: Places, isReverse: boolean): readonly SkipNode[] {
  const found: SkipNode[] = []
  let node = end <= from ? undefined : zset.list.at(isReverse ? end - 1 : from)
  for (let i = from; node !== undefined && i < end; i += 1) {
    found.push(node)
    node = isReverse ? node.before : node.next[0]
  }
  return found
}
