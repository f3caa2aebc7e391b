/**
 * A reading of the origin under way: what it reads, and as of which position of the log.
 *
 * Floor 3, room flow. Opened before the first byte is asked for; judged by the fence when it wants to be kept.
 */
import type { AdaptiveSettings } from './adaptive-options.ts'
import type { Again } from './ahead.ts'
import type { WarmAgain } from './warm-parts.ts'
import type { Way } from '../model/audit.ts'
import type { Clock } from '../model/clock.ts'
import type { Position } from '../model/entry.ts'
import { DEFAULT_ROUTE, type RouteId } from '../model/meter.ts'
import type { Fence } from '../tier/fence.ts'

/** See the module's header. */
export interface Fill {
  readonly key: string
  readonly namespace: number
  /** Tags known before the answer. */
  readonly tags: readonly string[]
  /** Small integer of the route that asked, for what is counted. */
  readonly route: RouteId
  /** Horizon when the reading began, set back by the origin's lag. */
  readonly asOf: Position
  /** `clock.now()` when the reading began: the budget counts from here. */
  readonly startedAt: number
  /** Where the shared log was then; absent: it is not for the second level. */
  readonly shared?: SharedStamp
  /** Set where the fill is a plain write. */
  readonly write?: WriteMark
  /** How it reads; default: a load. */
  readonly way?: Way
  /** How it can be read again by itself; absent: it is not refreshed ahead. */
  readonly again?: Again
  /** How it can be asked for at any time; absent: it is not warmed. */
  readonly warm?: WarmAgain
  /** Its fresh window may be chosen, and its route taken out of the cache; absent: neither. */
  readonly adaptive?: AdaptiveSettings
  /** The same reading was stored before, in another form. */
  readonly repeats?: boolean
}

/** A plain write under way: what it has put. */
export interface WriteMark {
  value: unknown
}

/** A place of the log that is shared with others. */
export interface SharedStamp {
  readonly generation: string
  readonly asOf: Position
}

/** What a fill is for. */
export interface FillTarget {
  readonly namespace?: number
  readonly tags?: readonly string[]
  /** Default: the default route. */
  readonly route?: RouteId
  /** It stays in memory: the second level is not for it. */
  readonly memoryOnly?: boolean
  /** How it reads; default: a load. */
  readonly way?: Way
  /** How it can be read again by itself; default: it cannot. */
  readonly again?: Again | undefined
  /** How it can be asked for at any time; default: it cannot. */
  readonly warm?: WarmAgain | undefined
  /** Default: what is promised is kept to the letter. */
  readonly adaptive?: AdaptiveSettings | undefined
}

const NO_TAGS: readonly string[] = []

/**
 * @param originLagMs how far the origin's replicas may lag behind an invalidation: those of this last while count as
 *   coming after the reading
 */
export function openFill(parts: { fence: Fence; clock: Clock; originLagMs: number }, key: string, target: FillTarget = {}): Fill {
  const { fence, clock, originLagMs } = parts
  const startedAt = clock.now()
  return {
    key,
    namespace: target.namespace ?? 0,
    tags: target.tags ?? NO_TAGS,
    route: target.route ?? DEFAULT_ROUTE,
    asOf: originLagMs > 0 ? fence.horizonAt(startedAt - originLagMs) : fence.horizon,
    startedAt,
    ...(target.way === undefined ? {} : { way: target.way }),
    ...(target.again === undefined ? {} : { again: target.again }),
    ...(target.warm === undefined ? {} : { warm: target.warm }),
    ...(target.adaptive === undefined ? {} : { adaptive: target.adaptive }),
  }
}
