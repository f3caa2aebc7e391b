/**
 * Reason codes: why a request is, or is not, answered from the cache. Stable names, one sentence each.
 *
 * Floor 0, room model. Printed by `explain`, kept in docs/reference; rows may be added, never renamed.
 */

/** Why an answer that was read was not kept. */
export const REFUSALS = {
  fenced: 'What the load read was invalidated while it ran, so its answer was given once and not kept.',
  older: 'A newer answer stands already.',
  late: 'The load took longer than deadlines.maxLoad; its answer was not kept.',
  size: 'The answer is larger than the limit of an entry, or the eviction policy refused it.',
  clone: 'The value cannot be cloned; answer plain data, or set values: "reference".',
  method: "The request's method is not one whose answers are stored.",
  'request-no-store': 'The request said Cache-Control: no-store.',
  'request-content': 'The request carried content that is no part of the key.',
  status: 'Answers of this status are never stored.',
  'no-store': 'The answer said Cache-Control: no-store.',
  private: 'The answer said Cache-Control: private; this is a shared cache.',
  'not-understood': 'The answer said must-understand, and its status is not understood.',
  malformed: "The answer's Cache-Control or status cannot be read.",
  authorization: 'The request carried Authorization, and the answer did not allow sharing (public or s-maxage).',
  'set-cookie': 'The answer set a cookie and was not marked for shared caches (public or s-maxage).',
  'vary-star': "The answer varies by more than the request's fields (Vary: *).",
  'no-freshness': 'The answer gave no lifetime, and none may be guessed for it.',
  partial: 'The answer is a part that cannot be combined into a whole.',
  error: 'The answer is an error without an explicit lifetime.',
  tags: "The answer's tags could not be read.",
  incomplete: 'The answer broke off before its end.',
  'too-large': 'The body is larger than the limit; it is streamed through.',
  refused: 'The eviction policy or the memory limit refused the answer.',
  policy: "The route's policy says that this is not cached.",
  demoted: 'The route was found to be of no use in the cache, and adaptive.demote takes it out; one key in 16 goes on trying.',
} as const

/** What stands under a key, or why nothing does. */
export const STANDINGS = {
  fresh: 'Stored and inside its fresh window: served from memory.',
  stale: 'Stored and past its fresh window: served while a refresh runs.',
  softened: 'Stored, but softly invalidated: served once more while a refresh runs, inside its stale window.',
  reserve: 'Stored and past its stale window: served only if the origin fails.',
  outdated: 'Stored but past every window; it may still be validated with the origin.',
  pass: 'Known to be uncacheable: for a while every request goes to the origin by itself.',
  variant: "Variants are stored under this key; name the request's fields to see which one.",
  loading: 'Nothing is stored; a load is under way.',
  backoff: 'Nothing may be served; the origin failed lately and is left alone for a while.',
  'origin-failed': 'Nothing is stored: the last load failed.',
  invalidated: 'Nothing is stored: what stood was invalidated.',
  evicted: 'Nothing is stored: what stood was removed to make room.',
  expired: 'Nothing is stored: what stood had passed every window and was removed.',
  deleted: 'Nothing is stored: what stood was deleted.',
  unknown: 'Nothing is stored, and nothing is remembered about this key: it was not asked for lately.',
} as const

/** Why a request does not look into the cache at all. */
export const BYPASSES = {
  'bypass-method': 'Requests of this method go to the origin.',
  'bypass-route': "The route's policy sends requests past the cache.",
  'bypass-strict': 'The route is strict: every request goes to the origin.',
  'bypass-request': 'The request itself asks not to be answered from the cache.',
  'bypass-key': 'No key can be built for the request: a declared dimension is missing or not allowed.',
} as const

/** Every reason with its sentence. */
export const REASONS = { ...STANDINGS, ...REFUSALS, ...BYPASSES } as const

export type Refusal = keyof typeof REFUSALS
export type Bypass = keyof typeof BYPASSES
export type Reason = keyof typeof REASONS
