import { Counter, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { createCache } from '../../../src/flow/cache.ts'
import { createMeter, type Meter, seriesOf } from '../../../src/model/meter.ts'
import { COUNTER, HISTOGRAM } from '../../../src/model/metric.ts'
import { createVirtualClock, settle } from '../../../src/model/virtual-clock.ts'
import { exposeMetrics } from '../../../src/ops/prometheus.ts'
import { parsePrometheusText } from '../../support/prometheus-text.ts'

const MEMORY = { size: 7, bytes: 4096, maxBytes: 1 << 20 }

/** The public names: changing this list is a change of the contract. */
const NAMES = [
  'audit_checks_total counter',
  'audit_real_staleness_seconds histogram',
  'cache_adaptive_windows_total counter',
  'cache_ahead_refreshes_total counter',
  'cache_blind_seconds_total counter',
  'cache_bytes gauge',
  'cache_coalesced_total counter',
  'cache_compared_seconds_total counter',
  'cache_compared_total counter',
  'cache_demoted_total counter',
  'cache_effective_hit_ratio gauge',
  'cache_entries gauge',
  'cache_evictions_total counter',
  'cache_expirations_total counter',
  'cache_fenced_total counter',
  'cache_hit_seconds histogram',
  'cache_hits_total counter',
  'cache_invalidations_total counter',
  'cache_max_bytes gauge',
  'cache_misses_total counter',
  'cache_origin_failures_total counter',
  'cache_origin_requests_total counter',
  'cache_passes_total counter',
  'cache_prefetch_abandoned_total counter',
  'cache_prefetch_dropped_rules_total counter',
  'cache_prefetch_pauses_total counter',
  'cache_prefetch_requests_total counter',
  'cache_refresh_failures_total counter',
  'cache_refreshes_total counter',
  'cache_refused_total counter',
  'cache_request_seconds histogram',
  'cache_reserve_serves_total counter',
  'cache_revalidations_total counter',
  'cache_stale_serves_total counter',
  'cache_staleness_seconds histogram',
  'cache_staleness_violations_total counter',
  'cache_unkept_total counter',
  'cache_warm_holds_total counter',
  'cache_warm_loads_total counter',
  'cache_warm_outcomes_total counter',
  'cache_warm_switched_off_total counter',
  'l2_queue_bytes gauge',
  'l2_reads_total counter',
  'l2_up gauge',
  'l2_writes_total counter',
  'lane_requests_total counter',
  'lease_losses_total counter',
  'lease_questions_total counter',
  'lease_resumes_total counter',
  'lease_waits_total counter',
  'link_blind_total counter',
  'link_failures_total counter',
  'link_proofs_total counter',
  'link_records_total counter',
  'link_renewed_total counter',
  'memory_base_bytes gauge',
  'memory_effective_bytes gauge',
  'memory_ledger_bytes gauge',
  'memory_limit_bytes gauge',
  'memory_rss_bytes gauge',
  'memory_sheds_total counter',
  'registry_beats_total counter',
  'resp_commands_total counter',
  'resp_connections_total counter',
  'resp_fenced_total counter',
  'resp_refused_total counter',
  'scaler_orders_total counter',
  'snapshot_writes_total counter',
  'variants_failed_total counter',
  'variants_made_total counter',
  'variants_saved_bytes_total counter',
  'variants_shed_total counter',
  'warmed_entries_total counter',
]

function busyMeter(): Meter {
  const meter = createMeter()
  const route = meter.route('quote "v2"\\\n')
  meter.count(COUNTER.hits, route)
  meter.count(COUNTER.invalidatedTags)
  meter.observe(HISTOGRAM.request, 0.0004, seriesOf(route, true, false))
  meter.observe(HISTOGRAM.request, 0.02, seriesOf(route, true, true))
  meter.observe(HISTOGRAM.request, 120, seriesOf(0, false, false))
  return meter
}

describe('prometheus: the meter exposed through a registry', () => {
  it('keeps the names of the contract', async () => {
    const families = parsePrometheusText(await exposeMetrics({ meter: createMeter(), memory: MEMORY }).metrics())

    expect([...families.values()].map(({ name, type }) => `${name} ${type}`).sort()).toEqual(
      NAMES.map((name) => `forecache_${name}`),
    )
  })

  it('writes text that a strict reader takes, label values escaped', async () => {
    const families = parsePrometheusText(await exposeMetrics({ meter: busyMeter(), memory: MEMORY }).metrics())

    const hits = families.get('forecache_cache_hits_total')?.samples
    expect(hits).toContainEqual({ name: 'forecache_cache_hits_total', labels: { route: 'quote "v2"\\\n' }, value: 1 })
    expect(families.get('forecache_cache_entries')?.samples[0]?.value).toBe(7)
  })

  it('labels histograms cached, stale and route, with the 15 ms target as a bound', async () => {
    const families = parsePrometheusText(await exposeMetrics({ meter: busyMeter(), memory: MEMORY }).metrics())

    const at15 = families.get('forecache_cache_request_seconds')?.samples.filter((sample) => sample.labels['le'] === '0.015')
    expect(at15?.map(({ labels, value }) => [labels['cached'], labels['stale'], value])).toEqual([
      ['false', 'false', 0],
      ['true', 'false', 1],
      ['true', 'true', 0],
    ])
  })

  it('counts invalidations by kind in one family', async () => {
    const families = parsePrometheusText(await exposeMetrics({ meter: busyMeter(), memory: MEMORY }).metrics())

    const byKind = families
      .get('forecache_cache_invalidations_total')
      ?.samples.map(({ labels, value }) => [labels['kind'], value])
    expect(byKind).toEqual([
      ['key', 0],
      ['tag', 1],
      ['prefix', 0],
      ['namespace', 0],
      ['all', 0],
    ])
  })

  it('gives the bare names on request', async () => {
    const families = parsePrometheusText(await exposeMetrics({ meter: busyMeter(), memory: MEMORY }, { prefix: '' }).metrics())

    for (const name of ['cache_hit_seconds', 'cache_stale_serves_total', 'cache_refresh_failures_total']) {
      expect(families.has(name)).toBe(true)
    }
  })

  it('joins a registry that is there already, and adds the process on request', async () => {
    const registry = new Registry()
    const own = new Counter({ name: 'orders_total', help: 'Orders taken.', registers: [registry] })
    own.inc()

    exposeMetrics({ meter: busyMeter(), memory: MEMORY }, { registry, process: true })
    const families = parsePrometheusText((await registry.metrics()).replaceAll(/^.*nodejs_.*\n/gm, ''))

    expect(families.get('orders_total')?.samples[0]?.value).toBe(1)
    expect(families.has('process_cpu_seconds_total')).toBe(true)
    registry.clear()
  })

  it('reads the numbers at each scrape', async () => {
    const meter = createMeter()
    const registry = exposeMetrics({ meter, memory: MEMORY })
    await registry.metrics()

    meter.count(COUNTER.misses)
    const families = parsePrometheusText(await registry.metrics())
    expect(families.get('forecache_cache_misses_total')?.samples).toEqual([
      { name: 'forecache_cache_misses_total', labels: { route: 'default' }, value: 1 },
    ])
  })
})

describe('prometheus: what one route costs', () => {
  it('counts loads, failures and failed refreshes under the route that asked', async () => {
    const clock = createVirtualClock()
    const cache = createCache({ clock, contexts: { quote: { fresh: '1s', stale: '1m' } }, backoff: { first: 0 } })
    await cache.fetch('k', { context: 'quote' }, async () => 1)
    clock.advance(2000)
    await cache.fetch('k', { context: 'quote' }, () => Promise.reject(new Error('down')))
    await settle()

    const families = parsePrometheusText(await exposeMetrics(cache.engine).metrics())

    for (const [name, count] of [
      ['origin_requests', 2],
      ['origin_failures', 1],
      ['refreshes', 1],
      ['refresh_failures', 1],
      ['stale_serves', 1],
    ] as const) {
      const sample = families.get(`forecache_cache_${name}_total`)?.samples.find(({ labels }) => labels['route'] === 'quote')
      expect([name, sample?.value]).toEqual([name, count])
    }
    await cache.close()
  })
})
