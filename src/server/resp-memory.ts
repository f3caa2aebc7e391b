/**
 * The memory of the Redis door: its share of the whole, and giving way when the process holds too much.
 *
 * Floor 5, room server.
 */
import type { Engine } from '../flow/engine.ts'
import type { Timer } from '../model/clock.ts'
import type { Config } from './config-schema.ts'

const SHARE_BESIDE_FRONT = 1 / 4
const SHARE_ALONE = 9 / 10
const MIN_BYTES = 1024 * 1024

const TICK_MS = 250
/** Of the limit, with each tick that is not calm, and with each that is again. */
const TIGHTEN = 1 / 16
const LOOSEN = 1 / 64
/** What it keeps whatever happens. */
const FLOOR = 1 / 8
/** Entries that leave in one go: about a millisecond. */
const SLICE = 512

/** What gives way. */
export interface Yielding {
  readonly maxBytes: number
  limitTo(maxBytes: number, maxEvictions: number): number
  tend(): void
}

/** Bytes the door may hold. */
export function memoryOf({ resp, memory, origin }: Config): number {
  const share = origin === undefined ? SHARE_ALONE : SHARE_BESIDE_FRONT
  return Math.max(MIN_BYTES, resp?.maxBytes ?? Math.floor(memory.maxBytes * share))
}

/** Lets it shrink while memory is tight, and grow back. */
export function yieldMemory(store: Yielding, { clock, governor }: Engine): { stop(): void } {
  const whole = store.maxBytes
  let share = 1
  let timer: Timer | undefined
  const arm = (): void => {
    timer = clock.after(TICK_MS, () => {
      share = governor.mood === 'calm' ? Math.min(1, share + LOOSEN) : Math.max(FLOOR, share - TIGHTEN)
      store.limitTo(Math.floor(whole * share), SLICE)
      store.tend()
      arm()
    })
  }
  arm()
  return { stop: () => timer?.cancel() }
}
