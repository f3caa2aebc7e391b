/**
 * T: the one connection per upstream, process and user on which Redis tells what has changed.
 *
 * Floor 4, room resp. A state machine over a port, because sockets live two floors up: connect, HELLO 3, CLIENT TRACKING ON
 * BCAST, what the server is and which commands it has, the first PING; then it carries pushes, fences, looks at the rules
 * of access and touches hot keys. Silence ends it, its end voids everything that is kept, and it comes back with growing
 * pauses. Where the server or our rights do not allow it, it says so once and stays off.
 */
import type { Clock, Timer } from '../model/clock.ts'
import type { Random } from '../model/random.ts'
import type { Coherence } from './coherence.ts'
import type { CommandTable } from './command-table.ts'

/** A connection that is open or opening. */
export interface TrackingSocket {
  write(bytes: Uint8Array): void
  /** Ends it at once; `ended` is not called for it any more. */
  destroy(): void
}

/** What a connection tells. */
export interface TrackingEvents {
  connected(): void
  /** Bytes; kept until they are read. */
  data(chunk: Buffer): void
  ended(reason: string): void
}

/** Opens a connection to the very server that the clients' connections lead to: the same address, not only the same name. */
export interface TrackingPort {
  open(events: TrackingEvents): TrackingSocket
}

/** `on`: memory may answer. `refused`: it never will as things are; looked at again now and then. */
export type TrackingState = 'connecting' | 'greeting' | 'on' | 'waiting' | 'refused' | 'closed'

/** What is known of the upstream. */
export interface Upstream {
  readonly table: CommandTable
  readonly version: string
  readonly isClustered: boolean
  readonly isReplica: boolean
  /** Whether other users' grants can be looked at. */
  readonly seesGrants: boolean
  /** Random name of this run of the server; '' where we may not ask. */
  readonly runId: string
}

/** What it is made of. */
export interface TrackingParts {
  readonly coherence: Coherence
  readonly port: TrackingPort
  readonly clock: Clock
  readonly random: Random
  readonly username: string | undefined
  readonly password: string | undefined
  /** Prefixes of the keys that are kept; none: all. */
  readonly prefixes: readonly string[]
  /** Each change of state, once. */
  readonly onState: (state: TrackingState, reason: string) => void
}
