/**
 * Commands on keys of any type: whether they stand, until when, and under which name.
 *
 * Floor 4, room resp. SCAN and its like: command-scan.ts.
 */
import type { Database } from '../keyspace/database.ts'
import { encodingOf, type Value } from '../keyspace/value.ts'
import { databaseOf } from './command-connection.ts'
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED, refuse, untilZero, wrongExpiry } from './embedded-errors.ts'
import { help } from './embedded-help.ts'
import { LEAST_64, MOST_64, parseBigInteger } from './embedded-numbers.ts'
import { isMatch } from './embedded-glob.ts'

function del(call: Call): void {
  let gone = 0
  for (let i = 1; i < call.count; i += 1) if (call.remove(call.arg(i))) gone += 1
  call.out.integer(gone)
}

function exists(call: Call): void {
  let count = 0
  for (let i = 1; i < call.count; i += 1) if (call.value(call.arg(i)) !== undefined) count += 1
  call.out.integer(count)
}

/** Options of EXPIRE; at most one of the first or both of the last kind agree. */
function readConditions(call: Call): ReadonlySet<string> {
  const found = new Set<string>()
  for (let i = 3; i < call.count; i += 1) {
    const word = call.arg(i).toLowerCase()
    if (!['nx', 'xx', 'gt', 'lt'].includes(word)) throw refuse(`Unsupported option ${untilZero(call.arg(i))}`)
    found.add(word)
  }
  if (found.has('nx') && found.size > 1) throw refuse('NX and XX, GT or LT options at the same time are not compatible')
  if (found.has('gt') && found.has('lt')) throw refuse('GT and LT options at the same time are not compatible')
  return found
}

function expire(call: Call, { isSeconds, isAbsolute }: { readonly isSeconds: boolean; readonly isAbsolute: boolean }): void {
  const key = call.arg(1)
  const conditions = readConditions(call)
  const number = parseBigInteger(call.arg(2))
  if (isSeconds && (number > MOST_64 / 1000n || number < LEAST_64 / 1000n)) throw wrongExpiry(call.command.name)
  const ms = isSeconds ? number * 1000n : number
  const base = isAbsolute ? 0n : BigInt(Math.floor(call.now))
  if (ms > MOST_64 - base) throw wrongExpiry(call.command.name)
  const deadline = Number(ms + base)
  if (call.value(key) === undefined) return void call.out.integer(0)
  const former = call.db.deadline(key) ?? 0
  const isRefused =
    (conditions.has('nx') && former !== 0) ||
    (conditions.has('xx') && former === 0) ||
    (conditions.has('gt') && (former === 0 || deadline <= former)) ||
    (conditions.has('lt') && former !== 0 && deadline >= former)
  if (isRefused) return void call.out.integer(0)
  if (deadline <= call.now) {
    call.remove(key)
  } else {
    call.db.setDeadline(key, deadline)
    call.changed(key, 'g', 'expire')
  }
  call.out.integer(1)
}

function ttl(call: Call, { isSeconds, isAbsolute }: { readonly isSeconds: boolean; readonly isAbsolute: boolean }): void {
  const key = call.arg(1)
  if (call.value(key) === undefined) return void call.out.integer(-2)
  const deadline = call.db.deadline(key) ?? 0
  if (deadline === 0) return void call.out.integer(-1)
  const ms = Math.max(0, isAbsolute ? deadline : deadline - Math.floor(call.now))
  call.out.whole(BigInt(isSeconds ? Math.floor((ms + 500) / 1000) : ms))
}

function persist(call: Call): void {
  const key = call.arg(1)
  if (call.value(key) === undefined || call.db.deadline(key) === 0) return void call.out.integer(0)
  call.db.setDeadline(key, 0)
  call.changed(key, 'g', 'persist')
  call.out.integer(1)
}

function rename(call: Call): void {
  const [from, to] = [call.arg(1), call.arg(2)]
  const isNx = call.command.name === 'renamenx'
  const value = call.value(from)
  if (value === undefined) throw REFUSED.noKey
  const answer = isNx ? ':1\r\n' : '+OK\r\n'
  if (from === to) return void call.out.text(isNx ? ':0\r\n' : '+OK\r\n')
  const deadline = call.db.deadline(from) ?? 0
  if (call.db.has(to)) {
    if (isNx) return void call.out.integer(0)
    call.db.remove(to)
  }
  call.db.remove(from)
  place(call.db, to, { value, deadline })
  call.changed(from, 'g', 'rename_from')
  call.changed(to, 'g', 'rename_to')
  call.out.text(answer)
}

