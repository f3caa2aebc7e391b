/**
 * What all processes of an instance have counted together.
 *
 * Floor 4, room ops. Counters of a worker that has ended are kept, and nothing is shown that was not told: a counter
 * never goes backwards, however its workers end.
 */
import type { Engine } from '../flow/engine.ts'
import { readStats, type Stats } from '../flow/stats.ts'
import type { MemoryState } from '../flow/governor.ts'
import { createMeter, type Meter } from '../model/meter.ts'
import type { Counts } from './fleet.ts'
import type { ProcessUsage } from './own-usage.ts'
import type { WholeStats } from './whole.ts'

/** Resources of one live worker. */
export interface WorkerUsage extends ProcessUsage {
  readonly worker: string
}

/** See the module's header. */
export class FleetTotals {
  readonly #engine: Engine
  readonly #former = createMeter()
  readonly #last = new Map<string, Counts>()
  readonly #ended = new Set<string>()

  /** @param engine of this process, counted among the others */
  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Takes what a worker has counted since its start. */
  note(worker: string, counts: Counts): void {
    if (!this.#ended.has(worker)) this.#last.set(worker, counts)
  }

  /** A worker has ended; what it has counted stays. */
  end(worker: string): void {
    const last = this.#last.get(worker)
    this.#last.delete(worker)
    this.#ended.add(worker)
    if (last !== undefined) this.#former.absorb(last.meter)
  }

  /** Live workers' resources. */
  usage(): WorkerUsage[] {
    return [...this.#last].map(([worker, counts]) => {
      const { cpuSeconds, residentBytes, loopDelayMs } = counts
      return { worker, cpuSeconds, residentBytes, loopDelayMs }
    })
  }

  /** Everything together, at this moment. */
  sum(): WholeStats {
    const engine = this.#engine
    const all = [...this.#last.values()]
    const sum = (read: (counts: Counts) => number, own: number): number => all.reduce((total, one) => total + read(one), own)
    return {
      meter: this.#meter(all),
      memory: {
        size: sum((one) => one.entries, engine.memory.size),
        bytes: sum((one) => one.bytes, engine.memory.bytes),
        maxBytes: sum((one) => one.maxBytes, engine.memory.maxBytes),
      },
      flights: { size: sum((one) => one.flights, engine.flights.size) },
      refreshes: { size: sum((one) => one.refreshing, engine.refreshes.size) },
      fence: engine.fence,
      token: () => engine.token(),
      governor: { state: () => sumStates([engine.governor.state(), ...all.map((one) => one.state)]) },
      second: engine.second && {
        isUp: engine.second.isUp,
        queueBytes: sum((one) => one.state.ledger.remote, engine.second.queueBytes),
      },
    }
  }

  /** As last told, for who looks every second. */
  stats(): Stats {
    return readStats(this.sum())
  }

  #meter(all: readonly Counts[]): Meter {
    const meter = createMeter()
    for (const words of [this.#former.words(), this.#engine.meter.words(), ...all.map((one) => one.meter)]) meter.absorb(words)
    return meter
  }
}

/** Sizes together; the mood is the worst. */
function sumStates(all: readonly MemoryState[]): MemoryState {
  const sum = (read: (state: MemoryState) => number): number => all.reduce((total, state) => total + read(state), 0)
  const [first] = all as [MemoryState]
  const accounts = Object.keys(first.ledger) as (keyof MemoryState['ledger'])[]
  return {
    limitBytes: sum((state) => state.limitBytes),
    effectiveBytes: sum((state) => state.effectiveBytes),
    rssBytes: sum((state) => state.rssBytes),
    baseBytes: sum((state) => state.baseBytes),
    mood: MOODS.findLast((mood) => all.some((state) => state.mood === mood)) ?? 'calm',
    ledger: Object.fromEntries(accounts.map((name) => [name, sum((state) => state.ledger[name])])) as MemoryState['ledger'],
  }
}

const MOODS = ['calm', 'tight', 'over'] as const
