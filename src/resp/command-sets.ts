/**
 * Commands on sets.
 *
 * Floor 4, room resp. Results are sets of their own, so that integers come out in order as in Redis.
 */
import type { SetValue } from '../keyspace/set-value.ts'
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED, refuse } from './embedded-errors.ts'
import { atLeastOne } from './embedded-list-steps.ts'
import { pickDistinct, pickRepeated } from './embedded-pick.ts'

function add(call: Call): void {
  const key = call.arg(1)
  let set = call.set(key)
  if (set === undefined) {
    set = call.newSet(call.arg(2))
    call.db.put(key, set)
  }
  let added = 0
  for (let i = 2; i < call.count; i += 1) if (set.add(call.arg(i))) added += 1
  if (added > 0) call.changed(key, 's', 'sadd')
  call.out.integer(added)
}

function remove(call: Call): void {
  const key = call.arg(1)
  const set = call.set(key)
  let gone = 0
  for (let i = 2; set !== undefined && i < call.count; i += 1) if (set.delete(call.arg(i))) gone += 1
  if (set !== undefined && gone > 0) {
    call.changed(key, 's', 'srem')
    call.dropEmpty(key, set)
  }
  call.out.integer(gone)
}

function move(call: Call): void {
  const [from, to, member] = [call.arg(1), call.arg(2), call.arg(3)]
  const given = call.value(from)
  if (given === undefined) return void call.out.integer(0)
  const source = call.set(from) as SetValue
  let target = call.set(to)
  if (source === target) return void call.out.integer(source.has(member) ? 1 : 0)
  if (!source.delete(member)) return void call.out.integer(0)
  call.tell(from, 's', 'srem')
  call.dropEmpty(from, source)
  if (target === undefined) {
    target = call.newSet(member)
    call.db.put(to, target)
  }
  call.db.changed(from)
  if (target.add(member)) call.changed(to, 's', 'sadd')
  call.out.integer(1)
}

function isMember(call: Call): void {
  call.out.integer(call.set(call.arg(1))?.has(call.arg(2)) === true ? 1 : 0)
}

function areMembers(call: Call): void {
  const set = call.set(call.arg(1))
  call.out.array(call.count - 2)
  for (let i = 2; i < call.count; i += 1) call.out.integer(set?.has(call.arg(i)) === true ? 1 : 0)
}

function pop(call: Call): void {
  if (call.count > 3) throw REFUSED.syntax
  const key = call.arg(1)
  if (call.count === 3) return popMany(call)
  const set = call.set(key)
  if (set === undefined) return void call.out.null()
  const member = set.dict.keys[Math.floor(call.server.random() * set.size)] as string
  set.delete(member)
  call.tell(key, 's', 'spop')
  call.out.str(member)
  call.dropEmpty(key, set)
  call.db.changed(key)
}

function popMany(call: Call): void {
  const key = call.arg(1)
  const count = call.positive(2)
  const set = call.set(key)
  if (set === undefined || count === 0) return void call.out.set(0)
  const members = set.members()
  const taken = count >= set.size ? members : pickDistinct(set.size, count, call.server.random).map((i) => members[i] as string)
  call.out.setOf(taken)
  for (const member of [...taken]) set.delete(member)
  call.tell(key, 's', 'spop')
  call.dropEmpty(key, set)
  call.db.changed(key)
}

const MOST = '9223372036854775807'

function randomMember(call: Call): void {
  if (call.count > 3) throw REFUSED.syntax
  const { random } = call.server
  if (call.count === 2) {
    const set = call.set(call.arg(1))
    return call.out.strOrNull(set?.dict.keys[Math.floor(random() * set.size)])
  }
  const count = call.int(2)
  if (call.arg(2) === `-${MOST.slice(0, -1)}8`) throw refuse(`value is out of range, value must between -${MOST} and ${MOST}`)
  const set = call.set(call.arg(1))
  if (set === undefined || count === 0) return void call.out.array(0)
  const members = set.members()
  if (count >= set.size) {
    call.out.array(members.length)
    for (const member of members) call.out.str(member)
    return
  }
  const places = count < 0 ? pickRepeated(set.size, -count, random) : pickDistinct(set.size, count, random)
  call.out.array(places.length)
  for (const place of places) call.out.str(members[place] as string)
}

function setsOf(call: Call, keys: readonly string[]): (SetValue | undefined)[] {
  return keys.map((key) => call.set(key))
}

function union(call: Call, keys: readonly string[]): SetValue {
  const result = call.newSet()
  for (const set of setsOf(call, keys)) for (const member of set?.members() ?? []) result.add(member)
  return result
}

function difference(call: Call, keys: readonly string[]): SetValue {
  const [first, ...others] = setsOf(call, keys)
  const result = call.newSet()
  if (first === undefined) return result
  for (const member of first.members()) if (!others.some((set) => set?.has(member) === true)) result.add(member)
  return result
}

/** @param most 0: no limit */
function intersect(call: Call, keys: readonly string[], most = 0): string[] {
  const sets = setsOf(call, keys)
  const found: string[] = []
  if (sets.includes(undefined)) return found
  const [least, ...others] = (sets as SetValue[]).sort((a, b) => a.size - b.size)
  for (const member of least?.members() ?? []) {
    if (!others.every((set) => set.has(member))) continue
    found.push(member)
    if (most > 0 && found.length >= most) break
  }
  return found
}

function store(call: Call, result: SetValue): void {
  const key = call.arg(1)
  if (result.size === 0) {
    call.out.integer(0)
    call.remove(key)
    return
  }
  call.db.put(key, result)
  call.changed(key, 's', call.command.name)
  call.out.integer(result.size)
}

function intersectStore(call: Call): void {
  const result = call.newSet()
  for (const member of intersect(call, call.args.slice(2))) result.add(member)
  store(call, result)
}

function intersectCount(call: Call): void {
  const keyCount = atLeastOne(call, 1, 'numkeys should be greater than 0')
  if (keyCount > call.count - 2) throw refuse("Number of keys can't be greater than number of args")
  let most = 0
  for (let i = 2 + keyCount; i < call.count; i += 2) {
    if (!call.is(i, 'limit') || i + 1 >= call.count) throw REFUSED.syntax
    most = limitOf(call, i + 1)
  }
  call.out.integer(intersect(call, call.args.slice(2, 2 + keyCount), most).length)
}

/** LIMIT of SINTERCARD and ZINTERCARD. */
export function limitOf(call: Call, i: number): number {
  let most = -1
  try {
    most = call.int(i)
  } catch {
    most = -1
  }
  if (most < 0) throw refuse("LIMIT can't be negative")
  return most
}

export const SET_COMMANDS: Readonly<Record<string, Handler>> = {
  sadd: add,
  scard: (call) => void call.out.integer(call.set(call.arg(1))?.size ?? 0),
  sdiff: (call) => call.out.setOf(difference(call, call.args.slice(1)).members()),
  sdiffstore: (call) => store(call, difference(call, call.args.slice(2))),
  sinter: (call) => call.out.setOf(intersect(call, call.args.slice(1))),
  sintercard: intersectCount,
  sinterstore: intersectStore,
  sismember: isMember,
  smembers: (call) => call.out.setOf(call.set(call.arg(1))?.members() ?? []),
  smismember: areMembers,
  smove: move,
  spop: pop,
  srandmember: randomMember,
  srem: remove,
  sunion: (call) => call.out.setOf(union(call, call.args.slice(1)).members()),
  sunionstore: (call) => store(call, union(call, call.args.slice(2))),
}
