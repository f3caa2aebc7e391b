/**
 * The result of a comparison: ratios of the same rounds, and the limits they are to keep.
 */
import { atMost, columns, type Goal } from '../compare.ts'
import type { Cell } from './cells.ts'
import type { Row, Sample } from './rounds.ts'

/** One cell, measured. */
export interface MeasuredCell {
  readonly table: string
  readonly cell: Cell
  readonly rows: readonly Row[]
}

const OURS = 'forecache'
/** CPU per hit, forecache over the peer: 1 KB over 64 connections, with bare and with a browser's headers. */
const LIMITS: Readonly<Record<string, number>> = {
  nginx: 0.45,
  'nginx tuned': 0.85,
  varnish: 0.45,
  haproxy: 1.05,
  'node:http': 0.6,
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Median over the rounds of one row. */
export function medianOf(row: Row, pick: (sample: Sample) => number): number {
  return median(row.samples.map(pick))
}

/** Ours over theirs, round by round; the median of it. */
export function ratioOf(rows: readonly Row[], peer: Row, pick: (sample: Sample) => number): number {
  const ours = rows.find((row) => row.name === OURS)
  if (ours === undefined) return Number.NaN
  return median(
    peer.samples.flatMap((sample, round) => (ours.samples[round] === undefined ? [] : pick(ours.samples[round]) / pick(sample))),
  )
}

/** Limits of the cells that have some. */
export function goalsOf(cells: readonly MeasuredCell[]): Goal[] {
  return cells
    .filter(
      ({ cell, table }) => ['goals', 'main', 'browser'].includes(table) && cell.bodyBytes === 1024 && cell.connections === 64,
    )
    .flatMap(({ cell, rows }) => goalsOfCell(cell.realistic ? 'browser headers' : 'bare headers', rows))
}

function goalsOfCell(headers: string, rows: readonly Row[]): Goal[] {
  const ours = rows.find((row) => row.name === OURS && row.samples.length > 0)
  const peers = rows.filter((row) => LIMITS[row.name] !== undefined && row.samples.length > 0)
  if (ours === undefined || peers.length === 0) return []
  const cpu = peers.map((peer) =>
    atMost(
      `CPU per hit / ${peer.name}, ${headers}`,
      ratioOf(rows, peer, (one) => one.cpuUs),
      LIMITS[peer.name] as number,
    ),
  )
  const p99 = (row: Row): number => medianOf(row, (one) => one.p99)
  const best = peers.toSorted((a, b) => p99(a) - p99(b))[0] as Row
  return [...cpu, atMost(`p99 / best peer's (${best.name}), ${headers}`, p99(ours) / p99(best), 1)]
}

/** A table for people. */
export function describeCell({ cell, rows }: MeasuredCell): string {
  const shown = rows.map((row) => {
    if (row.why !== undefined) return [row.name, 'left out', row.why]
    const cpu = row.samples.map((one) => one.cpuUs)
    const faults = row.samples.reduce((sum, one) => sum + one.failed + one.originRequests, 0)
    return [
      row.name,
      medianOf(row, (one) => one.perSecond).toFixed(0),
      median(cpu).toFixed(2),
      `${Math.min(...cpu).toFixed(2)}..${Math.max(...cpu).toFixed(2)}`,
      row.name === OURS ? '' : ratioOf(rows, row, (one) => one.cpuUs).toFixed(2),
      medianOf(row, (one) => one.p50).toFixed(0),
      medianOf(row, (one) => one.p99).toFixed(0),
      `${row.checked?.headBytes ?? ''}+${row.checked?.bodyBytes ?? ''}${row.checked?.coding === 'identity' ? '' : ` ${row.checked?.coding}`}`,
      faults === 0 ? '' : `${faults} FAILED OR MISSED`,
    ]
  })
  const head = ['server', 'requests/s', 'CPU µs', 'min..max', 'ours/it', 'p50 µs', 'p99 µs', 'head+body bytes', '']
  return `${cell.name}\n\n${columns([head, ...shown])}\n`
}

/** Limits, said plainly. */
export function describeGoals(goals: readonly Goal[]): string {
  return columns(
    goals.map((goal) => [goal.name, goal.value.toFixed(3), `<= ${goal.limit}`, goal.isMet ? 'reached' : 'NOT REACHED']),
  )
}
