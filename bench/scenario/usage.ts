/**
 * Processor time of other processes, from /proc: what a request cost everybody who worked on it.
 */
import { readFile } from 'node:fs/promises'

/** Ticks per second of /proc/PID/stat; fixed to 100 on every Linux that matters. */
const TICKS_PER_SECOND = 100

/** User and system seconds of all these processes together; undefined where there is no /proc. */
export async function readCpuSeconds(pids: readonly number[]): Promise<number | undefined> {
  try {
    const ticks = await Promise.all(pids.map(readTicks))
    return ticks.reduce((sum, one) => sum + one, 0) / TICKS_PER_SECOND
  } catch {
    return undefined
  }
}

async function readTicks(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The second field is the command in parentheses and may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}
