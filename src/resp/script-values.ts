/**
 * Replies as values of Lua, and values of Lua as replies.
 *
 * Floor 4, room resp. The conversions are those of Redis 7.0 (script_lua.c); texts are bytes as latin1.
 */
import { LuaTable } from '../lua/table.ts'
import type { LuaValue } from '../lua/value.ts'
import { textOf } from '../lua/machine.ts'
import type { Reply } from './embedded-reply.ts'

const MOST_64 = 2 ** 63
const MOST_NESTED = 500

/** A table with one field. */
export function single(name: string, value: LuaValue): LuaTable {
  const table = new LuaTable()
  table.set(name, value)
  return table
}

/** Reads one frame. */
export class ReplyReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  take(): LuaValue {
    const type = this.#bytes[this.#at]
    const end = this.#bytes.indexOf(13, this.#at)
    const line = this.#bytes.toString('latin1', this.#at + 1, end)
    this.#at = end + 2
    switch (type) {
      case 0x2b: // +
        return single('ok', line)
      case 0x2d: // -
        return single('err', line)
      case 0x3a: // :
        return Number(line)
      case 0x24: // $
        return line === '-1' ? false : this.#text(Number(line))
      case 0x2a: // *
        return line === '-1' ? false : this.#array(Number(line))
      case 0x25: // %
        return single('map', this.#map(Number(line)))
      case 0x7e: // ~
        return single('set', this.#set(Number(line)))
      case 0x2c: // ,
        return single('double', doubleOf(line))
      case 0x23: // #
        return line === 't'
      case 0x28: // (
        return single('big_number', line)
      case 0x3d: // =
        return this.#verbatim(Number(line))
      default:
        return undefined
    }
  }

  #text(length: number): string {
    const text = this.#bytes.toString('latin1', this.#at, this.#at + length)
    this.#at += length + 2
    return text
  }

  #array(count: number): LuaTable {
    const table = new LuaTable()
    for (let i = 1; i <= count; i += 1) table.set(i, this.take())
    return table
  }

  #map(count: number): LuaTable {
    const table = new LuaTable()
    for (let i = 0; i < count; i += 1) {
      const key = this.take()
      const value = this.take()
      if (key !== undefined) table.set(key, value)
    }
    return table
  }

  #set(count: number): LuaTable {
    const table = new LuaTable()
    for (let i = 0; i < count; i += 1) {
      const member = this.take()
      if (member !== undefined) table.set(member, true)
    }
    return table
  }

  #verbatim(length: number): LuaTable {
    const text = this.#text(length)
    const inner = new LuaTable()
    inner.set('format', text.slice(0, 3))
    inner.set('string', text.slice(4))
    return single('verbatim_string', inner)
  }
}

function doubleOf(line: string): number {
  if (line === 'inf') return Number.POSITIVE_INFINITY
  return line === '-inf' ? Number.NEGATIVE_INFINITY : Number(line)
}

/** @param speaks RESP version that the script chose */
export function writeValue(
  out: Reply,
  value: LuaValue,
  { speaks, depth = 0 }: { readonly speaks: number; readonly depth?: number },
): void {
  if (typeof value === 'string') return out.str(value)
  if (typeof value === 'number') return out.whole(integerOf(value))
  if (typeof value === 'boolean') {
    if (speaks === 3) out.boolean(value)
    else if (value) out.integer(1)
    else out.null()
    return
  }
  if (!(value instanceof LuaTable)) return void out.null()
  if (depth > MOST_NESTED) return void out.error('ERR reached lua stack limit')
  if (writeMarked(out, value)) return
  writeCollection(out, value, { speaks, depth: depth + 1 })
}

/** As C casts a double to 64 bits. */
function integerOf(value: number): number | bigint {
  if (Number.isSafeInteger(Math.trunc(value))) return Math.trunc(value) + 0
  return Number.isNaN(value) || value >= MOST_64 || value < -MOST_64 ? -(2n ** 63n) : BigInt(Math.trunc(value))
}

/** A table that stands for something else: an error, a status, a double … */
function writeMarked(out: Reply, table: LuaTable): boolean {
  const error = textOf(table.get('err'))
  if (error !== undefined) {
    out.error(error)
    return true
  }
  const status = textOf(table.get('ok'))
  if (status !== undefined) {
    out.simple(status.replaceAll(/[\r\n]/g, ' '))
    return true
  }
  const double = table.get('double')
  if (typeof double === 'number') {
    out.double(double)
    return true
  }
  const big = table.get('big_number')
  if (typeof big === 'string') {
    out.bigNumber(big.replaceAll(/[\r\n]/g, ' '))
    return true
  }
  const verbatim = table.get('verbatim_string')
  if (!(verbatim instanceof LuaTable)) return false
  const [format, text] = [verbatim.get('format'), verbatim.get('string')]
  if (typeof format !== 'string' || typeof text !== 'string') return false
  out.verbatim(format.slice(0, 3).padEnd(3), Buffer.from(text, 'latin1'))
  return true
}

function writeCollection(out: Reply, table: LuaTable, how: { readonly speaks: number; readonly depth: number }): void {
  const map = table.get('map')
  if (map instanceof LuaTable) {
    const entries = [...map.entries()]
    out.map(entries.length)
    for (const [key, value] of entries) {
      writeValue(out, key, how)
      writeValue(out, value, how)
    }
    return
  }
  const set = table.get('set')
  if (set instanceof LuaTable) {
    const entries = [...set.entries()]
    out.set(entries.length)
    for (const [key] of entries) writeValue(out, key, how)
    return
  }
  const items: LuaValue[] = []
  for (let i = 1; table.get(i) !== undefined; i += 1) items.push(table.get(i))
  out.array(items.length)
  for (const item of items) writeValue(out, item, how)
}
