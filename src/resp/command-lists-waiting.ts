/**
 * Commands on lists that wait until there is something: BLPOP and its like.
 *
 * Floor 4, room resp.
 */
import { ListValue } from '../keyspace/list-value.ts'
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED } from './embedded-errors.ts'
import { moveElement, readEnd, readManyPop, takeMany } from './embedded-list-steps.ts'
import type { Reply } from './embedded-reply.ts'
import { timeoutOf } from './embedded-waits.ts'

interface Popping {
  readonly keys: readonly string[]
  readonly atHead: boolean
  /** undefined: one, beside its key. */
  readonly count: number | undefined
  readonly timeoutMs: number
}

function pop(call: Call, { keys, atHead, count, timeoutMs }: Popping): void {
  const take = (key: string, list: ListValue, out: Reply): void => {
    out.array(2)
    out.str(key)
    if (count !== undefined) out.array(Math.min(count, list.size))
    takeMany(call, { key, list, atHead, count: count ?? 1, out })
  }
  for (const key of keys) {
    const list = call.list(key)
    if (list !== undefined) return take(key, list, call.out)
  }
  call.wait = {
    keys,
    kind: 'list',
    timeoutMs,
    deny: (out) => void out.nullArray(),
    serve: (key, out) => {
      const list = call.db.look(key)
      if (!(list instanceof ListValue)) return false
      take(key, list, out)
      return true
    },
  }
}

function popOne(call: Call, atHead: boolean): void {
  const last = call.count - 1
  const timeoutMs = timeoutOf(call, last)
  pop(call, { keys: call.args.slice(1, last), atHead, count: undefined, timeoutMs })
}

function popMany(call: Call): void {
  const wish = readManyPop(call, 2)
  pop(call, { ...wish, timeoutMs: timeoutOf(call, 1) })
}

function move(call: Call): void {
  const isOld = call.command.name === 'brpoplpush'
  const [from, to] = [call.arg(1), call.arg(2)]
  const fromHead = isOld ? false : readEnd(call, 3)
  const toHead = isOld ? true : readEnd(call, 4)
  const timeoutMs = timeoutOf(call, call.count - 1)
  if (call.list(from) !== undefined) return moveElement(call, { from, to, fromHead, toHead, out: call.out })
  call.wait = {
    keys: [from],
    kind: 'list',
    timeoutMs,
    deny: (out) => void out.null(),
    serve: (key, out) => {
      if (!(call.db.look(key) instanceof ListValue)) return false
      const target = call.db.look(to)
      if (target === undefined || target instanceof ListValue) moveElement(call, { from, to, fromHead, toHead, out })
      else out.error(REFUSED.wrongType.message)
      return true
    },
  }
}

export const WAITING_LIST_COMMANDS: Readonly<Record<string, Handler>> = {
  blmove: move,
  blmpop: popMany,
  blpop: (call) => popOne(call, true),
  brpop: (call) => popOne(call, false),
  brpoplpush: move,
}
