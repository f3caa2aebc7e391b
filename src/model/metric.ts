/**
 * The catalogue of metrics: every counter, histogram and gauge with its fixed name, labels and meaning.
 *
 * Floor 0, room model. Names are part of the public contract: rows may be added, never renamed. The doors' exposition
 * (ops/prometheus) and docs/reference/metrics.md are printed from these rows. All names get the prefix `forecache_`.
 */

import { ADAPTIVE_ROWS } from './metric-adaptive.ts'
import { PREFETCH_ROWS } from './metric-prefetch.ts'
import { WARM_ROWS } from './metric-warm.ts'

/** One counter. Rows that share a `name` differ in their fixed `labels` and are one family. */
export interface CounterRow {
  readonly name: string
  readonly help: string
  /** Counted per route; otherwise one number for the whole process. */
  readonly perRoute: boolean
  readonly labels?: Readonly<Record<string, string>>
}

/** One histogram; all are labelled `cached`, `stale`, `route`, in seconds. */
export interface HistogramRow {
  readonly name: string
  readonly help: string
}

/** One gauge, read when somebody asks. */
export interface GaugeRow {
  readonly name: string
  readonly help: string
}

const SHEDS = {
  name: 'memory_sheds_total',
  help: 'What the governor let go or refused so that the limit of memory holds, by what it was.',
  perRoute: false,
}

const LANE = {
  name: 'lane_requests_total',
  help: 'Requests that came in by the fast lane, by what became of them: answered at once, awaited from the door, handed to the full HTTP stack, or given to it together with their connection.',
  perRoute: false,
}

const L2_READS = {
  name: 'l2_reads_total',
  help: 'Keys that memory did not have and the second level was asked for, by what came of it: not there, not provable any more, unreadable, no answer in time, refused, or not asked because it is down.',
  perRoute: false,
}

const L2_WRITES = {
  name: 'l2_writes_total',
  help: 'Entries for the second level, by what became of them: written, something newer stood there, not for it, failed, or shed because too much waited or it is down.',
  perRoute: false,
}

const LEASES = {
  name: 'lease_questions_total',
  help: 'Loads for which the lease was asked: taken, waited for because another instance loads already, nobody asked because the store is away, too much under way.',
  perRoute: false,
}

const LEASE_WAITS = {
  name: 'lease_waits_total',
  help: 'Waits for another instance, by their end: its answer taken from the second level or as it came, its place taken, each for himself, waited too long, or the store did not answer meanwhile.',
  perRoute: false,
}

const LINK_RECORDS = {
  name: 'link_records_total',
  help: 'Invalidations in the log that instances share: appended by this one, applied from others.',
  perRoute: false,
}

const AUDITS = {
  name: 'audit_checks_total',
  help: 'Answers from memory that the audit chose, by what it found: current, outdated inside the budget, violating a promise, inconclusive, or skipped because of the rate.',
  perRoute: true,
}

const AHEAD = {
  name: 'cache_ahead_refreshes_total',
  help: 'Refreshes before the end, by what became of them: started, read afterwards, not read.',
  perRoute: true,
}

const BEATS = {
  name: 'registry_beats_total',
  help: 'Heartbeats of this instance, by whether the registry took them.',
  perRoute: false,
}

const ORDERS = {
  name: 'scaler_orders_total',
  help: 'Orders to the scaler by this instance while it led, by what came of them.',
  perRoute: false,
}

const SNAPSHOTS = {
  name: 'snapshot_writes_total',
  help: 'Snapshots begun, by whether one was written, could not be proven, or failed.',
  perRoute: false,
}

const RESP = {
  name: 'resp_commands_total',
  help: 'Commands at the Redis door, by what became of them: answered from memory (hit); asked of the upstream to be kept (miss); could have been a hit but for the state of the connection or of the tracking (passed); reads that are never kept (read); writes; commands that wait (blocking); that change the connection (state); and those of connections that are no longer framed (piped).',
  perRoute: false,
}

