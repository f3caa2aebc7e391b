/**
 * Commands on one sorted set: members, scores and ranks. Ranges: command-zsets-ranges.ts.
 *
 * Floor 4, room resp.
 */
import type { ZsetValue } from '../keyspace/zset-value.ts'
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED, refuse } from './embedded-errors.ts'
import { pickDistinct, pickRepeated, readPick } from './embedded-pick.ts'

interface AddOptions {
  readonly words: ReadonlySet<string>
  /** Where the first score stands. */
  readonly from: number
}

const ADD_WORDS = new Set(['nx', 'xx', 'ch', 'incr', 'gt', 'lt'])

function readAddOptions(call: Call, given: readonly string[]): AddOptions {
  const words = new Set<string>(given)
  let from = 2
  for (; from < call.count && ADD_WORDS.has(call.arg(from).toLowerCase()); from += 1) words.add(call.arg(from).toLowerCase())
  const rest = call.count - from
  if (rest % 2 === 1 || rest === 0) throw REFUSED.syntax
  if (words.has('nx') && words.has('xx')) throw refuse('XX and NX options at the same time are not compatible')
  const [gt, lt, nx] = [words.has('gt'), words.has('lt'), words.has('nx')]
  if ((gt && nx) || (lt && nx) || (gt && lt)) {
    throw refuse('GT, LT, and/or NX options at the same time are not compatible')
  }
  if (words.has('incr') && rest > 2) throw refuse('INCR option supports a single increment-element pair')
  return { words, from }
}

/** What became of one member. */
interface Added {
  readonly isNew: boolean
  readonly isChanged: boolean
  /** undefined: nothing was to be done. */
  readonly score: number | undefined
}

function addOne(zset: ZsetValue, words: ReadonlySet<string>, pair: { readonly score: number; readonly member: string }): Added {
  const { member } = pair
  const former = zset.score(member)
  const nothing = { isNew: false, isChanged: false, score: undefined }
  if (former === undefined) {
    if (words.has('xx')) return nothing
    zset.set(member, pair.score)
    return { isNew: true, isChanged: false, score: pair.score }
  }
  if (words.has('nx')) return nothing
  const score = words.has('incr') ? former + pair.score : pair.score
  if (Number.isNaN(score)) throw NOT_A_NUMBER
  if ((words.has('lt') && score >= former) || (words.has('gt') && score <= former)) return nothing
  zset.set(member, score)
  return { isNew: false, isChanged: score !== former, score }
}

const NOT_A_NUMBER = refuse('resulting score is not a number (NaN)')

function add(call: Call, given: readonly string[]): void {
  const { words, from } = readAddOptions(call, given)
  const isIncr = words.has('incr')
  const pairs: { score: number; member: string }[] = []
  for (let i = from; i < call.count; i += 2) pairs.push({ score: call.double(i), member: call.arg(i + 1) })
  const key = call.arg(1)
  let zset = call.zset(key)
  if (zset === undefined) {
    if (words.has('xx')) return void (isIncr ? call.out.null() : call.out.integer(0))
    zset = call.newZset()
    call.db.put(key, zset)
  }
  let added = 0
  let updated = 0
  let last: number | undefined
  try {
    for (const pair of pairs) {
      const result = addOne(zset, words, pair)
      if (result.isNew) added += 1
      if (result.isChanged) updated += 1
      last = result.score
    }
  } finally {
    if (added + updated > 0) call.changed(key, 'z', isIncr ? 'zincr' : 'zadd')
  }
  if (!isIncr) return void call.out.integer(words.has('ch') ? added + updated : added)
  if (last === undefined) call.out.null()
  else call.out.double(last)
}

function remove(call: Call): void {
  const key = call.arg(1)
  const zset = call.zset(key)
  let gone = 0
  for (let i = 2; zset !== undefined && i < call.count; i += 1) if (zset.delete(call.arg(i))) gone += 1
  if (zset !== undefined && gone > 0) {
    call.tell(key, 'z', 'zrem')
    call.dropEmpty(key, zset)
    call.db.changed(key)
  }
  call.out.integer(gone)
}

function score(call: Call): void {
  const found = call.zset(call.arg(1))?.score(call.arg(2))
  if (found === undefined) call.out.null()
  else call.out.double(found)
}

function scores(call: Call): void {
  const zset = call.zset(call.arg(1))
  call.out.array(call.count - 2)
  for (let i = 2; i < call.count; i += 1) {
    const found = zset?.score(call.arg(i))
    if (found === undefined) call.out.null()
    else call.out.double(found)
  }
}

function rank(call: Call, isReverse: boolean): void {
  const zset = call.zset(call.arg(1))
  const place = zset?.rank(call.arg(2))
  if (zset === undefined || place === undefined) return void call.out.null()
  call.out.integer(isReverse ? zset.size - 1 - place : place)
}

function randomMember(call: Call): void {
  const { random } = call.server
  if (call.count === 2) {
    const dict = call.zset(call.arg(1))?.dict
    return call.out.strOrNull(dict?.keys[Math.floor(random() * dict.size)])
  }
  const pick = readPick(call, 'withscores')
  const zset = call.zset(call.arg(1))
  if (zset === undefined || pick.count === 0) return void call.out.array(0)
  const places = pick.count < 0 ? pickRepeated(zset.size, -pick.count, random) : pickDistinct(zset.size, pick.count, random)
  const isPaired = pick.withValues && call.out.version === 3
  call.out.array(pick.withValues && !isPaired ? places.length * 2 : places.length)
  for (const place of places) {
    if (isPaired) call.out.array(2)
    const node = zset.list.at(place)
    call.out.str(node?.member ?? '')
    if (pick.withValues) call.out.double(node?.score ?? 0)
  }
}

export const ZSET_COMMANDS: Readonly<Record<string, Handler>> = {
  zadd: (call) => add(call, []),
  zcard: (call) => void call.out.integer(call.zset(call.arg(1))?.size ?? 0),
  zincrby: (call) => add(call, ['incr']),
  zmscore: scores,
  zrandmember: randomMember,
  zrank: (call) => rank(call, false),
  zrem: remove,
  zrevrank: (call) => rank(call, true),
  zscore: score,
}
