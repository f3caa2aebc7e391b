/**
 * Shrinking: of a schedule that fails, what is needed for that and no more.
 *
 * Floor 1, room sim. Steps are left out, half of them at first, one by one at the end, as long as it still fails; then pauses
 * and faults are made short. Bounded in runs.
 */
import type { Schedule, Step } from './schedule.ts'

/** Whether a schedule still fails. */
export type StillFails = (schedule: Schedule) => Promise<boolean>

/** Runs that may be spent. */
const MAX_RUNS = 400

/** @returns a shorter schedule that fails, or the same */
export async function shrinkSchedule(schedule: Schedule, stillFails: StillFails): Promise<Schedule> {
  const { seed } = schedule
  let left = MAX_RUNS
  let steps = schedule.steps
  const attempt = async (candidate: readonly Step[]): Promise<boolean> => {
    if (left === 0) return false
    left -= 1
    if (!(await stillFails({ seed, steps: candidate }))) return false
    steps = candidate
    return true
  }
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    let isShorter = true
    while (isShorter && left > 0) {
      isShorter = false
      for (let at = steps.length - size; at >= 0 && left > 0; at -= size) {
        const gap = { at, size }
        if ((await attempt(without(steps, gap, false))) || (await attempt(without(steps, gap, true)))) isShorter = true
      }
    }
  }
  for (let at = 0; at < steps.length; at += 1) {
    for (const name of ['afterMs', 'forMs'] as const) {
      const { [name]: ms } = steps[at] as Step
      for (const shorter of [0, ms >> 2, ms >> 1]) {
        if (shorter < ms && (await attempt(steps.with(at, { ...(steps[at] as Step), [name]: shorter })))) break
      }
    }
  }
  return { seed, steps }
}

/** @param keepsTime what passed before the steps left out passes before the next one */
function without(steps: readonly Step[], { at, size }: { at: number; size: number }, keepsTime: boolean): readonly Step[] {
  const rest = steps.toSpliced(at, size)
  const next = rest[at]
  if (!keepsTime || next === undefined) return rest
  const passedMs = steps.slice(at, at + size).reduce((sum, { afterMs }) => sum + afterMs, 0)
  rest[at] = { ...next, afterMs: next.afterMs + passedMs }
  return rest
}
