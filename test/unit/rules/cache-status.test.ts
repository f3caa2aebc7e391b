import { parseList } from 'structured-headers'
import { describe, expect, it } from 'vitest'
import { type CacheStatus, formatCacheStatus } from '../../../src/rules/cache-status.ts'

describe('Cache-Status (RFC 9211)', () => {
  it.each<[CacheStatus, string]>([
    [{ hit: true, ttlMs: 376_900 }, 'forecache; hit; ttl=376'],
    [{ hit: true, ttlMs: -1 }, 'forecache; hit; ttl=-1'],
    [{ forward: 'uri-miss', forwardStatus: 200, stored: true }, 'forecache; fwd=uri-miss; fwd-status=200; stored'],
    [
      { forward: 'stale', forwardStatus: 304, hit: true, collapsed: true, detail: 'x' },
      'forecache; hit; fwd=stale; fwd-status=304; collapsed; detail=x',
    ],
  ])('writes %j', (status, expected) => {
    expect(formatCacheStatus('forecache', status)).toBe(expected)
    expect(parseList(formatCacheStatus('forecache', status))).toHaveLength(1)
  })
})
