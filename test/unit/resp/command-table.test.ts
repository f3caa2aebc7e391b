import { describe, expect, it } from 'vitest'
import { hashText } from '../../../src/resp/coherence-hash.ts'
import { type CommandRow, CommandTable, isLive, keysOf, teaches, UNKNOWN_COMMAND } from '../../../src/resp/command-table.ts'
import { KeyPlaces } from '../../../src/resp/command-table-keys.ts'
import { FramedWords, ListWords } from '../../../src/resp/command-table-words.ts'

const row = (
  name: string,
  flags: string,
  place: readonly [number, number, number] = [0, 0, 0],
  ...rest: readonly unknown[]
): CommandRow => [name, -2, flags.split(' '), ...place, [], ...rest]

/** As Redis 6 tells them: without key specifications. */
const TABLE = new CommandTable([
  row('get', 'readonly fast', [1, 1, 1]),
  row('set', 'write', [1, 1, 1]),
  row('mget', 'readonly', [1, -1, 1]),
  row('mset', 'write', [1, -1, 2]),
  row('incr', 'write', [1, 1, 1]),
  row('sort', 'write movablekeys', [1, 1, 1]),
  row('eval', 'noscript movablekeys'),
  row('zunionstore', 'write movablekeys', [1, 1, 1]),
  row('flushall', 'write'),
  row('ping', 'fast'),
  row('ttl', 'readonly', [1, 1, 1]),
  row('json.get', 'readonly module', [1, 1, 1]),
  row('ft.search', 'readonly module', [1, 1, 1]),
  row('graph.do', 'module'),
  row('newread', 'readonly', [1, 1, 1], ['dont_cache']),
  row('newmoving', 'readonly movablekeys', [1, 1, 1]),
  row('client', '', [0, 0, 0], [], [], [row('client|reply', 'noscript'), row('client|id', 'noscript')]),
])

const words = (text: string): ListWords => new ListWords().of(text.split(' '))
const keys = (text: string): { keys: string[]; isComplete: boolean } => {
  const of = words(text)
  const { indexes, isComplete } = keysOf(TABLE.rule(of), of, new KeyPlaces())
  return { keys: indexes.map((index) => text.split(' ')[index] as string), isComplete }
}

describe('CommandTable', () => {
  it('looks a name up in any case, from text and from bytes', () => {
    const bytes = Buffer.from('..GeT..key.')
    const frame = { bytes, count: 2, starts: Int32Array.of(2, 7), ends: Int32Array.of(5, 10) }

    expect(TABLE.rule(words('gEt k')).name).toBe('get')
    expect(TABLE.rule(new FramedWords().of(frame)).name).toBe('get')
    expect(new FramedWords().of(frame).hash(1)).toBe(hashText('key'))
  })

  it('takes what it does not know for a command that may do anything', () => {
    expect(TABLE.rule(words('frobnicate k'))).toBe(UNKNOWN_COMMAND)
    expect(TABLE.rule(words('graph.do k')).effect).toBe('unknown')
    expect(keys('frobnicate k').isComplete).toBe(false)
  })

  it('knows subcommands by themselves, and the command where there is none', () => {
    expect(TABLE.rule(words('CLIENT Reply off')).effect).toBe('state')
    expect(TABLE.rule(words('client id')).effect).toBe('none')
    expect(TABLE.rule(words('client what')).name).toBe('client')
  })

  it('keeps readings of fixed keys, but none of those on the list, nor what says that it must not be', () => {
    const kept = TABLE.list().filter(({ isKept }) => isKept)

    expect(kept.map(({ name }) => name)).toEqual(['get', 'mget', 'json.get'])
  })

  it('finds the keys that are written, in every form', () => {
    expect(keys('mset a 1 b 2')).toEqual({ keys: ['a', 'b'], isComplete: true })
    expect(keys('zunionstore d 2 a b')).toEqual({ keys: ['d'], isComplete: true })
    expect(keys('sort k')).toEqual({ keys: [], isComplete: true })
    expect(keys('sort k by store limit 0 1 STORE d')).toEqual({ keys: ['limit', 'd'], isComplete: true })
    expect(keys('eval script 2 a b c')).toEqual({ keys: ['a', 'b'], isComplete: false })
  })

  it('trusts no number of keys that it cannot read', () => {
    expect(keys('eval script x a')).toEqual({ keys: [], isComplete: false })
    expect(keys('eval script 9 a')).toEqual({ keys: [], isComplete: false })
    expect(keys('eval script -1 a')).toEqual({ keys: [], isComplete: false })
  })

  it('tells replies that teach from those that say nothing new', () => {
    const says = (text: string): boolean => teaches(TABLE.rule(words(text)), words(text))

    expect(says('set k v')).toBe(false)
    expect(says('set k v EX 5')).toBe(false)
    expect(says('set k v ex 5 NX')).toBe(true)
    expect(says('set k v get')).toBe(true)
    expect(says('mset a 1')).toBe(false)
    expect(says('get k')).toBe(true)
    expect(says('ping')).toBe(false)
  })

  it('knows counters and locks by what is done to them', () => {
    const lives = (text: string): boolean => isLive(TABLE.rule(words(text)), words(text))

    expect(lives('incr k')).toBe(true)
    expect(lives('set k token nx px 100')).toBe(true)
    expect(lives('eval s 1 k')).toBe(true)
    expect(lives('set k v')).toBe(false)
  })
})
