/**
 * What all connections of a lane share: its deadlines, its counts, the place where answers are put together.
 *
 * Floor 5, room server.
 */
import type { Duplex } from 'node:stream'
import type { Clock } from '../model/clock.ts'
import type { LaneDesk } from './lane-desk.ts'

/** Deadlines and bounds of a lane; durations in ms. */
export interface LaneOptions {
  readonly maxHeadBytes: number
  /** A client that says nothing at all is told so after this. */
  readonly headMs: number
  readonly writeMs: number
  readonly keepAliveMs: number
}

/** What a lane stands before. */
export interface LaneHost {
  readonly clock: Clock
  /** Who answers now; undefined: nobody, everything goes to the stack. */
  desk(): LaneDesk | undefined
  /** Whether connections are to be closed behind their answers. */
  draining(): boolean
  /** The full stack takes a connection. */
  accept(connection: Duplex): void
}

/** What a lane has done since its start. */
export interface LaneCounts {
  /** Answered by the lane itself. */
  answered: number
  /** Handed to the door from the lane, without an answer at once. */
  awaited: number
  /** Handed to the stack, one request each. */
  aside: number
  /** Connections given to the stack for good. */
  given: number
}

/** Answers up to this size, head and body, leave as one copy in one write, bytes. */
export const ONE_COPY_BYTES = 32 * 1024
const GATHER_BYTES = 64 * 1024

/** See the module's header. */
export class LaneShared {
  readonly options: LaneOptions
  readonly host: LaneHost
  /** Of heads that connections remember. */
  headBytes = 0
  readonly counts: LaneCounts = { answered: 0, awaited: 0, aside: 0, given: 0 }
  /** Where answers are put together; whoever leaves bytes of it with the kernel takes it along. */
  gather: Buffer = Buffer.allocUnsafeSlow(GATHER_BYTES)

  constructor(options: LaneOptions, host: LaneHost) {
    this.options = options
    this.host = host
  }

  /** Another place for answers: the former one is still being sent. */
  renewGather(): void {
    this.gather = Buffer.allocUnsafeSlow(GATHER_BYTES)
  }
}
