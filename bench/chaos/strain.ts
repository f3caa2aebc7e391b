/**
 * What a busy machine does to the processes of a stand: how long each was ready to run and got no core.
 *
 * The kernel counts it (`/proc/<pid>/schedstat`, main thread), so it is neither guessed nor believed of those who are judged.
 * Deadlines are longer by it, and an instance that got no core for half of the time for which silence is trusted could not have asked
 * the store in time (see `checker`). Where the system does not say, nothing is forgiven.
 */
import { readFileSync } from 'node:fs'
import { type Stretch, Waits } from './waits.ts'

const EVERY_MS = 50
/** Then it is over however long they waited: of several processes that is more than the time itself. */
const MOST_TIMES = 5
/** Shorter waits are what every process has. */
const LEAST_MS = 1

interface Watched {
  readonly name: string
  readonly pid: number
}

/** Ms that a process has waited for a core since it began; 0 where nobody says. */
export function waitedMs(pid: number): number {
  try {
    const waited = Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[1]) / 1e6
    return Number.isFinite(waited) ? waited : 0
  } catch {
    return 0
  }
}

/** @returns says whether so many ms have passed in which none of these processes waited for a core */
export function createPatience(limitMs: number, pids: () => readonly number[]): () => boolean {
  const begunAt = performance.now()
  const all = (): Set<number> => new Set([process.pid, ...pids()])
  const before = new Map([...all()].map((pid) => [pid, waitedMs(pid)]))
  return () => {
    const waited = [...all()].reduce((sum, pid) => sum + Math.max(0, waitedMs(pid) - (before.get(pid) ?? 0)), 0) // 0: it has ended
    const sinceMs = performance.now() - begunAt
    return sinceMs - waited > limitMs || sinceMs > limitMs * MOST_TIMES
  }
}

/** See the module's header. */
export class Strain {
  readonly #watched: () => readonly Watched[]
  readonly #seen = new Map<number, { readonly at: number; readonly ms: number }>()
  readonly #waits = new Waits(process.pid)
  readonly #timer: NodeJS.Timeout

  /** @param watched processes that live now: instances by their names, those that all need by an empty one */
  constructor(watched: () => readonly Watched[]) {
    this.#watched = watched
    this.#look()
    this.#timer = setInterval(() => this.#look(), EVERY_MS)
  }

  /** See `Waits`; `performance.now()`. */
  between(name: string, from: number, to: number): number {
    return this.#waits.between(name, from, to)
  }

  /** See `Waits`. */
  isStarved(name: string, stretch: Stretch): boolean {
    return this.#waits.isStarved(name, stretch)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const at = performance.now()
    for (const { name, pid } of this.#watched()) {
      const ms = waitedMs(pid)
      const before = this.#seen.get(pid)
      this.#seen.set(pid, { at, ms })
      if (before === undefined || ms - before.ms < LEAST_MS) continue
      // The kernel counts a wait when it is over: it may have begun before the last look.
      this.#waits.note(name, { pid, from: before.at - (ms - before.ms), to: at, ms: ms - before.ms })
    }
  }
}
