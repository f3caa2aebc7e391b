/**
 * The hook's counters over HTTP, on the loopback: `GET /v1/stats` as JSON, `GET /metrics` for Prometheus.
 *
 * Floor 5, room register. Only where FORECACHE_API asks for it. It does not keep the process alive, and a port that is
 * taken is told of once. Its module of Node is loaded when it is needed: NODE_OPTIONS reaches every process, short ones too.
 */
import type { ServerResponse } from 'node:http'
import type { Hub } from './hub.ts'
import type { HookStats } from './tally.ts'

/** Serves them from now on. */
export function serveStats(hub: Hub, { host, port }: { readonly host: string; readonly port: number }): void {
  const { createServer } = process.getBuiltinModule('node:http')
  const server = createServer({ requestTimeout: 5000 }, (request, response) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    const path = request.url?.split('?', 1)[0]
    if (!isRead) answer(response, 405, { type: 'text/plain', body: 'GET or HEAD\n' })
    else if (path === '/v1/stats') answer(response, 200, { type: 'application/json', body: `${JSON.stringify(hub.stats())}\n` })
    else if (path === '/metrics') answer(response, 200, { type: 'text/plain; version=0.0.4', body: metricsText(hub.stats()) })
    else answer(response, 404, { type: 'text/plain', body: 'known here: /v1/stats, /metrics\n' })
  })
  server.on('connection', (socket) => socket.unref())
  server.on('error', (error) => hub.warn(`FORECACHE_API: ${error.message}`))
  server.listen({ host, port })
  server.unref()
}

/** @returns the counters in Prometheus's text format */
export function metricsText(stats: HookStats): string {
  const { hits, waits, misses, evictions, entries, bytes } = stats
  const rows: readonly (readonly [name: string, type: string, value: number])[] = [
    ['hits_total', 'counter', hits],
    ['waits_total', 'counter', waits],
    ['misses_total', 'counter', misses],
    ['evictions_total', 'counter', evictions],
    ['entries', 'gauge', entries],
    ['bytes', 'gauge', bytes],
    ['upstreams_on', 'gauge', stats.upstreams.filter(({ state }) => state === 'on').length],
  ]
  return rows.map(([name, type, value]) => `# TYPE forecache_hook_${name} ${type}\nforecache_hook_${name} ${value}\n`).join('')
}

function answer(response: ServerResponse, status: number, { type, body }: { type: string; body: string }): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' })
  response.end(body)
}
