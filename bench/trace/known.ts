/**
 * Published hit ratios, in %, on public traces; capacity in entries, every entry of weight 1.
 *
 * `best` is the best of the published policies and of a steered S3-FIFO; `optimum` is Belady's.
 */

/** One row of the table. */
export interface KnownRow {
  readonly trace: string
  readonly file: string
  readonly capacity: number
  readonly lru: number
  readonly sieve: number
  readonly s3Fifo: number
  readonly best: number
  readonly optimum: number
}

function row(
  trace: string,
  file: string,
  capacity: number,
  figures: readonly [number, number, number, number, number],
): KnownRow {
  const [lru, sieve, s3Fifo, best, optimum] = figures
  return { trace, file, capacity, lru, sieve, s3Fifo, best, optimum }
}

/** Rows in order of the traces. */
export const KNOWN: readonly KnownRow[] = [
  row('web07', 'web07.trace.xz', 205, [39.2, 42.2, 43.8, 44.1, 53.4]),
  row('web07', 'web07.trace.xz', 2048, [55.7, 57.9, 58.1, 58.4, 68.1]),
  row('nasa', 'nasa_19950801.tsv.xz', 17, [32.8, 49.1, 49.6, 49.6, 57.4]),
  row('nasa', 'nasa_19950801.tsv.xz', 174, [74.2, 78.8, 79.2, 79.8, 85.3]),
  row('semicomplete', 'semicomplete_apache_logs.xz', 139, [66.3, 68.2, 70.5, 70.7, 78.5]),
  row('adaptsize', 'adaptsize_request.trace.xz', 3682, [34.2, 37.5, 37.4, 38.4, 45.0]),
  row('orm-busy', 'orm-busy.trace.xz', 76, [50.2, 40.2, 40.2, 50.2, 60.0]),
  row('orm-busy', 'orm-busy.trace.xz', 763, [77.0, 70.5, 75.6, 77.0, 82.8]),
  row('orm-busy', 'orm-busy.trace.xz', 7635, [88.0, 88.1, 89.0, 89.0, 93.3]),
]

/** How far a published mode may be from its published figure, and the default from the best, in points. */
export const TOLERANCE = { published: 0.1, best: 0.5 } as const
