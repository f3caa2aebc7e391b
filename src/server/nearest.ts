/**
 * The known name that was most likely meant.
 *
 * Floor 5, room server. Pure; names are short, the list is one section's.
 */

/** @returns the nearest of `known` within a third of the name's length, else undefined */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  const name = given.toLowerCase()
  let best: string | undefined
  let least = Math.max(1, Math.floor(Math.max(given.length, 4) / 3)) + 0.5
  for (const candidate of known) {
    const lower = candidate.toLowerCase()
    const cost = lower.startsWith(name) || name.startsWith(lower) ? 0.9 : distance(name, lower)
    if (cost < least) {
      least = cost
      best = candidate
    }
  }
  return best
}

/** Edits (insert, drop, replace, swap neighbours) from one name to the other. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let cost = Math.min((rows[i - 1]?.[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (rows[i - 1]?.[j - 1] ?? 0) + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, (rows[i - 2]?.[j - 2] ?? 0) + 1)
      row.push(cost)
    }
    rows.push(row)
  }
  return rows[a.length]?.[b.length] ?? 0
}
