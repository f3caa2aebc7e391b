/**
 * Taking the least or the greatest from sorted sets, at once or as soon as there is something.
 *
 * Floor 4, room resp.
 */
import { ZsetValue } from '../keyspace/zset-value.ts'
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED } from './embedded-errors.ts'
import { atLeastOne, readCount } from './embedded-list-steps.ts'
import type { Reply } from './embedded-reply.ts'
import { timeoutOf } from './embedded-waits.ts'

interface Taking {
  readonly key: string
  readonly zset: ZsetValue
  readonly isMax: boolean
  readonly count: number
  readonly isPaired: boolean
  readonly out: Reply
}

function take(call: Call, { key, zset, isMax, count, isPaired, out }: Taking): void {
  const taken = Math.min(count, zset.size)
  for (let i = 0; i < taken; i += 1) {
    const node = isMax ? zset.list.last : zset.list.first
    if (node === undefined) break
    const { member, score } = node
    zset.delete(member)
    if (isPaired) out.array(2)
    out.str(member)
    out.double(score)
  }
  call.tell(key, 'z', isMax ? 'zpopmax' : 'zpopmin')
  call.dropEmpty(key, zset)
  call.db.changed(key)
}

function pop(call: Call, isMax: boolean): void {
  if (call.count > 3) throw REFUSED.syntax
  const hasCount = call.count === 3
  const count = hasCount ? call.positive(2) : 1
  const key = call.arg(1)
  const zset = call.zset(key)
  if (zset === undefined || count === 0) return void call.out.array(0)
  const isPaired = hasCount && call.out.version === 3
  const taken = Math.min(count, zset.size)
  call.out.array(isPaired ? taken : taken * 2)
  take(call, { key, zset, isMax, count, isPaired, out: call.out })
}

/** What ZMPOP and its waiting kin ask for. @param at where the number of keys stands */
function readMany(call: Call, at: number): { readonly keys: readonly string[]; readonly isMax: boolean; readonly count: number } {
  const keyCount = atLeastOne(call, at, 'numkeys should be greater than 0')
  const where = at + keyCount + 1
  if (where >= call.count) throw REFUSED.syntax
  const isMax = call.is(where, 'max')
  if (!isMax && !call.is(where, 'min')) throw REFUSED.syntax
  return { keys: call.args.slice(at + 1, where), isMax, count: readCount(call, where + 1) }
}

interface Wish {
  readonly keys: readonly string[]
  readonly isMax: boolean
  /** undefined: one, beside its key. */
  readonly count: number | undefined
}

function answer(call: Call, key: string, given: { readonly zset: ZsetValue; readonly wish: Wish; readonly out: Reply }): void {
  const { zset, wish, out } = given
  const taken = Math.min(wish.count ?? 1, zset.size)
  out.array(wish.count === undefined ? 3 : 2)
  out.str(key)
  if (wish.count !== undefined) out.array(taken)
  take(call, { key, zset, isMax: wish.isMax, count: taken, isPaired: wish.count !== undefined, out })
}

function popMany(call: Call): void {
  const wish = readMany(call, 1)
  for (const key of wish.keys) {
    const zset = call.zset(key)
    if (zset !== undefined) return answer(call, key, { zset, wish, out: call.out })
  }
  call.out.nullArray()
}

function wait(call: Call, wish: Wish, timeoutMs: number): void {
  for (const key of wish.keys) {
    const zset = call.zset(key)
    if (zset !== undefined) return answer(call, key, { zset, wish, out: call.out })
  }
  call.wait = {
    keys: wish.keys,
    kind: 'zset',
    timeoutMs,
    deny: (out) => void out.nullArray(),
    serve: (key, out) => {
      const zset = call.db.look(key)
      if (!(zset instanceof ZsetValue)) return false
      answer(call, key, { zset, wish, out })
      return true
    },
  }
}

function waitForOne(call: Call, isMax: boolean): void {
  const last = call.count - 1
  wait(call, { keys: call.args.slice(1, last), isMax, count: undefined }, timeoutOf(call, last))
}

export const ZSET_POP_COMMANDS: Readonly<Record<string, Handler>> = {
  bzmpop: (call) => wait(call, readMany(call, 2), timeoutOf(call, 1)),
  bzpopmax: (call) => waitForOne(call, true),
  bzpopmin: (call) => waitForOne(call, false),
  zmpop: popMany,
  zpopmax: (call) => pop(call, true),
  zpopmin: (call) => pop(call, false),
}
