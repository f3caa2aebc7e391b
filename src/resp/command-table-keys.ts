/**
 * Where a command's keys stand among its words: the key specifications of Redis 7, and our own for servers that have none.
 *
 * Floor 4, room resp. Pure. Source: redis.io, Command key specifications. What cannot be found is said so: then the
 * command counts as one of unknown effect.
 */
import type { Words } from './command-table-words.ts'

/** One place to look for keys. */
export interface KeySpec {
  /** The word where the search begins: a fixed one, or behind a keyword looked for from a word on (negative: from the end). */
  readonly begin: { readonly index: number } | { readonly keyword: string; readonly from: number } | 'unknown'
  /**
   * `last` relative to the first (negative: from the end of the words, -1 the last one), `limit` for the share of what is
   * left (2: half of it); or a word that says how many there are.
   */
  readonly find:
    | { readonly last: number; readonly step: number; readonly limit: number }
    | { readonly count: number; readonly first: number; readonly step: number }
    | 'unknown'
  /** Whether the command may change what stands there. */
  readonly isWritten: boolean
  /** Whether there may be keys that the specification does not find. */
  readonly isIncomplete: boolean
}

/** Keys of one command: the positions of its words. Used again and again. */
export class KeyPlaces {
  readonly indexes: number[] = []
  /** Whether these are all. */
  isComplete = true

  clear(): this {
    this.indexes.length = 0
    this.isComplete = true
    return this
  }
}

/** More keys than that are not looked up one by one: the command counts as one on everything. */
export const MAX_KEYS = 65_536

/** Adds the keys that a specification finds. */
export function findKeys(spec: KeySpec, words: Words, into: KeyPlaces): void {
  if (spec.isIncomplete) into.isComplete = false
  const { begin, find } = spec
  if (begin === 'unknown' || find === 'unknown') into.isComplete = false
  else if ('index' in begin) findFrom(find, { words, first: begin.index, into })
  else {
    const step = begin.from < 0 ? -1 : 1
    for (let i = begin.from < 0 ? words.count + begin.from : begin.from; i >= 1 && i < words.count; i += step) {
      if (!words.is(i, begin.keyword)) continue
      findFrom(find, { words, first: i + 1, into })
      if ('limit' in find && find.last === 0) continue // what looks like the keyword may be an argument: every one counts
      return
    }
  }
}

function findFrom(find: Exclude<KeySpec['find'], 'unknown'>, search: Search): void {
  if ('count' in find) findCounted(find, search)
  else findRange(find, search)
}

interface Search {
  readonly words: Words
  readonly first: number
  readonly into: KeyPlaces
}

function findRange({ last, step, limit }: { last: number; step: number; limit: number }, { words, first, into }: Search): void {
  let end = last >= 0 ? first + last : words.count + last
  if (last < 0 && limit > 1) end = first + Math.ceil((words.count - first) / limit) - 1
  for (let i = first; i <= end && i < words.count; i += Math.max(1, step)) add(i, into)
}

function findCounted(find: { count: number; first: number; step: number }, { words, first, into }: Search): void {
  const at = first + find.count
  const count = at < words.count ? words.integer(at) : 0
  if (!(count >= 0 && count <= words.count)) {
    into.isComplete = false // the server will refuse it, or reads the number otherwise than we do
    return
  }
  for (let i = 0; i < count; i += 1) {
    const key = first + find.first + i * Math.max(1, find.step)
    if (key < words.count) add(key, into)
  }
}

function add(index: number, into: KeyPlaces): void {
  if (into.indexes.length < MAX_KEYS) into.indexes.push(index)
  else into.isComplete = false
}

/** A run of keys from one word to another, as `first last step` of COMMAND. */
export function rangeSpec(place: { first: number; last: number; step: number }, isWritten: boolean): KeySpec {
  const { first, last, step } = place
  return {
    begin: { index: first },
    find: { last: last < 0 ? last : last - first, step, limit: 0 },
    isWritten,
    isIncomplete: false,
  }
}

/** Keys whose number stands in a word. */
export function countedSpec(index: number, isWritten: boolean): KeySpec {
  return { begin: { index }, find: { count: 0, first: 1, step: 1 }, isWritten, isIncomplete: false }
}

/** Keys behind a keyword: one, or with `limit` that share of all that follows. */
export function keywordSpec(keyword: string, { from, limit }: { from: number; limit?: number }, isWritten: boolean): KeySpec {
  const find = limit === undefined ? { last: 0, step: 1, limit: 0 } : { last: -1, step: 1, limit }
  return { begin: { keyword, from }, find, isWritten, isIncomplete: false }
}
