/**
 * The HTTP door: a shared cache between a server and an origin, without either.
 *
 * Floor 4, room http. `handle` classifies a request: unsafe ones are passed on and invalidate, reads go to the store,
 * everything else is passed on. All state lives in the engine; a door has none of its own.
 */
import { digestContent } from '../key/digest.ts'
import { requestKey, targetKey } from '../key/key.ts'
import type { Engine } from '../flow/engine.ts'
import { ForecacheError } from '../model/errors.ts'
import type { BodySource, Reply, RequestHead } from '../model/exchange.ts'
import type { RequestView } from '../model/explain.ts'
import { HISTOGRAM } from '../model/metric.ts'
import { seriesOf } from '../model/meter.ts'
import { requestControl } from '../rules/reuse.ts'
import { isSafeMethod } from '../rules/unsafe.ts'
import { readContent, replay } from './content.ts'
import { explainRequest } from './explain.ts'
import { passOn } from './pass.ts'
import { DEFAULT_LIMITS, resolvePolicies, type Policies, type Routed, type RoutesInput } from './policy.ts'
import { PROFILES, type ProfileName } from './profile.ts'
import { read } from './read.ts'
import { handleUnsafe } from './unsafe.ts'
import { parseUrl, urlTag, urlTargets } from './url.ts'
import type { Desk, DoorExchange, Visit } from './visit.ts'

/** Options of a door; defaults as in DEFAULT_LIMITS. */
export interface HttpDoorOptions {
  readonly engine: Engine
  /** Default `safe`. */
  readonly profile?: ProfileName
  /** Route policies; checked here. */
  readonly routes?: RoutesInput
  /** Bodies above `maxBodyBytes` stream through unstored; QUERY contents above `maxContentBytes` are passed on. */
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
  /** How a request is seen, for administration: its policy, its key. */
  explain(head: RequestHead): RequestView
  /** Resolved policies, for administration. */
  readonly policies: Policies
  readonly profile: ProfileName
  /** Stops resolving URLs for the engine. */
  close(): void
}

/** @throws FC_OPTION_* for bad routes or an unknown profile */
export function createHttpDoor(options: HttpDoorOptions): HttpDoor {
  const { engine, profile = 'safe', routes = [], limits: { laggardMs = 10_000, ...limits } = {}, cacheName = 'forecache' } = options
  if (!Object.hasOwn(PROFILES, profile)) throw new ForecacheError('FC_OPTION_VALUE', { name: 'profile', reason: `expected ${Object.keys(PROFILES).join(' or ')}, given ${profile}` })
  const policies = resolvePolicies(routes, { contexts: engine.settings.contexts, limits: { ...DEFAULT_LIMITS, ...limits } })
  const desk: Desk = {
    engine, policies, cacheName, laggardMs, profile: PROFILES[profile], holding: { bytes: 0, maxBytes: Math.max(engine.memory.maxBytes / 4, MIN_HOLDING_BYTES) }, routes: policies.all.map((policy) => engine.meter.route(policy.name)),
  }
  const close = engine.onUrl((url) => urlTargets(desk, parseUrl(url)))
  return { policies, profile, close, explain: (head) => explainRequest(desk, head), handle: (head, body, exchange) => handle(desk, { head, body }, exchange) }
}

/** Bodies under way may hold this much even where memory is small. */
const MIN_HOLDING_BYTES = 16 * 1024 * 1024

interface Request {
  readonly head: RequestHead
  readonly body: BodySource | undefined
}

async function handle(desk: Desk, request: Request, exchange: DoorExchange): Promise<Reply> {
  const askedAt = desk.engine.clock.now()
  const routed = desk.policies.match(request.head.method, request.head.target)
  const reply = await answer(desk, request, { exchange, routed })
  const route = desk.routes[routed.index] as number
  desk.engine.meter.observe(HISTOGRAM.hit, (desk.engine.clock.now() - askedAt) / 1000, seriesOf(route, reply.outcome.cached, reply.outcome.stale))
  return reply
}

function answer(desk: Desk, request: Request, around: { exchange: DoorExchange; routed: Routed }): Reply | Promise<Reply> {
  const { head, body } = request
  const { routed } = around
  const asked = tokenChecked(desk, head, routed) ? requestControl(head.fields) : { ...requestControl(head.fields), noCache: true }
  const visit: Visit = { desk, head, body, asked, tags: [], primary: undefined, ...around }
  if (!isSafeMethod(head.method)) return handleUnsafe(head.method === 'POST' ? keyed({ ...visit, head }, 'GET') : visit)
  if (head.method === 'QUERY') return query(visit)
  if (head.method !== 'GET' && head.method !== 'HEAD') return passOn(visit, { forward: 'method' })
  if (body !== undefined) return passOn(visit, { forward: 'bypass', detail: 'request-content' })
  return readOrPass(keyed(visit, head.method))
}

function readOrPass(visit: Visit): Reply | Promise<Reply> {
  const { primary, asked, routed } = visit
  if (routed.policy.strict) return passOn(visit, { forward: 'bypass', detail: 'strict' })
  if (primary === undefined) return passOn(visit, { forward: 'bypass', detail: 'no-key' })
  if (asked.noStore && !asked.onlyIfCached) return passOn(visit, { forward: 'request', detail: 'request-no-store' })
  return read({ ...visit, primary })
}

/** QUERY is safe, and its content is part of the key (RFC 10008). */
async function query(visit: Visit): Promise<Reply> {
  const { head, body, routed } = visit
  if (body === undefined) return passOn(visit, { forward: 'bypass', detail: 'no-content' })
  const content = await readContent(body, routed.policy.maxContentBytes)
  const again = { ...visit, body: replay(content) }
  if (content.rest !== undefined) return passOn(again, { forward: 'bypass', detail: 'content-too-large' })
  return readOrPass(keyed(again, 'QUERY', digestContent(head.fields, content.chunks)))
}

/** A visit with its key, and with the URL's tag where the key is not the URL alone. */
function keyed(visit: Visit, method: string, contentDigest?: string): Visit {
  const { key } = visit.routed.policy
  const head = { ...visit.head, method }
  const primary = requestKey(head, key, contentDigest)
  const target = primary === undefined ? undefined : targetKey(head, key)
  return { ...visit, primary, tags: target === undefined || target === primary ? [] : [urlTag(target)] }
}

/** Whether a version token, where the route reads them, is one that this log has reached. */
function tokenChecked(desk: Desk, head: RequestHead, routed: Routed): boolean {
  const token = routed.policy.readYourWrites ? head.fields.get('forecache-token') : undefined
  if (token === undefined) return true
  const [generation, position] = token.split('.')
  return generation === desk.engine.generation && Number(position) <= desk.engine.fence.horizon
}
