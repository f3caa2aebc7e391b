/**
 * What CONFIG GET and SET know here.
 *
 * Floor 4, room resp. Names and forms are Redis's; a setting that would change nothing here is accepted and told back, so
 * that clients which set it go on.
 */

interface Row {
  readonly value: string
  /** CONFIG SET is refused. */
  readonly isFixed?: boolean
  /** Of a number; default 0. */
  readonly least?: number
  readonly form?: 'number' | 'memory' | 'yesno' | 'policy' | 'events'
}

const ROWS: Readonly<Record<string, Row>> = {
  'active-expire-effort': { value: '1', form: 'number' },
  appendonly: { value: 'no', form: 'yesno' },
  appendfsync: { value: 'everysec' },
  'client-output-buffer-limit': { value: 'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60' },
  'cluster-enabled': { value: 'no', isFixed: true },
  databases: { value: '16', isFixed: true },
  dbfilename: { value: 'dump.rdb' },
  dir: { value: '' },
  'hash-max-listpack-entries': { value: '512', form: 'number' },
  'hash-max-listpack-value': { value: '64', form: 'number' },
  'hash-max-ziplist-entries': { value: '512', form: 'number' },
  'hash-max-ziplist-value': { value: '64', form: 'number' },
  hz: { value: '10', form: 'number', least: 1 },
  'latency-monitor-threshold': { value: '0', form: 'number' },
  'lfu-decay-time': { value: '1', form: 'number' },
  'lfu-log-factor': { value: '10', form: 'number' },
  'list-max-listpack-size': { value: '-2' },
  'lua-time-limit': { value: '5000', form: 'number' },
  maxclients: { value: '10000', form: 'number' },
  maxmemory: { value: '0', form: 'memory' },
  'maxmemory-policy': { value: 'noeviction', form: 'policy' },
  'maxmemory-samples': { value: '5', form: 'number', least: 1 },
  'notify-keyspace-events': { value: '', form: 'events' },
  'proto-max-bulk-len': { value: '536870912', form: 'memory' },
  requirepass: { value: '' },
  save: { value: '' },
  'set-max-intset-entries': { value: '512', form: 'number' },
  'slowlog-log-slower-than': { value: '10000', form: 'number', least: -1 },
  'slowlog-max-len': { value: '128', form: 'number' },
  'stop-writes-on-bgsave-error': { value: 'yes', form: 'yesno' },
  'tcp-keepalive': { value: '300', form: 'number' },
  timeout: { value: '0', form: 'number' },
  'zset-max-listpack-entries': { value: '128', form: 'number' },
  'zset-max-listpack-value': { value: '64', form: 'number' },
  'zset-max-ziplist-entries': { value: '128', form: 'number' },
  'zset-max-ziplist-value': { value: '64', form: 'number' },
}

/** Both names of one setting. */
const TWINS: Readonly<Record<string, string>> = Object.fromEntries(
  ['hash-max-listpack-entries', 'hash-max-listpack-value', 'zset-max-listpack-entries', 'zset-max-listpack-value'].flatMap(
    (name) => {
      const twin = name.replace('listpack', 'ziplist')
      return [
        [name, twin],
        [twin, name],
      ]
    },
  ),
)
const POLICIES = [
  'volatile-lru',
  'volatile-lfu',
  'volatile-random',
  'volatile-ttl',
  'allkeys-lru',
  'allkeys-lfu',
  'allkeys-random',
  'noeviction',
]
const SIZE = /^(\d+)(b|k|kb|m|mb|g|gb)?$/i
const UNITS: Readonly<Record<string, number>> = { b: 1, k: 1e3, kb: 1024, m: 1e6, mb: 1024 ** 2, g: 1e9, gb: 1024 ** 3 }

/** See the module's header. */
export class Settings {
  readonly #values = new Map(Object.entries(ROWS).map(([name, row]) => [name, row.value]))

  get(name: string): string {
    return this.#values.get(name) ?? ''
  }

  number(name: string): number {
    return Number(this.get(name))
  }

  names(): readonly string[] {
    return [...this.#values.keys()]
  }

  isFixed(name: string): boolean {
    return ROWS[name]?.isFixed === true
  }

  /** Without a check: for the start. */
  put(name: string, value: string): void {
    this.#values.set(name, value)
    const twin = TWINS[name]
    if (twin !== undefined) this.#values.set(twin, value)
  }

  /** The form in which it is told back, or what is wrong with it. */
  check(name: string, given: string): { readonly value: string } | { readonly reason: string } {
    switch (ROWS[name]?.form) {
      case 'number':
        return numberOf(given, ROWS[name]?.least ?? 0)
      case 'memory': {
        const [, digits, unit = 'b'] = SIZE.exec(given) ?? []
        if (digits === undefined) return { reason: 'argument must be a memory value' }
        return { value: String(Number(digits) * (UNITS[unit.toLowerCase()] as number)) }
      }
      case 'yesno':
        return /^(?:yes|no)$/i.test(given) ? { value: given.toLowerCase() } : { reason: "argument must be 'yes' or 'no'" }
      case 'policy':
        if (POLICIES.includes(given.toLowerCase())) return { value: given.toLowerCase() }
        return { reason: `argument must be one of the following: ${POLICIES.join(', ')}` }
      case 'events':
        return eventsOf(given)
      default:
        return { value: given }
    }
  }
}

const MOST = 2 ** 31 - 1

function numberOf(given: string, least: number): { readonly value: string } | { readonly reason: string } {
  if (!/^-?\d+$/.test(given)) return { reason: "argument couldn't be parsed into an integer" }
  if (Number(given) >= least && Number(given) <= MOST) return { value: given }
  return { reason: `argument must be between ${least} and ${MOST} inclusive` }
}

const ALL_EVENTS = 'g$lshzxetd'

function eventsOf(given: string): { readonly value: string } | { readonly reason: string } {
  if (!/^[Ag$lshzxeKEtmdn]*$/.test(given)) return { reason: 'Invalid event class character. Use one of Ag$lshzxeKEtmdn.' }
  const wanted = new Set(given.replace('A', ALL_EVENTS))
  const isAll = [...ALL_EVENTS].every((letter) => wanted.has(letter))
  const families = isAll ? 'A' : [...ALL_EVENTS].filter((letter) => wanted.has(letter)).join('')
  return { value: families + [...'KEmn'].filter((letter) => wanted.has(letter)).join('') }
}
