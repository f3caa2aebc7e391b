/**
 * What a snapshot of memory is made with, and what proves it when it is read.
 *
 * Floor 3, room flow. With a log that outlives this process, a snapshot is stamped with the place in it up to which all of
 * memory is current, and an entry is good iff nothing that names it stands after that. Without one nothing proves it: then it
 * is read only if the option says so. Ages count on by clocks that nobody set; an entry past its budget is never read.
 */
import type { SnapshotFile } from '../tier/snapshot-store.ts'
import type { Engine } from './engine.ts'
import type { Preserver } from './preserve.ts'
import type { SharedLog } from './shared-log.ts'

/**
 * What is read where no shared log proves it: nothing; what was written when everything had ended in order, once; or
 * whatever was written last, once.
 */
export type UnprovenPolicy = 'drop' | 'drained' | 'budget'

/** See the module's header. */
export interface SnapshotParts {
  readonly engine: Engine
  readonly file: SnapshotFile
  readonly preservers: readonly Preserver[]
  /** Digest of the rules in force, that keys and answers are made by: others' are not read. */
  readonly meaning: string
  readonly unproven: UnprovenPolicy
  /** Most entries written. */
  readonly maxKeys: number
}

const STORE_TIME_MS = 500
const LOOK_MS = 10

/** The log that outlives this process; undefined: there is none. */
export function lastingLog({ redis, shared }: Engine): SharedLog | undefined {
  return redis === undefined ? undefined : shared
}

/** Whether the log is reached, and all of it is applied. */
export function isInSight(log: SharedLog): boolean {
  return log.generation !== '' && !log.isBlind
}

/** Waits until the log is in sight. @returns whether it is */
export async function untilInSight({ clock }: Engine, log: SharedLog, isOver: () => boolean): Promise<boolean> {
  while (!isInSight(log)) {
    if (isOver()) return false
    await new Promise<void>((resolve) => void clock.after(LOOK_MS, resolve))
  }
  return true
}

/** The store's time, epoch ms; 0: it cannot be asked. Never rejects. */
export async function storeTime({ redis }: Engine): Promise<number> {
  if (redis === undefined) return 0
  try {
    const reply = await redis.call(['TIME'], { deadlineMs: STORE_TIME_MS })
    const [seconds, micros] = Array.isArray(reply) ? reply.map((part) => Number(String(part))) : []
    const ms = (seconds ?? 0) * 1000 + Math.floor((micros ?? 0) / 1000)
    return Number.isSafeInteger(ms) && ms > 0 ? ms : 0
  } catch {
    return 0
  }
}
