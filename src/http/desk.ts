/**
 * What all visits of a door share, made of its options.
 *
 * Floor 4, room http.
 */
import type { Engine } from '../flow/engine.ts'
import type { PrefetchSection } from '../flow/prefetch-options.ts'
import { ForecacheError } from '../model/errors.ts'
import type { OriginPort } from '../model/exchange.ts'
import type { Press } from '../wire/press.ts'
import type { CompressInput } from './compression.ts'
import { againFor } from './again.ts'
import { createForesight } from './foresight.ts'
import { createHolding } from './holding.ts'
import { createOwnPress } from './own-press.ts'
import { DEFAULT_LIMITS, resolvePolicies, type RoutesInput } from './policy.ts'
import { PROFILES, type ProfileName } from './profile.ts'
import { encodeStored } from './stored-codec.ts'
import type { Desk } from './visit.ts'
import { askByWords, warmFor } from './warm.ts'

/** Options of a door. */
export interface DeskOptions {
  readonly engine: Engine
  /** Default `safe`. */
  readonly profile?: ProfileName
  /** Route policies; checked here. */
  readonly routes?: RoutesInput
  /** Defaults of routes that set none, see DEFAULT_LIMITS; `laggardMs` (10 s): a reader that holds others up is cut off. */
  readonly limits?: Partial<typeof DEFAULT_LIMITS> & { readonly laggardMs?: number }
  /** Name in Cache-Status; default `forecache`. */
  readonly cacheName?: string
  /** Other codings of stored responses, on routes that say nothing of it; default: none are made. */
  readonly compress?: CompressInput
  /** Where they are made; default: a press of this door's own. */
  readonly press?: Press
  /** What is prefetched, and for whom; default: nothing is. Takes `origin`. */
  readonly prefetch?: PrefetchSection | undefined
  /** Whom the audit asks about hits that came without one; default: the origin of the request itself. */
  readonly origin?: OriginPort
}

/** @throws FC_OPTION_* for bad routes or an unknown profile */
export function createDesk(options: DeskOptions): Desk {
  const {
    engine,
    profile = 'safe',
    routes = [],
    limits: { laggardMs = 10_000, ...limits } = {},
    cacheName = 'forecache',
    compress = false,
    press = createOwnPress(engine),
  } = options
  if (!Object.hasOwn(PROFILES, profile)) {
    throw new ForecacheError('FC_OPTION_VALUE', {
      name: 'profile',
      reason: `expected ${Object.keys(PROFILES).join(' or ')}, given ${profile}`,
    })
  }
  const { contexts, refreshAhead, warming, adaptive } = engine.settings
  const except = engine.settings.l2?.except ?? []
  const own = { limits: { ...DEFAULT_LIMITS, ...limits }, compress, prefetch: ofAll(options) }
  const background = { refreshAhead, warming: warming !== undefined }
  const policies = resolvePolicies(routes, { ...own, ...background, contexts, except, adaptive })
  engine.second?.teach(encodeStored)
  const desk: Desk = {
    engine,
    policies,
    cacheName,
    laggardMs,
    press,
    origin: options.origin,
    again: againFor,
    warm: warmFor,
    foresight: options.origin && createForesight(engine, policies, options.prefetch),
    recodes: policies.all.some((policy) => policy.compress !== undefined),
    profile: PROFILES[profile],
    holding: createHolding(engine),
    routes: policies.all.map((policy) => engine.meter.route(policy.name)),
  }
  if (options.origin !== undefined) engine.warming.teach((words) => askByWords(desk, words))
  return desk
}

/** What routes get that say nothing of it. */
function ofAll({ prefetch }: DeskOptions): PrefetchSection | undefined {
  return prefetch?.routes === 'all' ? prefetch : undefined
}
