/**
 * Durations for people.
 *
 * Floor 4, room advice.
 */

const UNITS: readonly (readonly [name: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
]

/** `90_000` is `1.5 min`: three digits that count. */
export function spellDuration(ms: number): string {
  const [name, size] = UNITS.find(([, of]) => ms >= of) ?? ['ms', 1]
  return `${Number((ms / size).toPrecision(3))} ${name}`
}
