/**
 * Windows of time in one Int32: whole milliseconds up to 24 days, whole seconds beyond, up to 68 years.
 *
 * Floor 1, room shelf. Rounds down always: a window may become shorter by less than its unit, never longer.
 */

const MAX = 2 ** 31 - 1

/** @param ms a window; negative and NaN count as 0 */
export function packWindow(ms: number): number {
  if (!(ms > 0)) return 0
  if (ms <= MAX) return Math.floor(ms)
  return -Math.min(Math.floor(ms / 1000), MAX)
}

/** @returns ms, at most what was packed */
export function unpackWindow(packed: number): number {
  return packed >= 0 ? packed : packed * -1000
}
