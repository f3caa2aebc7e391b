/**
 * What every benchmark shares: the machine it ran on, versions, quantiles, and figures set against their limits.
 */
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release } from 'node:os'
import { join } from 'node:path'

/** Where a figure was taken. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly kernel: string
  readonly node: string
  readonly v8: string
  readonly packages: Readonly<Record<string, string>>
}

/** @param packages names of packages under comparison, looked up in node_modules */
export function machine(packages: readonly string[] = []): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    kernel: release(),
    node: process.versions.node,
    v8: process.versions.v8 ?? '',
    packages: Object.fromEntries(packages.map((name) => [name, versionOf(name)])),
  }
}

/** Two lines for people. */
export function describeMachine(at: Machine): string {
  const packages = Object.entries(at.packages).map(([name, version]) => `${name} ${version}`)
  const first = `machine   ${at.cpu}, ${at.cores} cores, Linux ${at.kernel}`
  return `${first}\nversions  ${[`node ${at.node}`, `v8 ${at.v8}`, ...packages].join(', ')}`
}

/** @param sorted ascending; @param q 0 to 1 @returns the value at or just above the quantile; NaN when empty */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN
}

/** p50, p95, p99 and the extremes of unsorted samples. */
export function percentiles(samples: readonly number[]): Readonly<Record<'min' | 'p50' | 'p95' | 'p99' | 'max', number>> {
  const sorted = samples.toSorted((a, b) => a - b)
  return {
    min: sorted[0] ?? Number.NaN,
    p50: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    max: sorted.at(-1) ?? Number.NaN,
  }
}

/** A figure and the limit it is to keep. */
export interface Goal {
  readonly name: string
  readonly value: number
  readonly limit: number
  readonly isMet: boolean
}

/** @param limit the largest value that still meets the goal */
export function atMost(name: string, value: number, limit: number): Goal {
  return { name, value, limit, isMet: value <= limit }
}

/** Rows of text in columns; numbers to the right. */
export function columns(rows: readonly (readonly (string | number)[])[]): string {
  const texts = rows.map((row) => row.map((cell) => String(cell)))
  const width = (index: number): number => Math.max(...texts.map((row) => row[index]?.length ?? 0))
  const isNumber = (text: string): boolean => /^[-+]?[\d.]/.test(text)
  return texts
    .map((row) =>
      row
        .map((cell, i) => (isNumber(cell) ? cell.padStart(width(i)) : cell.padEnd(width(i))))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function versionOf(name: string): string {
  try {
    const manifest = readFileSync(join(import.meta.dirname, '..', 'node_modules', name, 'package.json'), 'utf8')
    return (JSON.parse(manifest) as { version: string }).version
  } catch {
    return 'absent'
  }
}
