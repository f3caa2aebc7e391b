/**
 * Listpacks: small lists, hashes and sorted sets as one run of bytes.
 *
 * Floor 3, room keyspace. Six bytes of head (all bytes, elements), elements of form, content and length backwards, 0xff.
 *
 * @see https://github.com/antirez/listpack/blob/master/listpack.md
 */
import { isInteger64 } from './integer.ts'
import { RdbFault } from './rdb-fault.ts'

const HEAD_BYTES = 6
const END = 0xff
const UNKNOWN_COUNT = 0xffff
const BITS_13 = 0xc0
const TEXT_6 = 0x80
const TEXT_12 = 0xe0
const TEXT_32 = 0xf0
/** Bytes of the integers from 0xf1 on. */
const WIDTHS = [2, 3, 4, 8] as const
const INTEGERS = 0xf1

/** @throws RdbFault */
export function readListpack(bytes: Buffer): string[] {
  const { length } = bytes
  if (length < HEAD_BYTES + 1 || bytes.readUInt32LE(0) !== length || bytes[length - 1] !== END) throw torn()
  const elements: string[] = []
  let at = HEAD_BYTES
  while (at < length - 1) {
    const [element, end] = elementAt(bytes, at)
    elements.push(element)
    at = end + backBytes(end - at)
  }
  const count = bytes.readUInt16LE(4)
  if (at !== length - 1 || (count !== UNKNOWN_COUNT && count !== elements.length)) throw torn()
  return elements
}

/** @returns the element and where its content ends */
function elementAt(bytes: Buffer, at: number): readonly [string, number] {
  const form = bytes[at] as number
  if (form < 0x80) return [String(form), at + 1]
  if (form < BITS_13) return textAt(bytes, at + 1, form & 0x3f)
  const room = bytes.length - 1 - at
  if (form < TEXT_12) {
    if (room < 2) throw torn()
    const value = ((form & 0x1f) << 8) | (bytes[at + 1] as number)
    return [String(value > 4095 ? value - 8192 : value), at + 2]
  }
  if (form < TEXT_32) {
    if (room < 2) throw torn()
    return textAt(bytes, at + 2, ((form & 0xf) << 8) | (bytes[at + 1] as number))
  }
  if (form === TEXT_32) {
    if (room < 5) throw torn()
    return textAt(bytes, at + 5, bytes.readUInt32LE(at + 1))
  }
  const width = WIDTHS[form - INTEGERS]
  if (width === undefined || room < 1 + width) throw torn()
  const value = width === 8 ? bytes.readBigInt64LE(at + 1) : bytes.readIntLE(at + 1, width)
  return [String(value), at + 1 + width]
}

function textAt(bytes: Buffer, from: number, length: number): readonly [string, number] {
  if (from + length > bytes.length - 1) throw torn()
  return [bytes.toString('latin1', from, from + length), from + length]
}

/** Bytes that a length backwards takes. */
function backBytes(length: number): number {
  if (length <= 127) return 1
  if (length < 16_383) return 2
  if (length < 2_097_151) return 3
  return length < 268_435_455 ? 4 : 5
}

function torn(): RdbFault {
  return new RdbFault('a listpack is torn')
}

/** Elements as one listpack. */
export function writeListpack(elements: readonly string[]): Buffer {
  const parts: Buffer[] = [Buffer.alloc(HEAD_BYTES)]
  let bytes = HEAD_BYTES + 1
  for (const element of elements) {
    const part = isInteger64(element) ? integerPart(element) : textPart(element)
    parts.push(part)
    bytes += part.byteLength
  }
  const head = parts[0] as Buffer
  head.writeUInt32LE(bytes, 0)
  head.writeUInt16LE(Math.min(elements.length, UNKNOWN_COUNT), 4)
  parts.push(Buffer.from([END]))
  return Buffer.concat(parts, bytes)
}

/** Bytes that an element takes at most, its length backwards left out. */
export function listpackBytes(element: string): number {
  return element.length + (element.length < 64 ? 1 : element.length < 4096 ? 2 : 5)
}

function textPart(text: string): Buffer {
  const { length } = text
  const headBytes = length < 64 ? 1 : length < 4096 ? 2 : 5
  const part = withBack(headBytes + length)
  if (headBytes === 1) part[0] = TEXT_6 | length
  else if (headBytes === 2) {
    part[0] = TEXT_12 | (length >>> 8)
    part[1] = length & 0xff
  } else {
    part[0] = TEXT_32
    part.writeUInt32LE(length, 1)
  }
  part.write(text, headBytes, length, 'latin1')
  return part
}

function integerPart(text: string): Buffer {
  const value = Number(text)
  if (value >= 0 && value <= 127) {
    const part = withBack(1)
    part[0] = value
    return part
  }
  if (value >= -4096 && value <= 4095) {
    const part = withBack(2)
    const bits = value < 0 ? value + 8192 : value
    part[0] = BITS_13 | (bits >>> 8)
    part[1] = bits & 0xff
    return part
  }
  const form = WIDTHS.findIndex((width) => width === 8 || Math.abs(value + 0.5) < 2 ** (width * 8 - 1))
  const width = WIDTHS[form] as number
  const part = withBack(1 + width)
  part[0] = INTEGERS + form
  if (width === 8) part.writeBigInt64LE(BigInt(text), 1)
  else part.writeIntLE(value, 1, width)
  return part
}

/** Room for a content, its length backwards written behind it. */
function withBack(length: number): Buffer {
  const back = backBytes(length)
  const part = Buffer.allocUnsafe(length + back)
  let rest = length
  for (let i = back - 1; i >= 0; i -= 1) {
    part[length + i] = (rest % 128) | (i === 0 ? 0 : 128)
    rest = Math.floor(rest / 128)
  }
  return part
}
