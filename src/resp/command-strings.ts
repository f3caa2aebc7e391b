/**
 * Commands on strings.
 *
 * Floor 4, room resp.
 */
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED, refuse, wrongCount } from './embedded-errors.ts'
import { deadlineOf, type SetOptions, readOptions } from './embedded-expiry.ts'
import { addLongDoubles, checkLongDouble } from './embedded-long-double.ts'
import { LEAST_64, MOST_64, parseBigInteger, parseInteger } from './embedded-numbers.ts'

const SAFE_DIGITS = 15
const KEEP = { keepDeadline: true }

function set(call: Call): void {
  const options = readOptions(call, 'set')
  setGeneric(call, { ...options, value: call.arg(2) })
}

interface Setting extends Partial<SetOptions> {
  readonly value: string
  /** Instead of OK. */
  readonly done?: string
  readonly refused?: string
}

function setGeneric(call: Call, setting: Setting): void {
  const key = call.arg(1)
  const deadline = setting.expiry === undefined ? 0 : deadlineOf(call, setting.expiry)
  if (setting.returns === true) getGeneric(call)
  const found = call.db.has(key)
  if ((setting.onlyNew === true && found) || (setting.onlyOld === true && !found)) {
    if (setting.returns === true) return
    if (setting.refused === undefined) call.out.null()
    else call.out.text(setting.refused)
    return
  }
  call.db.putText(key, setting.value, { keepDeadline: setting.keeps === true })
  call.changed(key, '$', 'set')
  if (deadline > 0) {
    call.db.setDeadline(key, deadline)
    call.tell(key, 'g', 'expire')
  }
  if (setting.returns !== true) call.out.text(setting.done ?? '+OK\r\n')
}

function getGeneric(call: Call): void {
  call.out.strOrNull(call.text(call.arg(1)))
}

function getEx(call: Call): void {
  const options = readOptions(call, 'get')
  const key = call.arg(1)
  const text = call.text(key)
  if (text === undefined) return void call.out.null()
  const { expiry } = options
  const deadline = expiry === undefined ? 0 : deadlineOf(call, expiry)
  call.out.str(text)
  if (expiry !== undefined) {
    if (expiry.isAbsolute && deadline <= call.now) return void call.remove(key)
    call.db.setDeadline(key, deadline)
    call.changed(key, 'g', 'expire')
  } else if (options.persists && call.db.deadline(key) !== 0) {
    call.db.setDeadline(key, 0)
    call.changed(key, 'g', 'persist')
  }
}

function getDel(call: Call): void {
  getGeneric(call)
  call.remove(call.arg(1))
}

function getSet(call: Call): void {
  getGeneric(call)
  call.db.putText(call.arg(1), call.arg(2))
  call.changed(call.arg(1), '$', 'set')
}

function setRange(call: Call): void {
  const key = call.arg(1)
  const offset = call.int(2)
  const piece = call.arg(3)
  if (offset < 0) throw refuse('offset is out of range')
  const text = call.text(key)
  if (piece === '') return call.out.whole(text?.length ?? 0)
  call.checkSize(offset + piece.length)
  const former = text ?? ''
  const start = former.length < offset ? former + '\0'.repeat(offset - former.length) : former.slice(0, offset)
  const made = start + piece + former.slice(offset + piece.length)
  call.db.putText(key, made, { form: 'raw', keepDeadline: true })
  call.changed(key, '$', 'setrange')
  call.out.integer(made.length)
}

function getRange(call: Call): void {
  let start = call.int(2)
  let end = call.int(3)
  const text = call.text(call.arg(1))
  if (text === undefined || (start < 0 && end < 0 && start > end)) return call.out.str('')
  if (start < 0) start = Math.max(0, text.length + start)
  if (end < 0) end = Math.max(0, text.length + end)
  call.out.str(text.slice(start, Math.min(end, text.length - 1) + 1))
}

function mget(call: Call): void {
  call.out.array(call.count - 1)
  for (let i = 1; i < call.count; i += 1) {
    const value = call.value(call.arg(i))
    call.out.strOrNull(value?.kind === 'string' ? value.text : undefined)
  }
}

function mset(call: Call): void {
  if (call.count % 2 === 0) throw wrongCount(call.command.name)
  const isNx = call.command.name === 'msetnx'
  for (let i = 1; isNx && i < call.count; i += 2) if (call.db.has(call.arg(i))) return void call.out.integer(0)
  for (let i = 1; i < call.count; i += 2) {
    call.db.putText(call.arg(i), call.arg(i + 1))
    call.changed(call.arg(i), '$', 'set')
  }
  if (isNx) call.out.integer(1)
  else call.out.ok()
}

function increase(call: Call, by: string): void {
  const key = call.arg(1)
  const text = call.text(key) ?? '0'
  const isSmall = text.length <= SAFE_DIGITS && by.length <= SAFE_DIGITS
  const value = isSmall ? parseInteger(text) + Number(by) : parseBigInteger(text) + BigInt(by)
  if (!isSmall && (value > MOST_64 || value < LEAST_64)) throw REFUSED.overflow
  call.db.putText(key, String(value), KEEP)
  call.changed(key, '$', 'incrby')
  call.out.whole(value)
}

function incrBy(call: Call): void {
  increase(call, call.bigInt(2).toString())
}

function decrBy(call: Call): void {
  const by = call.bigInt(2)
  if (by === LEAST_64) throw refuse('decrement would overflow')
  increase(call, (-by).toString())
}

function incrByFloat(call: Call): void {
  const key = call.arg(1)
  const text = call.text(key) ?? '0'
  checkLongDouble(text)
  const made = addLongDoubles(text, call.arg(2))
  call.db.putText(key, made, { form: 'text', keepDeadline: true })
  call.changed(key, '$', 'incrbyfloat')
  call.out.str(made)
}

function append(call: Call): void {
  const key = call.arg(1)
  const text = call.text(key)
  const piece = call.arg(2)
  if (text !== undefined) call.checkSize(text.length + piece.length)
  const made = (text ?? '') + piece
  call.db.putText(key, made, { form: text === undefined ? 'plain' : 'raw', keepDeadline: true })
  call.changed(key, '$', 'append')
  call.out.integer(made.length)
}

function strlen(call: Call): void {
  call.out.integer(call.text(call.arg(1))?.length ?? 0)
}

export const STRING_COMMANDS: Readonly<Record<string, Handler>> = {
  append,
  decr: (call) => increase(call, '-1'),
  decrby: decrBy,
  get: getGeneric,
  getdel: getDel,
  getex: getEx,
  getrange: getRange,
  getset: getSet,
  incr: (call) => increase(call, '1'),
  incrby: incrBy,
  incrbyfloat: incrByFloat,
  mget,
  mset,
  msetnx: mset,
  psetex: (call) => setGeneric(call, { value: call.arg(3), expiry: { given: call.arg(2), isSeconds: false, isAbsolute: false } }),
  set,
  setex: (call) => setGeneric(call, { value: call.arg(3), expiry: { given: call.arg(2), isSeconds: true, isAbsolute: false } }),
  setnx: (call) => setGeneric(call, { value: call.arg(2), onlyNew: true, done: ':1\r\n', refused: ':0\r\n' }),
  setrange: setRange,
  strlen,
  substr: getRange,
}
