/**
 * A small closed-loop load over HTTP: so many clients, each asking again as soon as it was answered in full.
 *
 * Floor 6, room cli. Closed loops slow down with the server, so they show what clients of that number feel, not what
 * arrivals at a fixed rate would; the reports say so. Answers are told apart by `X-Cache`.
 */
import { Pool } from 'undici'
import { Latencies, type Percentiles } from './latency.ts'

/** One request of a load. */
export interface LoadRequest {
  readonly method?: 'GET' | 'HEAD'
  /** Path and query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
}

/** One answer, received in full. */
export interface Answered {
  readonly status: number
  /** First word of X-Cache; `none` where the field is missing. */
  readonly xCache: string
  readonly ms: number
}

/** A load. */
export interface LoadOptions {
  /** Scheme, host and port. */
  readonly origin: string
  /** Clients, each with a connection of its own. */
  readonly clients: number
  readonly durationMs: number
  /** Longest wait for one answer. Default 10 s. */
  readonly deadlineMs?: number
  /** Stops early when aborted. */
  readonly signal?: AbortSignal
  /** Name under which an answer with this X-Cache is counted. Default: its first word. */
  readonly classify?: (xCache: string) => string
  /** Told about every answer. */
  readonly onAnswer?: (request: LoadRequest, answered: Answered) => void
  /** The next request. @param client 0 to clients - 1 */
  readonly next: (client: number) => LoadRequest
}

/** What a load measured. */
export interface LoadReport {
  readonly seconds: number
  readonly requests: number
  readonly perSecond: number
  readonly bytes: number
  /** Requests that got no answer, by reason. */
  readonly failures: Readonly<Record<string, number>>
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>
  /** Answers by class: X-Cache's first word, `none` where the field is missing, or what `classify` made of it. */
  readonly classes: Readonly<Record<string, Percentiles>>
  readonly all: Percentiles
}

class Tallies {
  readonly all = new Latencies()
  readonly classes = new Map<string, Latencies>()
  readonly statuses: Record<string, number> = {}
  readonly failures: Record<string, number> = {}
  bytes = 0

  answer(status: number, name: string, ms: number): void {
    this.all.add(ms)
    let latencies = this.classes.get(name)
    if (latencies === undefined) {
      latencies = new Latencies()
      // What a server writes is not to be trusted with memory.
      if (this.classes.size < 32) this.classes.set(name, latencies)
    }
    latencies.add(ms)
    this.statuses[status] = (this.statuses[status] ?? 0) + 1
  }

  failure(error: unknown): void {
    const reason = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.name) : String(error)
    this.failures[reason] = (this.failures[reason] ?? 0) + 1
  }
}

/** Runs a load to its end. Never rejects for failing requests: they are counted. */
export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const deadlineMs = options.deadlineMs ?? 10_000
  const pool = new Pool(options.origin, {
    connections: options.clients,
    pipelining: 1,
    headersTimeout: deadlineMs,
    bodyTimeout: deadlineMs,
    connect: { timeout: deadlineMs },
  })
  const tallies = new Tallies()
  const classify = options.classify ?? ((word) => word)
  const began = performance.now()
  const ends = began + options.durationMs
  const clients = Array.from({ length: options.clients }, async (_, client) => {
    while (performance.now() < ends && options.signal?.aborted !== true) {
      const request = options.next(client)
      const answered = await ask(pool, request, tallies)
      if (answered === undefined) await pauseAfterFailure()
      else {
        tallies.answer(answered.status, classify(answered.xCache), answered.ms)
        options.onAnswer?.(request, answered)
      }
    }
  })
  await Promise.all(clients)
  const seconds = (performance.now() - began) / 1000
  await pool.destroy()
  return summarize(tallies, seconds)
}

async function ask(pool: Pool, wish: LoadRequest, tallies: Tallies): Promise<Answered | undefined> {
  const from = performance.now()
  try {
    const answer = await pool.request({
      method: wish.method ?? 'GET',
      path: wish.path,
      ...(wish.headers && { headers: wish.headers }),
    })
    const body = await answer.body.arrayBuffer()
    tallies.bytes += body.byteLength
    return { status: answer.statusCode, xCache: firstWord(answer.headers['x-cache']), ms: performance.now() - from }
  } catch (error) {
    tallies.failure(error)
    return undefined
  }
}

/** A refused connection fails at once: without a pause the loop would only burn the processor. */
function pauseAfterFailure(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50))
}

function firstWord(field: string | string[] | undefined): string {
  const text = Array.isArray(field) ? field[0] : field
  return text === undefined || text === '' ? 'none' : (text.split(/[\s,;]/, 1)[0] as string)
}

function summarize(tallies: Tallies, seconds: number): LoadReport {
  const requests = tallies.all.count
  return {
    seconds,
    requests,
    perSecond: requests / seconds,
    bytes: tallies.bytes,
    failures: tallies.failures,
    statuses: tallies.statuses,
    classes: Object.fromEntries([...tallies.classes].sort().map(([name, latencies]) => [name, latencies.percentiles()])),
    all: tallies.all.percentiles(),
  }
}
