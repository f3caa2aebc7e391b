/**
 * Commands on hashes.
 *
 * Floor 4, room resp.
 */
import type { HashValue } from '../keyspace/hash-value.ts'
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED, refuse, wrongCount } from './embedded-errors.ts'
import { addLongDoubles, checkLongDouble } from './embedded-long-double.ts'
import { LEAST_64, MOST_64 } from './embedded-numbers.ts'
import { isInteger64 } from '../keyspace/integer.ts'
import { pickDistinct, pickRepeated, readPick } from './embedded-pick.ts'

/** The hash to be written to, made if there is none. */
function opened(call: Call): HashValue {
  const found = call.hash(call.arg(1))
  if (found !== undefined) return found
  const made = call.newHash()
  call.db.put(call.arg(1), made)
  return made
}

function hset(call: Call): void {
  if (call.count % 2 === 1) throw wrongCount(call.command.name)
  const hash = opened(call)
  hash.makeRoom(call.args, 2)
  let added = 0
  for (let i = 2; i < call.count; i += 2) if (hash.set(call.arg(i), call.arg(i + 1))) added += 1
  call.changed(call.arg(1), 'h', 'hset')
  if (call.command.name === 'hset') call.out.integer(added)
  else call.out.ok()
}

function hsetnx(call: Call): void {
  const key = call.arg(1)
  const hash = opened(call)
  if (hash.dict.has(call.arg(2))) return void call.out.integer(0)
  hash.makeRoom(call.args, 2)
  hash.set(call.arg(2), call.arg(3))
  call.changed(key, 'h', 'hset')
  call.out.integer(1)
}

function hget(call: Call): void {
  call.out.strOrNull(call.hash(call.arg(1))?.dict.get(call.arg(2)))
}

function hmget(call: Call): void {
  const hash = call.hash(call.arg(1))
  call.out.array(call.count - 2)
  for (let i = 2; i < call.count; i += 1) call.out.strOrNull(hash?.dict.get(call.arg(i)))
}

function hdel(call: Call): void {
  const key = call.arg(1)
  const hash = call.hash(key)
  let gone = 0
  for (let i = 2; hash !== undefined && i < call.count; i += 1) if (hash.delete(call.arg(i))) gone += 1
  if (hash !== undefined && gone > 0) {
    call.changed(key, 'h', 'hdel')
    call.dropEmpty(key, hash)
  }
  call.out.integer(gone)
}

function hgetall(call: Call): void {
  const dict = call.hash(call.arg(1))?.dict
  const { keys = [], values = [] } = dict ?? {}
  call.out.map(keys.length)
  for (let i = 0; i < keys.length; i += 1) {
    call.out.str(keys[i] as string)
    call.out.str(values[i] as string)
  }
}

function hincrby(call: Call): void {
  const by = call.bigInt(3)
  const hash = opened(call)
  const text = hash.dict.get(call.arg(2)) ?? '0'
  if (!isInteger64(text)) throw refuse('hash value is not an integer')
  const value = BigInt(text) + by
  if (value > MOST_64 || value < LEAST_64) throw REFUSED.overflow
  hash.makeRoom([call.arg(2)], 0)
  hash.set(call.arg(2), value.toString())
  call.changed(call.arg(1), 'h', 'hincrby')
  call.out.whole(value)
}

const INFINITE = /inf/i

function hincrbyfloat(call: Call): void {
  checkLongDouble(call.arg(3))
  if (INFINITE.test(call.arg(3))) throw refuse('value is NaN or Infinity')
  const hash = opened(call)
  const text = hash.dict.get(call.arg(2)) ?? '0'
  const made = sum(text, call.arg(3))
  hash.makeRoom([call.arg(2), made], 0)
  hash.set(call.arg(2), made)
  call.changed(call.arg(1), 'h', 'hincrbyfloat')
  call.out.str(made)
}

function sum(text: string, by: string): string {
  try {
    checkLongDouble(text)
  } catch {
    throw refuse('hash value is not a float')
  }
  return addLongDoubles(text, by)
}

function hstrlen(call: Call): void {
  call.out.integer(call.hash(call.arg(1))?.dict.get(call.arg(2))?.length ?? 0)
}

function hrandfield(call: Call): void {
  if (call.count === 2) {
    const dict = call.hash(call.arg(1))?.dict
    return call.out.strOrNull(dict?.keys[Math.floor(call.server.random() * dict.size)])
  }
  const pick = readPick(call, 'withvalues')
  const dict = call.hash(call.arg(1))?.dict
  if (dict === undefined || pick.count === 0) return void call.out.array(0)
  const { random } = call.server
  const places = pick.count < 0 ? pickRepeated(dict.size, -pick.count, random) : pickDistinct(dict.size, pick.count, random)
  const isPaired = pick.withValues && call.out.version === 3
  call.out.array(pick.withValues && !isPaired ? places.length * 2 : places.length)
  for (const place of places) {
    if (isPaired) call.out.array(2)
    call.out.str(dict.keys[place] as string)
    if (pick.withValues) call.out.str(dict.values[place] as string)
  }
}

export const HASH_COMMANDS: Readonly<Record<string, Handler>> = {
  hdel,
  hexists: (call) => void call.out.integer(call.hash(call.arg(1))?.dict.has(call.arg(2)) === true ? 1 : 0),
  hget,
  hgetall,
  hincrby,
  hincrbyfloat,
  hkeys: (call) => call.out.strs(call.hash(call.arg(1))?.dict.keys ?? []),
  hlen: (call) => void call.out.integer(call.hash(call.arg(1))?.size ?? 0),
  hmget,
  hmset: hset,
  hrandfield,
  hset,
  hsetnx,
  hstrlen,
  hvals: (call) => call.out.strs(call.hash(call.arg(1))?.dict.values ?? []),
}
