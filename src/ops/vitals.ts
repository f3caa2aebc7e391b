/**
 * How this instance does, from one heartbeat to the next.
 *
 * Floor 4, room ops. Rates and percentiles are of the time between two readings: counters of a moment ago are kept, and the
 * difference is looked at.
 */
import type { Clock } from '../model/clock.ts'
import { Histogram, type HistogramWords } from '../model/histogram.ts'
import type { Meter } from '../model/meter.ts'
import type { InstanceVitals } from './instance.ts'
import type { Usage, WholeStats } from './whole.ts'

/** What is measured. */
export interface VitalsParts {
  readonly clock: Clock
  stats(): WholeStats | Promise<WholeStats>
  usage(): Usage
  /** State and addresses now. */
  place(): Pick<InstanceVitals, 'state' | 'address' | 'api'>
}

interface Mark {
  readonly at: number
  readonly cpuSeconds: number
  readonly times: HistogramWords
}

/** See the module's header. */
export class Vitals {
  readonly #parts: VitalsParts
  #mark: Mark | undefined

  constructor(parts: VitalsParts) {
    this.#parts = parts
  }

  async read(): Promise<InstanceVitals> {
    const { clock } = this.#parts
    const stats = await this.#parts.stats()
    const usage = this.#parts.usage()
    const { meter, memory } = stats
    const former = this.#mark
    const mark = { at: clock.now(), cpuSeconds: usage.cpuSeconds, times: timesOf(meter).words() }
    this.#mark = mark
    const seconds = former === undefined ? 0 : (mark.at - former.at) / 1000
    const recent = since(mark.times, former?.times)
    const processes = Math.max(1, usage.processes)
    return {
      ...this.#parts.place(),
      processes: usage.processes,
      requestsPerSecond: seconds > 0 ? round(recent.count / seconds) : 0,
      cpu: seconds > 0 ? round(Math.max(0, mark.cpuSeconds - (former?.cpuSeconds ?? 0)) / seconds / processes) : 0,
      loopDelayMs: usage.loopDelayMs,
      p99Ms: round(recent.quantile(0.99) * 1000),
      rssBytes: usage.residentBytes,
      entries: memory.size,
      bytes: memory.bytes,
      maxBytes: memory.maxBytes,
      hitRatio: round(meter.rates().effectiveHit),
    }
  }
}

/** All answers: at the door where a door measures them, else those of the library. */
function timesOf(meter: Meter): Histogram {
  const atDoor = meter.histograms('request')
  const all = atDoor.length > 0 ? atDoor : meter.histograms('hit')
  return all.reduce((sum, { histogram }) => sum.merge(histogram), new Histogram())
}

/** What was counted since; a worker that took its counts along makes none negative. */
function since(now: HistogramWords, before: HistogramWords | undefined): Histogram {
  const slots = now.slots.map((count, slot) => Math.max(0, count - (before?.slots[slot] ?? 0)))
  const recent = new Histogram()
  recent.absorb({ slots, sum: 0 })
  return recent
}

function round(value: number): number {
  return Number(value.toPrecision(4))
}
