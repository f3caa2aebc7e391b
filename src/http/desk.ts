/**
 * What all visits of a door share, made of its options.
 *
 * Floor 4, room http.
 */
import { availableParallelism } from 'node:os'
import type { Engine } from '../flow/engine.ts'
import { ForecacheError } from '../model/errors.ts'
import type { OriginPort } from '../model/exchange.ts'
import { ACCOUNT } from '../model/ledger.ts'
import { Press } from '../wire/press.ts'
import type { CompressInput } from './compression.ts'
import { againFor } from './again.ts'
import { createHolding } from './holding.ts'
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
  /** Whom the audit asks about hits that came without one; default: the origin of the request itself. */
  readonly origin?: OriginPort
}

const MIN_PRESS_BYTES = 4 * 1024 * 1024
const MAX_PRESS_BYTES = 32 * 1024 * 1024

/** @throws FC_OPTION_* for bad routes or an unknown profile */
export function createDesk(options: DeskOptions): Desk {
  const {
    engine,
    profile = 'safe',
    routes = [],
    limits: { laggardMs = 10_000, ...limits } = {},
    cacheName = 'forecache',
    compress = false,
    press = createPress(engine),
  } = options
  if (!Object.hasOwn(PROFILES, profile)) {
    throw new ForecacheError('FC_OPTION_VALUE', {
      name: 'profile',
      reason: `expected ${Object.keys(PROFILES).join(' or ')}, given ${profile}`,
    })
  }
  const { contexts, refreshAhead, warming } = engine.settings
  const except = engine.settings.l2?.except ?? []
  const own = { limits: { ...DEFAULT_LIMITS, ...limits }, compress }
  const policies = resolvePolicies(routes, { ...own, contexts, except, refreshAhead, warming: warming !== undefined })
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
    recodes: policies.all.some((policy) => policy.compress !== undefined),
    profile: PROFILES[profile],
    holding: createHolding(engine),
    routes: policies.all.map((policy) => engine.meter.route(policy.name)),
  }
  if (options.origin !== undefined) engine.warming.teach((words) => askByWords(desk, words))
  return desk
}

/** Few threads, so that names and files find one; few bytes, for they are not among those of entries. */
function createPress({ memory, ledger, clock }: Engine): Press {
  return new Press({
    pace: { clock, share: 0.25, burstMs: 5000 },
    concurrency: Math.max(1, Math.min(2, availableParallelism() - 1)),
    maxBytes: Math.min(MAX_PRESS_BYTES, Math.max(MIN_PRESS_BYTES, memory.maxBytes / 8)),
    onCharge: (bytes) => ledger.charge(ACCOUNT.coding, bytes),
  })
}
