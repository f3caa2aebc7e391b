/**
 * Leases as a store keeps them, as a port: who may load a key for all, who waits for it, and what the holder has got so far.
 *
 * Floor 2, room tier. A lease ends by itself after its time; whoever holds it names itself by a token that nobody else knows
 * to be his, and nothing is done to a lease without it. Messages are bells: they carry nothing that could not be asked for,
 * and may be lost. Everything is bounded by a deadline and may fail.
 */

/** What is asked for. */
export interface LeaseClaim {
  /** Random name of the holder to be: `member.number`, never used before. */
  readonly token: string
  /** Where the shared log is for the holder: `generation.sequence`. */
  readonly stamp: string
  readonly leaseMs: number
  /** A holder that need not be waited for: what it reads is invalidated. '' for none. */
  readonly over: string
}

/** Who has it now. */
export type LeaseAnswer =
  /** @property wasReleased somebody has released it just now: what he loaded may stand in the second level */
  | { readonly isHeld: true; readonly wasReleased: boolean }
  | { readonly isHeld: false; readonly token: string; readonly stamp: string; readonly leftMs: number }

/**
 * How a load ended, for those who wait: stored where they find it; theirs to load each for himself; failed; given up, so that
 * one of them is to take the lease.
 */
export type LeaseOutcome = 'stored' | 'alone' | 'failed' | 'free'

export function isLeaseOutcome(given: string): given is LeaseOutcome {
  return given === 'stored' || given === 'alone' || given === 'failed' || given === 'free'
}

/** A piece of what the holder has got. Kinds are the doors' own. */
export interface LeaseFrame {
  readonly kind: number
  readonly data: Uint8Array
}

/** What of it was read. */
export interface LeaseRead {
  /** Number of the first frame, counted from 1; 0: none. */
  readonly first: number
  readonly frames: readonly LeaseFrame[]
  /** Since the holder took the lease, by the store's clock, when this was asked for; never less than the truth. */
  readonly ageMs: number
}

/** What rings: somebody waits for a lease that is held here; frames have come; it was released; another has taken it. */
export interface LeaseBell {
  readonly kind: 'awaited' | 'frames' | 'over' | 'taken'
  readonly name: string
  readonly token: string
  /** Of `over`. */
  readonly outcome: LeaseOutcome
}

/** A connection that bells come in by. */
export interface LeaseListening {
  /** Aborted when it has ended, for whatever reason. */
  readonly ended: AbortSignal
  close(): void
}

/** A lease and its holder. */
export interface LeaseHold {
  readonly name: string
  readonly token: string
}

/** See the module's header. Names have no spaces. */
export interface LeaseStore {
  /** Random name of this member, without dots and spaces. */
  readonly member: string
  /** Whether calls about this lease are sent now. */
  isUp(name: string): boolean
  /** Takes a lease, or has this member's bell rung for it from now on. @throws (rejects) FC_L2_* */
  ask(name: string, claim: LeaseClaim, deadlineMs: number): Promise<LeaseAnswer>
  /** @returns whether it is still held, and how many members wait @throws (rejects) FC_L2_* */
  extend(hold: LeaseHold, leaseMs: number, deadlineMs: number): Promise<{ readonly isHeld: boolean; readonly waiting: number }>
  /** Adds frames, the first of them with this number. @returns whether the lease was still held @throws (rejects) FC_L2_* */
  publish(
    hold: LeaseHold,
    piece: { readonly first: number; readonly frames: readonly LeaseFrame[]; readonly keepMs: number },
    deadlineMs: number,
  ): Promise<boolean>
  /** @returns whether it was still held @throws (rejects) FC_L2_* */
  release(hold: LeaseHold, outcome: LeaseOutcome, deadlineMs: number): Promise<boolean>
  /** Frames of this holder behind a number. @throws (rejects) FC_L2_* */
  read(hold: LeaseHold, after: number, deadlineMs: number): Promise<LeaseRead>
  /** Rings this member's own bell by way of the server that has this lease. @throws (rejects) FC_L2_* */
  probe(name: string, deadlineMs: number): Promise<void>
  /** @param onPulse hears own bells @throws (rejects) FC_L2_* */
  listen(onBell: (bell: LeaseBell) => void, onPulse: () => void): Promise<LeaseListening>
}
