/**
 * What a busy machine does to the processes of a stand: how long each was ready to run and got no core.
 *
 * The kernel counts it (`/proc/<pid>/schedstat`, main thread), so it is neither guessed nor believed of those who are judged.
 * Deadlines are longer by it, and an instance that got no core for half of the time for which silence is trusted counts as
 * ill: it could not have asked the store in time. Where the system does not say, nothing is forgiven.
 */
import { readFileSync } from 'node:fs'

const EVERY_MS = 50
/** Shorter waits are what every process has. */
const LEAST_MS = 1

/** Waited between two looks. */
interface Wait {
  readonly from: number
  readonly to: number
  readonly ms: number
}

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
    return performance.now() - begunAt - waited > limitMs
  }
}

/** See the module's header. */
export class Strain {
  readonly #watched: () => readonly Watched[]
  readonly #seen = new Map<number, { readonly at: number; readonly ms: number }>()
  readonly #waits = new Map<string, Wait[]>()
  readonly #timer: NodeJS.Timeout

  /** @param watched processes that live now: instances by their names, those that all need by an empty one */
  constructor(watched: () => readonly Watched[]) {
    this.#watched = watched
    this.#look()
    this.#timer = setInterval(() => this.#look(), EVERY_MS)
  }

  /** Ms that this instance, and whatever it cannot do without, have waited in a time; `performance.now()`. */
  between(name: string, from: number, to: number): number {
    return this.#of(name).reduce((sum, wait) => (wait.to >= from && wait.from <= to ? sum + wait.ms : sum), 0)
  }

  /** Whether they waited for half of some stretch of so many ms that ends in this time. */
  isStarved(name: string, { from, to, stretchMs }: { from: number; to: number; stretchMs: number }): boolean {
    const near = this.#of(name).filter((wait) => wait.to >= from - stretchMs && wait.from <= to + stretchMs)
    return near.some(({ to: end }) => {
      if (end < from || end - stretchMs > to) return false
      return near.reduce((sum, one) => (one.to >= end - stretchMs && one.from <= end ? sum + one.ms : sum), 0) >= stretchMs / 2
    })
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #of(name: string): readonly Wait[] {
    return [...(this.#waits.get(name) ?? []), ...(this.#waits.get('') ?? [])]
  }

  #look(): void {
    const at = performance.now()
    for (const { name, pid } of this.#watched()) {
      const ms = waitedMs(pid)
      const before = this.#seen.get(pid)
      this.#seen.set(pid, { at, ms })
      if (before === undefined || ms - before.ms < LEAST_MS) continue
      const waits = this.#waits.get(name) ?? []
      // It is counted when it is over: it may have begun before the last look.
      waits.push({ from: Math.min(before.at, at - (ms - before.ms)), to: at, ms: ms - before.ms })
      this.#waits.set(name, waits)
    }
  }
}