const RESP_ENDS = {
  name: 'resp_refused_total',
  help: 'Clients of the Redis door sent away: too many were there, a request could not be read, the upstream could not be reached, or went away.',
  perRoute: false,
}

const INVALIDATIONS = {
  name: 'cache_invalidations_total',
  help: 'Invalidation targets applied, by what they name.',
  perRoute: false,
}

/** Every counter; `COUNTER` gives the small integer of each. */
export const COUNTER_ROWS = {
  hits: { name: 'cache_hits_total', help: 'Answers served from the cache inside their fresh window.', perRoute: true },
  staleServes: {
    name: 'cache_stale_serves_total',
    help: 'Answers served past their fresh window while a refresh ran.',
    perRoute: true,
  },
  reserveServes: { name: 'cache_reserve_serves_total', help: 'Stale answers served because the origin failed.', perRoute: true },
  misses: {
    name: 'cache_misses_total',
    help: 'Requests that could have been cached but had to wait for a load.',
    perRoute: true,
  },
  passes: {
    name: 'cache_passes_total',
    help: 'Requests sent on without the cache: bypass and known uncacheable.',
    perRoute: true,
  },
  coalesced: { name: 'cache_coalesced_total', help: 'Misses that waited for a load led by another request.', perRoute: true },
  originRequests: {
    name: 'cache_origin_requests_total',
    help: 'Loads and requests sent to the origin, refreshes included.',
    perRoute: true,
  },
  originFailures: {
    name: 'cache_origin_failures_total',
    help: 'Loads and origin requests that failed or timed out.',
    perRoute: true,
  },
  refreshes: { name: 'cache_refreshes_total', help: 'Background refreshes started.', perRoute: true },
  refreshFailures: { name: 'cache_refresh_failures_total', help: 'Background refreshes that failed.', perRoute: true },
  revalidations: {
    name: 'cache_revalidations_total',
    help: 'Entries renewed by the origin without a new body (304).',
    perRoute: true,
  },
  fenced: {
    name: 'cache_fenced_total',
    help: 'Loads answered but not kept, because what they read was invalidated meanwhile.',
    perRoute: true,
  },
  unkept: {
    name: 'cache_unkept_total',
    help: 'Loads answered but not kept for another reason: uncacheable, too large, refused by the policy.',
    perRoute: true,
  },
  refused: {
    name: 'cache_refused_total',
    help: 'Requests refused by a bound: waiting list full, back-off, deadline.',
    perRoute: true,
  },
  laneAnswers: { ...LANE, labels: { way: 'answered' } },
  laneAwaits: { ...LANE, labels: { way: 'awaited' } },
  laneAsides: { ...LANE, labels: { way: 'aside' } },
  laneGiven: { ...LANE, labels: { way: 'given' } },
  variantsMade: {
    name: 'variants_made_total',
    help: 'Representations in another coding that were put beside stored responses.',
    perRoute: true,
  },
  variantsSavedBytes: {
    name: 'variants_saved_bytes_total',
    help: 'Bytes of bodies that clients were spared by them.',
    perRoute: true,
  },
  variantsShed: {
    name: 'variants_shed_total',
    help: 'Responses stored without other codings, because too much work of the kind waited already.',
    perRoute: true,
  },
  variantsFailed: {
    name: 'variants_failed_total',
    help: 'Responses whose own coding could not be decoded: broken, cut off, or unfolding to too much.',
    perRoute: true,
  },
  l2Hits: { ...L2_READS, labels: { outcome: 'hit' } },
  l2Misses: { ...L2_READS, labels: { outcome: 'miss' } },
  l2Dead: { ...L2_READS, labels: { outcome: 'dead' } },
  l2Broken: { ...L2_READS, labels: { outcome: 'broken' } },
  l2Late: { ...L2_READS, labels: { outcome: 'late' } },
  l2Failed: { ...L2_READS, labels: { outcome: 'failed' } },
  l2Skipped: { ...L2_READS, labels: { outcome: 'skipped' } },
  l2Writes: { ...L2_WRITES, labels: { outcome: 'written' } },
  l2Older: { ...L2_WRITES, labels: { outcome: 'older' } },
  l2Unwritten: { ...L2_WRITES, labels: { outcome: 'unfit' } },
  l2WriteFailures: { ...L2_WRITES, labels: { outcome: 'failed' } },
  l2Shed: { ...L2_WRITES, labels: { outcome: 'shed' } },
  blindSeconds: {
    name: 'cache_blind_seconds_total',
    help: 'Seconds in which the log that instances share was out of sight.',
    perRoute: false,
  },
  linkAppended: { ...LINK_RECORDS, labels: { way: 'appended' } },
  linkApplied: { ...LINK_RECORDS, labels: { way: 'applied' } },
  linkProofs: {
    name: 'link_proofs_total',
    help: 'Times the end of the shared log was asked for and told, to prove that nothing newer stands there.',
    perRoute: false,
  },
  linkFailures: {
    name: 'link_failures_total',
    help: 'Calls about the shared log that failed or came too late.',
    perRoute: false,
  },
  linkBlind: { name: 'link_blind_total', help: 'Times the shared log went out of sight.', perRoute: false },
  linkRenewed: {
    name: 'link_renewed_total',
    help: 'Times memory was dropped because the shared log had begun anew, or was trimmed past this instance; once at the start.',
    perRoute: false,
  },
  leasesHeld: { ...LEASES, labels: { outcome: 'held' } },
  leasesAwaited: { ...LEASES, labels: { outcome: 'awaited' } },
  leasesDown: { ...LEASES, labels: { outcome: 'down' } },
  leasesFull: { ...LEASES, labels: { outcome: 'full' } },
  leasesShared: { ...LEASE_WAITS, labels: { end: 'stored' } },
  leasesStreamed: { ...LEASE_WAITS, labels: { end: 'streamed' } },
  leasesTaken: { ...LEASE_WAITS, labels: { end: 'taken' } },
  leasesAlone: { ...LEASE_WAITS, labels: { end: 'alone' } },
  leasesLate: { ...LEASE_WAITS, labels: { end: 'late' } },
  leasesCut: { ...LEASE_WAITS, labels: { end: 'down' } },
  leasesLost: { name: 'lease_losses_total', help: 'Leases that another took while the load still ran here.', perRoute: false },
  leaseResumes: {
    name: 'lease_resumes_total',
    help: 'Bodies that went on from another source because the instance that streamed them was gone, by what came of it.',
    perRoute: false,
    labels: { outcome: 'resumed' },
  },
  leaseBreaks: {
    name: 'lease_resumes_total',
    help: 'Bodies that went on from another source because the instance that streamed them was gone, by what came of it.',
    perRoute: false,
    labels: { outcome: 'broken' },
  },
  invalidatedKeys: { ...INVALIDATIONS, labels: { kind: 'key' } },
  invalidatedTags: { ...INVALIDATIONS, labels: { kind: 'tag' } },
  invalidatedPrefixes: { ...INVALIDATIONS, labels: { kind: 'prefix' } },
  invalidatedNamespaces: { ...INVALIDATIONS, labels: { kind: 'namespace' } },
  invalidatedAll: { ...INVALIDATIONS, labels: { kind: 'all' } },
  evictions: { name: 'cache_evictions_total', help: 'Entries removed to make room.', perRoute: false },
  expirations: {
    name: 'cache_expirations_total',
    help: 'Entries removed because every window of their budget had passed.',
    perRoute: false,
  },
  shedEntries: { ...SHEDS, labels: { kind: 'entries' } },
  shedFills: { ...SHEDS, labels: { kind: 'fills' } },
  shedStores: { ...SHEDS, labels: { kind: 'stores' } },
  shedGarbage: { ...SHEDS, labels: { kind: 'garbage' } },
  respHits: { ...RESP, labels: { class: 'hit' } },
  respMisses: { ...RESP, labels: { class: 'miss' } },
  respPassed: { ...RESP, labels: { class: 'passed' } },
  respReads: { ...RESP, labels: { class: 'read' } },
  respWrites: { ...RESP, labels: { class: 'write' } },
  respBlocking: { ...RESP, labels: { class: 'blocking' } },
  respState: { ...RESP, labels: { class: 'state' } },
  respPiped: { ...RESP, labels: { class: 'piped' } },
  respFenced: {
    name: 'resp_fenced_total',
    help: 'Requests and replies at the Redis door that were held until memory had followed what the client knew.',
    perRoute: false,
  },
  respConnections: { name: 'resp_connections_total', help: 'Connections that the Redis door has accepted.', perRoute: false },
  respRefused: { ...RESP_ENDS, labels: { reason: 'clients' } },
  respBroken: { ...RESP_ENDS, labels: { reason: 'protocol' } },
  respUnreachable: { ...RESP_ENDS, labels: { reason: 'unreachable' } },
  respLost: { ...RESP_ENDS, labels: { reason: 'upstream' } },
  respOverflows: { ...RESP_ENDS, labels: { reason: 'output' } },
  auditCurrent: { ...AUDITS, labels: { outcome: 'current' } },
  auditOutdated: { ...AUDITS, labels: { outcome: 'outdated' } },
  auditViolating: { ...AUDITS, labels: { outcome: 'violating' } },
  auditInconclusive: { ...AUDITS, labels: { outcome: 'inconclusive' } },
  auditSkipped: { ...AUDITS, labels: { outcome: 'skipped' } },
  aheadRefreshes: { ...AHEAD, labels: { outcome: 'started' } },
  aheadRead: { ...AHEAD, labels: { outcome: 'read' } },
  aheadWasted: { ...AHEAD, labels: { outcome: 'wasted' } },
  ...PREFETCH_ROWS,
  beatsTaken: { ...BEATS, labels: { outcome: 'taken' } },
  beatsFailed: { ...BEATS, labels: { outcome: 'failed' } },
  ordersDone: { ...ORDERS, labels: { outcome: 'done' } },
  ordersFailed: { ...ORDERS, labels: { outcome: 'failed' } },
  ordersRefused: { ...ORDERS, labels: { outcome: 'refused' } },
  ordersTried: { ...ORDERS, labels: { outcome: 'dry-run' } },
  snapshotsWritten: { ...SNAPSHOTS, labels: { outcome: 'written' } },
  snapshotsUnproven: { ...SNAPSHOTS, labels: { outcome: 'unproven' } },
  snapshotsFailed: { ...SNAPSHOTS, labels: { outcome: 'failed' } },
  ...ADAPTIVE_ROWS,
  ...WARM_ROWS,
  stalenessViolations: {
    name: 'cache_staleness_violations_total',
    help: 'Answers that the audit found older than was promised; anything but 0 is a fault of the cache.',
    perRoute: true,
  },
} as const satisfies Record<string, CounterRow>

