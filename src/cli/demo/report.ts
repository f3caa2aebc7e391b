/**
 * The demo's report: the waterfall, the load, where to look and what to try.
 *
 * Floor 6, room cli.
 */
import { row } from '../bench.ts'
import { renderTable } from '../io.ts'
import type { LoadReport } from '../load.ts'
import type { DemoMeasured, Places } from './measure.ts'
import { drawWaterfall } from './waterfall.ts'

/** Everything that was measured, and where. */
export interface DemoReport extends DemoMeasured {
  readonly places: Places
}

/** As text for a terminal of 100 columns. */
export function describeReport({ places, waterfall, load }: DemoReport): string {
  const { count: without } = waterfall.without.total
  const { count: cached } = waterfall.with.total
  const classes = ['cached', 'stale', 'uncached'].filter((name) => load.classes[name] !== undefined)
  const rows = [
    ['answers', 'count', 'share', 'p50', 'p95', 'p99', 'max'],
    ...classes.map((name) => row(name, load.classes[name] as LoadReport['all'], load.requests)),
  ]
  return [
    `GET ${waterfall.path} over HTTP, one client, in turns: ${without} × without, ${cached} × with`,
    '',
    drawWaterfall(waterfall),
    '',
    `Load: ${load.clients} clients for ${load.seconds.toFixed(1)} s, closed loop, Zipf products, from an empty cache; ${load.perSecond.toFixed(0)} answers/s`,
    '',
    renderTable(rows).replace(/^/gm, '  '),
    ...describeFailures(load),
    '',
    '  stale: every 4 s all products are made stale, as an import would; each is answered at once and refreshed behind',
    '  uncached: first requests, reloads with no-cache, private answers; they queue for one database',
    '',
    describePlaces(places),
    '',
  ].join('\n')
}

function describeFailures(load: LoadReport): string[] {
  const failures = Object.entries(load.failures).map(([reason, count]) => `${reason} × ${count}`)
  return failures.length === 0 ? [] : [`  without an answer: ${failures.join(', ')}`]
}

function describePlaces({ gateway, api, shop }: Places): string {
  return [
    'Addresses',
    `  gateway  ${gateway}`,
    `  api      ${api}  (administration; /metrics, /v1/stats)`,
    `  shop     ${shop}  (without forecache)`,
    '',
    'Try',
    '  # twice: X-Cache says MISS, then HIT; the flash deal is never cached past its end',
    `  curl -si ${gateway}/api/quote/42`,
    '  # a new price: the answer comes when the cache has dropped what it changes; read again and see',
    `  curl -si -X PUT -H 'cookie: session=demo' -d '{"price":999}' ${gateway}/api/products/42`,
    '  # why an answer is what it is',
    `  curl -s '${api}/v1/explain?url=/api/quote/42'`,
  ].join('\n')
}
