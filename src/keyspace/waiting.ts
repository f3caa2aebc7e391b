/**
 * Who waits for which keys to hold something: BLPOP, BLMOVE, BZPOPMIN and their like.
 *
 * Floor 3, room keyspace. First come, first served, per key; a key that was filled is remembered until the running command,
 * transaction or script is over.
 */

/** One waiting command. */
export interface Waiting {
  readonly database: number
  readonly keys: readonly string[]
  /** What the key must hold to serve it. */
  readonly kind: 'list' | 'zset' | 'stream'
  /** Takes from the key and answers. @returns whether it is served */
  serve(key: string): boolean
}

/** A key that was filled. */
export interface ReadyKey {
  readonly database: number
  readonly key: string
}

/** See the module's header. */
export class WaitingList {
  readonly #byKey = new Map<string, Waiting[]>()
  #ready: ReadyKey[] = []
  readonly #noted = new Set<string>()

  /** Distinct keys somebody waits for. */
  get size(): number {
    return this.#byKey.size
  }

  get hasReady(): boolean {
    return this.#ready.length > 0
  }

  add(waiting: Waiting): void {
    for (const key of new Set(waiting.keys)) {
      const name = nameOf(waiting.database, key)
      const row = this.#byKey.get(name)
      if (row === undefined) this.#byKey.set(name, [waiting])
      else row.push(waiting)
    }
  }

  remove(waiting: Waiting): void {
    for (const key of new Set(waiting.keys)) {
      const name = nameOf(waiting.database, key)
      const row = this.#byKey.get(name)
      const place = row?.indexOf(waiting) ?? -1
      if (place >= 0) row?.splice(place, 1)
      if (row?.length === 0) this.#byKey.delete(name)
    }
  }

  /** A container was made under this key. */
  noteFilled(database: number, key: string): void {
    if (this.#byKey.size === 0) return
    const name = nameOf(database, key)
    if (!this.#byKey.has(name) || this.#noted.has(name)) return
    this.#noted.add(name)
    this.#ready.push({ database, key })
  }

  /** A whole database has new content. */
  noteAll(database: number): void {
    for (const rows of this.#byKey.values()) {
      for (const waiting of rows) {
        if (waiting.database !== database) continue
        for (const key of waiting.keys) this.noteFilled(database, key)
      }
    }
  }

  /** The filled keys in order; forgets them. */
  takeReady(): readonly ReadyKey[] {
    const ready = this.#ready
    this.#ready = []
    this.#noted.clear()
    return ready
  }

  /** Who waits for a key, first come first. */
  waitingFor({ database, key }: ReadyKey): readonly Waiting[] {
    return [...(this.#byKey.get(nameOf(database, key)) ?? [])]
  }
}

function nameOf(database: number, key: string): string {
  return `${database}:${key}`
}
