/**
 * What carries the log between machines, as a port: a Redis stream (tier/redis-log.ts), a JetStream
 * (tier/jetstream-log.ts), or anything else that keeps an order.
 *
 * Floor 2, room tier. Everything may fail or stay away: each call is bounded by its deadline and rejects then. A store is one
 * member's own: it knows the member's name, registers it with each proof and takes it out when it leaves.
 */
import type { Position } from '../model/entry.ts'
import type { LogPlace } from './horizon.ts'

/** One record as it stands in the log. */
export interface LogRow {
  readonly sequence: Position
  readonly generation: string
  /** Who appended it. */
  readonly member: string
  readonly text: string
}

/** The log's place, and who lives. */
export interface Proof extends LogPlace {
  /** Members that were heard within their time to live, the asking one among them. */
  readonly members: readonly string[]
  /** For so long there may be others: the list was lost, ms. Absent: it was not. */
  readonly unsureMs?: number
}

/** What became of drafts to be appended: all of them in their order, or none because the log is another one. */
export interface Appended {
  readonly generation: string
  /** Place of the first of them; 0: the log is another one, nothing was appended. */
  readonly first: Position
  /** Place of each of them, where others came between; absent: one stands behind the other. */
  readonly places?: readonly Position[]
  readonly members: readonly string[]
  /**
   * For so long there may be members that are not named, ms: a log that has just begun has not heard of those that lived
   * under the former one, and they may not have heard that it has begun.
   */
  readonly unsureMs: number
}

/** What is told of a record that has its place. */
export type Placed = Pick<Appended, 'members' | 'unsureMs' | 'places'>

/** A member has applied everything up to a place. */
export interface Acknowledgement {
  readonly member: string
  /** The log that places are of. */
  readonly generation: string
  readonly upTo: Position
  /** Entries that the asked-for records named there: pairs of place and count; 0 is left out. */
  readonly matched: readonly (readonly [sequence: Position, count: number])[]
}

/** What was said while a member listened. */
export interface Heard {
  readonly rows: readonly LogRow[]
  readonly acknowledgements: readonly Acknowledgement[]
}

/** See the module's header. */
export interface LogStore {
  /** Random name of this member, never used before. */
  readonly member: string
  /** Begins the log where there is none; tells that this member lives. */
  prove(deadlineMs: number): Promise<Proof>
  /** Appends in one step, if the log is still the one named. A rejection leaves open whether it was done. */
  append(generation: string, texts: readonly string[], deadlineMs: number): Promise<Appended>
  /** Records after a place, in order, none left out but those trimmed. */
  read(after: Position, limit: number, deadlineMs: number): Promise<readonly LogRow[]>
  /** As `read`, waiting for the next one; and what other members acknowledged. On a connection of its own. */
  listen(after: Position, waitMs: number): Promise<Heard>
  /** Who listens may listen to a server that is no longer the one: the next `listen` connects anew. */
  redial(): void
  /** Tells other members how far this one has come. */
  acknowledge(to: ReadonlyMap<string, Acknowledgement>, deadlineMs: number): Promise<void>
  /** Runs when the store can be reached again after it could not. @returns a function that stops it */
  onBack(run: () => void): () => void
  /** Takes this member out, as far as that can be told in time, and ends its connections. */
  leave(deadlineMs: number): Promise<void>
}
