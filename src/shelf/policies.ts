/**
 * Eviction policies by name: the default, its alternatives, and the published forms kept for checking.
 *
 * Floor 1, room shelf.
 */
import type { Eviction, EvictionHost } from './evict.ts'
import { S3Fifo } from './evict-s3-fifo.ts'

const POLICIES = {
  's3-fifo': (host: EvictionHost, _capacity: number): Eviction => new S3Fifo(host),
} as const satisfies Record<string, (host: EvictionHost, capacity: number) => Eviction>

/** Name of an eviction policy. */
export type PolicyName = keyof typeof POLICIES

/** All names, the default first. */
export const POLICY_NAMES = Object.keys(POLICIES) as readonly PolicyName[]

export function isPolicyName(given: unknown): given is PolicyName {
  return typeof given === 'string' && Object.hasOwn(POLICIES, given)
}

/** @param capacity the weight that the host will hold at most; the steered policies need it for their first steps only */
export function createEviction(name: PolicyName, host: EvictionHost, capacity: number): Eviction {
  return POLICIES[name](host, capacity)
}
