/**
 * The requests of one route as columns of numbers: who asked for what, when, and what came.
 *
 * Floor 4, room advice. 32 bytes a request and 4 for each dimension: texts are fingerprints. Dimensions are bounded; those that
 * come later count together as one, which is taken to decide. Columns double as they grow.
 */
import { mix } from './hash.ts'

/** A dimension's name: `?sort`, `header:accept-language`, `cookie:lang`, `user`, or TRACKING. */
export type DimensionName = string

/** All parameters of advertising and mail tools together. */
export const TRACKING: DimensionName = '?(tracking)'
/** All that came when every place was taken. */
export const REST: DimensionName = '(rest)'

const MAX_DIMENSIONS = 24
const FIRST_ROWS = 256

/** One request as a row. */
export interface Row {
  readonly atMs: number
  /** Fingerprints; 0 is unknown. */
  readonly path: number
  readonly raw: number
  readonly client: number
  readonly answer: number
  /** Of the answer; -1: not told. */
  readonly bytes: number
}

/** See the module's header. */
export class RouteTable {
  readonly pattern: string
  readonly names: DimensionName[] = []
  readonly columns: Int32Array[] = []
  at = new Float64Array(FIRST_ROWS)
  path = new Int32Array(FIRST_ROWS)
  raw = new Int32Array(FIRST_ROWS)
  client = new Int32Array(FIRST_ROWS)
  answer = new Int32Array(FIRST_ROWS)
  bytes = new Int32Array(FIRST_ROWS)
  /** Rows that stand. */
  rows = 0
  /** Rows that came; more than stand where some were let go. */
  seen = 0
  /** Rows whose answer was named by a digest or entity tag. */
  digested = 0
  /** How often it was halved; fingerprints are judged anew at each. */
  level = 0
  readonly #index = new Map<DimensionName, number>()
  readonly #filters: ((row: number) => boolean)[] = []

  constructor(pattern: string) {
    this.pattern = pattern
  }

  /** Requests for each row that stands. */
  get scale(): number {
    return this.rows === 0 ? 1 : this.seen / this.rows
  }

  /** Numbers that its rows hold. */
  get cells(): number {
    return this.rows * (8 + this.columns.length)
  }

  /** Takes the next row. */
  push(row: Row): void {
    if (this.rows === this.at.length) this.#grow()
    const at = this.rows
    this.at[at] = row.atMs
    this.path[at] = row.path
    this.raw[at] = row.raw
    this.client[at] = row.client
    this.answer[at] = row.answer
    this.bytes[at] = row.bytes
    this.rows += 1
    this.seen += 1
  }

  /** Says a value of the row pushed last; a second one of the same dimension adds to the first. */
  note(name: DimensionName, value: number): void {
    const column = this.columns[this.#place(name)] as Int32Array
    const row = this.rows - 1
    const former = column[row] as number
    column[row] = former === 0 ? value : mix(former, value)
  }

  /** Lets go of the rows that are not wanted, about half, and of all such that come from now on. */
  halve(isWanted: (row: number) => boolean): void {
    this.level += 1
    this.#filters.push(isWanted)
    let to = 0
    for (let row = 0; row < this.rows; row += 1) {
      if (!isWanted(row)) continue
      if (to !== row) this.#move(row, to)
      to += 1
    }
    for (const column of this.columns) column.fill(0, to, this.rows)
    this.rows = to
  }

  /** Lets go of the row pushed last where those like it are not wanted; call it when all of it is noted. */
  sift(): void {
    const row = this.rows - 1
    if (this.#filters.every((isWanted) => isWanted(row))) return
    for (const column of this.columns) column[row] = 0
    this.rows = row
  }

  #move(from: number, to: number): void {
    this.at[to] = this.at[from] as number
    for (const column of [this.path, this.raw, this.client, this.answer, this.bytes]) column[to] = column[from] as number
    for (const column of this.columns) column[to] = column[from] as number
  }

  #place(name: DimensionName): number {
    const known = this.#index.get(name)
    if (known !== undefined) return known
    if (this.names.length >= MAX_DIMENSIONS && name !== REST) return this.#place(REST)
    const place = this.names.length
    this.names.push(name)
    this.columns.push(new Int32Array(this.at.length))
    this.#index.set(name, place)
    return place
  }

  #grow(): void {
    const length = this.at.length * 2
    const at = new Float64Array(length)
    at.set(this.at)
    this.at = at
    this.path = widen(this.path, length)
    this.raw = widen(this.raw, length)
    this.client = widen(this.client, length)
    this.answer = widen(this.answer, length)
    this.bytes = widen(this.bytes, length)
    for (const [place, column] of this.columns.entries()) this.columns[place] = widen(column, length)
  }
}

function widen(column: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(length)
  wider.set(column)
  return wider
}
