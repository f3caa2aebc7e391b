/** Prints docs/reference/metrics.md from src/model/metric.ts. */
import { BOUNDS_SECONDS } from '../../src/model/histogram.ts'
import {
  COUNTER_ROWS,
  type CounterRow,
  GAUGE_ROWS,
  HISTOGRAM_ROWS,
  LEADER_ROWS,
  RESP_ROWS,
  WORKER_ROWS,
} from '../../src/model/metric.ts'
import { code, page, table } from './table.ts'

const PREFIX = 'forecache_'

/** @returns the page */
export function printMetrics(): string {
  return page('Metrics', [
    'Served at `GET /metrics` of the `api` port in the Prometheus text format. ' +
      "The option `prefix: ''` gives the names without `forecache_`. Names are part of the public contract: rows may be added, none is renamed. " +
      'Only what is measured is exposed.',
    '## Histograms',
    `Labels \`cached\`, \`stale\` (\`true\` or \`false\`) and \`route\`. Bounds in seconds: ${BOUNDS_SECONDS.join(', ')}. ` +
      'Counts at a bound are exact; 0.015 is the target of a cached answer.',
    table(
      ['name', 'meaning'],
      Object.values(HISTOGRAM_ROWS).map(({ name, help }) => [code(PREFIX + name), help]),
    ),
    '## Counters',
    table(['name', 'labels', 'meaning'], counterRows()),
    '## Gauges',
    table(
      ['name', 'meaning'],
      Object.values(GAUGE_ROWS).map(({ name, help }) => [code(PREFIX + name), help]),
    ),
    '## Redis door',
    'Gauges of an instance with the section `resp`; its counters stand above.',
    table(
      ['name', 'meaning'],
      Object.values(RESP_ROWS).map(({ name, help }) => [code(PREFIX + name), help]),
    ),
    '## Leadership',
    'Gauges of an instance with a [scaler](../guide/scale-out.md).',
    table(
      ['name', 'meaning'],
      Object.values(LEADER_ROWS).map(({ name, help }) => [code(PREFIX + name), help]),
    ),
    '## Workers',
    'Only with `workers` above 1. All other metrics are sums over the workers and their supervisor; what a worker counted that has ended is kept.',
    table(
      ['name', 'labels', 'meaning'],
      Object.values(WORKER_ROWS).map(({ name, labels, help }) => [code(PREFIX + name), labels, help]),
    ),
    '## Targets',
    table(
      ['target', 'query'],
      [
        [
          'cached answers within 15 ms, 99 of 100',
          code(
            'sum(rate(forecache_cache_request_seconds_bucket{cached="true",le="0.015"}[5m])) / sum(rate(forecache_cache_request_seconds_count{cached="true"}[5m])) > 0.99',
          ),
        ],
        [
          'stale answers under 5 %',
          code('sum(rate(forecache_cache_stale_serves_total[5m])) / sum(rate(forecache_cache_request_seconds_count[5m])) < 0.05'),
        ],
        [
          'failed refreshes under 0.1 %',
          code('sum(rate(forecache_cache_refresh_failures_total[5m])) / sum(rate(forecache_cache_refreshes_total[5m])) < 0.001'),
        ],
      ],
    ),
    '## Effective hit rate',
    'Every cacheable request counts exactly one of hits, stale serves, reserve serves and misses. The hit rate is hits over their sum; ' +
      'the effective hit rate counts stale and reserve serves too: the share of requests that did not wait for the origin. ' +
      'Requests sent past the cache (`passes`) are in neither. Routes above 1,024 are counted as `(other)`.',
  ])
}

function counterRows(): string[][] {
  const families = new Map<string, CounterRow[]>()
  for (const row of Object.values(COUNTER_ROWS)) families.set(row.name, [...(families.get(row.name) ?? []), row])
  return [...families].map(([name, rows]) => [code(PREFIX + name), labelsOf(rows), (rows[0] as CounterRow).help])
}

function labelsOf(rows: readonly CounterRow[]): string {
  const fixed = new Map<string, Set<string>>()
  for (const { labels = {} } of rows) {
    for (const [label, value] of Object.entries(labels)) fixed.set(label, (fixed.get(label) ?? new Set()).add(value))
  }
  const named = [...fixed].map(([label, values]) => `${code(label)}: ${[...values].join(', ')}`)
  return [...((rows[0] as CounterRow).perRoute ? ['`route`'] : []), ...named].join('; ') || '–'
}
