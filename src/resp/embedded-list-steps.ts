/**
 * Steps that commands on lists share, those that wait and those that do not.
 *
 * Floor 4, room resp.
 */
import { ListValue } from '../keyspace/list-value.ts'
import type { Call } from './embedded-call.ts'
import { REFUSED, refuse } from './embedded-errors.ts'
import type { Reply } from './embedded-reply.ts'

/** LEFT or RIGHT. @returns whether it is the head */
export function readEnd(call: Call, i: number): boolean {
  if (call.is(i, 'left')) return true
  if (call.is(i, 'right')) return false
  throw REFUSED.syntax
}

/** Pops and writes up to `count` elements; an empty list goes. */
export function takeMany(
  call: Call,
  {
    key,
    list,
    atHead,
    count,
    out,
  }: { readonly key: string; readonly list: ListValue; readonly atHead: boolean; readonly count: number; readonly out: Reply },
): void {
  const taken = Math.min(count, list.size)
  for (let i = 0; i < taken; i += 1) out.str(list.pop(atHead))
  call.tell(key, 'l', atHead ? 'lpop' : 'rpop')
  call.dropEmpty(key, list)
  call.db.changed(key)
}

/** Moves an element of a list that stands. @throws where something else than a list stands at the target */
export function moveElement(
  call: Call,
  how: { readonly from: string; readonly to: string; readonly fromHead: boolean; readonly toHead: boolean; readonly out: Reply },
): void {
  const source = call.list(how.from) as ListValue
  let target = call.list(how.to)
  const element = source.pop(how.fromHead)
  if (target === undefined) {
    target = new ListValue()
    call.db.put(how.to, target)
  }
  target.push(element, how.toHead)
  how.out.str(element)
  call.changed(how.to, 'l', how.toHead ? 'lpush' : 'rpush')
  call.tell(how.from, 'l', how.fromHead ? 'lpop' : 'rpop')
  call.dropEmpty(how.from, source)
  call.db.changed(how.from)
}

/** What LMPOP and BLMPOP ask for. @param at where the number of keys stands */
export function readManyPop(
  call: Call,
  at: number,
): { readonly keys: readonly string[]; readonly atHead: boolean; readonly count: number } {
  const keyCount = atLeastOne(call, at, 'numkeys should be greater than 0')
  const where = at + keyCount + 1
  if (where >= call.count) throw REFUSED.syntax
  const atHead = readEnd(call, where)
  const count = readCount(call, where + 1)
  return { keys: call.args.slice(at + 1, where), atHead, count }
}

/** COUNT and nothing else, from argument `from` on; 1 where there is none. */
export function readCount(call: Call, from: number): number {
  if (call.count === from) return 1
  if (call.count !== from + 2 || !call.is(from, 'count')) {
    if (call.is(from, 'count') && call.count > from + 2) atLeastOne(call, from + 1, 'count should be greater than 0')
    throw REFUSED.syntax
  }
  return atLeastOne(call, from + 1, 'count should be greater than 0')
}

/** @throws with that text where it is no integer or less than 1 */
export function atLeastOne(call: Call, i: number, wrong: string): number {
  let value = 0
  try {
    value = call.int(i)
  } catch {
    throw refuse(wrong)
  }
  if (value < 1) throw refuse(wrong)
  return value
}
