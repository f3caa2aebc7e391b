/**
 * Varnish and HAProxy, each with what one core can use.
 *
 * Varnish: entries in memory (malloc), one pool of threads; its shared-memory log stays on, as nobody runs it without.
 * HAProxy: its cache, one thread, no access log (its default).
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Peer, roomOf, startOn } from './peer.ts'

export const VARNISH: Peer = {
  name: 'varnish',
  needs: { command: 'varnishd', package: 'varnish' },
  hit: (fields) => /^\d+ \d+$/.test(fields.get('x-varnish') ?? ''), // two ids: this request's and the one that filled it
  compresses: true,
  async start({ originPort, memory }) {
    const room = roomOf(memory, 'varnish')
    const vcl = join(room, 'bench.vcl')
    const gzip = 'sub vcl_backend_response { if (bereq.url ~ "^/z/") { set beresp.do_gzip = true; } }'
    writeFileSync(vcl, `vcl 4.1;\nbackend default { .host = "127.0.0.1"; .port = "${originPort}"; }\n${gzip}\n`)
    return startOn('varnish', (port) => [
      ...['varnishd', '-F', '-j', 'none', '-n', join(room, 'work'), '-f', vcl, '-a', `127.0.0.1:${port}`],
      ...['-s', 'malloc,2g', '-p', 'thread_pools=1', '-p', 'thread_pool_min=80', '-p', 'thread_pool_max=400'],
    ])
  },
}

export const HAPROXY: Peer = {
  name: 'haproxy',
  needs: { command: 'haproxy', package: 'haproxy' },
  hit: (fields) => fields.get('x-cache') === 'HIT',
  async start({ originPort, directory }) {
    const file = join(roomOf(directory, 'haproxy'), 'haproxy.cfg')
    return startOn('haproxy', (port) => {
      writeFileSync(
        file,
        `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
cache bench
  total-max-size 1024
  max-object-size 65536
  max-age 86400
frontend front
  bind 127.0.0.1:${port}
  http-request cache-use bench
  http-response cache-store bench
  http-response set-header X-Cache HIT if { res.cache_hit }
  default_backend back
backend back
  server origin 127.0.0.1:${originPort}
`,
      )
      return ['haproxy', '-f', file]
    })
  },
}
