/**
 * What the rooms above ask of a Redis or Valkey, whatever stands there: one server, a cluster, or what Sentinels name.
 *
 * Floor 2, room tier. Nothing here waits without a deadline.
 */
import type { RedisCommand, RedisReply } from './redis-client.ts'
import type { RedisLane } from './redis-node.ts'

/** How one call is made. */
export interface CallOptions {
  readonly deadlineMs: number
  /** The key it is about: places it in a cluster. Absent: any server. */
  readonly key?: string | Buffer
  /** Default `ahead`. */
  readonly lane?: RedisLane
}

/** A Lua script and the digest it is known by. */
export interface RedisScript {
  readonly source: string
  /** SHA-1 of the source, hex. */
  readonly digest: string
}

/** A connection of its own: for reads that block, and for messages. */
export interface RedisSession {
  /** Aborted when it has ended, for whatever reason. */
  readonly ended: AbortSignal
  /**
   * @param deadlineMs when it has passed, the session ends: a blocking read asks the server for less
   * @throws (rejects) FC_L2_TIMEOUT, FC_L2_DOWN, FC_L2_REPLY
   */
  call(command: RedisCommand, deadlineMs: number): Promise<RedisReply>
  /** Messages of a channel, until the session ends; nothing else can be asked of it then. */
  subscribe(channel: string, listener: (message: Buffer) => void): Promise<void>
  close(): void
}

/** See the module's header. */
export interface RedisPort {
  /** `single` also for what Sentinels name; undefined until a server has said so. */
  readonly kind: 'single' | 'cluster' | undefined
  /** Whether a call about this key (or any) would be sent now. */
  isUp(key?: string | Buffer): boolean
  /** Name of the run of the server that has this key; '' while it is not connected. */
  runId(key?: string | Buffer): string
  /** @throws (rejects) FC_L2_DOWN at once while the server is silent, FC_L2_TIMEOUT, FC_L2_REPLY, FC_L2_BUSY */
  call(command: RedisCommand, options: CallOptions): Promise<RedisReply>
  /**
   * Runs a script, sent once to each server and then named by its digest.
   *
   * @param keys all of one slot; the first one places the call
   * @throws (rejects) as `call`
   */
  run(
    script: RedisScript,
    keys: readonly (string | Buffer)[],
    given: { readonly args: readonly (string | Buffer)[] } & Omit<CallOptions, 'key'>,
  ): Promise<RedisReply>
  /** Opens a connection of its own to the server that has this key. @throws (rejects) FC_L2_DOWN */
  session(key?: string | Buffer): Promise<RedisSession>
  /** Resolves to true when the servers are up, to false when `deadlineMs` has passed before. */
  ready(deadlineMs: number): Promise<boolean>
  /** Runs at each change of whether a server is up, with its address. @returns a function that stops it */
  onState(listener: (state: RedisState) => void): () => void
  /** What is connected, for people. */
  list(): readonly { readonly address: string; readonly isUp: boolean; readonly waiting: number }[]
  close(): void
}

/** A change at one server. */
export interface RedisState {
  readonly address: string
  readonly isUp: boolean
  readonly reason: string
}
