/**
 * What the machine says of time beyond the life of a process.
 *
 * Floor 2, room tier. A machine's run has a random name and a clock that nobody sets: as long as the name is the same, the
 * difference of two readings is true. The wall clock may have been set in between; it is asked for what it adds, never
 * believed where it takes away.
 */
import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'

/** Readings of this moment. */
export interface MachineTime {
  /** Wall clock, epoch ms. */
  readonly wallAt: number
  /** Name of the machine's run; '' where the system does not say. */
  readonly boot: string
  readonly uptimeMs: number
  /** The store's time, epoch ms; 0: not known. */
  readonly storeAt: number
}

const BOOT_ID = '/proc/sys/kernel/random/boot_id'
/** The clock of the machine's run may be given in whole seconds. */
const COARSE_MS = 1000

/** @param storeAt see MachineTime */
export function readMachine(storeAt = 0): MachineTime {
  return { wallAt: Date.now(), boot: readBoot(), uptimeMs: uptime() * 1000, storeAt }
}

/**
 * Time between two readings, ms: never less than the truth, if one clock that nobody set says it.
 *
 * @returns undefined where nothing but the wall clock could say it, or a clock has gone backwards
 */
export function elapsedBetween(before: MachineTime, after: MachineTime): number | undefined {
  const told: number[] = []
  if (before.boot !== '' && before.boot === after.boot) {
    if (after.uptimeMs + COARSE_MS < before.uptimeMs) return undefined
    told.push(after.uptimeMs - before.uptimeMs + COARSE_MS)
  }
  if (before.storeAt > 0 && after.storeAt > 0) {
    if (after.storeAt < before.storeAt) return undefined
    told.push(after.storeAt - before.storeAt)
  }
  if (told.length === 0) return undefined
  return Math.max(0, after.wallAt - before.wallAt, ...told)
}

function readBoot(): string {
  try {
    return readFileSync(BOOT_ID, 'utf8').trim().slice(0, 64)
  } catch {
    return ''
  }
}
