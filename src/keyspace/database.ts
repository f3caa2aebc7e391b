/**
 * One database: keys, what stands under them, and until when.
 *
 * Floor 3, room keyspace. What has expired is seen by nobody and goes at the first look; `expireSome` takes what nobody
 * looks at. Times are epoch ms of the keyspace's `now`, which stands still during a command.
 */
import type { Random } from '../model/random.ts'
import { Dict } from './dict.ts'
import type { Container, Value } from './value.ts'
import type { WaitingList } from './waiting.ts'
import type { Watches } from './watch.ts'

/** Where something happened. */
export interface KeyPlace {
  readonly database: number
  readonly key: string
}

/** Counted since the start or CONFIG RESETSTAT. */
export interface KeyspaceStats {
  hits: number
  misses: number
  expired: number
  evicted: number
}

/** What databases share. */
export interface Surroundings {
  readonly now: number
  readonly random: Random
  readonly stats: KeyspaceStats
  readonly watches: Watches
  readonly waiting: WaitingList
  charge(bytes: number): void
  noteChange(): void
  tell(family: string, event: string, place: KeyPlace): void
}

interface Item {
  value: Value
  /** Bytes charged for the value. */
  charged: number
  /** Epoch ms; 0: never. */
  deadline: number
  usedAt: number
}

/** Bytes that a key is charged beside its own. */
const KEY_BYTES = 96
/** Keys looked at to evict one. */
const SAMPLE = 5

/** See the module's header. */
export class Database {
  readonly number: number
  readonly #space: Surroundings
  #items = new Dict<Item>(false)
  #expiring = 0
  #sweep = 0

  constructor(space: Surroundings, number: number) {
    this.#space = space
    this.number = number
  }

  /** Keys, the expired and not yet removed included, as DBSIZE counts. */
  get size(): number {
    return this.#items.size
  }

  /** Keys with a deadline. */
  get expiring(): number {
    return this.#expiring
  }

  /** What stands under the key; does not count as hit or miss. */
  look(key: string): Value | undefined {
    const item = this.#live(key)
    if (item === undefined) return undefined
    item.usedAt = this.#space.now
    return item.value
  }

  /** The same for commands that only read: counted. */
  read(key: string): Value | undefined {
    const value = this.look(key)
    if (value === undefined) this.#space.stats.misses += 1
    else this.#space.stats.hits += 1
    return value
  }

  /** The same, leaving no trace of use. */
  peek(key: string): Value | undefined {
    return this.#live(key)?.value
  }

  has(key: string): boolean {
    return this.#live(key) !== undefined
  }

  /** It stands there still, and may be seen by nobody. */
  isExpired(key: string): boolean {
    const item = this.#items.get(key)
    return item !== undefined && item.deadline !== 0 && item.deadline <= this.#space.now
  }

  /** Sets a string; a deadline is dropped unless it is to be kept. */
  putText(key: string, text: string, how: { readonly isRaw?: boolean; readonly keepDeadline?: boolean } = {}): void {
    this.#store(key, { kind: 'string', text, isRaw: how.isRaw === true }, how.keepDeadline === true)
  }

  /** Sets a container; a deadline is dropped. */
  put(key: string, value: Container): void {
    this.#store(key, value, false)
  }

  /** @returns whether it was there */
  remove(key: string): boolean {
    const item = this.#live(key)
    if (item === undefined) return false
    this.#drop(key, item)
    return true
  }

  /** Epoch ms, 0: none; undefined: no such key. */
  deadline(key: string): number | undefined {
    return this.#live(key)?.deadline
  }

  /** @param at epoch ms; 0: none. The key stands. */
  setDeadline(key: string, at: number): void {
    const item = this.#items.get(key)
    if (item === undefined) return
    this.#expiring += (at === 0 ? 0 : 1) - (item.deadline === 0 ? 0 : 1)
    item.deadline = at
  }

  /** ms since it was last looked at; undefined: no such key. */
  idleMs(key: string): number | undefined {
    const item = this.#live(key)
    return item === undefined ? undefined : this.#space.now - item.usedAt
  }

