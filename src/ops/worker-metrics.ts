/**
 * Metrics of the workers behind a supervisor, beside what they count together.
 *
 * Floor 4, room ops. Labelled by the worker's name, which is never used again: a series ends with its worker and never
 * goes backwards.
 */
import type { PrometheusContentType, Registry } from 'prom-client'
import { WORKER_ROWS } from '../model/metric.ts'
import type { Fleet } from './fleet.ts'
import type { FleetTotals } from './fleet-totals.ts'
import { addFamily, type Sample } from './prometheus.ts'

/** What is exposed. */
export interface WorkerMetricParts {
  readonly fleet: Fleet
  readonly totals: FleetTotals
}

/** @param prefix before each name */
export function exposeWorkers(registry: Registry<PrometheusContentType>, parts: WorkerMetricParts, prefix = 'forecache_'): void {
  const { fleet, totals } = parts
  const byWorker = (read: (usage: ReturnType<FleetTotals['usage']>[number]) => number) => (): Sample[] =>
    totals.usage().map((usage) => ({ labels: { worker: usage.worker }, value: read(usage) }))
  const add = (row: keyof typeof WORKER_ROWS, collect: () => Sample[]): void => {
    const { name, help, type } = WORKER_ROWS[row]
    addFamily(registry, { name: prefix + name, help, type }, collect)
  }
  add('listening', () => [{ labels: {}, value: fleet.workers().filter(({ state }) => state === 'listening').length }])
  add('replaced', () => [{ labels: {}, value: fleet.replaced }])
  add(
    'cpu',
    byWorker(({ cpuSeconds }) => cpuSeconds),
  )
  add(
    'resident',
    byWorker(({ residentBytes }) => residentBytes),
  )
}
