/**
 * How late timers are in this process: the event loop's delay at the 99th percentile, since it was asked last.
 *
 * Floor 4, room ops. One monitor a process, begun when it is first asked; it counts in the background. Who asks again soon
 * gets what was said before: too little was seen since.
 */
import { type ELDHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks'

const RESOLUTION_MS = 20
const LEAST_WINDOW_MS = 500

let monitor: ELDHistogram | undefined
let readAt = 0
let lastMs = 0

/** @returns ms beyond the monitor's own interval; 0 at the first time */
export function readLoopDelay(): number {
  const now = performance.now()
  if (monitor === undefined) {
    monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
    monitor.enable()
    readAt = now
  } else if (now - readAt >= LEAST_WINDOW_MS && monitor.count > 0) {
    lastMs = Math.max(0, Number((monitor.percentile(99) / 1e6 - RESOLUTION_MS).toFixed(2)))
    monitor.reset()
    readAt = now
  }
  return lastMs
}