  /** What stands under the key was changed, or went: its bytes are counted anew and its watchers told. */
  changed(key: string): void {
    const { watches } = this.#space
    const item = this.#items.get(key)
    if (item !== undefined) this.#recharge(item)
    if (!watches.isEmpty) watches.changed(this.number, key, item === undefined)
    this.#space.noteChange()
  }

  randomKey(): string | undefined {
    for (let tries = 0; tries < 100 && this.#items.size > 0; tries += 1) {
      const key = this.#items.keys[Math.floor(this.#space.random() * this.#items.size)] as string
      if (this.#live(key) !== undefined) return key
    }
    return undefined
  }

  /** Evicts what was not used for long, by a sample. @returns whether there was anything */
  evictOne(): boolean {
    let oldest: string | undefined
    let oldestAt = Infinity
    for (let i = 0; i < SAMPLE && this.#items.size > 0; i += 1) {
      const place = Math.floor(this.#space.random() * this.#items.size)
      const { usedAt } = this.#items.values[place] as Item
      if (usedAt < oldestAt) [oldest, oldestAt] = [this.#items.keys[place], usedAt]
    }
    if (oldest === undefined) return false
    this.#drop(oldest, this.#items.get(oldest) as Item)
    this.#space.stats.evicted += 1
    this.#space.tell('e', 'evicted', { database: this.number, key: oldest })
    this.changed(oldest)
    return true
  }

  /** One step of a scan; see Dict. Expired keys are left out. */
  scan(cursor: number, count: number, visit: (key: string, value: Value) => void): number {
    const { now } = this.#space
    return this.#items.scan(cursor, count, (key, item) => {
      if (item.deadline === 0 || item.deadline > now) visit(key, item.value)
    })
  }

  clear(): number {
    const { size } = this.#items
    for (let i = 0; i < size; i += 1) {
      this.#space.charge(-costOf(this.#items.keys[i] as string, this.#items.values[i] as Item))
    }
    this.#items = new Dict<Item>(false)
    this.#expiring = 0
    return size
  }

  /** SWAPDB. */
  swap(other: Database): void {
    const [items, expiring] = [this.#items, this.#expiring]
    this.#items = other.#items
    this.#expiring = other.#expiring
    other.#items = items
    other.#expiring = expiring
  }

  /** Looks at some keys and removes the expired. @returns how many of the looked at had expired */
  expireSome(most: number): number {
    if (this.#expiring === 0) return 0
    const gone: string[] = []
    this.#sweep = this.#items.scan(this.#sweep, most, (key, item) => {
      if (item.deadline !== 0 && item.deadline <= this.#space.now) gone.push(key)
    })
    for (const key of gone) this.#live(key)
    return gone.length
  }

  #live(key: string): Item | undefined {
    const item = this.#items.get(key)
    if (item === undefined || item.deadline === 0 || item.deadline > this.#space.now) return item
    this.#drop(key, item)
    this.#space.stats.expired += 1
    this.#space.tell('x', 'expired', { database: this.number, key })
    this.changed(key)
    return undefined
  }

  #store(key: string, value: Value, keepDeadline: boolean): void {
    const item = this.#live(key)
    if (item === undefined) {
      const made = { value, charged: sizeOf(value), deadline: 0, usedAt: this.#space.now }
      this.#items.set(key, made)
      this.#space.charge(costOf(key, made))
      if (value.kind !== 'string') this.#space.waiting.noteFilled(this.number, key)
      return
    }
    item.value = value
    this.#recharge(item)
    item.usedAt = this.#space.now
    if (!keepDeadline) this.setDeadline(key, 0)
  }

  #drop(key: string, item: Item): void {
    this.#items.delete(key)
    if (item.deadline !== 0) this.#expiring -= 1
    this.#space.charge(-costOf(key, item))
  }

  #recharge(item: Item): void {
    const bytes = sizeOf(item.value)
    this.#space.charge(bytes - item.charged)
    item.charged = bytes
  }
}

/** Bytes that a value is charged. */
export function sizeOf(value: Value): number {
  return value.kind === 'string' ? value.text.length : value.bytes
}

function costOf(key: string, item: Item): number {
  return key.length + KEY_BYTES + item.charged
}
