/**
 * BITFIELD: integers of 1 to 64 bits anywhere in a string.
 *
 * Floor 4, room resp.
 */
import { isInteger64 } from '../keyspace/integer.ts'
import { offsetOf, widened } from './command-bits.ts'
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED, refuse, untilZero } from './embedded-errors.ts'

type Overflow = 'wrap' | 'sat' | 'fail'

interface Operation {
  readonly kind: 'get' | 'set' | 'incrby'
  readonly isSigned: boolean
  readonly bits: number
  readonly offset: number
  readonly value: bigint
  readonly overflow: Overflow
}

const WRONG_TYPE = 'Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.'

function typeOf(text: string): { readonly isSigned: boolean; readonly bits: number } {
  const isSigned = text.startsWith('i')
  const digits = untilZero(text.slice(1))
  const bits = isInteger64(digits) ? Number(digits) : 0
  if ((!isSigned && !text.startsWith('u')) || bits < 1 || bits > (isSigned ? 64 : 63)) throw refuse(WRONG_TYPE)
  return { isSigned, bits }
}

function readOperations(call: Call): readonly Operation[] {
  const found: Operation[] = []
  let overflow: Overflow = 'wrap'
  for (let i = 2; i < call.count; i += 1) {
    const left = call.count - i - 1
    const word = call.arg(i).toLowerCase()
    if (word === 'overflow' && left >= 1) {
      i += 1
      overflow = overflowOf(call.arg(i))
      continue
    }
    const isGet = word === 'get' && left >= 2
    if (!isGet && !((word === 'set' || word === 'incrby') && left >= 3)) throw REFUSED.syntax
    const type = typeOf(call.arg(i + 1))
    const offset = offsetOf(call, call.arg(i + 2), type.bits)
    const value = isGet ? 0n : call.bigInt(i + 3)
    found.push({ kind: word as Operation['kind'], ...type, offset, value, overflow })
    i += isGet ? 2 : 3
  }
  return found
}

function overflowOf(text: string): Overflow {
  const word = text.toLowerCase()
  if (word === 'wrap' || word === 'sat' || word === 'fail') return word
  throw refuse('Invalid OVERFLOW type specified')
}

function readField(bytes: Buffer, { offset, bits, isSigned }: Operation): bigint {
  let value = 0n
  for (let i = 0; i < bits; i += 1) {
    const at = offset + i
    const bit = ((bytes[Math.floor(at / 8)] ?? 0) >> (7 - (at & 7))) & 1
    value = (value << 1n) | BigInt(bit)
  }
  return isSigned ? BigInt.asIntN(bits, value) : value
}

function writeField(bytes: Buffer, { offset, bits }: Operation, value: bigint): void {
  const raw = BigInt.asUintN(bits, value)
  for (let i = 0; i < bits; i += 1) {
    const at = offset + i
    const mask = 1 << (7 - (at & 7))
    const place = Math.floor(at / 8)
    const byte = bytes[place] as number
    bytes[place] = ((raw >> BigInt(bits - 1 - i)) & 1n) === 1n ? byte | mask : byte & ~mask
  }
}

/** What is to be written; undefined: it does not fit and is to fail. */
function fitted(value: bigint, { bits, isSigned, overflow }: Operation): bigint | undefined {
  const width = BigInt(bits)
  const most = isSigned ? (1n << (width - 1n)) - 1n : (1n << width) - 1n
  const least = isSigned ? -(1n << (width - 1n)) : 0n
  if (value >= least && value <= most) return value
  if (overflow === 'fail') return undefined
  if (overflow === 'sat') return value > most ? most : least
  return isSigned ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)
}

/** A negative number for an unsigned field is a very large one. */
function wanted(operation: Operation, former: bigint): bigint {
  if (operation.kind === 'incrby') return former + operation.value
  return operation.isSigned ? operation.value : BigInt.asUintN(64, operation.value)
}

function bitfield(call: Call): void {
  const key = call.arg(1)
  const operations = readOperations(call)
  const writes = operations.filter(({ kind }) => kind !== 'get')
  if (writes.length > 0 && call.command.name === 'bitfield_ro') throw refuse('BITFIELD_RO only supports the GET subcommand')
  const text = call.text(key)
  const needed = Math.max(0, ...writes.map(({ offset, bits }) => Math.floor((offset + bits - 1) / 8) + 1))
  call.checkSize(needed)
  const bytes = Buffer.from(widened(text ?? '', needed), 'latin1')
  const isGrown = writes.length > 0 && bytes.length > (text?.length ?? 0)
  let isChanged = false
  call.out.array(operations.length)
  for (const operation of operations) {
    const former = readField(bytes, operation)
    if (operation.kind === 'get') {
      call.out.whole(former)
      continue
    }
    const next = fitted(wanted(operation, former), operation)
    if (next === undefined) {
      call.out.null()
      continue
    }
    writeField(bytes, operation, next)
    if (isGrown || next !== former) isChanged = true
    call.out.whole(operation.kind === 'set' ? former : next)
  }
  if (writes.length > 0) call.db.putText(key, bytes.toString('latin1'), { form: 'raw', keepDeadline: true })
  if (isChanged) call.changed(key, '$', 'setbit')
}

export const BITFIELD_COMMANDS: Readonly<Record<string, Handler>> = {
  bitfield,
  bitfield_ro: bitfield,
}
