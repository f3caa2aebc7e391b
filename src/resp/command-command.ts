/**
 * COMMAND: what this server knows, told as Redis tells it.
 *
 * Floor 4, room resp.
 */
import type { Call, Command, Handler } from './embedded-call.ts'
import { REFUSED, refuse } from './embedded-errors.ts'
import { isMatch } from './embedded-glob.ts'
import { help } from './embedded-help.ts'
import { keysOf } from './embedded-key-specs.ts'
import type { Reply } from './embedded-reply.ts'

function catalogOf(call: Call): ReadonlyMap<string, Command> {
  return call.server.runner?.catalog as ReadonlyMap<string, Command>
}

function find(call: Call, name: string): Command | undefined {
  const [container, sub] = name.toLowerCase().split('|') as [string, string?]
  const row = catalogOf(call).get(container)
  return sub === undefined ? row : row?.subcommands?.get(sub)
}

function writeRow(out: Reply, row: Command): void {
  out.array(10)
  out.str(row.name)
  out.integer(row.arity)
  out.set(row.flags.size)
  for (const flag of row.flags) out.simple(flag)
  out.integer(row.firstKey)
  out.integer(row.lastKey)
  out.integer(row.keyStep)
  out.set(row.categories.length)
  for (const category of row.categories) out.simple(`@${category}`)
  out.array(row.tips.length)
  for (const tip of row.tips) out.str(tip)
  out.array(row.specs.length)
  for (const spec of row.specs) writeSpec(out, spec)
  const subcommands = [...(row.subcommands?.values() ?? [])]
  out.array(subcommands.length)
  for (const sub of subcommands) writeRow(out, sub)
}

function writeSpec(out: Reply, spec: string): void {
  const [flags, begin, find_, ...notes] = spec.split('/') as [string, string, string, ...string[]]
  const [notesText] = [notes.join('/')]
  out.map(notesText === '' ? 3 : 4)
  if (notesText !== '') {
    out.str('notes')
    out.str(notesText)
  }
  out.str('flags')
  const words = flags.split(',').filter((flag) => flag !== '')
  out.set(words.length)
  for (const word of words) out.simple(word)
  writeSearch(out, 'begin_search', begin)
  writeSearch(out, 'find_keys', find_)
}

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  index: ['index'],
  keyword: ['keyword', 'startfrom'],
  range: ['lastkey', 'keystep', 'limit'],
  keynum: ['keynumidx', 'firstkey', 'keystep'],
  unknown: [],
}

function writeSearch(out: Reply, name: string, text: string): void {
  const [type = 'unknown', ...values] = text.split(' ')
  const fields = FIELDS[type] ?? []
  out.str(name)
  out.map(2)
  out.str('type')
  out.str(type)
  out.str('spec')
  out.map(fields.length)
  for (const [i, field] of fields.entries()) {
    const value = values[i] ?? ''
    out.str(field)
    if (field === 'keyword') out.str(value)
    else out.integer(Number(value))
  }
}

function all(call: Call): void {
  const rows = [...catalogOf(call).values()]
  call.out.array(rows.length)
  for (const row of rows) writeRow(call.out, row)
}

function info(call: Call): void {
  if (call.count === 2) return all(call)
  call.out.array(call.count - 2)
  for (const name of call.args.slice(2)) {
    const row = find(call, name)
    if (row === undefined) call.out.nullArray()
    else writeRow(call.out, row)
  }
}

function list(call: Call): void {
  const rows = [...catalogOf(call).values()].flatMap((row) => [row, ...(row.subcommands?.values() ?? [])])
  if (call.count === 2) return call.out.setOf(rows.map(({ name }) => name))
  if (call.count !== 5 || !call.is(2, 'filterby')) throw REFUSED.syntax
  const value = call.arg(4)
  if (call.is(3, 'pattern')) return call.out.setOf(rows.map(({ name }) => name).filter((name) => isMatch(value, name)))
  if (call.is(3, 'aclcat')) {
    return call.out.setOf(rows.filter(({ categories }) => categories.includes(value.toLowerCase())).map(({ name }) => name))
  }
  if (call.is(3, 'module')) return call.out.setOf([])
  throw REFUSED.syntax
}

function docs(call: Call): void {
  const names = call.count === 2 ? [...catalogOf(call).keys()] : call.args.slice(2)
  const rows = names.flatMap((name) => find(call, name) ?? [])
  call.out.map(rows.length)
  for (const row of rows) {
    call.out.str(row.name)
    call.out.map(2)
    call.out.str('summary')
    call.out.str(`${row.name.toUpperCase()} as Redis 7.0 has it`)
    call.out.str('group')
    call.out.str(groupOf(row))
  }
}

const GROUPS = [
  'string',
  'bitmap',
  'hash',
  'list',
  'set',
  'sortedset',
  'hyperloglog',
  'stream',
  'geo',
  'pubsub',
  'transaction',
  'scripting',
  'connection',
]

function groupOf({ categories }: Command): string {
  const found = GROUPS.find((group) => categories.includes(group))
  if (found === 'sortedset') return 'sorted-set'
  if (found === 'transaction') return 'transactions'
  return found ?? (categories.includes('keyspace') ? 'generic' : 'server')
}

function getKeys(call: Call): void {
  const args = call.args.slice(2)
  const container = find(call, args[0] as string)
  const row = container?.subcommands?.get((args[1] ?? '').toLowerCase()) ?? container
  if (row === undefined) throw refuse('Invalid command specified')
  const keys = keysOf(row, args)
  if (row.firstKey === 0 && row.specs.length === 0) throw refuse('The command has no key arguments')
  if ((row.arity > 0 && row.arity !== args.length) || args.length < -row.arity) {
    throw refuse('Invalid number of arguments specified for command')
  }
  if (keys === undefined) throw refuse('Invalid arguments specified for command')
  call.out.strs(keys)
}

export const COMMAND_COMMANDS: Readonly<Record<string, Handler>> = {
  command: all,
  'command count': (call) => void call.out.integer(catalogOf(call).size),
  'command docs': docs,
  'command getkeys': getKeys,
  'command help': help,
  'command info': info,
  'command list': list,
}
