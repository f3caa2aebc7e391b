/**
 * One request at the door, as every step sees it.
 *
 * Floor 4, room http.
 */
import type { Again } from '../flow/ahead.ts'
import type { Engine } from '../flow/engine.ts'
import type { Fill } from '../flow/fill.ts'
import type { WarmAgain } from '../flow/warm-parts.ts'
import type { BodySource, OriginPort, Reply, RequestHead, ResponseHead } from '../model/exchange.ts'
import type { Fields } from '../model/fields.ts'
import type { RouteId } from '../model/meter.ts'
import type { CacheControl } from '../rules/cache-control.ts'
import type { Press } from '../wire/press.ts'
import type { Policies, Routed } from './policy.ts'
import type { Profile } from './profile.ts'

/** What one exchange brings besides the request. */
export interface DoorExchange {
  readonly origin: OriginPort
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal
  /** The origin can be asked at any time, also when the answer is on its way. */
  readonly asksLate?: boolean
  /** 1xx answers on their way to the client; never stored. */
  readonly onInformational?: (head: ResponseHead) => void
}

/** Who is told of answers, to fetch what clients are likely to ask for next. */
export interface Foresight {
  /** Digest of who asks; undefined where that cannot be told. */
  name(fields: Fields): string | undefined
  /** A GET was answered. @param tookMs from the question to the answer's head */
  answered(visit: KeyedVisit, reply: Reply, tookMs: number): void
  /** @param client of `name` @returns what to call whenever this GET was answered by recalling */
  recalling(visit: KeyedVisit, client: string | undefined): (() => void) | undefined
  /** A 1xx answer came. */
  informed(visit: Visit, head: ResponseHead): void
  /** A GET could not be answered. */
  failed(visit: Visit): void
  close(): void
}

/** What all visits of a door share. */
export interface Desk {
  readonly engine: Engine
  readonly profile: Profile
  readonly policies: Policies
  /** Meter ids by policy index. */
  readonly routes: readonly RouteId[]
  /** Name in Cache-Status. */
  readonly cacheName: string
  /** A reader of a shared body that holds others up for so long is cut off, ms. */
  readonly laggardMs: number
  /** Bytes that fillings under way hold, and may hold together. */
  readonly holding: Holding
  /** Where the other codings of stored responses are made. */
  readonly press: Press
  /** Whom the audit asks, where a request brings nobody who may be asked behind it. */
  readonly origin: OriginPort | undefined
  /** How what a visit reads can be read again when nobody asks. */
  again(visit: Visit): Again | undefined
  /** How it can be asked for at any time. */
  warm(visit: Visit): WarmAgain | undefined
  /** Undefined where nothing is prefetched. */
  readonly foresight: Foresight | undefined
  /** Some route has them made: clients may hold tags that no origin knows, whatever the route of their request. */
  readonly recodes: boolean
}

/** Bytes of bodies under way, counted against a limit. */
export interface Holding {
  readonly bytes: number
  readonly maxBytes: number
  /** So many more; fewer where negative. */
  hold(bytes: number): void
  /** A body is not collected because of it. */
  refuse(): void
}

/** See the module's header. */
export interface Visit {
  readonly desk: Desk
  readonly head: RequestHead
  readonly body: BodySource | undefined
  readonly exchange: DoorExchange
  readonly asked: CacheControl
  readonly routed: Routed
  /** Primary key; undefined: nothing of this request is looked up or stored. */
  readonly primary: string | undefined
  /** The URL's own key, where `primary` is one that No-Vary-Search widened. */
  readonly exact?: string
  /** Tags of whatever is stored for it, beside the policy's. */
  readonly tags: readonly string[]
}

/** A visit with a key. */
export type KeyedVisit = Visit & { readonly primary: string }

/** Meter id of a visit's route. */
export function routeOf(visit: Visit): RouteId {
  return visit.desk.routes[visit.routed.index] as RouteId
}

/** Opens a reading of the origin for a key of this visit. Call it before the origin is asked. */
export function beginFill(visit: Visit, key: string): Fill {
  const { memoryOnly, adaptive } = visit.routed.policy
  const { desk, tags } = visit
  const target = { tags, route: routeOf(visit), memoryOnly, adaptive, again: desk.again(visit), warm: desk.warm(visit) }
  return desk.engine.begin(key, target)
}

/** Whether it asks for an answer of its own: nothing shared can serve it. */
export function isImpatient({ asked }: Visit): boolean {
  return asked.noCache || asked.maxAge === 0
}

/** Whether it bears a condition that only the origin can refuse with 412. */
export function hasPrecondition({ head }: Visit): boolean {
  return head.fields.has('if-match') || head.fields.has('if-unmodified-since')
}
