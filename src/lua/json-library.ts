/**
 * `cjson`, as Redis gives it to scripts.
 *
 * Floor 3, room lua. Texts are bytes: what is decoded comes out as UTF-8. Numbers have 14 digits, as everywhere in Lua.
 */
import { type Args, installLibrary, type Native } from './library.ts'
import type { Machine } from './machine.ts'
import { printGeneral } from './number.ts'
import { LuaTable } from './table.ts'
import { LuaOpaque, type LuaValue, typeName } from './value.ts'

const NULL = new LuaOpaque('(nil)')
const ESCAPED = new RegExp(`["\\\\/${String.fromCharCode(0)}-${String.fromCharCode(31)}${String.fromCharCode(127)}]`, 'g')
const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '/': '\\/',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
}
const UNICODE = /\\(?:u([0-9a-fA-F]{4})(?:\\u([dD][c-fC-F][0-9a-fA-F]{2}))?|[^u])/g

interface JsonSettings {
  /** Sparse arrays become objects (true) or an error. */
  convert: boolean
  ratio: number
  safe: number
  encodeDepth: number
  decodeDepth: number
  precision: number
}

function escape(char: string): string {
  return SHORT[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function encode(args: Args, settings: JsonSettings): string {
  if (args.count !== 1) throw args.bad(0, 'expected 1 argument')
  return encodeValue(args.machine, settings, { value: args.at(0), depth: 1 })
}

function encodeValue(
  machine: Machine,
  settings: JsonSettings,
  { value, depth }: { readonly value: LuaValue; readonly depth: number },
): string {
  if (value === undefined || value === NULL) return 'null'
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return `"${value.replaceAll(ESCAPED, escape)}"`
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw machine.fail('Cannot serialise number: must not be NaN or Inf')
    return printGeneral(value, settings.precision)
  }
  if (!(value instanceof LuaTable)) throw machine.fail(`Cannot serialise ${typeName(value)}: type not supported`)
  if (depth > settings.encodeDepth) throw machine.fail(`Cannot serialise, excessive depth (${depth})`)
  const size = arraySize(machine, settings, value)
  const inner = (item: LuaValue): string => encodeValue(machine, settings, { value: item, depth: depth + 1 })
  if (size > 0) return `[${Array.from({ length: size }, (_, i) => inner(value.get(i + 1))).join(',')}]`
  const fields: string[] = []
  for (const [key, item] of value.entries()) {
    if (typeof key !== 'string' && typeof key !== 'number') {
      throw machine.fail('Cannot serialise table: table key must be a number or string')
    }
    const name = typeof key === 'number' ? printGeneral(key, settings.precision) : key.replaceAll(ESCAPED, escape)
    fields.push(`"${name}":${inner(item)}`)
  }
  return `{${fields.join(',')}}`
}

/** Elements of an array; 0: it is none. */
function arraySize(machine: Machine, { convert, ratio, safe }: JsonSettings, table: LuaTable): number {
  let [most, count] = [0, 0]
  for (const [key] of table.entries()) {
    if (typeof key !== 'number' || !Number.isInteger(key) || key < 1) return 0
    most = Math.max(most, key)
    count += 1
  }
  if (ratio > 0 && most > count * ratio && most > safe) {
    if (!convert) throw machine.fail('Cannot serialise table: excessively sparse array')
    return 0
  }
  return most
}

function decode(args: Args, settings: JsonSettings): LuaValue {
  const text = args.text(0)
  let found: unknown
  try {
    found = JSON.parse(text.replaceAll(UNICODE, bytesOf))
  } catch (error) {
    const at = Number(/position (\d+)/.exec(String(error))?.[1] ?? text.length) + 1
    const what = text.trim() === '' || at > text.length ? 'T_END' : 'invalid token'
    throw args.machine.fail(`Expected value but found ${what} at character ${at}`)
  }
  return toLua(args.machine, settings, { found, depth: 1 })
}

/** An escape as the bytes that it stands for. */
function bytesOf(whole: string, first: string | undefined, second: string | undefined): string {
  if (first === undefined) return whole
  const code = Number.parseInt(first, 16)
  if (code < 0x80) return whole
  const isPair = code >= 0xd800 && code < 0xdc00
  const char =
    String.fromCharCode(code) + (isPair && second !== undefined ? String.fromCharCode(Number.parseInt(second, 16)) : '')
  const rest = !isPair && second !== undefined ? bytesOf(`\\u${second}`, second, undefined) : ''
  return Buffer.from(char).toString('latin1') + rest
}

function toLua(
  machine: Machine,
  settings: JsonSettings,
  { found, depth }: { readonly found: unknown; readonly depth: number },
): LuaValue {
  if (found === null) return NULL
  if (typeof found !== 'object') return found as LuaValue
  if (depth > settings.decodeDepth) throw machine.fail(`Found too many nested data structures (${depth})`)
  const table = new LuaTable()
  if (Array.isArray(found)) {
    for (const item of found) table.push(toLua(machine, settings, { found: item, depth: depth + 1 }))
    return table
  }
  for (const [key, item] of Object.entries(found)) table.set(key, toLua(machine, settings, { found: item, depth: depth + 1 }))
  return table
}

/** See the module's header. */
export function installJson(machine: Machine): void {
  const settings: JsonSettings = { convert: false, ratio: 2, safe: 10, encodeDepth: 1000, decodeDepth: 1000, precision: 14 }
  const number =
    (name: 'encodeDepth' | 'decodeDepth' | 'precision'): Native =>
    (args) => {
      if (args.count > 0) settings[name] = args.integer(0)
      return [settings[name]]
    }
  const library = installLibrary(machine, 'cjson', {
    decode: (args) => [decode(args, settings)],
    decode_invalid_numbers: () => [true],
    decode_max_depth: number('decodeDepth'),
    encode: (args) => [encode(args, settings)],
    encode_invalid_numbers: () => [false],
    encode_keep_buffer: () => [true],
    encode_max_depth: number('encodeDepth'),
    encode_number_precision: number('precision'),
    encode_sparse_array: (args) => {
      if (args.count > 0) settings.convert = args.at(0) === true
      settings.ratio = args.integer(1, settings.ratio)
      settings.safe = args.integer(2, settings.safe)
      return [settings.convert, settings.ratio, settings.safe]
    },
  })
  library.set('null', NULL)
  library.set('_NAME', 'cjson')
  library.set('_VERSION', '2.1.0')
}
