/**
 * Who listens to which channels and patterns.
 *
 * Floor 4, room resp. A message costs what its listeners cost, and one match per pattern that anybody uses.
 */
import { isMatch } from './embedded-glob.ts'
import type { Session } from './embedded-session.ts'

/** One table: channels, shard channels or patterns. */
export class Channels {
  readonly #listeners = new Map<string, Set<Session>>()

  get size(): number {
    return this.#listeners.size
  }

  /** @returns whether it is a new subscription */
  add(name: string, session: Session, own: Set<string>): boolean {
    if (own.has(name)) return false
    own.add(name)
    const row = this.#listeners.get(name)
    if (row === undefined) this.#listeners.set(name, new Set([session]))
    else row.add(session)
    return true
  }

  remove(name: string, session: Session, own: Set<string>): void {
    own.delete(name)
    const row = this.#listeners.get(name)
    row?.delete(session)
    if (row?.size === 0) this.#listeners.delete(name)
  }

  of(name: string): ReadonlySet<Session> {
    return this.#listeners.get(name) ?? NOBODY
  }

  /** Names anybody listens to, in the order of first subscription. */
  names(pattern?: string): readonly string[] {
    const names = [...this.#listeners.keys()]
    return pattern === undefined ? names : names.filter((name) => isMatch(pattern, name))
  }

  /** For patterns: those that match a channel. */
  *matching(channel: string): Iterable<readonly [pattern: string, sessions: ReadonlySet<Session>]> {
    for (const row of this.#listeners) if (isMatch(row[0], channel)) yield row
  }
}

const NOBODY: ReadonlySet<Session> = new Set()
