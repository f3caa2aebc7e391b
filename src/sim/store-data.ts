/**
 * What stands in a virtual store: strings with a time to live, hashes, streams; as Redis or Valkey have them.
 *
 * Floor 1, room sim. Every change is kept with what undoes it for a while, so that a failover to a replica that lags can take
 * the last ones back. Nothing here waits: a whole script of calls is one step.
 */
import type { Clock } from '../model/clock.ts'

/** One record of a stream. */
export interface StreamRow {
  /** Counts up by one in its stream; the first is 1. */
  readonly id: number
  readonly value: string
}

interface Text {
  readonly value: string
  readonly expiresAt: number
}

interface Stream {
  readonly rows: StreamRow[]
  last: number
}

interface Change {
  readonly at: number
  readonly undo: () => void
}

/** How a string is set. */
export interface SetOptions {
  /** Time to live, ms; without it the string stands for ever, and a former one is forgotten. */
  readonly px?: number
  /** Only if nothing stands there. */
  readonly nx?: boolean
}

const MAX_CHANGES = 4096

/** See the module's header. */
export class StoreData {
  readonly #clock: Clock
  #texts = new Map<string, Text>()
  #hashes = new Map<string, Map<string, string>>()
  #streams = new Map<string, Stream>()
  #changes: Change[] = []
  #run = 1

  /** @param clock the store's own */
  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The store's wall clock, epoch ms: its `TIME`. */
  time(): number {
    return this.#clock.wall()
  }

  /** Name of this run of the server; another one after each restart and failover: its `run_id`. */
  get runId(): string {
    return `run${this.#run}`
  }

  get(key: string): string | undefined {
    const text = this.#texts.get(key)
    return text !== undefined && text.expiresAt > this.#clock.now() ? text.value : undefined
  }

  /** Ms that a string still has; Infinity if it has no end, 0 if nothing stands there. */
  ttl(key: string): number {
    const text = this.#texts.get(key)
    return text === undefined ? 0 : Math.max(0, text.expiresAt - this.#clock.now())
  }

  /** @returns whether it was set */
  set(key: string, value: string, { px, nx = false }: SetOptions = {}): boolean {
    if (nx && this.get(key) !== undefined) return false
    const expiresAt = px === undefined ? Number.POSITIVE_INFINITY : this.#clock.now() + px
    this.#put(this.#texts, key, { value, expiresAt })
    return true
  }

  /** Removes a string or a hash. @returns whether something stood there */
  del(key: string): boolean {
    const stood = this.get(key) !== undefined || this.#hashes.has(key)
    this.#put(this.#texts, key, undefined)
    this.#put(this.#hashes, key, undefined)
    return stood
  }

  /** Counts a string up, from 0. @returns the new value */
  incr(key: string): number {
    const value = Number(this.get(key) ?? 0) + 1
    this.#put(this.#texts, key, { value: String(value), expiresAt: this.#texts.get(key)?.expiresAt ?? Number.POSITIVE_INFINITY })
    return value
  }

  /** Keys of strings and hashes that begin so: what `SCAN` would find. */
  keys(prefix: string): string[] {
    const texts = [...this.#texts.keys()].filter((key) => this.get(key) !== undefined)
    return [...texts, ...this.#hashes.keys()].filter((key) => key.startsWith(prefix))
  }

  hget(key: string, field: string): string | undefined {
    return this.#hashes.get(key)?.get(field)
  }

  /** @param value undefined removes the field */
  hset(key: string, field: string, value: string | undefined): void {
    const hash = this.#hashes.get(key) ?? new Map<string, string>()
    if (!this.#hashes.has(key)) this.#put(this.#hashes, key, hash)
    this.#put(hash, field, value)
    if (hash.size === 0) this.#put(this.#hashes, key, undefined)
  }

  hgetall(key: string): ReadonlyMap<string, string> {
    return this.#hashes.get(key) ?? NO_FIELDS
  }

  /** Appends to a stream. @returns the record's id */
  xadd(key: string, value: string): number {
    const stream = this.#streams.get(key) ?? { rows: [], last: 0 }
    if (stream.last === 0) this.#streams.set(key, stream)
    stream.last += 1
    stream.rows.push({ id: stream.last, value })
    this.#changed(() => {
      stream.last -= 1
      stream.rows.pop()
    })
    return stream.last
  }

  /** Records after an id, oldest first. */
  xread(key: string, after: number, limit = Number.POSITIVE_INFINITY): readonly StreamRow[] {
    const stream = this.#streams.get(key)
    if (stream === undefined || stream.last <= after) return NO_ROWS
    return stream.rows.filter(({ id }) => id > after).slice(0, limit)
  }

  /** Id of a stream's last record ever; 0 if there was none. */
  xlast(key: string): number {
    return this.#streams.get(key)?.last ?? 0
  }

  /** Keeps only the last records. */
  xtrim(key: string, keep: number): void {
    const stream = this.#streams.get(key)
    if (stream === undefined || stream.rows.length <= keep) return
    const gone = stream.rows.splice(0, stream.rows.length - keep)
    this.#changed(() => void stream.rows.unshift(...gone))
  }

  /** Another run of the server begins. @param withData whether it has what stood here */
  restart(withData: boolean): void {
    this.#run += 1
    this.#changes = []
    if (withData) return
    this.#texts = new Map()
    this.#hashes = new Map()
    this.#streams = new Map()
  }

  /** A replica takes over that has not heard of the last `lagMs`. */
  failOver(lagMs: number): void {
    const since = this.#clock.now() - lagMs
    for (let last = this.#changes.at(-1); last !== undefined && last.at > since; last = this.#changes.at(-1)) {
      last.undo()
      this.#changes.pop()
    }
    this.restart(true)
  }

  #put<V>(table: Map<string, V>, key: string, value: V | undefined): void {
    const former = table.get(key)
    if (former === undefined && value === undefined) return
    if (value === undefined) table.delete(key)
    else table.set(key, value)
    this.#changed(() => void (former === undefined ? table.delete(key) : table.set(key, former)))
  }

  #changed(undo: () => void): void {
    this.#changes.push({ at: this.#clock.now(), undo })
    if (this.#changes.length > MAX_CHANGES) this.#changes.splice(0, MAX_CHANGES / 2)
  }
}

const NO_FIELDS: ReadonlyMap<string, string> = new Map()
const NO_ROWS: readonly StreamRow[] = []
