/**
 * The hook's options: FORECACHE_* of the environment, read once.
 *
 * Floor 5, room register. A wrong value is told of once and its default is taken: a mistake here never takes an
 * application down. `wrap` takes the same by name and refuses what is wrong.
 */
import { DEFAULT_HOOK_NAMESPACE } from '../flow/mount-options.ts'
import { textOf } from '../model/errors.ts'
import { parseDuration, parseSize } from '../model/units.ts'
import type { Causality } from '../resp/coherence.ts'

/** See ROWS for each. */
export interface HookSettings {
  readonly isOn: boolean
  readonly maxBytes: number
  readonly maxReplyBytes: number
  readonly maxStaleMs: number
  readonly maxAgeMs: number
  readonly causality: Exclude<Causality, 'strict'>
  readonly prefixes: readonly string[]
  /** Where caches of the same process find the keys. */
  readonly namespace: string
  /** Where the counters are served; undefined: nowhere. */
  readonly api: { readonly host: string; readonly port: number } | undefined
}

interface Row<T> {
  readonly variable: string
  readonly expected: string
  readonly text: string
  readonly byDefault: T
  readonly parse: (given: string) => T | undefined
}

/** Every option. */
export const ROWS = {
  isOn: row({
    variable: 'FORECACHE_HOOK',
    expected: 'on or off',
    text: 'Whether clients are wrapped at all.',
    byDefault: true,
    parse: (given) => ({ on: true, true: true, 1: true, off: false, false: false, 0: false })[given.toLowerCase()],
  }),
  maxBytes: row({
    variable: 'FORECACHE_MEMORY',
    expected: 'a size from 1MiB, such as 64MiB',
    text: 'Memory for kept replies, names and tables included.',
    byDefault: 64 * 2 ** 20,
    parse: (given) => within(parseSize(given), 2 ** 20, 2 ** 40),
  }),
  maxReplyBytes: row({
    variable: 'FORECACHE_MAX_REPLY',
    expected: 'a size of at least 64 bytes, such as 1MiB',
    text: 'A larger reply is not kept.',
    byDefault: 2 ** 20,
    parse: (given) => within(parseSize(given), 64, 2 ** 30),
  }),
  maxStaleMs: row({
    variable: 'FORECACHE_MAX_STALE',
    expected: 'a duration from 10ms to 1h, such as 250ms',
    text: 'How long a change by others may stay unseen when the server falls silent.',
    byDefault: 250,
    parse: (given) => within(parseDuration(given), 10, 3_600_000),
  }),
  maxAgeMs: row({
    variable: 'FORECACHE_MAX_AGE',
    expected: 'a duration from 1ms, such as 1h',
    text: 'No kept reply is older; bounds what no push tells of (SWAPDB by others).',
    byDefault: 3_600_000,
    parse: (given) => within(parseDuration(given), 1, 365 * 86_400_000),
  }),
  causality: row<HookSettings['causality']>({
    variable: 'FORECACHE_CAUSALITY',
    expected: 'session or eventual',
    text: 'session: no hit is older than anything the server told this process. eventual: only own writes are ordered.',
    byDefault: 'session',
    parse: (given) => (given === 'session' || given === 'eventual' ? given : undefined),
  }),
  prefixes: row<readonly string[]>({
    variable: 'FORECACHE_PREFIXES',
    expected: 'prefixes of keys with commas between, such as user:,product:',
    text: 'Only keys that begin so are kept; none: all.',
    byDefault: [],
    parse: (given) => given.split(',').filter((prefix) => prefix !== ''),
  }),
  namespace: row({
    variable: 'FORECACHE_NAMESPACE',
    expected: '1 to 128 letters, digits, _ . or -, such as redis',
    text: 'Namespace in which a cache of the same process reads and writes the same values.',
    byDefault: DEFAULT_HOOK_NAMESPACE,
    parse: (given) => (/^[A-Za-z0-9_.-]{1,128}$/.test(given) ? given : undefined),
  }),
  api: row<HookSettings['api']>({
    variable: 'FORECACHE_API',
    expected: 'HOST:PORT on the loopback, such as 127.0.0.1:8081',
    text: 'Where GET /v1/stats and GET /metrics tell the counters; for loopback addresses only.',
    byDefault: undefined,
    parse: parseApi,
  }),
} as const

/** @param warn told of each value that is not taken */
export function readSettings(env: NodeJS.ProcessEnv, warn: (text: string) => void): HookSettings {
  const read = <T>({ variable, expected, byDefault, parse }: Row<T>): T => {
    const given = env[variable]
    if (given === undefined || given === '') return byDefault
    const value = attempt(() => parse(given.trim()))
    if (value !== undefined) return value
    warn(`${variable}: expected ${expected}, given ${textOf(given)}; the default is used`)
    return byDefault
  }
  return {
    isOn: read(ROWS.isOn),
    maxBytes: read(ROWS.maxBytes),
    maxReplyBytes: read(ROWS.maxReplyBytes),
    maxStaleMs: read(ROWS.maxStaleMs),
    maxAgeMs: read(ROWS.maxAgeMs),
    causality: read(ROWS.causality),
    prefixes: read(ROWS.prefixes),
    namespace: read(ROWS.namespace),
    api: read(ROWS.api),
  }
}

function row<T>(given: Row<T>): Row<T> {
  return given
}

function within(value: number, min: number, max: number): number | undefined {
  return value >= min && value <= max ? value : undefined
}

function parseApi(given: string): HookSettings['api'] {
  const match = /^(127(?:\.\d{1,3}){3}|localhost|\[::1\]):(\d{1,5})$/.exec(given)
  if (match === null || Number(match[2]) > 65_535) return undefined
  return { host: (match[1] as string).replace(/[[\]]/g, ''), port: Number(match[2]) }
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}
