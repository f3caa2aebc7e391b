/**
 * What the HTTP door stores: a response with its times, and the list of Vary sets of a key.
 *
 * Floor 4, room http. Immutable. The body is complete, always; a part says which bytes it holds. Whether a response is
 * fresh is told by its own times (RFC 9111), the engine's budget only keeps it findable and bounds it.
 */
import type { Promised } from '../flow/keep.ts'
import type { NoVarySearch } from '../key/no-vary-search.ts'
import type { Budget } from '../model/budget.ts'
import type { Fields } from '../model/fields.ts'
import type { HeldBeside } from '../model/ledger.ts'
import type { StaleWindows } from '../rules/freshness.ts'
import type { Part } from '../rules/partial.ts'
import type { Standing } from '../rules/reuse.ts'
import type { KnownCoding } from '../wire/coding.ts'
import { heldBytes, textBytes } from './compact.ts'
import type { Recoding } from './recoding.ts'

/** A response as it is to be stored, before its body has come. */
export interface Plan {
  readonly status: number
  readonly statusText: string
  /** End-to-end fields without what must not be stored; no Age. */
  readonly fields: Fields
  /** `clock.now()` when the request was sent. */
  readonly requestedAt: number
  /** Age at `requestedAt`, ms: see rules/age. */
  readonly offsetMs: number
  readonly lifetimeMs: number
  /** Where `lifetimeMs` was chosen by how often the key changes, what was promised; absent: it is what was promised. */
  readonly promised?: Promised
  readonly windows: StaleWindows
  /** `no-cache`: never used without validation. */
  readonly alwaysValidate: boolean
  /** Request fields that select this response, sorted; empty: any request. */
  readonly vary: readonly string[]
  /** What the request that it answered had in them. */
  readonly selecting: readonly (string | null)[]
  /** What of the query does not select it (No-Vary-Search). */
  readonly search: NoVarySearch | undefined
  readonly tags: readonly string[]
  /** What other codings may be made of it; undefined: none. */
  readonly recoding: Recoding | undefined
  /** Windows for the engine, from `requestedAt`. */
  readonly budget: Budget
}

/** The same response in other codings. `base` is the response as it came, always the same one. */
export interface Alternatives {
  /** @returns undefined when none is acceptable; constant time for a text that was seen lately */
  choose(base: Stored, accept: string | undefined): Stored | undefined
  /** The one that bears a strong tag. */
  named(base: Stored, tag: string): Stored | undefined
  /** The one without a coding. */
  plain(base: Stored): Stored | undefined
  /** The same bodies under another plan. */
  renewed(plan: Plan): Alternatives
  list(base: Stored): readonly { readonly coding: string; readonly bytes: number }[]
  readonly made: readonly Stored[]
  /** The bodies that were made, as they are kept. */
  readonly coded: readonly { readonly coding: KnownCoding; readonly body: Uint8Array; readonly mark: string }[]
  /** Bytes of the bodies that were made. */
  readonly bodyBytes: number
  /** Bytes all of it is charged with. */
  readonly bytes: number
}

/** What a stored response holds beside its plan. */
export interface Held {
  readonly body: Uint8Array
  readonly trailers?: Fields | undefined
  readonly part?: Part | undefined
  readonly shareId?: string | undefined
  readonly variants?: Alternatives | undefined
}

/** A stored response. */
export class Stored implements HeldBeside {
  readonly plan: Plan
  readonly body: Uint8Array
  readonly trailers: Fields | undefined
  /** The bytes this 206 holds; undefined: the whole. */
  readonly part: Part | undefined
  /** Name of the body among equal ones; undefined when it is too small to be worth it. */
  readonly shareId: string | undefined
  /** In other codings; undefined: in this one alone. */
  readonly variants: Alternatives | undefined
  /** It has no other coding, now or ever: whoever selects it gets it as it is. */
  readonly isAlone: boolean
  /** What a lane keeps to write it at once; the lane's alone, made at the first use. */
  ready: object | undefined = undefined
  /** Bytes of `ready`: they stand in the ledger until the entry leaves memory. */
  readyBytes = 0

  constructor(plan: Plan, held: Held) {
    this.plan = plan
    this.body = held.body
    this.trailers = held.trailers
    this.part = held.part
    this.shareId = held.shareId
    this.variants = held.variants
    this.isAlone = held.variants === undefined && plan.recoding === undefined
  }

  /** The same content under another plan: what a 304 makes of it. */
  renewed(plan: Plan): Stored {
    const { body, trailers, part, shareId, variants } = this
    return new Stored(plan, { body, trailers, part, shareId, variants: variants?.renewed(plan) })
  }

  /** See model/ledger. */
  get besideBytes(): number {
    let bytes = this.readyBytes
    if (this.variants !== undefined) for (const stored of this.variants.made) bytes += stored.readyBytes
    return bytes
  }

  /** Bytes it is charged with. */
  get bytes(): number {
    const { fields, selecting, tags } = this.plan
    let bytes = PLAN_BYTES + this.body.byteLength + BODY_BYTES + heldBytes(fields) + tags.length * 8
    if (this.trailers !== undefined) bytes += heldBytes(this.trailers)
    for (const value of selecting) bytes += SELECTING_BYTES + textBytes(value ?? '')
    return this.variants === undefined ? bytes : bytes + this.variants.bytes
  }

  /** Bytes of all its bodies: what equal responses share. */
  get bodyBytes(): number {
    return this.body.byteLength + (this.variants?.bodyBytes ?? 0)
  }
}

/** The response, its plan with windows and budget, and their numbers; measured, see docs/decisions/011. */
const PLAN_BYTES = 440
/** A view and its buffer's object, beside the buffer. */
const BODY_BYTES = 184
/** The name and the value in their lists. */
const SELECTING_BYTES = 64

/** Which fields select among the responses under a key: at most `MAX_SETS` lists of names, the last used first. */
export class VaryIndex {
  /** Part of the variants' keys: when the index goes, whatever the reason, its variants can no longer be found. */
  readonly id: string
  readonly sets: readonly (readonly string[])[]
  /** Keys of variants that are told apart by language alone; for profiles that choose by Content-Language. */
  readonly languages: readonly string[]

  constructor(id: string, sets: readonly (readonly string[])[], languages: readonly string[] = []) {
    this.id = id
    this.sets = sets
    this.languages = languages
  }
}

/** Vary sets kept under one key. */
export const MAX_SETS = 8

/** Age of a planned response now, ms. */
export function ageOf(plan: Plan, now: number): number {
  return plan.offsetMs + Math.max(0, now - plan.requestedAt)
}

/** What `rules/reuse` looks at. @param softened the engine does not call it fresh */
export function standingOf(plan: Plan, now: number, softened: boolean): Standing {
  return {
    ageMs: ageOf(plan, now),
    lifetimeMs: plan.lifetimeMs,
    windows: plan.windows,
    alwaysValidate: plan.alwaysValidate,
    softened,
  }
}