function place(db: Database, key: string, { value, deadline }: { readonly value: Value; readonly deadline: number }): void {
  if (value.kind === 'string') db.putText(key, value.text, { form: value.form })
  else db.put(key, value)
  if (deadline !== 0) db.setDeadline(key, deadline)
}

function move(call: Call): void {
  const key = call.arg(1)
  const target = databaseOf(call, 2)
  if (target === call.db) throw REFUSED.sameObject
  const value = call.value(key)
  if (value === undefined || target.has(key)) return void call.out.integer(0)
  const deadline = call.db.deadline(key) ?? 0
  call.db.remove(key)
  place(target, key, { value, deadline })
  call.changed(key, 'g', 'move_from')
  target.changed(key)
  call.space.tell('g', 'move_to', { database: target.number, key })
  call.out.integer(1)
}

function copy(call: Call): void {
  const [from, to] = [call.arg(1), call.arg(2)]
  let target = call.db
  let replaces = false
  for (let i = 3; i < call.count; i += 1) {
    if (call.is(i, 'replace')) replaces = true
    else if (call.is(i, 'db') && i + 1 < call.count) {
      i += 1
      target = databaseOf(call, i)
    } else throw REFUSED.syntax
  }
  if (target === call.db && from === to) throw REFUSED.sameObject
  const value = call.value(from)
  if (value === undefined) return void call.out.integer(0)
  if (target.has(to)) {
    if (!replaces) return void call.out.integer(0)
    target.remove(to)
  }
  place(target, to, { value: value.kind === 'string' ? value : value.copy(), deadline: call.db.deadline(from) ?? 0 })
  target.changed(to)
  call.space.tell('g', 'copy_to', { database: target.number, key: to })
  call.out.integer(1)
}

function object(call: Call): void {
  const key = call.arg(2)
  const value = call.db.peek(key)
  if (value === undefined) return void call.out.null()
  switch (call.command.name) {
    case 'object|encoding':
      return call.out.str(encodingOf(value))
    case 'object|refcount':
      return void call.out.integer(isShared(value) ? 2 ** 31 - 1 : 1)
    case 'object|idletime':
      if (isLfu(call)) throw refuse(NO_IDLE)
      return void call.out.integer(Math.floor((call.db.idleMs(key) ?? 0) / 1000))
    default:
      if (!isLfu(call)) throw refuse(NO_FREQUENCY)
      return void call.out.integer(0)
  }
}

const NO_IDLE =
  'An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.'
const NO_FREQUENCY =
  'An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.'
const SHARED_INTEGERS = 10_000

function isLfu({ server }: Call): boolean {
  return server.settings.get('maxmemory-policy').endsWith('lfu') && server.settings.number('maxmemory') > 0
}

/** Small integers are one object in Redis. */
function isShared(value: Value): boolean {
  if (value.kind !== 'string' || encodingOf(value) !== 'int') return false
  const number = Number(value.text)
  return number >= 0 && number < SHARED_INTEGERS
}

const SCANNED = 1000

function keys(call: Call): void {
  const pattern = call.arg(1)
  const found: string[] = []
  const take = (key: string): void => {
    if (pattern === '*' || isMatch(pattern, key)) found.push(key)
  }
  for (let cursor = call.db.scan(0, SCANNED, take); cursor !== 0; ) cursor = call.db.scan(cursor, SCANNED, take)
  call.out.strs(found)
}

const SECONDS = { isSeconds: true, isAbsolute: false }
const MILLISECONDS = { isSeconds: false, isAbsolute: false }
const AT_SECONDS = { isSeconds: true, isAbsolute: true }
const AT_MILLISECONDS = { isSeconds: false, isAbsolute: true }

export const KEY_COMMANDS: Readonly<Record<string, Handler>> = {
  copy,
  dbsize: (call) => void call.out.integer(call.db.size),
  del,
  exists,
  expire: (call) => expire(call, SECONDS),
  expireat: (call) => expire(call, AT_SECONDS),
  expiretime: (call) => ttl(call, AT_SECONDS),
  keys,
  move,
  object: () => undefined,
  'object encoding': object,
  'object freq': object,
  'object help': help,
  'object idletime': object,
  'object refcount': object,
  persist,
  pexpire: (call) => expire(call, MILLISECONDS),
  pexpireat: (call) => expire(call, AT_MILLISECONDS),
  pexpiretime: (call) => ttl(call, AT_MILLISECONDS),
  pttl: (call) => ttl(call, MILLISECONDS),
  randomkey: (call) => call.out.strOrNull(call.db.randomKey()),
  rename,
  renamenx: rename,
  touch: exists,
  ttl: (call) => ttl(call, SECONDS),
  type: (call) => void call.out.simple(call.db.peek(call.arg(1))?.kind ?? 'none'),
  unlink: del,
}
