/**
 * Going round a table, a slice at a time.
 *
 * Floor 1, room shelf.
 */
import type { Table } from './table.ts'

/** See the module's header. */
export class Rounds {
  #cursor = 0

  /** Shows those of the next `maxSlots` that hold an entry. */
  go(table: Table, maxSlots: number, onSlot: (slot: number) => void): void {
    const slots = Math.min(maxSlots, table.used)
    for (let i = 0; i < slots; i += 1) {
      if (this.#cursor >= table.used) this.#cursor = 0
      const slot = this.#cursor
      this.#cursor += 1
      if (table.keys[slot] !== undefined) onSlot(slot)
    }
  }
}
