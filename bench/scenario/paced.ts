/**
 * An open loop: requests arrive at random moments at a given mean rate, whether or not the former ones were answered.
 *
 * Every variant sees the same arrivals, so their latencies can be compared as they are. Counted from the moment a request
 * was due, so a stall of the server (or of this process) is felt by all that were due meanwhile.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { Pool } from 'undici'
import type { LoadRequest } from '../../src/cli/load.ts'
import { createRandom } from '../../src/model/random.ts'

/** What arrives. */
export interface PacedWish {
  readonly origin: string
  /** Requests per second, on average. */
  readonly rate: number
  readonly seconds: number
  readonly seed: number
  readonly next: () => LoadRequest
  readonly onAnswer: (request: LoadRequest, ms: number) => void
}

const CONNECTIONS = 64
const DEADLINE_MS = 30_000

/** @throws the first failure */
export async function runPaced(wish: PacedWish): Promise<void> {
  const pool = new Pool(wish.origin, { connections: CONNECTIONS, headersTimeout: DEADLINE_MS, bodyTimeout: DEADLINE_MS })
  const random = createRandom(wish.seed)
  const began = performance.now()
  const pending: Promise<void>[] = []
  for (let due = gap(random, wish.rate); due < wish.seconds * 1000; due += gap(random, wish.rate)) {
    const early = began + due - performance.now()
    if (early > 1) await wait(early)
    pending.push(ask(pool, wish, began + due))
  }
  try {
    await Promise.all(pending)
  } finally {
    await pool.destroy()
  }
}

async function ask(pool: Pool, { next, onAnswer }: PacedWish, dueAt: number): Promise<void> {
  const request = next()
  const answer = await pool.request({ method: 'GET', path: request.path, ...(request.headers && { headers: request.headers }) })
  await answer.body.arrayBuffer()
  if (answer.statusCode !== 200) throw new Error(`${request.path} was answered ${answer.statusCode}`)
  onAnswer(request, performance.now() - dueAt)
}

/** Exponential: arrivals do not know of each other. */
function gap(random: () => number, rate: number): number {
  return (-Math.log(1 - random()) * 1000) / rate
}
