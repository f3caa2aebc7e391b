/**
 * What is known of an upstream and kept of its replies: coherence, the cache, and the tracking connection that feeds them.
 *
 * Floor 5, room server.
 */
import { randomBytes } from 'node:crypto'
import type { Logger } from '../model/port.ts'
import { Coherence, COHERENCE_DEFAULTS } from '../resp/coherence.ts'
import { HotKeys } from '../resp/coherence-touch.ts'
import { CommandTable } from '../resp/command-table.ts'
import { ProxyShared } from '../resp/proxy-shared.ts'
import { ReplyCache } from '../resp/reply-cache.ts'
import { Tracking, type TrackingState } from '../resp/tracking.ts'
import type { Clock } from '../model/clock.ts'
import type { RespSettings } from './resp-schema.ts'
import { trackingPort } from './resp-tracking-socket.ts'
import type { Upstream } from './resp-upstream.ts'

/** What it is made of. */
export interface TrackedParts {
  readonly settings: RespSettings
  readonly upstream: Upstream
  readonly clock: Clock
  readonly logger: Logger
  /** Bytes that replies may take. */
  readonly maxBytes: number
  /** Memory is so short that nothing more is to be kept. */
  readonly isShort: () => boolean
}

/** See the module's header. */
export interface Tracked {
  readonly coherence: Coherence
  readonly cache: ReplyCache
  readonly shared: ProxyShared
  readonly tracking: Tracking
}

/** Nothing is connected before `tracking.open()`. */
export function createTracked(parts: TrackedParts): Tracked {
  const { settings, upstream, clock, maxBytes, isShort } = parts
  const { maxStaleMs, causality, maxReplyBytes } = settings
  const random = Math.random
  const seed = randomBytes(8)
  const coherence = new Coherence({ ...COHERENCE_DEFAULTS, clock, maxStaleMs, causality, maxAgeMs: settings.maxAge })
  const cache = new ReplyCache({
    ...{ coherence, maxReplyBytes, maxBytes, isShort },
    seed: [seed.readInt32LE(0), seed.readInt32LE(4)],
  })
  const hot = new HotKeys(random)
  const user = upstream.login?.username || undefined
  const shared = new ProxyShared({
    ...{ coherence, cache, hot, now: () => clock.now(), maxReplyBytes },
    ownUser: user ?? 'default',
    table: new CommandTable([]),
  })
  let place: string | undefined
  const tracking: Tracking = new Tracking({
    ...{ coherence, clock, random, hot, prefixes: [] },
    username: user,
    password: upstream.login?.password,
    port: trackingPort(upstream, (where) => {
      place = where
    }),
    onState: (state, reason) => {
      if (state === 'on' && tracking.upstream !== undefined) shared.cover(tracking.upstream.table, place)
      tell(parts, state, reason)
    },
  })
  return { coherence, cache, shared, tracking }
}

function tell({ upstream, logger }: TrackedParts, state: TrackingState, reason: string): void {
  const said = { upstream: upstream.shown, ...(reason !== '' && { reason }) }
  if (state === 'on') logger.info(said, 'the upstream tells of every change: memory may answer')
  else if (state === 'refused') logger.warn(said, 'the upstream tells of no changes: nothing is answered from memory')
  else if (state === 'waiting') logger.warn(said, 'the tracking connection is gone: nothing is answered from memory')
}
