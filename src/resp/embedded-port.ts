/**
 * Single values of the embedded mode by their names, for the other doors.
 *
 * Floor 4, room resp. Database 0. Keys and values are bytes; a change tells watchers, readers and listeners as a command's
 * would. Each call is one step: nobody comes between its look and its write. Here the values stand and nowhere else: what is invalidated is removed.
 */
import type { Mount, MountChange, MountFound, MountValues } from '../flow/mount.ts'
import { ForecacheError } from '../model/errors.ts'
import type { Database } from '../keyspace/database.ts'
import { KeyspaceFull } from '../keyspace/full.ts'
import type { Embedded } from './embedded.ts'

/** @param key UTF-8 in, bytes as latin1 out */
function named(key: string): string {
  return Buffer.from(key).toString('latin1')
}

/** The door's values for the others, and what an invalidation removes. */
export class EmbeddedValues implements MountValues, Mount {
  readonly values: MountValues = this
  readonly forget: Mount['forget'] = {
    key: (name) => {
      this.#begin()
      for (const database of this.#embedded.server.space.databases) this.#remove(database, named(name), 'none')
      this.#embedded.server.tracking.settle()
    },
    prefix: (prefix) => this.#removeAll(named(prefix)),
    all: () => {
      this.#begin()
      const { space } = this.#embedded.server
      space.clear(space.databases)
    },
  }
  readonly #embedded: Embedded
  readonly #db: Database

  constructor(embedded: Embedded) {
    this.#embedded = embedded
    this.#db = embedded.server.space.databases[0] as Database
  }

  /** Whether anything stands under a key. */
  stands(key: string): boolean {
    return this.#db.stands(named(key))
  }

  peek(key: string): Uint8Array | undefined {
    this.#begin()
    const value = this.#db.read(named(key))
    return value?.kind === 'string' ? Buffer.from(value.text, 'latin1') : undefined
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return attempt(() => this.#look(key)?.value)
  }

  lifetime(key: string): Promise<number | undefined> {
    return attempt(() => this.#look(key)?.ttlMs)
  }

  has(key: string): Promise<boolean> {
    this.#begin()
    return Promise.resolve(this.#db.has(named(key)))
  }

  set(key: string, write: { readonly value: Uint8Array; readonly ttlMs: number; readonly sent: () => void }): Promise<void> {
    return attempt(() => {
      this.#begin()
      write.sent()
      this.#put(key, write.value, write.ttlMs)
    })
  }

  delete(key: string): Promise<boolean> {
    return attempt(() => {
      this.#begin()
      const wasThere = this.#remove(this.#db, named(key), 'del')
      this.#embedded.server.tracking.settle()
      return wasThere
    })
  }

  change(key: string, decide: (found: MountFound | undefined) => MountChange): Promise<void> {
    return attempt(() => {
      const change = decide(this.#look(key))
      if (change.kind === 'set') this.#put(key, change.value, change.ttlMs)
      else if (change.kind === 'delete') this.#remove(this.#db, named(key), 'del')
      this.#embedded.server.tracking.settle()
    })
  }

  #begin(): void {
    this.#embedded.server.space.now = this.#embedded.server.clock.wall()
  }

  /** @throws FC_MOUNT_TYPE */
  #look(key: string): MountFound | undefined {
    this.#begin()
    const name = named(key)
    const value = this.#db.read(name)
    if (value === undefined) return undefined
    if (value.kind !== 'string') throw new ForecacheError('FC_MOUNT_TYPE', { key })
    const deadline = this.#db.deadline(name) ?? 0
    const ttlMs = deadline === 0 ? Number.POSITIVE_INFINITY : deadline - this.#embedded.server.space.now
    return { value: Buffer.from(value.text, 'latin1'), ttlMs }
  }

  /** @throws FC_CACHE_FULL; then what stood there stands */
  #put(key: string, value: Uint8Array, ttlMs: number): void {
    const { space, tracking } = this.#embedded.server
    const name = named(key)
    const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')
    try {
      this.#db.putText(name, text)
    } catch (error) {
      throw error instanceof KeyspaceFull ? new ForecacheError('FC_CACHE_FULL', { bytes: text.length }) : error
    }
    if (Number.isFinite(ttlMs)) this.#db.setDeadline(name, space.now + Math.max(1, Math.round(ttlMs)))
    space.tell('$', 'set', { database: 0, key: name })
    this.#db.changed(name)
    tracking.settle()
  }

  #remove(database: Database, key: string, event: 'del' | 'none'): boolean {
    const wasThere = database.remove(key)
    if (!wasThere) return false
    const { space } = this.#embedded.server
    if (event === 'del') space.tell('g', 'del', { database: database.number, key })
    database.changed(key)
    return true
  }

  /** Looks at every key of every database. */
  #removeAll(prefix: string): void {
    this.#begin()
    const { space, tracking } = this.#embedded.server
    for (const database of space.databases) {
      const found: string[] = []
      let cursor = 0
      do cursor = database.scan(cursor, SCANNED, (key) => key.startsWith(prefix) && found.push(key))
      while (cursor !== 0)
      for (const key of found) this.#remove(database, key, 'none')
    }
    tracking.settle()
  }
}

const SCANNED = 1000

function attempt<T>(run: () => T): Promise<T> {
  return new Promise((resolve) => resolve(run()))
}
