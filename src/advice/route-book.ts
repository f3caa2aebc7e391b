/**
 * What is counted of one route beside its rows: sizes, hours, statuses, and what answers say of keeping them.
 *
 * Floor 4, room advice. A fixed size for each route: what answers say is remembered for a few different texts.
 */
import type { Access } from './access.ts'
import { RouteTable } from './route-table.ts'

const HOURS = 24 * 7
/** Different texts that are remembered. */
export const MAX_TEXTS = 16
const MIB = 1024 * 1024
const HOUR_MS = 3_600_000
/** 1 January 1970 was a Thursday; weeks begin on Monday. */
const FIRST_WEEKDAY = 3

/** See the module's header. */
export class RouteBook {
  readonly table: RouteTable
  /** By hour of the week, Monday 0:00 UTC first. */
  readonly hours = new Float64Array(HOURS)
  readonly cacheControls = new Map<string, number>()
  readonly varies = new Map<string, number>()
  requests = 0
  /** Epoch ms of the earliest and the latest. */
  firstMs = Number.POSITIVE_INFINITY
  lastMs = Number.NEGATIVE_INFINITY
  /** Neither GET nor HEAD. */
  writes = 0
  /** Status of 500 and above. */
  failures = 0
  /** Answers whose size is told, and their bytes. */
  sized = 0
  bytes = 0
  maxBytes = 0
  /** Of more than 1 MiB. */
  large = 0
  /** Answers named by a digest or entity tag. */
  digested = 0
  /** Requests whose place in their connection is told, and those that were its first. */
  placed = 0
  firsts = 0

  constructor(pattern: string) {
    this.table = new RouteTable(pattern)
  }

  count({ method, status, bytes, digest, atMs, notes }: Access): void {
    this.requests += 1
    if (atMs < this.firstMs) this.firstMs = atMs
    if (atMs > this.lastMs) this.lastMs = atMs
    if (method !== 'GET' && method !== 'HEAD') this.writes += 1
    if (status >= 500) this.failures += 1
    if (digest !== '') this.digested += 1
    if (bytes > 0) {
      this.sized += 1
      this.bytes += bytes
      if (bytes > this.maxBytes) this.maxBytes = bytes
      if (bytes > MIB) this.large += 1
    }
    const hour = Math.floor(atMs / HOUR_MS)
    const at = (((hour + FIRST_WEEKDAY * 24) % HOURS) + HOURS) % HOURS
    this.hours[at] = (this.hours[at] as number) + 1
    if (notes === undefined) return
    if (notes.cacheControl !== undefined) remember(this.cacheControls, notes.cacheControl)
    if (notes.vary !== undefined) remember(this.varies, notes.vary)
    if (notes.ofConnection !== undefined) {
      this.placed += 1
      if (notes.ofConnection === 1) this.firsts += 1
    }
  }
}

function remember(texts: Map<string, number>, given: string): void {
  const text = given.slice(0, 200)
  const count = texts.get(text)
  if (count !== undefined || texts.size < MAX_TEXTS) texts.set(text, (count ?? 0) + 1)
}
