/**
 * Commands on lists that do not wait.
 *
 * Floor 4, room resp. Those that wait: command-lists-waiting.ts.
 */
import { ListValue } from '../keyspace/list-value.ts'
import { takeMany, moveElement, readEnd, readManyPop } from './embedded-list-steps.ts'
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED, refuse, wrongCount } from './embedded-errors.ts'

function push(call: Call, how: { readonly atHead: boolean; readonly onlyOld: boolean }): void {
  const key = call.arg(1)
  let list = call.list(key)
  if (list === undefined) {
    if (how.onlyOld) return void call.out.integer(0)
    list = new ListValue()
    call.db.put(key, list)
  }
  for (let i = 2; i < call.count; i += 1) list.push(call.arg(i), how.atHead)
  call.out.integer(list.size)
  call.changed(key, 'l', how.atHead ? 'lpush' : 'rpush')
}

function pop(call: Call, atHead: boolean): void {
  if (call.count > 3) throw wrongCount(call.command.name)
  const key = call.arg(1)
  const hasCount = call.count === 3
  const count = hasCount ? call.positive(2) : 1
  const list = call.list(key)
  if (list === undefined) return void (hasCount ? call.out.nullArray() : call.out.null())
  if (count === 0) return void call.out.array(0)
  if (hasCount) call.out.array(Math.min(count, list.size))
  takeMany(call, { key, list, atHead, count, out: call.out })
}

function index(call: Call): void {
  const list = call.list(call.arg(1))
  if (list === undefined) return void call.out.null()
  const place = placeIn(list, call.int(2))
  call.out.strOrNull(place === undefined ? undefined : list.at(place))
}

function placeIn(list: ListValue, given: number): number | undefined {
  const place = given < 0 ? list.size + given : given
  return place < 0 || place >= list.size ? undefined : place
}

function lset(call: Call): void {
  const key = call.arg(1)
  const list = call.list(key)
  if (list === undefined) throw REFUSED.noKey
  const place = placeIn(list, call.int(2))
  if (place === undefined) throw REFUSED.indexRange
  list.put(place, call.arg(3))
  call.out.ok()
  call.changed(key, 'l', 'lset')
}

/** Places [from, end) of a range as it was given. */
function rangeOf(size: number, start: number, stop: number): readonly [from: number, end: number] {
  const from = start < 0 ? Math.max(0, size + start) : start
  const last = stop < 0 ? size + stop : stop
  if (from > last || from >= size) return [0, 0]
  return [from, Math.min(last, size - 1) + 1]
}

function range(call: Call): void {
  const [start, stop] = [call.int(2), call.int(3)]
  const list = call.list(call.arg(1))
  if (list === undefined) return void call.out.array(0)
  const [from, end] = rangeOf(list.size, start, stop)
  call.out.array(end - from)
  for (let i = from; i < end; i += 1) call.out.str(list.at(i))
}

function trim(call: Call): void {
  const key = call.arg(1)
  const [start, stop] = [call.int(2), call.int(3)]
  const list = call.list(key)
  if (list !== undefined) {
    list.trim(...rangeOf(list.size, start, stop))
    call.tell(key, 'l', 'ltrim')
    call.dropEmpty(key, list)
    call.db.changed(key)
  }
  call.out.ok()
}

function remove(call: Call): void {
  const key = call.arg(1)
  const count = call.int(2)
  const list = call.list(key)
  if (list === undefined) return void call.out.integer(0)
  const most = count === 0 ? Number.POSITIVE_INFINITY : Math.abs(count)
  const gone = list.remove(call.arg(3), { most, fromTail: count < 0 })
  if (gone > 0) call.changed(key, 'l', 'lrem')
  call.dropEmpty(key, list)
  call.out.integer(gone)
}

