/**
 * What is counted at the Redis door, in the meter's words and as gauges.
 *
 * Floor 5, room server. Counters are read where they are counted, when somebody asks; nothing is copied before.
 */
import type { PrometheusContentType, Registry } from 'prom-client'
import type { Meter } from '../model/meter.ts'
import { type CounterName, RESP_ROWS } from '../model/metric.ts'
import { addFamily } from '../ops/prometheus.ts'
import type { ProxyCounts } from '../resp/proxy-shared.ts'

/** What is true of a door now. */
export interface RespGauges {
  readonly clients: number
  /** Whether memory may answer. */
  readonly isCovered: boolean
  /** Replies in memory, or keys where there is no upstream. */
  readonly entries: number
  readonly bytes: number
}

/** Counters of the front by what they are counted as. */
const FOLLOWED: Readonly<Partial<Record<CounterName, keyof ProxyCounts>>> = {
  respHits: 'hits',
  respMisses: 'misses',
  respPassed: 'passed',
  respReads: 'uncached',
  respWrites: 'writes',
  respBlocking: 'blocking',
  respState: 'state',
  respPiped: 'piped',
  respFenced: 'fenced',
  respRefused: 'refused',
  respBroken: 'broken',
  respUnreachable: 'unreachable',
  respLost: 'lost',
}

/** Lets the meter read what a front counts. */
export function followCounts(meter: Meter, counts: ProxyCounts): void {
  for (const [name, key] of Object.entries(FOLLOWED)) meter.follow(name as CounterName, () => counts[key as keyof ProxyCounts])
}

/** Adds the gauges. */
export function exposeGauges(registry: Registry<PrometheusContentType>, prefix: string, read: () => RespGauges): void {
  for (const [key, { name, help }] of Object.entries(RESP_ROWS)) {
    addFamily(registry, { name: prefix + name, help, type: 'gauge' }, () => [
      { labels: {}, value: Number(read()[key as keyof RespGauges]) },
    ])
  }
}
