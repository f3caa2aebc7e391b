/**
 * What the hook did, counted.
 *
 * Floor 5, room register. Plain fields of one object per process: a hit adds 1.
 */

/** See the module's header. */
export class Tally {
  /** Answered from memory. */
  hits = 0
  /** Of these, after waiting for the tracking connection. */
  waits = 0
  /** Readings that could have been kept and went to the server. */
  misses = 0
}

/** The hook's state for people and tests. */
export interface HookStats {
  readonly hits: number
  readonly waits: number
  readonly misses: number
  readonly evictions: number
  readonly entries: number
  readonly bytes: number
  readonly maxBytes: number
  readonly upstreams: readonly UpstreamStats[]
}

/** One server and user. */
export interface UpstreamStats {
  /** Address, and user where there is one. */
  readonly name: string
  readonly clients: number
  readonly state: string
  /** Why, where it is not on. */
  readonly reason: string
  /** Changes heard of. */
  readonly changes: number
  readonly fences: number
}
