/**
 * The HTTP door: a shared cache between a server and an origin, without either.
 *
 * Floor 4, room http. All state lives in the engine; a door has none of its own, so it can be replaced between two
 * requests.
 */
import type { Engine } from '../flow/engine.ts'
import { ForecacheError } from '../model/errors.ts'
import type { BodySource, Reply, RequestHead } from '../model/exchange.ts'
import type { RequestView } from '../model/explain.ts'
import { explainRequest } from './explain.ts'
import { DEFAULT_LIMITS, type Policies, resolvePolicies, type RoutesInput } from './policy.ts'
import { PROFILES, type ProfileName } from './profile.ts'
import { receive } from './receive.ts'
import { parseUrl, urlTargets } from './url.ts'
import type { Desk, DoorExchange } from './visit.ts'

/** Options of a door. */
export interface HttpDoorOptions {
  readonly engine: Engine
  /** Default `safe`. */
  readonly profile?: ProfileName
  /** Route policies; checked here. */
  readonly routes?: RoutesInput
  /** Defaults of routes that set none, see DEFAULT_LIMITS; `laggardMs` (10 s): a reader that holds others up is cut off. */
  readonly limits?: Partial<typeof DEFAULT_LIMITS> & { readonly laggardMs?: number }
  /** Name in Cache-Status; default `forecache`. */
  readonly cacheName?: string
}

/** See the module's header. */
export interface HttpDoor {
  /**
   * @param head as admitted: end-to-end fields, authority normalized
   * @param body the request's content; undefined when there is none
   * @throws FC_ORIGIN_*, FC_FLIGHT_FULL, FC_REQUEST_*: the server answers them by their status
   */
  handle(head: RequestHead, body: BodySource | undefined, exchange: DoorExchange): Promise<Reply>
  /** What `recall` and its kin take. */
  readonly desk: Desk
  /** How a request is seen, for administration: its policy, its key. */
  explain(head: RequestHead): RequestView
  /** Resolved policies, for administration. */
  readonly policies: Policies
  readonly profile: ProfileName
  /** Stops resolving URLs for the engine. */
  close(): void
}

/** Bodies under way may hold this much even where memory is small. */
const MIN_HOLDING_BYTES = 16 * 1024 * 1024

/** @throws FC_OPTION_* for bad routes or an unknown profile */
export function createHttpDoor(options: HttpDoorOptions): HttpDoor {
  const {
    engine,
    profile = 'safe',
    routes = [],
    limits: { laggardMs = 10_000, ...limits } = {},
    cacheName = 'forecache',
  } = options
  if (!Object.hasOwn(PROFILES, profile)) {
    throw new ForecacheError('FC_OPTION_VALUE', {
      name: 'profile',
      reason: `expected ${Object.keys(PROFILES).join(' or ')}, given ${profile}`,
    })
  }
  const policies = resolvePolicies(routes, { contexts: engine.settings.contexts, limits: { ...DEFAULT_LIMITS, ...limits } })
  const desk: Desk = {
    engine,
    policies,
    cacheName,
    laggardMs,
    profile: PROFILES[profile],
    holding: { bytes: 0, maxBytes: Math.max(engine.memory.maxBytes / 4, MIN_HOLDING_BYTES) },
    routes: policies.all.map((policy) => engine.meter.route(policy.name)),
  }
  return {
    desk,
    policies,
    profile,
    handle: (head, body, exchange) => receive(desk, { head, body }, exchange),
    explain: (head) => explainRequest(desk, head),
    close: engine.onUrl((url) => urlTargets(desk, parseUrl(url))),
  }
}
