/**
 * Weeks of requests with a known truth: reports that are read at their hour of working days, a catalog that is read all the time and
 * less at night, and a tail that nobody reads twice.
 */
import type { Random } from '../../src/model/random.ts'
import type { Timed } from '../predict/replay.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const REPORTS = 40
const CATALOG = 100
const CATALOG_READS = 3000
const TAIL_READS = 400

/** A Monday, 00:00 of UTC. */
export const MADE_START = Date.UTC(2026, 0, 5)

/** @param days from a Monday on */
export function makeWeeks(days: number, random: Random): Timed {
  const requests: (readonly [atMs: number, id: number])[] = []
  let tail = REPORTS + CATALOG
  for (let day = 0; day < days; day += 1) {
    const isWork = day % 7 < 5
    for (let report = 0; report < REPORTS; report += 1) {
      if (!isWork || random() < 0.1) continue
      const hour = 7 + (report % 4)
      for (let read = 0; read < 3; read += 1) requests.push([day * DAY + (hour + random() ** 2) * HOUR, report])
    }
    for (let read = 0; read < CATALOG_READS; read += 1) {
      const hour = random() * 24
      if (random() < (hour < 6 ? 0.2 : 1)) requests.push([day * DAY + hour * HOUR, REPORTS + Math.floor(CATALOG ** random()) - 1])
    }
    for (let read = 0; read < TAIL_READS; read += 1) requests.push([day * DAY + random() * DAY, tail++])
  }
  requests.sort(([a], [b]) => a - b)
  return { ids: Int32Array.from(requests, ([, id]) => id), atMs: Float64Array.from(requests, ([at]) => at), distinct: tail }
}
