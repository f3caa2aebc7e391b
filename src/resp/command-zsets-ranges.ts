/**
 * Ranges of sorted sets: read, stored, counted and removed.
 *
 * Floor 4, room resp.
 */
import type { SkipNode } from '../keyspace/skip-list.ts'
import type { ZsetValue } from '../keyspace/zset-value.ts'
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED, refuse } from './embedded-errors.ts'
import { type Bounds, nodesOf, type Places, placesOf, placesOfRanks, scoreBounds, textBounds } from './embedded-zset-range.ts'

type By = 'rank' | 'score' | 'lex'

interface RangeShape {
  /** undefined: as the options say. */
  readonly by?: By
  readonly isReverse?: boolean
  /** Where the key stands that is read. */
  readonly at: number
  readonly stores: boolean
}

interface RangeOptions {
  readonly by: By
  readonly isReverse: boolean
  readonly withScores: boolean
  readonly offset: number
  readonly limit: number
}

const NO_LIMIT = 'syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX'
const NO_SCORES = 'syntax error, WITHSCORES not supported in combination with BYLEX'

function readOptions(call: Call, shape: RangeShape): RangeOptions {
  let { by, isReverse } = shape
  let [withScores, offset, limit] = [false, 0, -1]
  for (let i = shape.at + 3; i < call.count; i += 1) {
    if (!shape.stores && call.is(i, 'withscores')) withScores = true
    else if (call.is(i, 'limit') && i + 2 < call.count) {
      offset = call.int(i + 1)
      limit = call.int(i + 2)
      i += 2
    } else if (isReverse === undefined && call.is(i, 'rev')) isReverse = true
    else if (by === undefined && call.is(i, 'bylex')) by = 'lex'
    else if (by === undefined && call.is(i, 'byscore')) by = 'score'
    else throw REFUSED.syntax
  }
  if (limit !== -1 && (by === undefined || by === 'rank')) throw refuse(NO_LIMIT)
  if (withScores && by === 'lex') throw refuse(NO_SCORES)
  return { by: by ?? 'rank', isReverse: isReverse === true, withScores, offset, limit }
}

/** Finds the places of a set that is read later: what is wrong with the bounds counts first. */
function readPlaces(
  call: Call,
  at: number,
  { by, isReverse }: { readonly by: By; readonly isReverse: boolean },
): (zset: ZsetValue) => Places {
  const [first, second] = isReverse && by !== 'rank' ? [at + 2, at + 1] : [at + 1, at + 2]
  if (by === 'rank') {
    const [start, stop] = [call.int(first), call.int(second)]
    return (zset) => {
      const [from, end] = placesOfRanks(zset.size, start, stop)
      return isReverse && end > from ? [zset.size - end, zset.size - from] : [from, end]
    }
  }
  const bounds: Bounds = (by === 'score' ? scoreBounds : textBounds)(call.arg(first), call.arg(second))
  return (zset) => placesOf(zset, bounds)
}

function limited([from, end]: Places, { by, isReverse, offset, limit }: RangeOptions): Places {
  if (by === 'rank') return [from, end]
  if (offset < 0 || offset >= end - from) return [0, 0]
  const count = limit < 0 ? end - from - offset : Math.min(limit, end - from - offset)
  return isReverse ? [end - offset - count, end - offset] : [from + offset, from + offset + count]
}

function range(call: Call, shape: RangeShape): void {
  const options = readOptions(call, shape)
  const find = readPlaces(call, shape.at, options)
  const zset = call.zset(call.arg(shape.at))
  const nodes = zset === undefined ? [] : nodesOf(zset, limited(find(zset), options), options.isReverse)
  if (shape.stores) storeNodes(call, nodes)
  else writeNodes(call, nodes, options.withScores)
}

function writeNodes({ out }: Call, nodes: readonly SkipNode[], withScores: boolean): void {
  const isPaired = withScores && out.version === 3
  out.array(withScores && !isPaired ? nodes.length * 2 : nodes.length)
  for (const { member, score } of nodes) {
    if (isPaired) out.array(2)
    out.str(member)
    if (withScores) out.double(score)
  }
}

function storeNodes(call: Call, nodes: readonly SkipNode[]): void {
  const key = call.arg(1)
  if (nodes.length === 0) {
    call.out.integer(0)
    call.remove(key)
    return
  }
  const made = call.newZset()
  for (const { member, score } of nodes) made.set(member, score)
  call.db.put(key, made)
  call.changed(key, 'z', 'zrangestore')
  call.out.integer(nodes.length)
}

function count(call: Call, by: By): void {
  const find = readPlaces(call, 1, { by, isReverse: false })
  const zset = call.zset(call.arg(1))
  const [from, end] = zset === undefined ? [0, 0] : find(zset)
  call.out.integer(end - from)
}

function remove(call: Call, by: By): void {
  const key = call.arg(1)
  const find = readPlaces(call, 1, { by, isReverse: false })
  const zset = call.zset(key)
  if (zset === undefined) return void call.out.integer(0)
  const nodes = nodesOf(zset, find(zset), false)
  for (const { member } of nodes) zset.delete(member)
  if (nodes.length > 0) {
    call.tell(key, 'z', call.command.name)
    call.dropEmpty(key, zset)
    call.db.changed(key)
  }
  call.out.integer(nodes.length)
}

export const ZSET_RANGE_COMMANDS: Readonly<Record<string, Handler>> = {
  zcount: (call) => count(call, 'score'),
  zlexcount: (call) => count(call, 'lex'),
  zrange: (call) => range(call, { at: 1, stores: false }),
  zrangebylex: (call) => range(call, { by: 'lex', isReverse: false, at: 1, stores: false }),
  zrangebyscore: (call) => range(call, { by: 'score', isReverse: false, at: 1, stores: false }),
  zrangestore: (call) => range(call, { at: 2, stores: true }),
  zremrangebylex: (call) => remove(call, 'lex'),
  zremrangebyrank: (call) => remove(call, 'rank'),
  zremrangebyscore: (call) => remove(call, 'score'),
  zrevrange: (call) => range(call, { by: 'rank', isReverse: true, at: 1, stores: false }),
  zrevrangebylex: (call) => range(call, { by: 'lex', isReverse: true, at: 1, stores: false }),
  zrevrangebyscore: (call) => range(call, { by: 'score', isReverse: true, at: 1, stores: false }),
}
