/**
 * `struct`, as Redis gives it to scripts: numbers and texts as bytes of a fixed form.
 *
 * Floor 3, room lua. Sizes are those of x86-64.
 */
import { type Args, installLibrary } from './library.ts'
import type { Machine } from './machine.ts'
import { installMsgpack } from './msgpack-library.ts'
import type { LuaValue } from './value.ts'

const SIZES: Readonly<Record<string, number>> = { b: 1, B: 1, h: 2, H: 2, l: 8, L: 8, T: 8, f: 4, d: 8, x: 1 }
const SIGNED = 'bhli'
const DEFAULT_INT = 4
const MOST_INT = 32

/** One item of a format. */
interface Item {
  readonly letter: string
  readonly size: number
  readonly isLittle: boolean
  readonly align: number
}

function* itemsOf(args: Args): Iterable<Item> {
  const format = args.text(0)
  let [isLittle, align] = [true, 1]
  for (let i = 0; i < format.length; ) {
    const letter = format[i] as string
    const digits = /^[0-9]*/.exec(format.slice(i + 1))?.[0] ?? ''
    i += 1
    if (letter === '<' || letter === '>') isLittle = letter === '<'
    else if (letter === '=') isLittle = true
    else if (letter === '!') {
      align = digits === '' ? 8 : Number(digits)
      i += digits.length
    } else if (letter === ' ') continue
    else if (letter === 's') yield { letter, size: 0, isLittle, align }
    else if (letter === 'c' || letter === 'i' || letter === 'I') {
      const size = digits === '' ? (letter === 'c' ? 1 : DEFAULT_INT) : Number(digits)
      if (letter !== 'c' && size > MOST_INT) throw args.machine.fail(`integral size ${size} is larger than limit of ${MOST_INT}`)
      i += digits.length
      yield { letter, size, isLittle, align }
    } else if (letter in SIZES) yield { letter, size: SIZES[letter] as number, isLittle, align }
    else throw args.bad(0, `invalid format option '${letter}'`)
  }
}

/** Bytes to be left free so that the item is aligned. */
function gap({ letter, size, align }: Item, at: number): number {
  if (size === 0 || letter === 'c' || letter === 'x' || align <= 1) return 0
  const unit = Math.min(size, align)
  return (unit - (at & (unit - 1))) & (unit - 1)
}

function writeInteger(value: number, { size, isLittle }: Item): Buffer {
  let rest = BigInt.asUintN(size * 8, BigInt(Math.trunc(Number.isFinite(value) ? value : 0)))
  const bytes = Buffer.alloc(size)
  for (let i = 0; i < size; i += 1) {
    bytes[isLittle ? i : size - 1 - i] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return bytes
}

function readInteger(bytes: Buffer, { letter, size, isLittle }: Item): number {
  let value = 0n
  for (let i = 0; i < size; i += 1) value = (value << 8n) | BigInt(bytes[isLittle ? size - 1 - i : i] as number)
  return Number(SIGNED.includes(letter) ? BigInt.asIntN(size * 8, value) : value)
}

function pack(args: Args): LuaValue[] {
  const parts: Buffer[] = []
  let at = 0
  let next = 1
  const put = (bytes: Buffer): void => {
    parts.push(bytes)
    at += bytes.length
  }
  for (const item of itemsOf(args)) {
    put(Buffer.alloc(gap(item, at)))
    const { letter, size, isLittle } = item
    if (letter === 'x') put(Buffer.alloc(1))
    else if (letter === 's' || letter === 'c') {
      const text = args.text(next)
      const length = letter === 's' || size === 0 ? text.length : size
      if (text.length < length) throw args.bad(next, 'string too short')
      put(Buffer.from(text.slice(0, length) + (letter === 's' ? '\0' : ''), 'latin1'))
      next += 1
    } else if (letter === 'f' || letter === 'd') {
      const bytes = Buffer.alloc(size)
      if (letter === 'f') bytes.writeFloatLE(args.number(next))
      else bytes.writeDoubleLE(args.number(next))
      put(isLittle ? bytes : bytes.reverse())
      next += 1
    } else {
      put(writeInteger(args.number(next), item))
      next += 1
    }
  }
  return [Buffer.concat(parts).toString('latin1')]
}

function unpack(args: Args): LuaValue[] {
  const bytes = Buffer.from(args.text(1), 'latin1')
  let at = args.integer(2, 1) - 1
  if (at < 0) throw args.bad(2, 'offset must be 1 or greater')
  const found: LuaValue[] = []
  for (const item of itemsOf(args)) {
    at += gap(item, at)
    const { letter, isLittle } = item
    const size = letter === 'c' && item.size === 0 ? Number(found.pop()) : item.size
    if (at + size > bytes.length) throw args.bad(1, 'data string too short')
    const part = bytes.subarray(at, at + size)
    at += size
    if (letter === 'x') continue
    if (letter === 's') {
      const end = bytes.indexOf(0, at)
      if (end < 0) throw args.bad(1, 'unfinished string in data')
      found.push(bytes.toString('latin1', at, end))
      at = end + 1
    } else if (letter === 'c') found.push(part.toString('latin1'))
    else if (letter === 'f' || letter === 'd') {
      const ordered = isLittle ? part : Buffer.from(part).reverse()
      found.push(letter === 'f' ? ordered.readFloatLE() : ordered.readDoubleLE())
    } else found.push(readInteger(part, item))
  }
  return [...found, at + 1]
}

function size(args: Args): LuaValue[] {
  let at = 0
  for (const item of itemsOf(args)) {
    at += gap(item, at)
    if (item.letter === 's') throw args.bad(0, "variable-size format for 'size'")
    if (item.letter === 'c' && item.size === 0) throw args.bad(0, "variable-length format for 'size'")
    at += item.size
  }
  return [at]
}

/** `struct`, and `cmsgpack` beside it. */
export function installPacking(machine: Machine): void {
  installMsgpack(machine)
  installLibrary(machine, 'struct', { pack, size, unpack })
}
