/**
 * nginx with proxy_cache: as Debian ships it and guides write it, and tuned for hits.
 *
 * One worker in both, since there is one core. Tuned: no access log, cached file descriptors, cache files in memory,
 * connections kept for good, no sendfile (for small bodies it is one more system call; measured faster without).
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Peer, type PeerStart, roomOf, startOn } from './peer.ts'

const needs = { command: 'nginx', package: 'nginx-light' }
const hit = (fields: Headers): boolean => fields.get('x-cache-status') === 'HIT'

export const NGINX: Peer = {
  name: 'nginx',
  needs,
  hit,
  compresses: true,
  start: (given) => start('nginx', given, false),
}

export const NGINX_TUNED: Peer = {
  name: 'nginx tuned',
  needs,
  hit,
  compresses: true,
  start: (given) => start('nginx tuned', given, true),
}

async function start(name: string, given: PeerStart, tuned: boolean): ReturnType<Peer['start']> {
  const room = roomOf(given.directory, name)
  const cache = roomOf(tuned ? given.memory : given.directory, `${name}-cache`)
  mkdirSync(join(room, 'temp'), { recursive: true })
  return startOn(name, (port) => {
    const file = join(room, 'nginx.conf')
    writeFileSync(file, configOf({ port, room, cache, originPort: given.originPort, tuned }))
    return ['nginx', '-p', room, '-c', file, '-e', join(room, 'error.log')]
  })
}

/** Descriptors that may stay open: three quarters of what the system lets a process have, or nginx can accept nobody. */
function openFiles(): number {
  const limit = /Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  return Math.min(300_000, Math.floor(Number(limit ?? 1024) * 0.75))
}

interface Parts {
  readonly port: number
  readonly room: string
  readonly cache: string
  readonly originPort: number
  readonly tuned: boolean
}

function configOf({ port, room, cache, originPort, tuned }: Parts): string {
  const root = process.getuid?.() === 0 ? 'user root;' : ''
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((one) => `${one}_temp_path ${join(room, 'temp', one)};`)
  const proxy = `proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
      proxy_cache bench; proxy_cache_lock on; add_header X-Cache-Status $upstream_cache_status;`
  return `${root} daemon off; worker_processes 1; pid ${join(room, 'nginx.pid')};
events { worker_connections ${tuned ? 4096 : 768}; ${tuned ? 'multi_accept on;' : ''} }
http {
  ${temp.join(' ')}
  tcp_nopush on; types_hash_max_size 2048; default_type application/octet-stream;
  sendfile ${tuned ? 'off' : 'on'};
  access_log ${tuned ? 'off' : join(room, 'access.log')};
  ${
    tuned
      ? `keepalive_requests 1000000000; open_file_cache max=${openFiles()} inactive=1h; open_file_cache_valid 1h; open_file_cache_min_uses 1;`
      : ''
  }
  proxy_cache_path ${cache} levels=1:2 keys_zone=bench:64m max_size=4g inactive=1h use_temp_path=off;
  upstream origin { server 127.0.0.1:${originPort}; keepalive 32; }
  server {
    listen 127.0.0.1:${port}${tuned ? ' backlog=1024' : ''};
    location / { ${proxy} }
    location /z/ { gzip on; gzip_proxied any; gzip_vary on; gzip_types application/json; ${proxy} }
  }
}
`
}
