/**
 * What each command of an upstream does, made from the upstream's own account of its commands and a list of exceptions.
 *
 * Floor 4, room resp. Built once per tracking connection from the reply to COMMAND; looked up by the bytes of the name, in any case,
 * without a string. What is not known counts as a command of unknown effect.
 */
import {
  EVERYTHING,
  KEPT_OF_MODULES,
  KEPT_OF_SEVERAL,
  KEYS,
  LIVE,
  NEVER_KEPT,
  SILENT_WRITES,
  STATE,
  UNKNOWN,
} from './command-table-exceptions.ts'
import { findKeys, type KeyPlaces, type KeySpec, rangeSpec } from './command-table-keys.ts'
import { nameOfText, type Words } from './command-table-words.ts'

/**
 * `read`: changes nothing. `write`: the keys that `keysOf` finds. `everything`: any key. `unknown`: its keys, and perhaps
 * others. `state`: the connection. `none`: has nothing to do with the data.
 */
export type Effect = 'read' | 'write' | 'everything' | 'unknown' | 'state' | 'none'

/** One command, or one subcommand. */
export interface CommandRule {
  /** In lower case; of a subcommand `client|reply`. */
  readonly name: string
  readonly effect: Effect
  /** Its reply may be kept and answered from memory. */
  readonly isKept: boolean
  /** Its reply tells of the data. SET: see `teaches`. */
  readonly isTeaching: boolean
  /** What it writes is a counter or a lock. SET: see `isLive`. */
  readonly isLive: boolean
  readonly isBlocking: boolean
  /** As COMMAND tells it: exact, or with a minus at least. 0: not known. */
  readonly arity: number
  readonly keys: readonly KeySpec[]
  readonly subcommands: ReadonlyMap<number, readonly CommandRule[]> | undefined
}

/** One row of the reply to COMMAND, decoded; what a server leaves out is left out. */
export type CommandRow = readonly [name: string, arity: number, flags: readonly string[], ...rest: readonly unknown[]]

/** What a command that is not in the table counts as. */
export const UNKNOWN_COMMAND: CommandRule = Object.freeze({
  name: '',
  effect: 'unknown',
  isKept: false,
  isTeaching: true,
  isLive: false,
  isBlocking: false,
  arity: 0,
  keys: [],
  subcommands: undefined,
})

type Rules = Map<number, CommandRule[]>

/** See the module's header. */
export class CommandTable {
  readonly #rules: Rules = new Map()
  /** Readings of hashes, as they are while none is kept. */
  readonly #unkept = new Map<CommandRule, CommandRule>()
  /** Whether readings of hashes are kept: not while their fields can end unnoticed. */
  keepsHashes = true

