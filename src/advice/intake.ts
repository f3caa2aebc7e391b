/**
 * Takes the requests of a log one by one and keeps, for each route, columns of numbers and a few counts.
 *
 * Floor 4, room advice. The first requests are held back until patterns are learned from their paths. Bounded: routes,
 * remembered paths, and all rows together; where they would be more, the largest route goes on with every second of its keys,
 * chosen by fingerprint (spatial sampling), so that what is left is as it was for its keys.
 */
import { canonicalPath, canonicalPercent } from '../key/percent.ts'
import { createNameMatch, TRACKING_PARAMETERS } from '../key/tracking.ts'
import type { Access } from './access.ts'
import { hashText, mix } from './hash.ts'
import { inferDimensions } from './infer.ts'
import { Patterns } from './patterns.ts'
import { RouteBook } from './route-book.ts'
import { TRACKING, type Row } from './route-table.ts'
import { createKeyReader, isHalfOf } from './trace.ts'

/** Bounds of an intake. */
export interface IntakeLimits {
  /** Requests that patterns are learned from. */
  readonly learn: number
  /** Numbers in all tables together, 4 bytes each. */
  readonly maxCells: number
  readonly maxRoutes: number
}

export const INTAKE_LIMITS: IntakeLimits = { learn: 20_000, maxCells: 64 * 1024 * 1024, maxRoutes: 256 }

const OTHER = '(other)'
const MAX_PATHS = 100_000
const CHECK_EVERY = 1 << 16
/** At once; a table of one key may not shrink. */
const MAX_HALVINGS = 8
/** Enough to tell what to sample by. */
const SIFT_ROWS = 30_000
/** What a column of 32 bits holds. */
const MAX_BYTES = 0x7fffffff
const isTracking = createNameMatch(TRACKING_PARAMETERS)

interface Place {
  readonly book: RouteBook
  readonly path: number
}

/** See the module's header. */
export class Intake {
  readonly #limits: IntakeLimits
  readonly #patterns = new Patterns()
  readonly #books = new Map<string, RouteBook>()
  readonly #paths = new Map<string, Place>()
  #held: Access[] | undefined = []
  #taken = 0

  constructor(limits: IntakeLimits = INTAKE_LIMITS) {
    this.#limits = limits
  }

  /** Requests taken. */
  get taken(): number {
    return this.#taken
  }

  take(access: Access): void {
    this.#taken += 1
    if (this.#held === undefined) return this.#enter(access)
    this.#held.push(access)
    if (this.#held.length >= this.#limits.learn) this.#learn()
  }

  /** What was gathered, by route, most asked for first. */
  end(): RouteBook[] {
    this.#learn()
    return [...this.#books.values()].sort((a, b) => b.requests - a.requests)
  }

  #learn(): void {
    const held = this.#held
    if (held === undefined) return
    this.#held = undefined
    for (const access of held) if (isRead(access)) this.#patterns.learn(pathOf(access.target))
    this.#patterns.fix()
    for (const access of held) this.#enter(access)
  }

  #enter(access: Access): void {
    const { target } = access
    const question = target.indexOf('?')
    const { book, path } = this.#place(pathOf(target))
    book.count(access)
    if (!isRead(access)) return
    const { table } = book
    table.push(rowOf(access, path))
    if (access.digest !== '') table.digested += 1
    if (question >= 0) noteQuery(table, canonicalPercent(target.slice(question + 1)))
    for (const [name, value] of access.traits) table.note(name, hashText(value))
    table.sift()
    if (this.#taken % CHECK_EVERY === 0) this.#makeRoom()
  }

  #place(path: string): Place {
    const known = this.#paths.get(path)
    if (known !== undefined) return known
    const pattern = this.#patterns.match(path)
    let book = this.#books.get(pattern)
    if (book === undefined) {
      const name = this.#books.size >= this.#limits.maxRoutes - 1 ? OTHER : pattern
      book = this.#books.get(name) ?? new RouteBook(name)
      this.#books.set(name, book)
    }
    if (this.#paths.size >= MAX_PATHS) this.#paths.clear()
    const place = { book, path: hashText(path) }
    this.#paths.set(path, place)
    return place
  }

  #makeRoom(): void {
    const books = [...this.#books.values()]
    let cells = books.reduce((sum, { table }) => sum + table.cells, 0)
    for (let round = 0; round < MAX_HALVINGS && cells > this.#limits.maxCells; round += 1) {
      const { table } = books.reduce((most, one) => (one.table.cells > most.table.cells ? one : most))
      const former = table.cells
      const keyOf = createKeyReader(table, inferDimensions(table, SIFT_ROWS))
      const level = table.level + 1
      table.halve((row) => isHalfOf(keyOf(row), level))
      cells += table.cells - former
    }
  }
}

/** Whether a request reads what a cache may keep. */
function isRead({ method, status }: Access): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  return (
    status === 200 ||
    status === 304 ||
    status === 404 ||
    status === 203 ||
    status === 204 ||
    status === 300 ||
    status === 301 ||
    status === 308 ||
    status === 410
  )
}

function pathOf(target: string): string {
  const question = target.indexOf('?')
  const path = question < 0 ? target : target.slice(0, question)
  return canonicalPath(path)
}

function rowOf({ atMs, method, target, status, bytes, client, digest }: Access, path: number): Row {
  const isWhole = method === 'GET' && status !== 304
  return {
    atMs,
    path,
    raw: hashText(target),
    client: client === '' ? 0 : hashText(client),
    answer: digest !== '' ? hashText(digest) : isWhole && bytes >= 0 ? mix(status, bytes) || 1 : 0,
    bytes: isWhole ? Math.min(bytes, MAX_BYTES) : -1,
  }
}

/** As keys are made: spellings that mean the same are one, `a` and `a=` are not. */
function noteQuery(table: { note(name: string, value: number): void }, query: string): void {
  for (let start = 0; start < query.length; ) {
    let end = query.indexOf('&', start)
    if (end < 0) end = query.length
    if (end > start) {
      const equals = query.indexOf('=', start)
      const nameEnd = equals < 0 || equals > end ? end : equals
      const name = decode(query.slice(start, nameEnd))
      table.note(isTracking(name) ? TRACKING : `?${name}`, hashText(query, nameEnd, end))
    }
    start = end + 1
  }
}

function decode(name: string): string {
  if (!name.includes('%')) return name
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
