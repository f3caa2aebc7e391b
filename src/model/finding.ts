/**
 * What is wrong, or would be, with the evidence for it.
 *
 * Floor 0, room model. The kinds are part of the contract: rows may be added, never renamed.
 */

/** Every kind and what it means. */
export const FINDING_KINDS = {
  'flat-ttl': 'one lifetime for answers that change at different speeds',
  'missing-vary': 'a field of the request decides the answer, and the answer does not say so',
  'no-normalization': 'parameters that do not matter, or their order, make different keys of one answer',
  'stale-without-prediction': 'stale answers are served at each end of a window, and nothing is refreshed before',
  'per-user': 'answers are made for one user; a cache would keep what nobody else may have',
  'low-reuse': 'hardly anybody asks twice for the same',
  'large-payloads': 'answers of more than 1 MiB',
  'connection-per-request': 'each request opens a connection of its own',
  'changes-every-time': 'answers change about as fast as they are asked for',
  'never-reused': 'what is loaded is hardly ever read before it is loaded again',
} as const

export type FindingKind = keyof typeof FINDING_KINDS

export interface Finding {
  readonly kind: FindingKind
  /** Absent: it is about all of them. */
  readonly route?: string
  /** One sentence. */
  readonly text: string
  readonly evidence: Readonly<Record<string, number | string>>
  /** What to do. */
  readonly advice: string
}
