/**
 * Eviction policies by name: the default, its alternatives, and the published forms kept for checking.
 *
 * Floor 1, room shelf.
 */
import type { Eviction, EvictionHost } from './evict.ts'
import { Lru } from './evict-lru.ts'
import { S3Fifo } from './evict-s3-fifo.ts'
import { S3FifoPublished } from './evict-s3-fifo-published.ts'
import { Sieve } from './evict-sieve.ts'
import { WTinyLfu } from './evict-w-tinylfu.ts'

export type { Eviction } from './evict.ts'

/** Name of an eviction policy. */
export type PolicyName = 's3-fifo' | 'lru' | 'w-tinylfu' | 'w-tinylfu-20' | 'sieve' | 's3-fifo-published'

const POLICIES: Readonly<Record<PolicyName, (host: EvictionHost, capacity: number) => Eviction>> = {
  's3-fifo': (host) => new S3Fifo(host),
  lru: (host) => new Lru(host),
  'w-tinylfu': (host) => new WTinyLfu(host, 0.01),
  'w-tinylfu-20': (host) => new WTinyLfu(host, 0.2),
  sieve: (host) => new Sieve(host),
  's3-fifo-published': (host, capacity) => new S3FifoPublished(host, capacity),
}

/** All names, the default first. */
export const POLICY_NAMES = Object.keys(POLICIES) as readonly PolicyName[]

export function isPolicyName(given: unknown): given is PolicyName {
  return typeof given === 'string' && Object.hasOwn(POLICIES, given)
}

/** @param capacity the weight that the host will hold at most; only the published S3-FIFO takes its limits from it */
export function createEviction(name: PolicyName, host: EvictionHost, capacity: number): Eviction {
  return POLICIES[name](host, capacity)
}
