/**
 * One instance as all others see it: who it is, and how it does.
 *
 * Floor 4, room ops. What comes from the store was written by other processes, perhaps of another version: it is read field
 * by field, and what is not understood is left out.
 */

/** What an instance wants: nothing yet, requests, or no further ones. */
export type InstanceState = 'starting' | 'ready' | 'draining'

/** What does not change while an instance lives. */
export interface InstanceIdentity {
  /** Random; another one after every start. */
  readonly id: string
  readonly host: string
  readonly pid: number
  /** Version of forecache. */
  readonly version: string
  readonly node: string
  /** ISO 8601. */
  readonly startedAt: string
}

/** How an instance does. */
export interface InstanceVitals {
  readonly state: InstanceState
  /** `host:port` of the gateway; '' before it listens. */
  readonly address: string
  /** `host:port` of administration; '' before it listens. */
  readonly api: string
  /** Processes that take requests. */
  readonly processes: number
  /** Over the time between two heartbeats. */
  readonly requestsPerSecond: number
  /** CPU time for each second and process: 1 is a whole core. */
  readonly cpu: number
  /** 99th percentile of how late timers were, ms; the worst process's. */
  readonly loopDelayMs: number
  /** 99th percentile of answers between two heartbeats, ms; 0: there were none. */
  readonly p99Ms: number
  readonly rssBytes: number
  readonly entries: number
  /** Bytes of entries, of `maxBytes`. */
  readonly bytes: number
  readonly maxBytes: number
  /** Share of answers that came from the cache since the start, 0 to 1. */
  readonly hitRatio: number
}

/** See the module's header. */
export interface InstanceFacts extends InstanceIdentity, InstanceVitals {}

const TEXTS = ['host', 'version', 'node', 'startedAt', 'address', 'api'] as const
const NUMBERS = [
  'pid',
  'processes',
  'requestsPerSecond',
  'cpu',
  'loopDelayMs',
  'p99Ms',
  'rssBytes',
  'entries',
  'bytes',
  'maxBytes',
  'hitRatio',
] as const
const STATES: readonly string[] = ['starting', 'ready', 'draining']
const MAX_CHARS = 512

/** @returns undefined for what is no instance */
export function parseInstance(id: string, identity: string, vitals: string): InstanceFacts | undefined {
  const given = { ...parseObject(identity), ...parseObject(vitals) }
  if (!STATES.includes(String(given['state']))) return undefined
  const facts: Record<string, unknown> = { id, state: given['state'] }
  for (const name of TEXTS) {
    const text = given[name]
    facts[name] = typeof text === 'string' ? text.slice(0, MAX_CHARS) : ''
  }
  for (const name of NUMBERS) {
    const number = given[name]
    facts[name] = typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : 0
  }
  return facts as unknown as InstanceFacts
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