function insert(call: Call): void {
  const key = call.arg(1)
  const isAfter = call.is(2, 'after')
  if (!isAfter && !call.is(2, 'before')) throw REFUSED.syntax
  const list = call.list(key)
  if (list === undefined) return void call.out.integer(0)
  let place = 0
  while (place < list.size && list.at(place) !== call.arg(3)) place += 1
  if (place === list.size) return void call.out.integer(-1)
  list.insert(isAfter ? place + 1 : place, call.arg(4))
  call.changed(key, 'l', 'linsert')
  call.out.integer(list.size)
}

interface Seeking {
  readonly rank: number
  /** undefined: the first only, not as an array; 0: all. */
  readonly count: number | undefined
  /** 0: no limit. */
  readonly most: number
}

const LEAST_RANK = -(2 ** 63)
const RANK_ZERO =
  "RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list"

function readSeeking(call: Call): Seeking {
  let rank = 1
  let count: number | undefined
  let most = 0
  for (let i = 3; i < call.count; i += 2) {
    const hasMore = i + 1 < call.count
    if (call.is(i, 'rank') && hasMore) {
      rank = call.int(i + 1)
      if (rank === 0) throw refuse(RANK_ZERO)
    } else if (call.is(i, 'count') && hasMore) {
      count = positive(call, i + 1, "COUNT can't be negative")
    } else if (call.is(i, 'maxlen') && hasMore) {
      most = positive(call, i + 1, "MAXLEN can't be negative")
    } else throw REFUSED.syntax
  }
  return { rank, count, most }
}

function positive(call: Call, i: number, wrong: string): number {
  let value = -1
  try {
    value = call.int(i)
  } catch {
    throw refuse(wrong)
  }
  if (value < 0) throw refuse(wrong)
  return value
}

function position(call: Call): void {
  const { rank, count, most } = readSeeking(call)
  const list = call.list(call.arg(1))
  const found: number[] = []
  const wanted = count === undefined ? 1 : count === 0 ? Number.POSITIVE_INFINITY : count
  const size = list?.size ?? 0
  let skipped = rank <= LEAST_RANK ? 0 : Math.abs(rank) - 1 // as Redis, whose negation of it overflows
  for (let i = 0; i < size && (most === 0 || i < most) && found.length < wanted; i += 1) {
    const place = rank < 0 ? size - 1 - i : i
    if (list?.at(place) !== call.arg(2)) continue
    if (skipped > 0) skipped -= 1
    else found.push(place)
  }
  if (count === undefined) {
    if (found.length === 0) call.out.null()
    else call.out.integer(found[0] as number)
    return
  }
  call.out.array(found.length)
  for (const place of found) call.out.integer(place)
}

function move(call: Call): void {
  const isOld = call.command.name === 'rpoplpush'
  const fromHead = isOld ? false : readEnd(call, 3)
  const toHead = isOld ? true : readEnd(call, 4)
  const list = call.list(call.arg(1))
  if (list === undefined) return void call.out.null()
  moveElement(call, { from: call.arg(1), to: call.arg(2), fromHead, toHead, out: call.out })
}

function popMany(call: Call): void {
  const { keys, atHead, count } = readManyPop(call, 1)
  for (const key of keys) {
    const list = call.list(key)
    if (list === undefined) continue
    call.out.array(2)
    call.out.str(key)
    call.out.array(Math.min(count, list.size))
    takeMany(call, { key, list, atHead, count, out: call.out })
    return
  }
  call.out.nullArray()
}

export const LIST_COMMANDS: Readonly<Record<string, Handler>> = {
  lindex: index,
  linsert: insert,
  llen: (call) => void call.out.integer(call.list(call.arg(1))?.size ?? 0),
  lmove: move,
  lmpop: popMany,
  lpop: (call) => pop(call, true),
  lpos: position,
  lpush: (call) => push(call, { atHead: true, onlyOld: false }),
  lpushx: (call) => push(call, { atHead: true, onlyOld: true }),
  lrange: range,
  lrem: remove,
  lset,
  ltrim: trim,
  rpop: (call) => pop(call, false),
  rpoplpush: move,
  rpush: (call) => push(call, { atHead: false, onlyOld: false }),
  rpushx: (call) => push(call, { atHead: false, onlyOld: true }),
}
