/**
 * SCAN, SSCAN, HSCAN and ZSCAN.
 *
 * Floor 4, room resp. What stands all the while is met at least once; small containers come whole, as in Redis. A cursor
 * says where to go on, without any state here (keyspace/dict.ts, shelf/byte-index.ts).
 */
import type { Dict } from '../keyspace/dict.ts'
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED, untilZero } from './embedded-errors.ts'
import { isMatch } from './embedded-glob.ts'
import { formatDouble } from '../wire/resp-double.ts'

interface ScanOptions {
  readonly count: number
  /** undefined: everything. */
  readonly pattern: string | undefined
  readonly type: string | undefined
}

const CURSOR = /^[+-]?\d+$/
const MOST = 2n ** 64n

function cursorOf(given: string): number {
  const text = untilZero(given)
  if (text === '') return 0
  if (!CURSOR.test(text) || BigInt(text) >= MOST || BigInt(text) <= -MOST) throw REFUSED.cursor
  return Math.abs(Number(text))
}

function readOptions(call: Call, from: number): ScanOptions {
  let count = 10
  let pattern: string | undefined
  let type: string | undefined
  for (let i = from; i < call.count; i += 2) {
    const hasMore = i + 1 < call.count
    if (call.is(i, 'count') && hasMore) {
      count = call.int(i + 1)
      if (count < 1) throw REFUSED.syntax
    } else if (call.is(i, 'match') && hasMore) pattern = call.arg(i + 1)
    else if (call.is(i, 'type') && hasMore && from === 2) type = call.arg(i + 1).toLowerCase()
    else throw REFUSED.syntax
  }
  return { count, pattern: pattern === '*' ? undefined : pattern, type }
}

function answer(call: Call, cursor: number, texts: readonly string[]): void {
  call.out.array(2)
  call.out.str(String(cursor))
  call.out.strs(texts)
}

function scanKeys(call: Call): void {
  const from = cursorOf(call.arg(1))
  const { count, pattern, type } = readOptions(call, 2)
  const found: string[] = []
  const cursor = call.db.scan(from, count, (key, slot) => {
    if (pattern !== undefined && !isMatch(pattern, key)) return
    if (type === undefined || call.db.valueAt(slot).kind === type) found.push(key)
  })
  answer(call, cursor, found)
}

/** What a container gives to a scan. */
interface Scanned<V> {
  readonly dict: Dict<V>
  /** In the order in which they are listed; undefined: by the dictionary. */
  readonly whole: readonly (readonly [text: string, value: V])[] | undefined
  /** What is listed behind each. */
  show(value: V): string | undefined
}

function scanWithin<V>(call: Call, find: () => Scanned<V> | undefined): void {
  const from = cursorOf(call.arg(2))
  const scanned = find()
  if (scanned === undefined) return answer(call, 0, [])
  const { count, pattern } = readOptions(call, 3)
  const texts: string[] = []
  const take = (text: string, value: V): void => {
    if (pattern !== undefined && !isMatch(pattern, text)) return
    texts.push(text)
    const shown = scanned.show(value)
    if (shown !== undefined) texts.push(shown)
  }
  if (scanned.whole === undefined) return answer(call, scanned.dict.scan(from, count, take), texts)
  for (const [text, value] of scanned.whole) take(text, value)
  answer(call, 0, texts)
}

function scanSet(call: Call): void {
  scanWithin(call, () => {
    const set = call.set(call.arg(1))
    if (set === undefined) return undefined
    const whole = set.isIntegers ? set.members().map((member) => [member, undefined] as const) : undefined
    return { dict: set.dict, whole, show: () => undefined }
  })
}

function scanHash(call: Call): void {
  scanWithin(call, () => {
    const hash = call.hash(call.arg(1))
    if (hash === undefined) return undefined
    const { dict } = hash
    const whole = hash.isPacked ? dict.keys.map((field, i) => [field, dict.values[i] as string] as const) : undefined
    return { dict, whole, show: (value) => value }
  })
}

function scanZset(call: Call): void {
  scanWithin(call, () => {
    const zset = call.zset(call.arg(1))
    if (zset === undefined) return undefined
    const whole: [string, number][] = []
    if (zset.isPacked) {
      for (let node = zset.list.first; node !== undefined; node = node.next[0]) whole.push([node.member, node.score])
    }
    return { dict: zset.dict, whole: zset.isPacked ? whole : undefined, show: formatDouble }
  })
}

export const SCAN_COMMANDS: Readonly<Record<string, Handler>> = {
  hscan: scanHash,
  scan: scanKeys,
  sscan: scanSet,
  zscan: scanZset,
}