  /** @param rows the reply to COMMAND as data: arrays, strings, numbers, sets as arrays, maps as lists of pairs or as objects */
  constructor(rows: readonly CommandRow[]) {
    for (const row of rows) {
      const rule = ruleOf(row)
      add(this.#rules, rule)
      if (rule.isKept && isOfHashes(row)) this.#unkept.set(rule, Object.freeze({ ...rule, isKept: false }))
    }
  }

  /** Names in the table, subcommands not counted. */
  get size(): number {
    let size = 0
    for (const rules of this.#rules.values()) size += rules.length
    return size
  }

  /** The rule of a command; of a subcommand where it has one of its own. */
  rule(words: Words): CommandRule {
    const rule = find(this.#rules, words, 0)
    if (rule === undefined) return UNKNOWN_COMMAND
    if (rule.subcommands === undefined || words.count < 2) return this.keepsHashes ? rule : (this.#unkept.get(rule) ?? rule)
    return find(rule.subcommands, words, 1) ?? rule
  }

  /** Whether the server knows a command. @param name in lower case */
  has(name: string): boolean {
    return this.#rules.get(nameOfText(name))?.some((rule) => rule.name === name) ?? false
  }

  /** Every rule and every subcommand's, for people and tests. */
  list(): CommandRule[] {
    return [...this.#rules.values()].flat().flatMap((rule) => [rule, ...[...(rule.subcommands?.values() ?? [])].flat()])
  }
}

/**
 * Finds the keys of a command: all of a reading; of a write those it may change.
 *
 * @param into emptied first; `isComplete` false: there may be others
 */
export function keysOf(rule: CommandRule, words: Words, into: KeyPlaces): KeyPlaces {
  into.clear()
  const isWrite = rule.effect === 'write' || rule.effect === 'unknown'
  const isSorted = isWrite && rule.keys.some((spec) => spec.isWritten)
  for (const spec of rule.keys) if (!isSorted || spec.isWritten) findKeys(spec, words, into)
  if (rule.keys.length === 0) into.isComplete = rule.effect !== 'write' && rule.effect !== 'unknown'
  if (rule.effect === 'unknown') into.isComplete = false
  return into
}

/** Whether the reply tells the client something of the data that he cannot know. */
export function teaches(rule: CommandRule, words: Words): boolean {
  return rule.isTeaching && (rule.name !== 'set' || isConditionalSet(words))
}

/** Whether the command makes a counter or a lock of its keys. */
export function isLive(rule: CommandRule, words: Words): boolean {
  return rule.isLive || (rule.name === 'set' && isConditionalSet(words))
}

function isConditionalSet(words: Words): boolean {
  for (let i = 3; i < words.count; i += 1) {
    if (words.is(i, 'nx') || words.is(i, 'xx') || words.is(i, 'get') || words.is(i, 'ifeq') || words.is(i, 'ifne')) return true
  }
  return false
}

function find(rules: ReadonlyMap<number, readonly CommandRule[]>, words: Words, index: number): CommandRule | undefined {
  const named = rules.get(words.nameOf(index))
  if (named === undefined) return undefined
  for (const rule of named)
    if (words.is(index, index === 0 ? rule.name : rule.name.slice(rule.name.indexOf('|') + 1))) return rule
  return undefined
}

function add(rules: Rules, rule: CommandRule): void {
  const name = nameOfText(rule.name.slice(rule.name.indexOf('|') + 1))
  const named = rules.get(name)
  if (named === undefined) rules.set(name, [rule])
  else named.push(rule)
}

function ruleOf(row: CommandRow, parent = ''): CommandRule {
  const [given, arity, flagList, first, last, step, , tips, specs, subs] = row
  const own = given.toLowerCase()
  const name = parent === '' || own.includes('|') ? own : `${parent}|${own}`
  const flags = new Set(flagList)
  const place = { first: Number(first) || 0, last: Number(last) || 0, step: Number(step) || 0 }
  const keys = keySpecs(name, { flags, place, specs })
  const effect = effectOf(name, flags)
  const subcommands: Rules = new Map()
  if (Array.isArray(subs)) for (const sub of subs as CommandRow[]) add(subcommands, ruleOf(sub, name))
  return Object.freeze({
    name,
    effect,
    isKept: effect === 'read' && isKept(name, { flags, place, tips }),
    isTeaching: (effect === 'read' || effect === 'write' || effect === 'unknown') && !SILENT_WRITES.has(name),
    isLive: LIVE.has(name),
    isBlocking: flags.has('blocking'),
    arity: Number(arity) || 0,
    keys,
    subcommands: subcommands.size > 0 ? subcommands : undefined,
  })
}

/** By its category; servers that tell none have no fields with times either. */
function isOfHashes([, , , , , , categories]: CommandRow): boolean {
  return Array.isArray(categories) && categories.includes('@hash')
}

function effectOf(name: string, flags: ReadonlySet<string>): Effect {
  if (EVERYTHING.has(name)) return 'everything'
  if (STATE.has(name)) return 'state'
  if (UNKNOWN.has(name)) return 'unknown'
  if (flags.has('write')) return 'write'
  if (flags.has('readonly')) return 'read'
  return name.includes('.') ? 'unknown' : 'none' // a module's command that says neither may do anything
}

interface Told {
  readonly flags: ReadonlySet<string>
  readonly place: { readonly first: number; readonly last: number; readonly step: number }
  readonly tips?: unknown
  readonly specs?: unknown
}

function isKept(name: string, { flags, place, tips }: Told): boolean {
  if (NEVER_KEPT.has(name) || flags.has('blocking') || flags.has('movablekeys') || place.first <= 0) return false
  if (name.includes('.') && !KEPT_OF_MODULES.has(name)) return false
  const told = Array.isArray(tips) ? (tips as readonly string[]) : []
  if (['nondeterministic_output', 'dont_cache', 'script_runner'].some((tip) => told.includes(tip))) return false
  return place.last === place.first || KEPT_OF_SEVERAL.has(name)
}

function keySpecs(name: string, { flags, place, specs }: Told): readonly KeySpec[] {
  const own = KEYS[name]
  if (own !== undefined) return own
  if (Array.isArray(specs) && specs.length > 0) return specs.flatMap((spec) => toldSpec(fieldsOf(spec)) ?? [])
  const isWritten = flags.has('write')
  const range = place.first > 0 ? [rangeSpec(place, isWritten)] : []
  return flags.has('movablekeys') ? [...range, { begin: 'unknown', find: 'unknown', isWritten, isIncomplete: true }] : range
}

type Fields = ReadonlyMap<string, unknown>

/** A map of the reply: as a list of names and values, a Map, or an object. */
function fieldsOf(given: unknown): Fields {
  if (given instanceof Map) return given as Fields
  if (!Array.isArray(given)) return new Map(Object.entries((given ?? {}) as object))
  const fields = new Map<string, unknown>()
  for (let i = 0; i + 1 < given.length; i += 2) fields.set(String(given[i]), given[i + 1])
  return fields
}

function toldSpec(fields: Fields): KeySpec | undefined {
  const flags = new Set((Array.isArray(fields.get('flags')) ? (fields.get('flags') as unknown[]) : []).map(String))
  if (flags.has('not_key')) return undefined
  const begin = fieldsOf(fields.get('begin_search'))
  const find = fieldsOf(fields.get('find_keys'))
  const [where, how] = [fieldsOf(begin.get('spec')), fieldsOf(find.get('spec'))]
  const number = (from: Fields, name: string): number => Number(from.get(name)) || 0
  const kind = begin.get('type')
  const way = find.get('type')
  return {
    begin:
      kind === 'index'
        ? { index: number(where, 'index') }
        : kind === 'keyword'
          ? { keyword: String(where.get('keyword')).toLowerCase(), from: number(where, 'startfrom') }
          : 'unknown',
    find:
      way === 'range'
        ? { last: number(how, 'lastkey'), step: number(how, 'keystep'), limit: number(how, 'limit') }
        : way === 'keynum'
          ? { count: number(how, 'keynumidx'), first: number(how, 'firstkey'), step: number(how, 'keystep') }
          : 'unknown',
    isWritten: flags.has('OW') || flags.has('RW') || flags.has('RM'),
    isIncomplete: flags.has('incomplete'),
  }
}