/** Every histogram; `HISTOGRAM` gives the small integer of each. */
export const HISTOGRAM_ROWS = {
  hit: {
    name: 'cache_hit_seconds',
    help: 'Time from asking the cache to having the answer, loads included where cached="false".',
  },
  request: { name: 'cache_request_seconds', help: "Time from a request's head to the end of its answer, at the door." },
  staleness: { name: 'cache_staleness_seconds', help: 'How far past its fresh window an answer was when it was served stale.' },
  realStaleness: {
    name: 'audit_real_staleness_seconds',
    help: 'For how long the origin had something else when an answer was served from memory; at most so much where the origin does not tell when it changed.',
  },
} as const satisfies Record<string, HistogramRow>

/** Every gauge. */
export const GAUGE_ROWS = {
  entries: { name: 'cache_entries', help: 'Entries in memory.' },
  bytes: { name: 'cache_bytes', help: 'Bytes charged to entries in memory: values, keys, tags and bookkeeping.' },
  maxBytes: { name: 'cache_max_bytes', help: 'Limit of the bytes in memory.' },
  memoryLimit: { name: 'memory_limit_bytes', help: 'Limit of memory as it was given: entries and ledger together.' },
  memoryEffective: {
    name: 'memory_effective_bytes',
    help: 'What of the limit is left to entries now, beside the ledger and what the resident size takes.',
  },
  memoryLedger: { name: 'memory_ledger_bytes', help: 'Bytes held outside of entries, by account.' },
  memoryRss: { name: 'memory_rss_bytes', help: 'Resident size when the governor last looked; 0 where it does not.' },
  memoryBase: { name: 'memory_base_bytes', help: 'Resident size when the governor began to look.' },
  l2Up: { name: 'l2_up', help: 'Whether the second level answers; absent where there is none.' },
  l2QueueBytes: { name: 'l2_queue_bytes', help: 'Bytes that wait to be written to the second level.' },
  effectiveHitRatio: {
    name: 'cache_effective_hit_ratio',
    help: 'Share of cacheable requests answered from the cache since start, stale answers included.',
  },
} as const satisfies Record<string, GaugeRow>

