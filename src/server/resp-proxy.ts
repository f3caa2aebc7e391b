/**
 * What stands behind the Redis door when there is an upstream: replies in memory, kept true by a tracking connection.
 *
 * Floor 5, room server. One tracking connection for all clients of this process.
 */
import { REQUEST_LIMITS, type RequestLimits } from '../wire/resp-limits.ts'
import type { Config } from './config-schema.ts'
import type { RespBack, RespDoorParts } from './resp-back.ts'
import { memoryOf, yieldMemory } from './resp-memory.ts'
import { mountProxy } from './resp-mount.ts'
import { followCounts } from './resp-metrics.ts'
import { ProxyClient, type ProxyClientParts } from './resp-proxy-client.ts'
import type { RespSettings } from './resp-schema.ts'
import { SlowDown } from './resp-slow-down.ts'
import { createTracked } from './resp-tracked.ts'
import { createUpstream } from './resp-upstream.ts'

/** Requests longer than this are passed on before they are whole. */
const LARGE_REQUEST_BYTES = 64 * 1024

/** @throws FC_OPTION_VALUE, FC_TLS_* */
export function createProxyBack(config: Config, { engine, logger }: RespDoorParts): RespBack {
  const settings = config.resp as RespSettings
  const { clock, governor, meter } = engine
  const upstream = createUpstream(settings)
  const { coherence, cache, shared, tracking } = createTracked({
    ...{ settings, upstream, clock, logger, maxBytes: memoryOf(config) },
    isShort: () => governor.mood === 'over',
  })
  const parts: ProxyClientParts = {
    ...{ shared, upstream, clock, slowDown: new SlowDown(clock), limits: limitsOf(settings) },
    connectMs: settings.limits.connectTimeout,
    idleMs: settings.limits.idleTimeout,
  }
  followCounts(meter, shared.counts)
  let overflows = 0
  meter.follow('respOverflows', () => overflows)
  const yielding = yieldMemory(cache, engine)
  let endMount: (() => void) | undefined
  return {
    get gauges() {
      return { isCovered: tracking.state === 'on', entries: cache.size, bytes: cache.bytes + coherence.bytes }
    },
    get heldBytes() {
      return cache.bytes + coherence.bytes
    },
    open: () => {
      tracking.open()
      return Promise.resolve()
    },
    accept: (socket) => new ProxyClient(socket, parts),
    mount: (accept) => {
      const { mount, close } = mountProxy(accept, { settings, upstream, clock, shared })
      endMount = close
      return mount
    },
    refused: () => {
      shared.counts.refused += 1
    },
    overflowed: () => {
      overflows += 1
    },
    close: () => {
      endMount?.()
      yielding.stop()
      tracking.close()
      return Promise.resolve()
    },
  }
}

function limitsOf({ limits }: RespSettings): RequestLimits {
  return {
    ...REQUEST_LIMITS,
    maxBulkBytes: limits.bulk,
    maxRequestBytes: limits.query,
    largeBytes: Math.min(LARGE_REQUEST_BYTES, limits.query),
  }
}
