/**
 * `cmsgpack`, as Redis gives it to scripts.
 *
 * Floor 3, room lua. https://github.com/msgpack/msgpack/blob/master/spec.md
 */
import { type Args, installLibrary } from './library.ts'
import type { Machine } from './machine.ts'
import { LuaTable } from './table.ts'
import type { LuaValue } from './value.ts'

const MOST_NESTED = 16

class Packer {
  readonly #parts: Buffer[] = []

  get text(): string {
    return Buffer.concat(this.#parts).toString('latin1')
  }

  put(value: LuaValue, depth = 0): void {
    if (typeof value === 'boolean') this.#bytes([value ? 0xc3 : 0xc2])
    else if (typeof value === 'number') this.#number(value)
    else if (typeof value === 'string') this.#text(value)
    else if (value instanceof LuaTable && depth < MOST_NESTED) this.#table(value, depth)
    else this.#bytes([0xc0])
  }

  #bytes(bytes: readonly number[]): void {
    this.#parts.push(Buffer.from(bytes))
  }

  #sized(kind: number, size: number, width: 1 | 2 | 4): void {
    const head = Buffer.alloc(1 + width)
    head[0] = kind
    head.writeUIntBE(size, 1, width)
    this.#parts.push(head)
  }

  #number(value: number): void {
    if (!Number.isInteger(value) || Math.abs(value) > 2 ** 63) return this.#real(value)
    if (value >= 0) {
      if (value < 0x80) this.#bytes([value])
      else if (value <= 0xff) this.#sized(0xcc, value, 1)
      else if (value <= 0xffff) this.#sized(0xcd, value, 2)
      else if (value <= 0xffff_ffff) this.#sized(0xce, value, 4)
      else this.#long(0xcf, BigInt(value))
    } else if (value >= -32) this.#bytes([256 + value])
    else if (value >= -0x80) this.#sized(0xd0, 0x100 + value, 1)
    else if (value >= -0x8000) this.#sized(0xd1, 0x1_0000 + value, 2)
    else if (value >= -0x8000_0000) this.#sized(0xd2, 2 ** 32 + value, 4)
    else this.#long(0xd3, BigInt(value))
  }

  #long(kind: number, value: bigint): void {
    const bytes = Buffer.alloc(9)
    bytes[0] = kind
    bytes.writeBigUInt64BE(BigInt.asUintN(64, value), 1)
    this.#parts.push(bytes)
  }

  #real(value: number): void {
    const isShort = Math.fround(value) === value
    const bytes = Buffer.alloc(isShort ? 5 : 9)
    bytes[0] = isShort ? 0xca : 0xcb
    if (isShort) bytes.writeFloatBE(value, 1)
    else bytes.writeDoubleBE(value, 1)
    this.#parts.push(bytes)
  }

  #text(value: string): void {
    const { length } = value
    if (length < 32) this.#bytes([0xa0 | length])
    else if (length <= 0xff) this.#sized(0xd9, length, 1)
    else if (length <= 0xffff) this.#sized(0xda, length, 2)
    else this.#sized(0xdb, length, 4)
    this.#parts.push(Buffer.from(value, 'latin1'))
  }

  #table(table: LuaTable, depth: number): void {
    const entries = [...table.entries()]
    if (entries.length === table.length) {
      this.#collection(0x90, 0xdc, entries.length)
      for (const [, value] of entries) this.put(value, depth + 1)
      return
    }
    this.#collection(0x80, 0xde, entries.length)
    for (const [key, value] of entries) {
      this.put(key, depth + 1)
      this.put(value, depth + 1)
    }
  }

  #collection(short: number, long: number, size: number): void {
    if (size < 16) this.#bytes([short | size])
    else if (size <= 0xffff) this.#sized(long, size, 2)
    else this.#sized(long + 1, size, 4)
  }
}

class Unpacker {
  at: number
  readonly #bytes: Buffer
  readonly #machine: Machine

  constructor(machine: Machine, text: string, at: number) {
    this.#machine = machine
    this.#bytes = Buffer.from(text, 'latin1')
    this.at = at
  }

  get isOver(): boolean {
    return this.at >= this.#bytes.length
  }

  take(): LuaValue {
    const kind = this.#unsigned(1)
    if (kind < 0x80) return kind
    if (kind < 0x90) return this.#map(kind & 15)
    if (kind < 0xa0) return this.#array(kind & 15)
    if (kind < 0xc0) return this.#text(kind & 31)
    if (kind >= 0xe0) return kind - 256
    switch (kind) {
      case 0xc0:
        return undefined
      case 0xc2:
      case 0xc3:
        return kind === 0xc3
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#text(this.#unsigned(2 ** (kind - 0xc4)))
      case 0xca:
        return this.#move(4).readFloatBE()
      case 0xcb:
        return this.#move(8).readDoubleBE()
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#unsigned(2 ** (kind - 0xcc))
      case 0xcf:
        return Number(this.#move(8).readBigUInt64BE())
      case 0xd0:
      case 0xd1:
      case 0xd2:
        return this.#move(2 ** (kind - 0xd0)).readIntBE(0, 2 ** (kind - 0xd0))
      case 0xd3:
        return Number(this.#move(8).readBigInt64BE())
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#unsigned(2 ** (kind - 0xd9)))
      case 0xdc:
      case 0xdd:
        return this.#array(this.#unsigned(kind === 0xdc ? 2 : 4))
      case 0xde:
      case 0xdf:
        return this.#map(this.#unsigned(kind === 0xde ? 2 : 4))
      default:
        throw this.#machine.fail('Bad data format in input.')
    }
  }

  #move(count: number): Buffer {
    const end = this.at + count
    if (end > this.#bytes.length) throw this.#machine.fail('Missing bytes in input.')
    const part = this.#bytes.subarray(this.at, end)
    this.at = end
    return part
  }

  #unsigned(width: number): number {
    return this.#move(width).readUIntBE(0, width)
  }

  #text(length: number): string {
    return this.#move(length).toString('latin1')
  }

  #array(size: number): LuaTable {
    const table = new LuaTable()
    for (let i = 1; i <= size; i += 1) {
      this.#machine.step()
      table.set(i, this.take())
    }
    return table
  }

  #map(size: number): LuaTable {
    const table = new LuaTable()
    for (let i = 0; i < size; i += 1) {
      this.#machine.step()
      const key = this.take()
      this.#machine.setRaw(table, key, this.take())
    }
    return table
  }
}

function pack(args: Args): LuaValue[] {
  if (args.count === 0) throw args.bad(0, 'MessagePack pack needs input.')
  const packer = new Packer()
  for (const value of args.values) packer.put(value)
  return [packer.text]
}

function unpack(args: Args, most: number, from: number): LuaValue[] {
  const text = args.text(0)
  if (from < 0 || from > text.length) throw args.machine.fail(`Start offset ${from} greater than input length ${text.length}.`)
  const unpacker = new Unpacker(args.machine, text, from)
  const found: LuaValue[] = []
  while (!unpacker.isOver && found.length < most) found.push(unpacker.take())
  return most === Number.POSITIVE_INFINITY ? found : [unpacker.isOver ? -1 : unpacker.at, ...found]
}

/** See the module's header. */
export function installMsgpack(machine: Machine): void {
  installLibrary(machine, 'cmsgpack', {
    pack,
    unpack: (args) => unpack(args, Number.POSITIVE_INFINITY, 0),
    unpack_limit: (args) => unpack(args, args.integer(1), args.integer(2, 0)),
    unpack_one: (args) => unpack(args, 1, args.integer(1, 0)),
  })
}
