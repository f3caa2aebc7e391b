/**
 * A bounded table of last positions: the oldest is forgotten first and becomes the floor.
 *
 * Floor 2, room tier. A reading older than the floor cannot be judged by the table and counts as named.
 */
import type { Position } from '../model/entry.ts'
import { OldestFirst } from '../model/oldest.ts'

/** See the module's header. */
export class Positions {
  readonly #last = new OldestFirst<Position>()
  readonly #limit: number
  floor: Position = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#last.size
  }

  get(name: string): Position {
    return this.#last.get(name) ?? 0
  }

  set(name: string, position: Position): void {
    this.#last.set(name, position) // the youngest: order of setting is order of positions
    if (this.#last.size > this.#limit) this.floor = this.#last.takeOldest()?.[1] ?? this.floor
  }

  entries(): IterableIterator<[string, Position]> {
    return this.#last.entries()
  }
}
