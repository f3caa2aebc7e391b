/**
 * INFO: the sections that clients read.
 *
 * Floor 4, room resp.
 */
import { SERVED_VERSION } from './command-connection.ts'
import type { Call, Handler } from './embedded-call.ts'
import type { Server } from './embedded-server.ts'

type Rows = Readonly<Record<string, string | number>>

const SECTIONS: Readonly<Record<string, (server: Server) => Rows>> = {
  server: (server) => {
    const seconds = Math.floor((server.clock.wall() - server.startedAt) / 1000)
    return {
      redis_version: SERVED_VERSION,
      redis_git_sha1: '00000000',
      redis_git_dirty: 0,
      redis_build_id: '0',
      redis_mode: 'standalone',
      os: `${process.platform} ${process.arch}`,
      arch_bits: 64,
      process_id: process.pid,
      process_supervised: 'no',
      run_id: server.runId,
      tcp_port: 0,
      server_time_usec: Math.floor(server.clock.wall()) * 1000,
      uptime_in_seconds: seconds,
      uptime_in_days: Math.floor(seconds / 86_400),
      hz: 10,
      configured_hz: 10,
      executable: 'forecache',
      config_file: '',
    }
  },
  clients: ({ sessions, settings, tracking }) => ({
    connected_clients: sessions.size,
    cluster_connections: 0,
    maxclients: settings.get('maxclients'),
    client_recent_max_input_buffer: 0,
    client_recent_max_output_buffer: 0,
    blocked_clients: [...sessions.values()].filter(({ parked }) => parked !== undefined).length,
    tracking_clients: tracking.size,
    clients_in_timeout_table: 0,
  }),
  memory: ({ space, settings }) => ({
    used_memory: Math.round(space.usedBytes),
    used_memory_human: human(space.usedBytes),
    used_memory_rss: process.memoryUsage.rss(),
    used_memory_peak: Math.round(space.usedBytes),
    used_memory_dataset: Math.round(space.usedBytes),
    maxmemory: space.maxBytes,
    maxmemory_human: human(space.maxBytes),
    maxmemory_policy: settings.get('maxmemory-policy'),
    mem_fragmentation_ratio: '1.00',
    mem_allocator: 'forecache',
    active_defrag_running: 0,
    lazyfree_pending_objects: 0,
  }),
  persistence: ({ saver, space }) => ({
    loading: 0,
    async_loading: 0,
    rdb_changes_since_last_save: space.dirty,
    rdb_bgsave_in_progress: saver?.isSaving === true ? 1 : 0,
    rdb_last_save_time: saver?.lastSaveSeconds ?? 0,
    rdb_last_bgsave_status: saver?.lastFailed === true ? 'err' : 'ok',
    aof_enabled: 0,
  }),
  stats: ({ stats, space, channels, patterns }) => ({
    total_connections_received: stats.connections,
    total_commands_processed: stats.commands,
    rejected_connections: 0,
    expired_keys: space.stats.expired,
    evicted_keys: space.stats.evicted,
    keyspace_hits: space.stats.hits,
    keyspace_misses: space.stats.misses,
    pubsub_channels: channels.size,
    pubsub_patterns: patterns.size,
    total_error_replies: stats.errors,
  }),
  replication: ({ runId }) => ({
    role: 'master',
    connected_slaves: 0,
    master_failover_state: 'no-failover',
    master_replid: runId,
    master_replid2: '0'.repeat(40),
    master_repl_offset: 0,
    second_repl_offset: -1,
    repl_backlog_active: 0,
    repl_backlog_size: 1_048_576,
    repl_backlog_first_byte_offset: 0,
    repl_backlog_histlen: 0,
  }),
  cpu: () => {
    const { user, system } = process.cpuUsage()
    return { used_cpu_sys: (system / 1e6).toFixed(6), used_cpu_user: (user / 1e6).toFixed(6) }
  },
  modules: () => ({}),
  errorstats: () => ({}),
  cluster: () => ({ cluster_enabled: 0 }),
  keyspace: ({ space }) =>
    Object.fromEntries(
      space.databases
        .filter(({ size }) => size > 0)
        .map(({ number, size, expiring }) => [`db${number}`, `keys=${size},expires=${expiring},avg_ttl=0`]),
    ),
}

/** Not shown unless asked for by name or with `all`. */
const HIDDEN = new Set<string>()

function info(call: Call): void {
  const asked = call.count === 1 ? ['default'] : call.args.slice(1).map((word) => word.toLowerCase())
  const wantsAll = asked.some((word) => word === 'all' || word === 'everything')
  const wantsDefault = wantsAll || asked.includes('default')
  const shown = Object.entries(SECTIONS).filter(
    ([name]) => asked.includes(name) || wantsAll || (wantsDefault && !HIDDEN.has(name)),
  )
  const texts = shown.map(([name, rowsOf]) => {
    const title = name === 'cpu' ? 'CPU' : name.charAt(0).toUpperCase() + name.slice(1)
    const rows = Object.entries(rowsOf(call.server)).map(([field, value]) => `${field}:${value}\r\n`)
    return `# ${title}\r\n${rows.join('')}`
  })
  call.out.plain(texts.join('\r\n'))
}

const UNITS: readonly (readonly [size: number, letter: string])[] = [
  [1024 ** 3, 'G'],
  [1024 ** 2, 'M'],
  [1024, 'K'],
]

function human(bytes: number): string {
  const [size, letter] = UNITS.find(([least]) => bytes >= least) ?? [1, 'B']
  return letter === 'B' ? `${Math.round(bytes)}B` : `${(bytes / size).toFixed(2)}${letter}`
}

export const INFO_COMMANDS: Readonly<Record<string, Handler>> = { info }
