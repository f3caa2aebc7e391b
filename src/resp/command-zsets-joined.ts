/**
 * Unions, intersections and differences of sorted sets and sets.
 *
 * Floor 4, room resp. A set counts as a sorted set whose members have score 1.
 */
import type { SetValue } from '../keyspace/set-value.ts'
import { ZsetValue } from '../keyspace/zset-value.ts'
import { limitOf } from './command-sets.ts'
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED, refuse } from './embedded-errors.ts'
import { doubleOf } from './embedded-numbers.ts'

type Join = 'union' | 'inter' | 'diff'
type Source = ZsetValue | SetValue | undefined

interface JoinShape {
  readonly join: Join
  /** Where the number of keys stands. */
  readonly at: number
  readonly stores?: boolean
  readonly counts?: boolean
}

interface JoinWish {
  readonly sources: readonly Source[]
  readonly weights: readonly number[]
  readonly aggregate: string
  readonly withScores: boolean
  /** 0: none. */
  readonly limit: number
}

function readWish(call: Call, shape: JoinShape): JoinWish {
  const keyCount = call.int(shape.at)
  if (keyCount < 1) throw refuse(`at least 1 input key is needed for '${call.command.name}' command`)
  if (keyCount > call.count - shape.at - 1) throw REFUSED.syntax
  const sources = call.args.slice(shape.at + 1, shape.at + 1 + keyCount).map((key) => sourceOf(call, key))
  const weights = new Array<number>(keyCount).fill(1)
  let [aggregate, withScores, limit] = ['sum', false, 0]
  const isPlain = shape.join !== 'diff' && shape.counts !== true
  for (let i = shape.at + 1 + keyCount; i < call.count; i += 1) {
    const left = call.count - i
    if (isPlain && left >= keyCount + 1 && call.is(i, 'weights')) {
      for (let w = 0; w < keyCount; w += 1) weights[w] = weightOf(call.arg(i + 1 + w))
      i += keyCount
    } else if (isPlain && left >= 2 && call.is(i, 'aggregate')) {
      i += 1
      aggregate = call.arg(i).toLowerCase()
      if (!['sum', 'min', 'max'].includes(aggregate)) throw REFUSED.syntax
    } else if (shape.stores !== true && shape.counts !== true && call.is(i, 'withscores')) withScores = true
    else if (shape.counts === true && left >= 2 && call.is(i, 'limit')) {
      i += 1
      limit = limitOf(call, i)
    } else throw REFUSED.syntax
  }
  return { sources, weights, aggregate, withScores, limit }
}

function weightOf(text: string): number {
  const weight = doubleOf(text)
  if (weight === undefined) throw refuse('weight value is not a float')
  return weight
}

function sourceOf(call: Call, key: string): Source {
  const value = call.value(key)
  if (value === undefined || value.kind === 'zset' || value.kind === 'set') return value
  throw REFUSED.wrongType
}

function scoreIn(source: Source, member: string): number | undefined {
  if (source === undefined) return undefined
  if (source instanceof ZsetValue) return source.score(member)
  return source.has(member) ? 1 : undefined
}

/** Members with scores, as Redis goes through them: a sorted set from its greatest to its least. */
function* entriesOf(source: Source): Iterable<readonly [member: string, score: number]> {
  if (source instanceof ZsetValue) {
    for (let node = source.list.last; node !== undefined; node = node.before) yield [node.member, node.score]
  } else if (source !== undefined) {
    for (const member of source.members()) yield [member, 1]
  }
}

function aggregated(how: string, a: number, b: number): number {
  if (how === 'min') return b < a ? b : a
  if (how === 'max') return b > a ? b : a
  const sum = a + b
  return Number.isNaN(sum) ? 0 : sum
}

function weighed(weight: number, score: number): number {
  const product = weight * score
  return Number.isNaN(product) ? 0 : product
}

/** The sources from the least to the greatest, each with its weight. */
function bySize(wish: JoinWish): readonly (readonly [source: Source, weight: number])[] {
  const pairs = wish.sources.map((source, i) => [source, wish.weights[i] as number] as const)
  return pairs.sort(([a], [b]) => (a?.size ?? 0) - (b?.size ?? 0))
}

function unite(wish: JoinWish): Map<string, number> {
  const found = new Map<string, number>()
  for (const [source, weight] of bySize(wish)) {
    for (const [member, given] of entriesOf(source)) {
      const score = weighed(weight, given)
      const former = found.get(member)
      found.set(member, former === undefined ? score : aggregated(wish.aggregate, former, score))
    }
  }
  return found
}

function intersect(wish: JoinWish): Map<string, number> {
  const found = new Map<string, number>()
  const [first, ...others] = bySize(wish)
  if (first === undefined) return found
  for (const [member, given] of entriesOf(first[0])) {
    let score: number | undefined = weighed(first[1], given)
    for (const [source, weight] of others) {
      const other = scoreIn(source, member)
      if (other === undefined) {
        score = undefined
        break
      }
      score = aggregated(wish.aggregate, score, other * weight)
    }
    if (score === undefined) continue
    found.set(member, score)
    if (wish.limit > 0 && found.size >= wish.limit) break
  }
  return found
}

function subtract({ sources }: JoinWish): Map<string, number> {
  const [first, ...others] = sources
  const found = new Map<string, number>()
  for (const [member, score] of entriesOf(first)) {
    if (!others.some((source) => scoreIn(source, member) !== undefined)) found.set(member, score)
  }
  return found
}

function join(call: Call, shape: JoinShape): void {
  const wish = readWish(call, shape)
  const found = shape.join === 'union' ? unite(wish) : shape.join === 'inter' ? intersect(wish) : subtract(wish)
  if (shape.counts === true) return void call.out.integer(found.size)
  const result = call.newLooseZset()
  for (const [member, score] of found) result.set(member, score)
  if (shape.stores === true) store(call, result)
  else write(call, result, wish.withScores)
}

function store(call: Call, result: ZsetValue): void {
  const key = call.arg(1)
  if (result.size === 0) {
    call.out.integer(0)
    call.remove(key)
    return
  }
  call.db.put(key, result.packed())
  call.out.integer(result.size)
  call.changed(key, 'z', call.command.name)
}

function write({ out }: Call, result: ZsetValue, withScores: boolean): void {
  const isPaired = withScores && out.version === 3
  out.array(withScores && !isPaired ? result.size * 2 : result.size)
  for (let node = result.list.first; node !== undefined; node = node.next[0]) {
    if (isPaired) out.array(2)
    out.str(node.member)
    if (withScores) out.double(node.score)
  }
}

export const ZSET_JOIN_COMMANDS: Readonly<Record<string, Handler>> = {
  zdiff: (call) => join(call, { join: 'diff', at: 1 }),
  zdiffstore: (call) => join(call, { join: 'diff', at: 2, stores: true }),
  zinter: (call) => join(call, { join: 'inter', at: 1 }),
  zintercard: (call) => join(call, { join: 'inter', at: 1, counts: true }),
  zinterstore: (call) => join(call, { join: 'inter', at: 2, stores: true }),
  zunion: (call) => join(call, { join: 'union', at: 1 }),
  zunionstore: (call) => join(call, { join: 'union', at: 2, stores: true }),
}
