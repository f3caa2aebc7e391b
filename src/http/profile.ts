/**
 * The two named profiles: what the HTTP door does where RFC 9111 leaves a choice.
 *
 * Floor 4, room http. `safe` is the default: nothing is guessed, nothing stale is served unasked, cookies never leave
 * the store. `conformance` does what the conformance suite http-cache-tests asks. docs/reference/conformance.md explains
 * each difference.
 */
import type { FreshnessLatitude } from '../rules/freshness.ts'
import type { StoreRules } from '../rules/storable.ts'
import type { MergeOptions } from '../rules/validate.ts'
import type { VaryForm } from '../rules/vary.ts'

/** Names of the profiles. */
export type ProfileName = 'safe' | 'conformance'

/** One profile. */
export interface Profile {
  readonly name: ProfileName
  readonly store: StoreRules
  readonly latitude: FreshnessLatitude
  readonly varyForm: VaryForm
  /** A variant may be chosen by its Content-Language, see rules/vary `selectsLanguage`. */
  readonly byLanguage: boolean
  /** 206 whose bytes are not those its Content-Range claims are kept, and parts are completed without a strong tag. */
  readonly lenientParts: boolean
  /** A fresh answer to POST with Content-Location naming the target is stored for GET (RFC 9110 section 9.3.3). */
  readonly postAnswersGet: boolean
  /** HEAD answers without validators freshen what is stored. */
  readonly headFreshensUnproven: boolean
  /** What a 304 may change. */
  readonly merge: MergeOptions
  /** Bodies whose end only the end of the connection told are stored. */
  readonly storesUnframed: boolean
  /** How long past every stale window a response with validators is kept to be validated, ms. */
  readonly keepMs: number
}

const DAY_MS = 86_400_000

/** Both profiles. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  safe: {
    name: 'safe',
    store: { cookiesStay: true, authorizedByMustRevalidate: false, errorsNeedFreshness: true },
    latitude: { heuristics: false, heuristicErrors: false, disconnectedMs: 0, staleWithSMaxage: false },
    varyForm: 'strict',
    byLanguage: false,
    lenientParts: false,
    postAnswersGet: false,
    headFreshensUnproven: false,
    merge: { contentType: false },
    storesUnframed: false,
    keepMs: DAY_MS,
  },
  conformance: {
    name: 'conformance',
    store: { cookiesStay: false, authorizedByMustRevalidate: true, errorsNeedFreshness: false },
    latitude: { heuristics: true, heuristicErrors: true, disconnectedMs: DAY_MS, staleWithSMaxage: false },
    varyForm: 'loose',
    byLanguage: true,
    lenientParts: true,
    postAnswersGet: true,
    headFreshensUnproven: true,
    merge: { contentType: true },
    storesUnframed: true,
    keepMs: DAY_MS,
  },
}
