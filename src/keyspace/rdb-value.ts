/**
 * Values in the form of Redis's dumps, version 10: what Redis 7.0 writes, and reads.
 *
 * Floor 3, room keyspace. Read whole or not at all; a value reads into the form that it would have here.
 *
 * @see https://github.com/redis/redis/blob/7.0/src/rdb.c
 */
import type { Random } from '../model/random.ts'
import { HashValue } from './hash-value.ts'
import type { PackingLimits } from './limits.ts'
import { ListValue } from './list-value.ts'
import { RdbFault } from './rdb-fault.ts'
import { readIntset, writeIntset } from './rdb-intset.ts'
import { listpackBytes, readListpack, writeListpack } from './rdb-listpack.ts'
import { parseScore, type RdbReader } from './rdb-reader.ts'
import type { RdbWriter } from './rdb-writer.ts'
import { SetValue } from './set-value.ts'
import type { Container, Value } from './value.ts'
import { ZsetValue } from './zset-value.ts'

/** Types of values. */
export const RDB = {
  string: 0,
  list: 1,
  set: 2,
  shownZset: 3,
  hash: 4,
  zset: 5,
  intset: 11,
  packedHash: 16,
  packedZset: 17,
  quicklist: 18,
} as const

/** What values are made with. */
export interface ValueParts {
  readonly limits: PackingLimits
  readonly random: Random
}

const PLAIN_NODE = 1
const PACKED_NODE = 2
/** Bytes of a list's node, and what each element is reckoned with beside its own. */
const NODE_BYTES = 8192
const NODE_OVERHEAD = 8

/** The type and the value. */
export function writeValue(writer: RdbWriter, value: Value): void {
  switch (value.kind) {
    case 'string':
      writer.byte(RDB.string).text(value.text)
      return
    case 'list':
      return writeList(writer, value)
    case 'set':
      return writeSet(writer, value)
    case 'zset':
      return writeZset(writer, value)
    case 'hash':
      return writeHash(writer, value)
  }
}

function writeList(writer: RdbWriter, list: ListValue): void {
  const nodes: string[][] = []
  let bytes = NODE_BYTES
  for (let i = 0; i < list.size; i += 1) {
    const element = list.at(i)
    if (bytes + element.length + NODE_OVERHEAD > NODE_BYTES) {
      nodes.push([])
      bytes = 7
    }
    ;(nodes.at(-1) as string[]).push(element)
    bytes += listpackBytes(element) + 1
  }
  writer.byte(RDB.quicklist).length(nodes.length)
  for (const node of nodes) writer.length(PACKED_NODE).block(writeListpack(node))
}

function writeSet(writer: RdbWriter, set: SetValue): void {
  if (set.isIntegers) {
    writer.byte(RDB.intset).block(writeIntset(set.members()))
    return
  }
  writer.byte(RDB.set).length(set.size)
  for (const member of set.members()) writer.text(member)
}

function writeZset(writer: RdbWriter, zset: ZsetValue): void {
  const { list } = zset
  if (!zset.isPacked) {
    writer.byte(RDB.zset).length(zset.size)
    for (let node = list.last; node !== undefined; node = node.before) writer.text(node.member).double(node.score)
    return
  }
  const elements: string[] = []
  for (let node = list.first; node !== undefined; node = node.next[0]) elements.push(node.member, showScore(node.score))
  writer.byte(RDB.packedZset).block(writeListpack(elements))
}

function writeHash(writer: RdbWriter, hash: HashValue): void {
  const { keys, values } = hash.dict
  if (hash.isPacked) {
    writer.byte(RDB.packedHash).block(writeListpack(keys.flatMap((key, i) => [key, values[i] as string])))
    return
  }
  writer.byte(RDB.hash).length(hash.size)
  for (let i = 0; i < keys.length; i += 1) writer.text(keys[i] as string).text(values[i] as string)
}

function showScore(score: number): string {
  if (Number.isFinite(score)) return String(score)
  return score > 0 ? 'inf' : '-inf'
}

/** Reads what `writeValue` or Redis wrote. @throws RdbFault */
export function readValue(reader: RdbReader, parts: ValueParts): Value {
  const type = reader.byte()
  switch (type) {
    case RDB.string:
      return { kind: 'string', text: reader.text(), form: 'plain' }
    case RDB.list:
    case RDB.quicklist:
      return readList(reader, type)
    case RDB.set:
      return setOf(textsOf(reader, reader.count()), parts)
    case RDB.intset:
      return setOf(readIntset(reader.block()), parts)
    case RDB.hash:
      return hashOf(textsOf(reader, reader.count(2) * 2), parts)
    case RDB.packedHash:
      return hashOf(readListpack(reader.block()), parts)
    case RDB.shownZset:
    case RDB.zset:
    case RDB.packedZset:
      return zsetOf(readScores(reader, type), parts)
    default:
      throw new RdbFault(`a value of type ${type} is not known`)
  }
}

function readList(reader: RdbReader, type: number): ListValue {
  const list = new ListValue()
  for (let left = reader.count(); left > 0; left -= 1) {
    const container = type === RDB.list ? PLAIN_NODE : reader.length()
    if (container !== PLAIN_NODE && container !== PACKED_NODE) throw new RdbFault('a list has an unknown form')
    const elements = container === PLAIN_NODE ? [reader.text()] : readListpack(reader.block())
    for (const element of elements) list.push(element, false)
  }
  return filled(list)
}

function readScores(reader: RdbReader, type: number): readonly (readonly [string, number])[] {
  if (type !== RDB.packedZset) {
    return Array.from({ length: reader.count(2) }, () => [
      reader.text(),
      type === RDB.zset ? reader.double() : reader.shownDouble(),
    ])
  }
  const elements = readListpack(reader.block())
  if (elements.length % 2 !== 0) throw new RdbFault('a member has no score')
  return Array.from({ length: elements.length / 2 }, (_, i) => [
    elements[i * 2] as string,
    parseScore(elements[i * 2 + 1] as string),
  ])
}

function textsOf(reader: RdbReader, count: number): string[] {
  const texts: string[] = []
  for (let i = 0; i < count; i += 1) texts.push(reader.text())
  return texts
}

function setOf(members: readonly string[], { limits }: ValueParts): SetValue {
  const set = new SetValue(limits, members[0])
  for (const member of members) if (!set.add(member)) throw twice()
  return filled(set)
}

function hashOf(texts: readonly string[], { limits }: ValueParts): HashValue {
  if (texts.length % 2 !== 0) throw new RdbFault('a field has no value')
  const hash = new HashValue(limits)
  hash.makeRoom(texts, 0)
  for (let i = 0; i < texts.length; i += 2) if (!hash.set(texts[i] as string, texts[i + 1] as string)) throw twice()
  return filled(hash)
}

function zsetOf(rows: readonly (readonly [string, number])[], parts: ValueParts): ZsetValue {
  const zset = new ZsetValue(parts, false)
  for (const [member, score] of rows) if (!zset.set(member, score)) throw twice()
  return filled(zset).packed()
}

function filled<T extends Container>(value: T): T {
  if (value.size === 0) throw new RdbFault('a value is empty')
  return value
}

function twice(): RdbFault {
  return new RdbFault('an element stands twice')
}
