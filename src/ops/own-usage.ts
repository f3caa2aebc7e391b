/**
 * What this process has used since its start.
 *
 * Floor 4, room ops.
 */
import { readLoopDelay } from './loop-delay.ts'

/** CPU and memory of one process. */
export interface ProcessUsage {
  readonly cpuSeconds: number
  readonly residentBytes: number
  /** How late its timers were of late, ms. */
  readonly loopDelayMs: number
}

export function ownUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage()
  return { cpuSeconds: (user + system) / 1e6, residentBytes: process.memoryUsage.rss(), loopDelayMs: readLoopDelay() }
}
