/**
 * What an instance of the bus benchmark does, in a process of its own or in the one that measures.
 */
import { type Cache, createCache } from '../../src/flow/cache.ts'

/** What a child is started with. */
export interface Order {
  readonly url: string
  /** A NATS that carries the log; absent: the second level's server does. */
  readonly natsUrl: string | undefined
  readonly maxBytes: number
}

export const TAG = 'catalogue'
const BUDGET = { freshMs: 3_600_000, staleMs: 3_600_000, onErrorMs: 3_600_000 }

/** One that follows the log. */
export function openCache({ url, natsUrl, maxBytes }: Order): Cache {
  const bus = natsUrl === undefined ? {} : { url: natsUrl }
  return createCache({ memory: { maxBytes }, l2: { url, prefix: 'bench:', bus } })
}

/** Waits until the log is in sight. */
export async function inSight({ engine }: Cache): Promise<void> {
  while (engine.shared?.isBlind !== false) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** Stores so many small entries under one tag. */
export function hold({ engine }: Cache, entries: number): void {
  for (let i = 0; i < entries; i += 1) {
    engine.keep(engine.begin(`item:${i}`, { tags: [TAG], memoryOnly: true }), { value: i, bytes: 8, budget: BUDGET })
  }
}
