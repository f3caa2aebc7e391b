/**
 * What a door tells `explain` about a request: the rule that matches and how the key is built.
 *
 * Floor 0, room model. Explaining never asks the origin, never counts as a use and never changes what is stored.
 */
import type { RequestHead } from './exchange.ts'
import type { Bypass, STANDINGS } from './reason.ts'

/** One part of a key, in its order: what it is, and the value it has for this request. */
export interface KeyPart {
  /** `method`, `authority`, `path`, `query`, `tier`, `locale`, `header accept`, `cookie ab`, … */
  readonly name: string
  readonly value: string
  /** What was done to get it: `sorted`, `default dropped`, `tracking dropped` … */
  readonly note?: string
}

/** How a door sees a request. */
export interface RequestView {
  /** Name of the route's policy; `default` when none matches. */
  readonly route: string
  /** Key under which the answer to this very request stands: the variant's, where there are variants. */
  readonly key: string | undefined
  /** Small integer of its namespace in the fence; default 0. */
  readonly namespace?: number
  readonly parts: readonly KeyPart[]
  /** The request does not look into the cache at all. */
  readonly bypass?: Bypass
  /** More about it: which dimension could not be told. */
  readonly detail?: string
  /** How the stored response stands for this very request, where the door judges by more than the budget. */
  readonly standing?: keyof typeof STANDINGS
  readonly response?: ResponseView
}

/** A stored HTTP response, by its own times (RFC 9111), ms. */
export interface ResponseView {
  readonly status: number
  /** Age as the Age field would say it. */
  readonly ageMs: number
  readonly lifetimeMs: number
  /** After its lifetime it is served this long while a refresh runs. */
  readonly whileRevalidateMs: number
  /** After its lifetime it is served this long when the origin fails. */
  readonly ifErrorMs: number
  /** `no-cache`: validated with the origin at each use. */
  readonly alwaysValidate: boolean
  /** Request fields that select it among variants. */
  readonly vary: readonly string[]
  /** Its codings with the bytes of their bodies, the one it came in first. */
  readonly codings: readonly { readonly coding: string; readonly bytes: number }[]
}

/** A door that can explain requests. */
export interface ExplainPort {
  /** @returns undefined when this door does not serve the request's authority */
  explain(head: RequestHead): RequestView | undefined
}
