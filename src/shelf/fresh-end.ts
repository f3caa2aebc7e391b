/**
 * The end of the fresh window in one Int32: whole ms from the table's base, rounded down, so that a hit compares integers.
 *
 * Floor 1, room shelf. An end more than 24 days after the base is kept as EVER, its window in a column of its own that is
 * allocated when the first such entry comes; one as long before it as NEVER. `rebase` moves the base on long before the
 * present could reach EVER. Everything rounds towards less freshness.
 */
import { READ_TICK_SHIFT } from './arrivals.ts'
import { FRESH_END, LAST_READ, ROW_SHIFT, TIME_SHIFT } from './row.ts'
import type { Table } from './table.ts'
import { packWindow, unpackWindow } from './windows.ts'

const EVER = 2 ** 31 - 1
const NEVER = -(2 ** 31)

/** The base must be moved on when the present is this many ms after it: 12 days. */
export const REBASE_AFTER_MS = 2 ** 30

/** Sets the fresh window of a slot whose `storedAt` is set. */
export function setFresh(table: Table, slot: number, freshMs: number): void {
  const end = (table.times[slot << TIME_SHIFT] as number) + freshMs - table.baseMs
  const at = (slot << ROW_SHIFT) | FRESH_END
  if (!(freshMs > 0) || !(end > NEVER)) table.words[at] = NEVER
  else if (end < EVER) table.words[at] = Math.floor(end)
  else {
    table.words[at] = EVER
    table.setLongFresh(slot, packWindow(freshMs))
  }
}

/** @returns ms, at most what was set, less than 1 ms (above 24 days: 1 s) shorter */
export function freshOf(table: Table, slot: number): number {
  const end = table.words[(slot << ROW_SHIFT) | FRESH_END] as number
  if (end === NEVER) return 0
  if (end === EVER) return unpackWindow(table.longFreshOf(slot))
  return Math.max(0, end + table.baseMs - (table.times[slot << TIME_SHIFT] as number))
}

/** Moves the base up to the present `now`, for all slots ever used; O(n), every twelve days. */
export function rebase(table: Table, now: number): void {
  const before = table.baseMs
  const ticks = Math.floor((now - before) / 2 ** READ_TICK_SHIFT)
  const after = before + ticks * 2 ** READ_TICK_SHIFT
  for (let slot = 0; slot < table.used; slot += 1) {
    const at = (slot << ROW_SHIFT) | LAST_READ
    table.words[at] = (table.words[at] as number) - ticks
    const fresh = freshOf(table, slot)
    table.baseMs = after
    setFresh(table, slot, fresh)
    table.baseMs = before
  }
  table.baseMs = after
}
