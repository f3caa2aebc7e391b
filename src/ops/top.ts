/**
 * `GET /v1/top`: the keys read most, counted while somebody looks.
 *
 * Floor 4, room ops. Nothing is counted otherwise: a watch on memory's reads stands for the asked time (1 s by default)
 * and sees every door's hits, `peek` included. Misra and Gries' summary: a bounded table whose counts are at most
 * `reads / 4097` too low, so that no key with a larger share is ever missing.
 *
 * @see Misra, Gries: Finding repeated elements (1982)
 */
import type { Engine } from '../flow/engine.ts'
import { type ApiRequest, type Endpoint, jsonReply } from '../model/endpoint.ts'
import { ForecacheError } from '../model/errors.ts'
import { TOP_TEXT } from './texts.ts'

/** The answer of `/v1/top`. */
export interface Top {
  readonly windowMs: number
  /** Reads of all keys in the window. */
  readonly reads: number
  /** How many reads a key's count may be too low. */
  readonly errorReads: number
  readonly keys: readonly HotKey[]
}

/** One key, most read first. */
export interface HotKey {
  readonly key: string
  readonly reads: number
  readonly perSecond: number
  /** Of all reads, 0 to 1. */
  readonly share: number
}

const TABLE_KEYS = 4096
const MAX_SECONDS = 10
const MAX_LIMIT = 1000

/** Counts the keys of a stream of reads in a bounded table. */
export class HotKeys {
  readonly #counts = new Map<string, number>()
  readonly #maxKeys: number
  #reads = 0
  #lowered = 0

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys
  }

  /** How many reads were seen. */
  get reads(): number {
    return this.#reads
  }

  /** How many reads a count may be too low. */
  get errorReads(): number {
    return this.#lowered
  }

  note(key: string): void {
    this.#reads += 1
    const count = this.#counts.get(key)
    if (count !== undefined) this.#counts.set(key, count + 1)
    else if (this.#counts.size < this.#maxKeys) this.#counts.set(key, 1)
    else this.#lowerAll()
  }

  /** The keys read most, most first. */
  top(limit: number): (readonly [key: string, reads: number])[] {
    return [...this.#counts].sort((a, b) => b[1] - a[1]).slice(0, limit)
  }

  /** Costs a pass over the table, paid for by as many reads that raised it. */
  #lowerAll(): void {
    this.#lowered += 1
    for (const [key, count] of this.#counts) {
      if (count === 1) this.#counts.delete(key)
      else this.#counts.set(key, count - 1)
    }
  }
}

/** What was read in a window, by key. */
export interface ReadCounts {
  readonly windowMs: number
  readonly reads: number
  readonly errorReads: number
  readonly keys: readonly (readonly [key: string, reads: number])[]
}

/**
 * @param watch counts reads for so long, ms
 * @returns the endpoint; `?seconds=` 0.1 to 10, default 1; `?limit=` 1 to 1000, default 20
 */
export function createTopEndpoint(watch: (windowMs: number) => Promise<ReadCounts>): Endpoint {
  let running: Promise<ReadCounts> | undefined
  return {
    method: 'GET',
    path: '/v1/top',
    about: TOP_TEXT,
    handle: async ({ query }) => {
      const limit = Math.floor(parseNumber(query, 'limit', { min: 1, max: MAX_LIMIT, otherwise: 20 }))
      const windowMs = parseNumber(query, 'seconds', { min: 0.1, max: MAX_SECONDS, otherwise: 1 }) * 1000
      // One watch at a time: who asks meanwhile shares it.
      running ??= watch(windowMs).finally(() => (running = undefined))
      return jsonReply(200, describe(await running, limit))
    },
  }
}

/** Counts an engine's reads for so long. */
export async function watchReads(engine: Engine, windowMs: number): Promise<ReadCounts> {
  const hot = new HotKeys(TABLE_KEYS)
  const beganAt = engine.clock.now()
  engine.memory.onRead((key) => hot.note(key))
  await new Promise<void>((resolve) => engine.clock.after(windowMs, resolve))
  engine.memory.onRead(undefined)
  const { reads, errorReads } = hot
  return { windowMs: engine.clock.now() - beganAt, reads, errorReads, keys: hot.top(TABLE_KEYS) }
}

/** Reads of several engines together. */
export function sumReads(all: readonly ReadCounts[]): ReadCounts {
  const keys = new Map<string, number>()
  for (const one of all) for (const [key, reads] of one.keys) keys.set(key, (keys.get(key) ?? 0) + reads)
  return {
    windowMs: Math.max(0, ...all.map((one) => one.windowMs)),
    reads: all.reduce((sum, one) => sum + one.reads, 0),
    errorReads: all.reduce((sum, one) => sum + one.errorReads, 0),
    keys: [...keys].sort((a, b) => b[1] - a[1]),
  }
}

function describe(counts: ReadCounts, limit: number): Top {
  const { windowMs, reads: all, errorReads } = counts
  const round = (value: number): number => Number(value.toPrecision(4))
  const keys = counts.keys.slice(0, limit).map(([key, reads]) => {
    return { key, reads, perSecond: round((reads * 1000) / windowMs), share: round(reads / all) }
  })
  return { windowMs: Math.round(windowMs), reads: all, errorReads, keys }
}

function parseNumber(query: ApiRequest['query'], name: string, range: { min: number; max: number; otherwise: number }): number {
  const given = query.get(name)
  if (given === null) return range.otherwise
  const value = Number(given)
  if (given.trim() !== '' && value >= range.min && value <= range.max) return value
  throw new ForecacheError('FC_API_QUERY', {
    name,
    reason: `expected a number from ${range.min} to ${range.max}, given ${given}`,
  })
}