/** What an instance with a scaler tells of the leadership. */
export const LEADER_ROWS = {
  isLeader: { name: 'scaler_leader', help: 'Whether this instance leads and asks for more or fewer of them.' },
  term: { name: 'scaler_term', help: 'The last term that this instance knows of; it only grows.' },
  desired: {
    name: 'scaler_desired_instances',
    help: 'Instances that should be, by the last decision of this one; absent before it has led.',
  },
} as const satisfies Record<string, GaugeRow>

/** Gauges of the Redis door; only where there is one. */
export const RESP_ROWS = {
  clients: { name: 'resp_clients', help: 'Clients of the Redis door.' },
  isCovered: {
    name: 'resp_tracking_up',
    help: 'Whether the upstream tells of every change, so that memory may answer; 1 where there is no upstream.',
  },
  entries: { name: 'resp_entries', help: 'Replies in memory, or keys where there is no upstream.' },
  bytes: { name: 'resp_bytes', help: 'Bytes that they take, tables included.' },
} as const satisfies Record<string, GaugeRow>

/** What a supervisor tells of its workers; only with `workers` above 1. */
export const WORKER_ROWS = {
  listening: { name: 'workers', type: 'gauge', help: 'Workers that take requests.', labels: '–' },
  replaced: { name: 'workers_replaced_total', type: 'counter', help: 'Workers that were lost and replaced.', labels: '–' },
  cpu: { name: 'worker_cpu_seconds_total', type: 'counter', help: 'CPU time of each worker that lives.', labels: '`worker`' },
  resident: {
    name: 'worker_resident_bytes',
    type: 'gauge',
    help: 'Resident size of each worker that lives.',
    labels: '`worker`',
  },
} as const satisfies Record<string, GaugeRow & { readonly type: 'counter' | 'gauge'; readonly labels: string }>

export type CounterName = keyof typeof COUNTER_ROWS
export type HistogramName = keyof typeof HISTOGRAM_ROWS
export type GaugeName = keyof typeof GAUGE_ROWS

/** Small integer of each counter, for `Meter.count`. */
export const COUNTER = number(COUNTER_ROWS)
/** Small integer of each histogram, for `Meter.observe`. */
export const HISTOGRAM = number(HISTOGRAM_ROWS)

function number<K extends string>(rows: Readonly<Record<K, object>>): Readonly<Record<K, number>> {
  return Object.freeze(Object.fromEntries(Object.keys(rows).map((name, index) => [name, index])) as Record<K, number>)
}
