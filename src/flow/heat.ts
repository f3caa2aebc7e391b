/**
 * Which keys are hot: what a new instance should have before it is asked.
 *
 * Floor 3, room flow. Goes by the arrivals that memory counts anyway: how often a key is read now, and whether it was read
 * in the periods before. One pass over all keys in slices between which others run; keeps a bounded list.
 */
import type { Entry } from '../model/entry.ts'
import type { Arrivals } from '../shelf/arrivals.ts'

/** The parts of memory that are looked at. */
export interface HeatSource {
  keys(): IterableIterator<string>
  arrivals(key: string): Arrivals | undefined
  look(key: string): Entry | undefined
}

/** A key and how hot it is: reads a second, about; comparable between instances. */
export interface WarmKey {
  readonly key: string
  readonly heat: number
}

const SLICE_KEYS = 2000
/** A key that was read once, or not in this period, by how far it lies back. */
const ONCE = 0.001

/** Reads a second, about; 0: nobody has asked again since it was stored. */
export function heatOf({ reads, gapMs, before }: Arrivals): number {
  const rate = gapMs > 0 ? 1000 / gapMs : reads * ONCE
  if (reads > 0) return rate
  if (before[0]) return rate / 2
  return before[1] ? rate / 4 : 0
}

/**
 * The hottest keys, hottest first; those that nobody read again come last.
 *
 * @param limit most keys of the answer
 * @param isOver asked between slices: what was found by then is answered
 */
export async function hottest(source: HeatSource, limit: number, isOver: () => boolean = () => false): Promise<WarmKey[]> {
  let found: WarmKey[] = []
  let seen = 0
  for (const key of source.keys()) {
    const arrivals = source.arrivals(key)
    if (arrivals !== undefined) found.push({ key, heat: heatOf(arrivals) })
    if (found.length >= limit * 2 + SLICE_KEYS) found = cut(found, limit)
    seen += 1
    if (seen % SLICE_KEYS !== 0) continue
    if (isOver()) break
    await nextTurn()
  }
  return cut(found, limit)
}

function cut(found: WarmKey[], limit: number): WarmKey[] {
  return found.sort((a, b) => b.heat - a.heat).slice(0, limit)
}

/** Lets everything run that waits. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}
