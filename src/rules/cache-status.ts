/**
 * Cache-Status: how this cache handled a request (RFC 9211).
 *
 * Floor 1, room rules. Pure.
 */

/** Why a request went on to the origin (RFC 9211 section 2.2). */
export type Forward = 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'miss' | 'request' | 'stale' | 'partial'

/** What the field says. */
export interface CacheStatus {
  /** Excludes `forward`: what had to be validated or completed was forwarded, and is no hit (RFC 9211 section 2.1). */
  readonly hit?: boolean
  readonly forward?: Forward
  /** Status the origin answered with, where it differs from the one sent. */
  readonly forwardStatus?: number
  /** Fresh time left, ms; negative when stale. */
  readonly ttlMs?: number
  readonly stored?: boolean
  readonly collapsed?: boolean
  /** A token: a refusal or a mode. */
  readonly detail?: string
}

/**
 * One member of the list, to be appended behind what the origin sent.
 *
 * @param cache this cache's name: a token
 */
export function formatCacheStatus(cache: string, status: CacheStatus): string {
  let text = cache
  if (status.hit === true) text += '; hit'
  if (status.forward !== undefined) text += `; fwd=${status.forward}`
  if (status.forwardStatus !== undefined) text += `; fwd-status=${status.forwardStatus}`
  if (status.ttlMs !== undefined) text += `; ttl=${Math.floor(status.ttlMs / 1000)}`
  if (status.stored === true) text += '; stored'
  if (status.collapsed === true) text += '; collapsed'
  if (status.detail !== undefined) text += `; detail=${status.detail}`
  return text
}
