/**
 * What stands behind the Redis door when there is an upstream: replies in memory, kept true by a tracking connection.
 *
 * Floor 5, room server. One tracking connection for all clients of this process.
 */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Engine } from '../flow/engine.ts'
import { ACCOUNT } from '../model/ledger.ts'
import { Coherence, COHERENCE_DEFAULTS } from '../resp/coherence.ts'
import { hashText } from '../resp/coherence-hash.ts'
import { HotKeys } from '../resp/coherence-touch.ts'
import { CommandTable } from '../resp/command-table.ts'
import { ReplyCache } from '../resp/reply-cache.ts'
import { ProxyShared } from '../resp/proxy-shared.ts'
import { Tracking, type TrackingState } from '../resp/tracking.ts'
import { REQUEST_LIMITS, type RequestLimits } from '../wire/resp-request.ts'
import type { Config } from './config-schema.ts'
import type { RespBack, RespDoorParts } from './resp-back.ts'
import { ProxyClient, type ProxyClientParts } from './resp-proxy-client.ts'
import type { RespSettings } from './resp-schema.ts'
import { followCounts } from './resp-metrics.ts'
import { memoryOf, yieldMemory } from './resp-memory.ts'
import { SlowDown } from './resp-slow-down.ts'
import { trackingPort } from './resp-tracking-socket.ts'
import { createUpstream } from './resp-upstream.ts'

/** Requests longer than this are passed on before they are whole. */
const LARGE_REQUEST_BYTES = 64 * 1024

/** @throws FC_OPTION_VALUE, FC_TLS_* */
export function createProxyBack(config: Config, { engine, logger }: RespDoorParts): RespBack {
  const settings = config.resp as RespSettings
  const { clock } = engine
  const random = Math.random
  const upstream = createUpstream(settings)
  const { maxStaleMs, causality } = settings
  const coherence = new Coherence({ ...COHERENCE_DEFAULTS, clock, maxStaleMs, causality, maxAgeMs: settings.maxAge })
  const hot = new HotKeys(random)
  const cache = createReplies(config, coherence, engine)
  const shared = new ProxyShared({
    ...{ coherence, cache, hot, now: () => clock.now(), maxReplyBytes: settings.maxReplyBytes },
    ownUser: upstream.login?.username || 'default',
    table: new CommandTable([]),
  })
  let place: string | undefined
  const tracking = new Tracking({
    ...{ coherence, clock, random, hot, prefixes: [] },
    username: upstream.login?.username || undefined,
    password: upstream.login?.password,
    port: trackingPort(upstream, (where) => {
      place = where
    }),
    onState: (state, reason) => {
      if (state === 'on') shared.cover(tracking.upstream?.table as CommandTable, place)
      tell(state, reason)
    },
  })
  const tell = (state: TrackingState, reason: string): void => {
    const said = { upstream: upstream.shown, ...(reason !== '' && { reason }) }
    if (state === 'on') logger.info(said, 'the upstream tells of every change: memory may answer')
    else if (state === 'refused') logger.warn(said, 'the upstream tells of no changes: nothing is answered from memory')
    else if (state === 'waiting') logger.warn(said, 'the tracking connection is gone: nothing is answered from memory')
  }
  const parts: ProxyClientParts = {
    ...{ shared, upstream, clock, slowDown: new SlowDown(clock) },
    limits: limitsOf(settings),
    connectMs: settings.limits.connectTimeout,
    idleMs: settings.limits.idleTimeout,
  }
  followCounts(engine.meter, shared.counts)
  const yielding = yieldMemory(cache, engine)
  return {
    login: upstream.login,
    get gauges() {
      return { isCovered: tracking.state === 'on', entries: cache.size, bytes: cache.bytes + coherence.bytes }
    },
    open: () => {
      tracking.open()
      return Promise.resolve()
    },
    accept: (socket: Socket) => new ProxyClient(socket, parts),
    forget: { key: (name) => coherence.invalidate(hashText(name)), all: () => coherence.invalidateAll() },
    refused: () => {
      shared.counts.refused += 1
    },
    close: () => {
      yielding.stop()
      tracking.close()
      return Promise.resolve()
    },
  }
}

/** Replies in memory, within what the door may hold and what the process can spare. */
function createReplies(config: Config, coherence: Coherence, { governor }: Engine): ReplyCache {
  const { maxReplyBytes } = config.resp as RespSettings
  const seed = randomBytes(8)
  const cache = new ReplyCache({
    ...{ coherence, maxReplyBytes, maxBytes: memoryOf(config) },
    seed: [seed.readInt32LE(0), seed.readInt32LE(4)],
    isShort: () => governor.mood === 'over',
  })
  governor.follow(ACCOUNT.resp, () => cache.bytes + coherence.bytes)
  return cache
}

function limitsOf({ limits }: RespSettings): RequestLimits {
  return {
    ...REQUEST_LIMITS,
    maxBulkBytes: limits.bulk,
    maxRequestBytes: limits.query,
    largeBytes: Math.min(LARGE_REQUEST_BYTES, limits.query),
  }
}
