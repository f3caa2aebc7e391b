/**
 * Who watches which keys: a change marks the watchers.
 *
 * Floor 3, room keyspace. As in Redis 7: a key that was already expired when it was watched does not count when it goes.
 * A change costs one test while nobody watches anything.
 */

/** One connection's side of it. */
export interface Watcher {
  /** A watched key has changed. */
  isDirty: boolean
  readonly watched: Watched[]
}

/** A key somebody watches. */
export interface Watched {
  readonly database: number
  readonly key: string
  readonly watcher: Watcher
  /** It was there, and expired, when it was first watched. */
  wasExpired: boolean
}

/** See the module's header. */
export class Watches {
  readonly #byKey = new Map<string, Set<Watched>>()

  get isEmpty(): boolean {
    return this.#byKey.size === 0
  }

  watch(given: Watched): void {
    if (given.watcher.watched.some(({ database, key }) => database === given.database && key === given.key)) return
    const name = nameOf(given.database, given.key)
    const rows = this.#byKey.get(name)
    if (rows === undefined) this.#byKey.set(name, new Set([given]))
    else rows.add(given)
    given.watcher.watched.push(given)
  }

  unwatchAll(watcher: Watcher): void {
    for (const row of watcher.watched) {
      const name = nameOf(row.database, row.key)
      const rows = this.#byKey.get(name)
      rows?.delete(row)
      if (rows?.size === 0) this.#byKey.delete(name)
    }
    watcher.watched.length = 0
  }

  /** @param isGone the key does not stand there now */
  changed(database: number, key: string, isGone: boolean): void {
    if (this.#byKey.size === 0) return
    for (const row of this.#byKey.get(nameOf(database, key)) ?? []) {
      if (row.wasExpired && isGone) row.wasExpired = false
      else row.watcher.isDirty = true
    }
  }

  /** Every watched key of a database, for commands that change all. */
  keysOf(database: number): readonly Watched[] {
    return [...this.#byKey.values()].flatMap((rows) => [...rows].filter((row) => row.database === database))
  }
}

function nameOf(database: number, key: string): string {
  return `${database}:${key}`
}
