/**
 * SORT and SORT_RO.
 *
 * Floor 4, room resp.
 */
import { ListValue } from '../keyspace/list-value.ts'
import type { Value } from '../keyspace/value.ts'
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED, refuse } from './embedded-errors.ts'
import { looseDoubleOf } from './embedded-numbers.ts'

interface SortWish {
  readonly isDescending: boolean
  readonly isAlpha: boolean
  readonly offset: number
  readonly count: number
  readonly by: string | undefined
  readonly gets: readonly string[]
  readonly target: string | undefined
}

function readWish(call: Call): SortWish {
  let [isDescending, isAlpha, offset, count] = [false, false, 0, -1]
  let by: string | undefined
  let target: string | undefined
  const gets: string[] = []
  for (let i = 2; i < call.count; i += 1) {
    const left = call.count - i - 1
    if (call.is(i, 'asc')) isDescending = false
    else if (call.is(i, 'desc')) isDescending = true
    else if (call.is(i, 'alpha')) isAlpha = true
    else if (call.is(i, 'limit') && left >= 2) {
      offset = call.int(i + 1)
      count = call.int(i + 2)
      i += 2
    } else if (call.is(i, 'store') && left >= 1 && call.command.name === 'sort') {
      i += 1
      target = call.arg(i)
    } else if (call.is(i, 'by') && left >= 1) {
      i += 1
      by = call.arg(i)
    } else if (call.is(i, 'get') && left >= 1) {
      i += 1
      gets.push(call.arg(i))
    } else throw REFUSED.syntax
  }
  return { isDescending, isAlpha, offset, count, by, gets, target }
}

function elementsOf(value: Value | undefined): string[] {
  if (value === undefined) return []
  if (value.kind === 'list') return Array.from({ length: value.size }, (_, i) => value.at(i))
  if (value.kind === 'set') return [...value.members()]
  if (value.kind !== 'zset') throw REFUSED.wrongType
  const members: string[] = []
  for (let node = value.list.first; node !== undefined; node = node.next[0]) members.push(node.member)
  return members
}

/** What a pattern names for an element: `weight_*`, `object_*->field`, `#`. */
function lookUp(call: Call, pattern: string, element: string): string | undefined {
  if (pattern === '#') return element
  const star = pattern.indexOf('*')
  if (star < 0) return undefined
  const arrow = pattern.indexOf('->', star + 1)
  const hasField = arrow >= 0 && arrow + 2 < pattern.length
  const key = pattern.slice(0, star) + element + pattern.slice(star + 1, hasField ? arrow : pattern.length)
  const value = call.db.read(key)
  if (hasField) return value?.kind === 'hash' ? value.dict.get(pattern.slice(arrow + 2)) : undefined
  return value?.kind === 'string' ? value.text : undefined
}

interface Ranked {
  readonly element: string
  readonly score: number
  /** undefined: nothing stands there. */
  readonly text: string | undefined
}

function rank(call: Call, elements: readonly string[], { by, isAlpha }: SortWish): Ranked[] {
  return elements.map((element) => {
    const text = by === undefined ? element : lookUp(call, by, element)
    if (isAlpha || text === undefined) return { element, score: 0, text }
    const score = looseDoubleOf(text, false)
    if (score === undefined) throw refuse("One or more scores can't be converted into double")
    return { element, score, text }
  })
}

function compareTexts(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1
  return a < b ? -1 : 1
}

function sorted(ranked: Ranked[], { isAlpha, isDescending }: SortWish): string[] {
  const sign = isDescending ? -1 : 1
  ranked.sort((a, b) => {
    if (isAlpha) return sign * compareTexts(a.text, b.text)
    return sign * (a.score === b.score ? compareTexts(a.element, b.element) : a.score < b.score ? -1 : 1)
  })
  return ranked.map(({ element }) => element)
}

/** The wanted part, as Redis cuts it. */
function cut(elements: string[], { offset, count }: SortWish): string[] {
  const size = elements.length
  const start = Math.min(Math.max(offset, 0), size)
  const most = Math.min(Math.max(count, -1), size)
  return elements.slice(start, most < 0 ? size : start + most)
}

function sort(call: Call): void {
  const given = readWish(call)
  const value = call.value(call.arg(1))
  if (value !== undefined && (value.kind === 'string' || value.kind === 'hash')) throw REFUSED.wrongType
  if (value?.kind === 'zset') value.unpack() // as Redis does, SORT_RO too
  const isFixed = given.by !== undefined && !given.by.includes('*')
  const mustSort = isFixed && value?.kind === 'set' && (given.target !== undefined || call.session.isInScript)
  const wish = mustSort ? { ...given, isAlpha: true, by: undefined } : given
  let elements = elementsOf(value)
  if (!isFixed || mustSort) elements = sorted(rank(call, elements, wish), wish)
  else if (wish.isDescending && value?.kind !== 'set') elements.reverse()
  const shown = cut(elements, wish)
  const results = shown.flatMap<string | undefined>((element) =>
    wish.gets.length === 0 ? [element] : wish.gets.map((pattern) => lookUp(call, pattern, element)),
  )
  if (wish.target === undefined) {
    call.out.array(results.length)
    for (const result of results) call.out.strOrNull(result)
  } else store(call, wish.target, results)
}

function store(call: Call, target: string, results: readonly (string | undefined)[]): void {
  if (results.length === 0) {
    call.remove(target)
  } else {
    const list = new ListValue()
    for (const result of results) list.push(result ?? '', false)
    call.db.put(target, list)
    call.changed(target, 'l', 'sortstore')
  }
  call.out.integer(results.length)
}

export const SORT_COMMANDS: Readonly<Record<string, Handler>> = { sort, sort_ro: sort }
