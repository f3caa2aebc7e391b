/**
 * Lua's `string`.
 *
 * Floor 3, room lua.
 */
import { formatText } from './format.ts'
import { type Args, installLibrary, type Native } from './library.ts'
import type { Machine } from './machine.ts'
import { textOf } from './machine.ts'
import { Matcher } from './pattern.ts'
import { LuaTable } from './table.ts'
import { isTrue, LuaFunction, type LuaValue, typeName } from './value.ts'

const SPECIALS = /[\^$*+?.([%-]/
const MOST_BYTES = 512 * 1024 * 1024

/** Places [from, end) of a range as Lua gives it. */
function rangeOf(args: Args, length: number, i: number): readonly [from: number, end: number] {
  const start = args.integer(i, 1)
  const stop = args.integer(i + 1, -1)
  const from = start < 0 ? Math.max(1, length + start + 1) : Math.max(1, start)
  const end = stop < 0 ? length + stop + 1 : Math.min(stop, length)
  return [from - 1, Math.max(from - 1, end)]
}

function byte(args: Args): LuaValue[] {
  const text = args.text(0)
  const start = args.integer(1, 1)
  const from = start < 0 ? Math.max(1, text.length + start + 1) : Math.max(1, start)
  const stop = args.integer(2, start)
  const end = stop < 0 ? text.length + stop + 1 : Math.min(stop, text.length)
  const codes: number[] = []
  for (let i = from; i <= end; i += 1) codes.push(text.charCodeAt(i - 1))
  return codes
}

function char(args: Args): LuaValue[] {
  const codes = args.values.map((_, i) => {
    const code = args.integer(i)
    if (code < 0 || code > 255) throw args.bad(i, 'invalid value')
    return code
  })
  return [codes.map((code) => String.fromCharCode(code)).join('')]
}

function search(args: Args, isFind: boolean): LuaValue[] {
  const [text, pattern] = [args.text(0), args.text(1)]
  const given = args.integer(2, 1)
  const init = Math.min(text.length, Math.max(0, given < 0 ? text.length + given : given - 1))
  if (isFind && (isTrue(args.at(3)) || !SPECIALS.test(pattern))) {
    const at = text.indexOf(pattern, init)
    return at < 0 ? [undefined] : [at + 1, at + pattern.length]
  }
  const isAnchored = pattern.startsWith('^')
  for (let s = init; s <= text.length; s += 1) {
    const matcher = new Matcher(args.machine, text, pattern)
    const end = matcher.match(s, isAnchored ? 1 : 0)
    if (end >= 0) return isFind ? [s + 1, end, ...matcher.all(s, end, false)] : matcher.all(s, end)
    if (isAnchored) break
  }
  return [undefined]
}

function gmatch(args: Args): LuaValue[] {
  const [text, pattern] = [args.text(0), args.text(1)]
  let from = 0
  const next = new LuaFunction('gmatch', () => {
    for (let s = from; s <= text.length; s += 1) {
      const matcher = new Matcher(args.machine, text, pattern)
      const end = matcher.match(s, 0)
      if (end < 0) continue
      from = end === s ? end + 1 : end
      return matcher.all(s, end)
    }
    from = text.length + 1
    return [undefined]
  })
  return [next]
}

function gsub(args: Args): LuaValue[] {
  const [text, given] = [args.text(0), args.text(1)]
  const isAnchored = given.startsWith('^')
  const most = args.integer(3, text.length + 1)
  let [made, s, count] = ['', 0, 0]
  const replacement = args.at(2)
  const isFit =
    ['string', 'number'].includes(typeof replacement) || replacement instanceof LuaTable || replacement instanceof LuaFunction
  if (!isFit) throw args.bad(2, 'string/function/table expected')
  while (count < most) {
    const matcher = new Matcher(args.machine, text, given)
    const end = matcher.match(s, isAnchored ? 1 : 0)
    if (end >= 0) {
      count += 1
      made += replaced(args, { matcher, start: s, end })
    }
    if (end > s) s = end
    else if (s < text.length) {
      made += text[s]
      s += 1
    } else break
    if (isAnchored) break
  }
  return [made + text.slice(s), count]
}

function replaced(
  args: Args,
  { matcher, start, end }: { readonly matcher: Matcher; readonly start: number; readonly end: number },
): string {
  const how = args.at(2)
  const { machine } = args
  let value: LuaValue
  if (how instanceof LuaTable) value = machine.index(how, matcher.capture(0, start, end))
  else if (how instanceof LuaFunction) [value] = machine.call(how, matcher.all(start, end))
  else {
    return (textOf(how) as string).replaceAll(/%([\s\S]?)/g, (_, mark: string) => {
      if (mark === '0') return args.text(0).slice(start, end)
      if (!/[1-9]/.test(mark)) return mark
      return textOf(matcher.capture(Number(mark) - 1, start, end)) ?? ''
    })
  }
  if (!isTrue(value)) return args.text(0).slice(start, end)
  const text = textOf(value)
  if (text === undefined) throw machine.fail(`invalid replacement value (a ${typeName(value)})`)
  return text
}

function repeat(args: Args): LuaValue[] {
  const text = args.text(0)
  const count = Math.max(0, args.integer(1))
  if (text.length * count > MOST_BYTES) throw args.machine.fail('resulting string too large')
  return [text.repeat(count)]
}

function lower(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (part) => part.toLowerCase())
}

function upper(text: string): string {
  return text.replaceAll(/[a-z]+/g, (part) => part.toUpperCase())
}

const FUNCTIONS: Readonly<Record<string, Native>> = {
  byte,
  char,
  find: (args) => search(args, true),
  format: (args) => [formatText(args)],
  gmatch,
  gsub,
  len: (args) => [args.text(0).length],
  lower: (args) => [lower(args.text(0))],
  match: (args) => search(args, false),
  rep: repeat,
  reverse: (args) => [[...args.text(0)].reverse().join('')],
  sub: (args) => {
    const text = args.text(0)
    args.integer(1)
    return [text.slice(...rangeOf(args, text.length, 1))]
  },
  upper: (args) => [upper(args.text(0))],
}

/** See the module's header. */
export function installString(machine: Machine): void {
  const library = installLibrary(machine, 'string', FUNCTIONS)
  machine.stringMeta = new LuaTable()
  machine.stringMeta.set('__index', library)
}
