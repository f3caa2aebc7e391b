/**
 * The hook, put together: one hub per thread, libraries wrapped as they are loaded, or one client by `wrap`.
 *
 * Floor 5, room register. Whatever is wrong with options, versions or servers is told of in one line and leaves the
 * application as it would be without.
 */
import { isMainThread } from 'node:worker_threads'
import { Hub } from './hub.ts'
import { arrive, wrapIoredis } from './ioredis.ts'
import { type IoRedis, LANE } from './ioredis-shape.ts'
import { type Loaded, watchModules } from './loader.ts'
import { wrapNodeRedis, wrapOne } from './node-redis.ts'
import type { NodeRedis } from './node-redis-shape.ts'
import { readSettings } from './options.ts'
import { serveStats } from './stats-server.ts'
import type { HookStats } from './tally.ts'

/** Majors that were read and tried. */
const KNOWN: Readonly<Record<Loaded['library'], readonly number[]>> = { ioredis: [5, 6], '@redis/client': [5, 6] }

let hub: Hub | undefined

/** The hub of this thread, made from the environment when it is first needed. */
export function hubHere(): Hub {
  if (hub === undefined) {
    hub = new Hub(readSettings(process.env, warn), warn)
    if (hub.settings.api !== undefined && isMainThread) serveStats(hub, hub.settings.api)
  }
  return hub
}

/** What the hook has done in this thread so far; undefined: no client was wrapped. */
export function statsHere(): HookStats | undefined {
  return hub?.stats()
}

/** Wraps every client of the libraries that are loaded from now on. */
export function register(): void {
  const settings = readSettings(process.env, () => undefined)
  if (!settings.isOn) return
  const isWatching = watchModules((library) => wrapLibrary(hubHere(), library), warn)
  if (!isWatching)
    warn(`Node ${process.versions.node} cannot be hooked: 22.15 or later is needed; wrap clients with forecache/redis`)
}

/** @param client of ioredis or node-redis, of any copy @returns why it is left alone, or undefined */
export function wrapClient(client: object): string | undefined {
  const here = hubHere()
  if (!here.settings.isOn) return 'FORECACHE_HOOK is off'
  if ('sendCommand' in client && 'setStatus' in client) return wrapOneIoredis(here, client as unknown as IoRedis)
  if ('_getQueue' in client && '_self' in client) return wrapOneNodeRedis(here, client as NodeRedis)
  return 'it is no client of ioredis 5 or 6 or of node-redis 5 or 6'
}

function wrapLibrary(here: Hub, { library, version, exports }: Loaded): void {
  const major = Number.parseInt(version, 10)
  if (!KNOWN[library].includes(major)) {
    here.warn(`${library} ${version} is left alone: known here are ${KNOWN[library].join(' and ')}`)
    return
  }
  const made = exports['default'] as { prototype?: unknown } | undefined
  const prototype = made?.prototype
  if (typeof prototype !== 'object' || prototype === null) throw new Error('its class is not where it was')
  const why = library === 'ioredis' ? wrapIoredis(here, prototype as IoRedis) : wrapNodeRedis(here, prototype as NodeRedis, major)
  if (why !== undefined) here.warn(`${library} ${version} is left alone: ${why}`)
}

function wrapOneIoredis(here: Hub, client: IoRedis): string | undefined {
  if (client['isCluster'] === true) return 'objects of Cluster are left alone'
  const why = wrapIoredis(here, rootOf(client, 'setStatus') as IoRedis, client)
  if (why === undefined && client.status === 'ready' && client[LANE] === undefined) arrive(here, client)
  return why
}

function wrapOneNodeRedis(here: Hub, client: NodeRedis): string | undefined {
  if (client.isReady)
    return 'wrap a client of node-redis before it connects: what its connection has selected cannot be seen later'
  const major = '_keyPrefix' in client ? 6 : 5
  return wrapOne(here, client._self, { prototype: rootOf(client, '_getQueue') as NodeRedis, major })
}

/** The prototype that brings a method in. */
function rootOf(client: object, method: string): object {
  let at: object = client
  while (!Object.hasOwn(at, method)) {
    const up = Object.getPrototypeOf(at) as object | null
    if (up === null) return client
    at = up
  }
  return at
}

function warn(text: string): void {
  process.emitWarning(text, { type: 'ForecacheWarning', code: 'FC_REGISTER' })
}
