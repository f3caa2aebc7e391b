/**
 * Bits of strings: SETBIT, GETBIT, BITCOUNT, BITPOS and BITOP. BITFIELD: command-bitfield.ts.
 *
 * Floor 4, room resp. Reading copies nothing; a bit within a string is set in its place.
 */
import type { ByteSpan } from '../shelf/byte-hash.ts'
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED, refuse } from './embedded-errors.ts'
import { isInteger64 } from '../keyspace/integer.ts'

const WRONG_OFFSET = 'bit offset is not an integer or out of range'
const WRONG_BIT = 'bit is not an integer or out of range'

/** The bytes of a string that is read, undefined: no such key. @throws WRONGTYPE */
export function contentOf(call: Call, key: string): ByteSpan | undefined {
  const found = call.db.content(key)
  if (found === undefined && call.db.has(key)) throw REFUSED.wrongType
  return found
}

/** @param bits of the field that a `#` counts by; 0: none may */
export function offsetOf(call: Call, text: string, bits: number): number {
  const counts = bits > 0 && text.startsWith('#')
  const digits = counts ? text.slice(1) : text
  const offset = isInteger64(digits) ? Number(digits) * (counts ? bits : 1) : -1
  if (offset < 0 || Math.floor(offset / 8) >= call.server.settings.number('proto-max-bulk-len')) throw refuse(WRONG_OFFSET)
  return offset
}

/** The text, with zeros behind it, so that it has at least so many bytes. */
export function widened(text: string, bytes: number): string {
  return text.length >= bytes ? text : text + '\0'.repeat(bytes - text.length)
}

function setBit(call: Call): void {
  const key = call.arg(1)
  const offset = offsetOf(call, call.arg(2), 0)
  if (call.arg(3) !== '0' && call.arg(3) !== '1') throw refuse(WRONG_BIT)
  const on = call.arg(3) === '1'
  const [at, mask] = [Math.floor(offset / 8), 1 << (7 - (offset & 7))]
  const content = contentOf(call, key)
  const byte = content === undefined ? 0 : byteAt(content, at)
  const isLong = content !== undefined && at < content.end - content.start
  const next = on ? byte | mask : byte & ~mask
  if (!isLong || next !== byte) {
    if (!isLong || !call.db.patch(key, at, next)) rewrite(call, { key, at, byte: next })
    call.changed(key, '$', 'setbit')
  } else if (content !== undefined) {
    call.db.patch(key, at, byte)
  }
  call.out.integer((byte & mask) === 0 ? 0 : 1)
}

function rewrite(call: Call, { key, at, byte }: { readonly key: string; readonly at: number; readonly byte: number }): void {
  call.checkSize(at + 1)
  const text = widened(call.text(key) ?? '', at + 1)
  const made = text.slice(0, at) + String.fromCharCode(byte) + text.slice(at + 1)
  call.db.putText(key, made, { form: 'raw', keepDeadline: true })
}

function byteAt({ bytes, start, end }: ByteSpan, at: number): number {
  return start + at < end ? (bytes[start + at] as number) : 0
}

function getBit(call: Call): void {
  const offset = offsetOf(call, call.arg(2), 0)
  const content = contentOf(call, call.arg(1))
  const byte = content === undefined ? 0 : byteAt(content, Math.floor(offset / 8))
  call.out.integer((byte >> (7 - (offset & 7))) & 1)
}

/** Bits [from, last] that a command speaks of; `last < from`: none. */
interface BitRange {
  readonly from: number
  readonly last: number
}

function bitRange(
  call: Call,
  bytes: number,
  given: { readonly start: number; readonly end: number; readonly isBit: boolean },
): BitRange {
  void call
  const total = given.isBit ? bytes * 8 : bytes
  const start = Math.max(0, given.start < 0 ? total + given.start : given.start)
  const end = Math.min(total - 1, Math.max(0, given.end < 0 ? total + given.end : given.end))
  return given.isBit ? { from: start, last: end } : { from: start * 8, last: end * 8 + 7 }
}

function unitOf(call: Call, i: number): boolean {
  if (i >= call.count || call.is(i, 'byte')) return false
  if (call.is(i, 'bit')) return true
  throw REFUSED.syntax
}

