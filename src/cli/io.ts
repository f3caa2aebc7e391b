/**
 * What a command prints to, and how it lays out tables.
 *
 * Floor 6, room cli. Commands never touch process.stdout themselves, so tests read what a user would.
 */

/** Where a command prints. */
export interface Io {
  /** Writes a line to standard output. */
  out(line: string): void
  /** Writes a line to standard error. */
  err(line: string): void
}

/** Runs a command's action, whose promise carries the exit code. */
export type Act = (run: () => Promise<number>) => Promise<void>

/** The process's own streams. */
export const PROCESS_IO: Io = {
  out: (line) => writeLine(process.stdout, line),
  err: (line) => writeLine(process.stderr, line),
}

function writeLine(stream: NodeJS.WriteStream, line: string): void {
  if (!stream.listeners('error').includes(outlive)) stream.on('error', outlive)
  stream.write(`${line}\n`)
}

/** A reader that has seen enough (`forecache stats | head -1`) is no failure. */
function outlive(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}

/** Columns as wide as their widest cell; numbers to the right. The first row is the head. */
export function renderTable(rows: readonly (readonly (string | number)[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, c) => Math.max(...rows.map((row) => String(row[c] ?? '').length)))
  const isNumeric = Array.from({ length: columns }, (_, c) => rows.slice(1).every((row) => NUMBER.test(String(row[c] ?? ''))))
  return rows
    .map((row) =>
      row
        .map((cell, c) => pad(String(cell), widths[c] as number, isNumeric[c] as boolean))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

const NUMBER = /^[-–]?[\d.,]*\s?(%|ms|µs|s|×)?$/

function pad(text: string, width: number, right: boolean): string {
  return right ? text.padStart(width) : text.padEnd(width)
}

/** A span of time in its largest unit: `40s`, `3.5h`. */
export function showSpan(ms: number): string {
  for (const [unit, size] of SPANS) if (ms >= size) return `${Number((ms / size).toPrecision(2))}${unit}`
  return `${ms}ms`
}

const SPANS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const

/** A duration in ms for people: three digits that count. */
export function showMs(ms: number): string {
  if (!Number.isFinite(ms)) return '–'
  if (ms >= 100) return `${ms.toFixed(0)} ms`
  if (ms >= 10) return `${ms.toFixed(1)} ms`
  return `${ms.toFixed(ms >= 1 ? 2 : 3)} ms`
}

/** A share for people: `0.0625` is `6.25 %`. */
export function showShare(share: number): string {
  return `${(share * 100).toFixed(2)} %`
}

/** A size for people: `1536` is `1.5 KiB`. */
export function showBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB']
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}
