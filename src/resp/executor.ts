/**
 * The seam between a session and what runs commands here: the embedded mode.
 *
 * Floor 4, room resp. A session frames, limits and gathers; an executor knows commands. Synchronous: a command is run to
 * its end while its bytes stand, or parks the connection. Bytes handed over are never kept by either side.
 */

/** One framed command. Everything in it is used again for the next one: copy what must outlive the call. */
export interface FramedCommand {
  /** What the arguments stand in. */
  readonly bytes: Buffer
  /** Arguments, the command's name included; at least 1. */
  readonly count: number
  /** Where argument `i` begins in `bytes`, and where it ends (exclusive). */
  readonly starts: Int32Array
  readonly ends: Int32Array
}

/** Where replies go: whole RESP frames, gathered into one write per chunk of requests. */
export interface ReplySink {
  /** Takes bytes now: they may change when the call has returned. */
  put(bytes: Uint8Array, start?: number, end?: number): void
  /** Latin-1 text, such as `+OK\r\n`. */
  text(line: string): void
}

/** What becomes of the connection after a command. */
export const OUTCOME = {
  /** The reply stands in the sink; the next command may run. */
  done: 0,
  /** The command waits (BLPOP and its like): nothing further of this connection is run until `peer.resume()`. */
  parked: 1,
  /** The connection is closed when all that was written has left. */
  close: 2,
} as const
export type Outcome = (typeof OUTCOME)[keyof typeof OUTCOME]

/** The connection, as the executor sees it. */
export interface ExecutorPeer {
  /** Counts from 1 and is never used twice in a process. */
  readonly id: number
  /** `127.0.0.1:50412`, `[::1]:50412`, or the path of a socket. */
  readonly address: string
  /** The same of our own end. */
  readonly localAddress: string
  /** `clock.now()` when the connection was made. */
  readonly since: number
  /** Bytes written and not yet taken by the client. */
  readonly outputBytes: number
  /** Bytes out of turn: messages, pushes, MONITOR's lines, the reply of a parked command. Copied. Outside of `run`. */
  send(bytes: Uint8Array): void
  /** A parked connection goes on; its reply was sent. */
  resume(): void
  /** `pubsub` connections have output limits of their own. */
  setClass(kind: 'normal' | 'pubsub'): void
  /** Closes now, or when what was written has left. */
  close(how: 'now' | 'flushed'): void
  /** A wrong password: answers of this address slow down. `ok` forgives. */
  login(ok: boolean): void
}

/** One connection's state in the executor: database, user, transaction, subscriptions. */
export interface ExecutorSession {
  /** @param now `clock.now()`, read once for a chunk */
  run(command: FramedCommand, out: ReplySink, now: number): Outcome
  /** The connection is gone; what it waited for and subscribed to is forgotten. */
  close(): void
}

/** See the module's header. */
export interface Executor {
  open(peer: ExecutorPeer): ExecutorSession
}
