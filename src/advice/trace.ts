/**
 * The requests of all routes in order of time, each with a dense number for its key.
 *
 * Floor 4, room advice. A key is the path with the dimensions that are not irrelevant; requests of an unknown size take the mean
 * of their route. What simulations replay.
 */
import type { Dimension } from './infer.ts'
import { CLIENT, seedOf } from './infer.ts'
import { mix } from './hash.ts'
import type { RouteTable } from './route-table.ts'

/** See the module's header. */
export interface Trace {
  /** Dense number of each request's key. */
  readonly ids: Int32Array
  /** Place of each request's route in the list given. */
  readonly routes: Int32Array
  readonly atMs: Float64Array
  readonly bytes: Int32Array
  readonly distinct: number
}

/** One route with what its keys are made of. */
export interface Keyed {
  readonly table: RouteTable
  readonly keys: Int32Array
}

/** The fingerprint of each row's key. */
export function keyRows(table: RouteTable, dimensions: readonly Dimension[]): Int32Array {
  const keyOf = createKeyReader(table, dimensions)
  return Int32Array.from({ length: table.rows }, (_, row) => keyOf(row))
}

/** Tells the fingerprint of a row's key. Who asked is part of it only where that decides. */
export function createKeyReader(table: RouteTable, dimensions: readonly Dimension[]): (row: number) => number {
  const counted = dimensions
    .filter(({ name, verdict }) => (name === CLIENT ? verdict === 'deciding' : verdict !== 'irrelevant'))
    .map(({ name }) => ({ place: name === CLIENT ? -1 : table.names.indexOf(name), seed: seedOf(name) }))
  return (row) => {
    let sum = table.path[row] as number
    for (const { place, seed } of counted) {
      const value = (place < 0 ? table.client : (table.columns[place] as Int32Array))[row] as number
      if (value !== 0) sum = (sum + mix(value, seed)) | 0
    }
    return sum
  }
}

/** @param parts routes; the place in this list is what `routes` tells */
export function createTrace(parts: readonly Keyed[]): Trace {
  const total = parts.reduce((sum, { table }) => sum + table.rows, 0)
  const starts = startsOf(parts)
  const order = orderOf(parts, starts, total)
  const trace = {
    ids: new Int32Array(total),
    routes: new Int32Array(total),
    atMs: new Float64Array(total),
    bytes: new Int32Array(total),
  }
  const means = parts.map(({ table }) => meanBytes(table))
  const known = parts.map(() => new Map<number, number>())
  let distinct = 0
  for (let i = 0; i < total; i += 1) {
    const place = order[i] as number
    const route = routeOf(starts, place)
    const { table, keys } = parts[route] as Keyed
    const row = place - (starts[route] as number)
    const ids = known[route] as Map<number, number>
    const key = keys[row] as number
    let id = ids.get(key)
    if (id === undefined) {
      id = distinct
      ids.set(key, id)
      distinct += 1
    }
    const bytes = table.bytes[row] as number
    trace.ids[i] = id
    trace.routes[i] = route
    trace.atMs[i] = table.at[row] as number
    trace.bytes[i] = bytes < 0 ? (means[route] as number) : bytes
  }
  return { ...trace, distinct }
}

/** The trace of a share of the keys, chosen by fingerprint (SHARDS). */
export function sampleTrace(trace: Trace, share: number): Trace {
  if (share >= 1) return trace
  const limit = Math.floor(share * 0xffffffff)
  const chosen: number[] = []
  for (let i = 0; i < trace.ids.length; i += 1) if (mix(trace.ids[i] as number, 0x51ab) >>> 0 < limit) chosen.push(i)
  const renamed = new Map<number, number>()
  const ids = Int32Array.from(chosen, (i) => {
    const id = trace.ids[i] as number
    let name = renamed.get(id)
    if (name === undefined) renamed.set(id, (name = renamed.size))
    return name
  })
  return {
    ids,
    routes: Int32Array.from(chosen, (i) => trace.routes[i] as number),
    atMs: Float64Array.from(chosen, (i) => trace.atMs[i] as number),
    bytes: Int32Array.from(chosen, (i) => trace.bytes[i] as number),
    distinct: renamed.size,
  }
}

function startsOf(parts: readonly Keyed[]): number[] {
  const starts: number[] = []
  let next = 0
  for (const { table } of parts) {
    starts.push(next)
    next += table.rows
  }
  return starts
}

function orderOf(parts: readonly Keyed[], starts: readonly number[], total: number): Int32Array {
  const at = new Float64Array(total)
  for (const [route, { table }] of parts.entries()) at.set(table.at.subarray(0, table.rows), starts[route])
  return Int32Array.from({ length: total }, (_, i) => i).sort((a, b) => (at[a] as number) - (at[b] as number) || a - b)
}

function routeOf(starts: readonly number[], place: number): number {
  let [low, high] = [0, starts.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((starts[middle] as number) <= place) low = middle
    else high = middle - 1
  }
  return low
}

function meanBytes({ bytes, rows }: RouteTable): number {
  let sum = 0
  let told = 0
  for (let row = 0; row < rows; row += 1) {
    if ((bytes[row] as number) < 0) continue
    sum += bytes[row] as number
    told += 1
  }
  return told === 0 ? 1024 : Math.round(sum / told)
}