const ONES = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0
  for (let rest = byte; rest > 0; rest >>= 1) count += rest & 1
  return count
})

function countBits(call: Call): void {
  const content = contentOf(call, call.arg(1))
  if (content === undefined) return void call.out.integer(0)
  const bytes = content.end - content.start
  let range: BitRange = { from: 0, last: bytes * 8 - 1 }
  if (call.count === 4 || call.count === 5) {
    const [start, end] = [call.int(2), call.int(3)]
    if (start < 0 && end < 0 && start > end) return void call.out.integer(0)
    range = bitRange(call, bytes, { start, end, isBit: unitOf(call, 4) })
  } else if (call.count !== 2) throw REFUSED.syntax
  let count = 0
  const [first, last] = [Math.floor(range.from / 8), Math.floor(range.last / 8)]
  for (let at = first; range.from <= range.last && at <= last; at += 1) count += ONES[maskedAt(content, at, range)] as number
  call.out.integer(count)
}

/** A byte with only the bits of the range. */
function maskedAt(content: ByteSpan, at: number, { from, last }: BitRange): number {
  let byte = byteAt(content, at)
  if (at === Math.floor(from / 8)) byte &= 0xff >> (from & 7)
  if (at === Math.floor(last / 8)) byte &= (0xff << (7 - (last & 7))) & 0xff
  return byte
}

function findBit(call: Call): void {
  const bit = call.int(2)
  if (bit !== 0 && bit !== 1) throw refuse('The bit argument must be 1 or 0.')
  const content = contentOf(call, call.arg(1))
  if (content === undefined) return void call.out.integer(bit === 1 ? -1 : 0)
  const bytes = content.end - content.start
  if (call.count > 6) throw REFUSED.syntax
  const start = call.count > 3 ? call.int(3) : 0
  const isBit = unitOf(call, 5)
  const hasEnd = call.count > 4
  const end = hasEnd ? call.int(4) : isBit ? bytes * 8 - 1 : bytes - 1
  const range = call.count === 3 ? { from: 0, last: bytes * 8 - 1 } : bitRange(call, bytes, { start, end, isBit })
  if (range.from > range.last) return void call.out.integer(-1)
  for (let at = range.from; at <= range.last; at += 1) {
    if ((at & 7) === 0 && at + 7 <= range.last && byteAt(content, at >> 3) === (bit === 1 ? 0 : 0xff)) {
      at += 7
      continue
    }
    if (((byteAt(content, Math.floor(at / 8)) >> (7 - (at & 7))) & 1) === bit) return void call.out.integer(at)
  }
  call.out.integer(bit === 0 && !hasEnd ? range.last + 1 : -1)
}

const OPERATIONS: Readonly<Record<string, (a: number, b: number) => number>> = {
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  not: (a) => ~a & 0xff,
}

function combine(call: Call): void {
  const name = call.arg(1).toLowerCase()
  const operation = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined
  if (operation === undefined) throw REFUSED.syntax
  if (name === 'not' && call.count !== 4) throw refuse('BITOP NOT must be called with a single source key.')
  const sources = call.args.slice(3).map((key) => Buffer.from(call.text(key) ?? '', 'latin1'))
  const size = Math.max(...sources.map(({ length }) => length))
  const target = call.arg(2)
  if (size === 0) {
    call.remove(target)
    return void call.out.integer(0)
  }
  const made = Buffer.alloc(size)
  const [first, ...others] = sources as [Buffer, ...Buffer[]]
  for (let i = 0; i < size; i += 1) {
    let byte = first[i] ?? 0
    if (name === 'not') byte = operation(byte, 0)
    for (const other of others) byte = operation(byte, other[i] ?? 0)
    made[i] = byte
  }
  call.db.putText(target, made.toString('latin1'), { form: 'raw' })
  call.changed(target, '$', 'set')
  call.out.integer(size)
}

export const BIT_COMMANDS: Readonly<Record<string, Handler>> = {
  bitcount: countBits,
  bitop: combine,
  bitpos: findBit,
  getbit: getBit,
  setbit: setBit,
}
