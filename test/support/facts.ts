/** Facts of instances, for tests. */
import type { InstanceFacts } from '../../src/ops/instance.ts'

export function facts(given: Partial<InstanceFacts> = {}): InstanceFacts {
  return {
    id: 'a',
    host: 'here',
    pid: 1,
    version: '0',
    node: '26',
    startedAt: '2026-01-01T00:00:00.000Z',
    state: 'ready',
    address: '127.0.0.1:8080',
    api: '127.0.0.1:8081',
    processes: 1,
    requestsPerSecond: 0,
    cpu: 0,
    loopDelayMs: 0,
    p99Ms: 0,
    rssBytes: 0,
    entries: 0,
    bytes: 0,
    maxBytes: 1,
    hitRatio: 0,
    ...given,
  }
}
