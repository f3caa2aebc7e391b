/**
 * Words of drills: a system on a node, who asks it, and what is counted.
 */

/** A caller who waits. */
export interface Reading {
  readonly member: Member
  readonly life: number
  readonly key: number
  readonly token: Writing | undefined
  readonly begunAt: number
  /** Nothing older, whatever is wrong. */
  readonly floor: number
  /** Nothing older from whoever sees the log. */
  readonly seenFloor: number
}

/** A change of the origin, told to a member. */
export interface Writing {
  readonly member: Member
  readonly life: number
  readonly key: number
  readonly version: number
  readonly begunAt: number
  isAnswered: boolean
  answeredAt: number
  token: string | undefined
  /** 0: none. */
  sequence: number
  hasAll: boolean
}

/** A system on one node. */
export interface Member {
  readonly name: string
  life: number
  isPaused: boolean
  isCut: boolean
  /** Why it should have seen the log since a moment; undefined: it said that it could not, and with reason. */
  shouldHaveSeen(begunAt: number): string | undefined
  /** What it has applied of the log. */
  hasApplied(writing: Writing): boolean
  start(): void
  stop(): void
  read(reading: Reading): void
  write(writing: Writing): void
  /** Something of its own is due. */
  tick(): void
  /** Messages of a channel. */
  told?(key: number, value: number): void
}

/** What is drilled. */
export interface Settings {
  /** While the log is out of sight. */
  readonly policy: 'budget' | 'miss'
  readonly hasSecond: boolean
  /** A system that promises less: without tokens, without log. */
  readonly isPlain?: boolean
}

/** What was done. */
export interface Counts {
  schedules: number
  steps: number
  reads: number
  cached: number
  second: number
  writes: number
  loads: number
  kept: number
  fenced: number
  joined: number
  blind: number
  renewed: number
  faults: number
  tokens: number
}

export function noCounts(): Counts {
  return {
    ...{ schedules: 0, steps: 0, reads: 0, cached: 0, second: 0, writes: 0, loads: 0 },
    ...{ kept: 0, fenced: 0, joined: 0, blind: 0, renewed: 0, faults: 0, tokens: 0 },
  }
}

/** What a plain store holds. */
export interface Plain {
  readonly value: number
  /** Any number beside it. */
  readonly mark: number
  readonly endsAt: number
}
