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
  /** Keys of the log for each of these. */
  readonly scale: number
}

/** One route with what its keys are made of. */
export interface Keyed {
  readonly table: RouteTable
  readonly keys: Int32Array
}

/** Whether a dimension is part of keys. Fields of the request are where they were seen to decide; else the answer's Vary has the say. */
export function isInKey({ name, verdict }: Dimension): boolean {
  return /^[?(c]/.test(name) && name !== CLIENT ? verdict !== 'irrelevant' : verdict === 'deciding'
}

/** The fingerprint of each row's key. */
export function keyRows(table: RouteTable, dimensions: readonly Dimension[]): Int32Array {
  const keyOf = createKeyReader(table, dimensions)
  return Int32Array.from({ length: table.rows }, (_, row) => keyOf(row))
}

/** Tells the fingerprint of a row's key. */
export function createKeyReader(table: RouteTable, dimensions: readonly Dimension[]): (row: number) => number {
  const counted = dimensions
    .filter(isInKey)
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

/** @param parts routes; the place in this list is what `routes` tells. Where one was sampled, all are sampled alike */
export function createTrace(parts: readonly Keyed[]): Trace {
  const level = Math.max(0, ...parts.map(({ table }) => table.level))
  const starts = startsOf(parts)
  const order = orderOf(parts, starts)
  const draft = new Draft(order.length)
  const means = parts.map(({ table }) => meanBytes(table))
  for (const place of order) {
    const route = routeOf(starts, place)
    const { table, keys } = parts[route] as Keyed
    const row = place - (starts[route] as number)
    const key = keys[row] as number
    if (!isChosen(key, table.level, level)) continue
    const bytes = table.bytes[row] as number
    draft.push({ key, route, atMs: table.at[row] as number, bytes: bytes < 0 ? (means[route] as number) : bytes })
  }
  return draft.end(2 ** level)
}

/** Whether halvings from one level to another leave a key in. */
function isChosen(key: number, from: number, to: number): boolean {
  for (let level = from + 1; level <= to; level += 1) if (!isHalfOf(key, level)) return false
  return true
}

/** Whether a key is in the half that stays at a level. */
export function isHalfOf(key: number, level: number): boolean {
  return mix(key, level) >= 0
}

class Draft {
  readonly #ids: Int32Array
  readonly #routes: Int32Array
  readonly #atMs: Float64Array
  readonly #bytes: Int32Array
  readonly #known = new Map<number, number>()
  #length = 0

  constructor(most: number) {
    this.#ids = new Int32Array(most)
    this.#routes = new Int32Array(most)
    this.#atMs = new Float64Array(most)
    this.#bytes = new Int32Array(most)
  }

  push({ key, route, atMs, bytes }: { key: number; route: number; atMs: number; bytes: number }): void {
    const name = route * 2 ** 32 + (key >>> 0)
    let id = this.#known.get(name)
    if (id === undefined) {
      id = this.#known.size
      this.#known.set(name, id)
    }
    const at = this.#length
    this.#ids[at] = id
    this.#routes[at] = route
    this.#atMs[at] = atMs
    this.#bytes[at] = bytes
    this.#length += 1
  }

  end(scale: number): Trace {
    const cut = <T extends Int32Array | Float64Array>(column: T): T => column.subarray(0, this.#length) as T
    const [ids, routes, atMs, bytes] = [cut(this.#ids), cut(this.#routes), cut(this.#atMs), cut(this.#bytes)]
    return { ids, routes, atMs, bytes, distinct: this.#known.size, scale }
  }
}

/** The trace of a share of the keys, chosen by fingerprint (SHARDS). */
export function sampleTrace(trace: Trace, share: number): Trace {
  if (share >= 1) return trace
  const limit = Math.floor(share * 0xffffffff)
  return chooseRequests(trace, (i) => mix(trace.ids[i] as number, 0x51ab) >>> 0 < limit)
}

/** Some of a trace's requests, with dense numbers of their own. */
export function chooseRequests(trace: Trace, isWanted: (request: number) => boolean): Trace {
  const draft = new Draft(trace.ids.length)
  for (let i = 0; i < trace.ids.length; i += 1) {
    if (!isWanted(i)) continue
    draft.push({
      key: trace.ids[i] as number,
      route: trace.routes[i] as number,
      atMs: trace.atMs[i] as number,
      bytes: trace.bytes[i] as number,
    })
  }
  return draft.end(trace.scale)
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

function orderOf(parts: readonly Keyed[], starts: readonly number[]): Int32Array {
  const total = parts.reduce((sum, { table }) => sum + table.rows, 0)
  const at = new Float64Array(total)
  for (const [route, { table }] of parts.entries()) at.set(table.at.subarray(0, table.rows), starts[route])
  const order = new Int32Array(total)
  for (let i = 0; i < total; i += 1) order[i] = i
  return order.sort((a, b) => (at[a] as number) - (at[b] as number) || a - b)
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
