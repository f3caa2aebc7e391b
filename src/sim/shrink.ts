/**
 * Shrinking: of a schedule that fails, what is needed for that and no more.
 *
 * Floor 1, room sim. Steps are left out, half of them at first, one by one at the end, as long as it still fails; then pauses
 * and faults are made short; and again, until nothing helps. Bounded in runs.
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
  let before: readonly Step[]
  do {
    before = steps
    await leaveOut(() => steps, attempt)
    await shorten(() => steps, attempt)
  } while (steps !== before && left > 0)
  return { seed, steps }
}

type Attempt = (candidate: readonly Step[]) => Promise<boolean>

async function leaveOut(now: () => readonly Step[], attempt: Attempt): Promise<void> {
  for (let size = Math.ceil(now().length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    let isShorter = true
    while (isShorter) {
      isShorter = false
      for (let at = now().length - size; at >= 0; at -= size) {
        const gap = { at, size }
        if ((await attempt(without(now(), gap, false))) || (await attempt(without(now(), gap, true)))) isShorter = true
      }
    }
  }
}

async function shorten(now: () => readonly Step[], attempt: Attempt): Promise<void> {
  for (let at = 0; at < now().length; at += 1) {
    for (const name of ['afterMs', 'forMs'] as const) {
      const { [name]: ms } = now()[at] as Step
      for (const less of [0, ms >> 2, ms >> 1]) {
        if (less < ms && (await attempt(now().with(at, { ...(now()[at] as Step), [name]: less })))) break
      }
    }
  }
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
