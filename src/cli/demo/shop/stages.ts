/**
 * Stage times of one request, told in Server-Timing.
 *
 * Floor 6, room cli. Costs two clock reads per stage.
 */

/** A clock in ms, of which only differences count. */
export type Stopwatch = () => number

/** The stages of one request, in the order they ended. */
export class Stages {
  readonly #now: Stopwatch
  readonly #done: { readonly name: string; readonly ms: number }[] = []

  constructor(now: Stopwatch) {
    this.#now = now
  }

  /** Starts a stage. @returns a function that ends it */
  start(name: string): () => void {
    const from = this.#now()
    return () => {
      this.#done.push({ name, ms: this.#now() - from })
    }
  }

  /** Runs `work` as a stage. */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const end = this.start(name)
    try {
      return await work()
    } finally {
      end()
    }
  }

  /** As the Server-Timing field's value: `session;dur=0.52, query;dur=31.4`. */
  header(): string {
    return this.#done.map(({ name, ms }) => `${name};dur=${ms.toFixed(2)}`).join(', ')
  }
}

/** Reads a Server-Timing field: name and ms of each metric that has a duration. */
export function parseServerTiming(value: string): { name: string; ms: number }[] {
  const found: { name: string; ms: number }[] = []
  for (const part of value.split(',')) {
    const match = /^\s*([\w-]+)\s*;\s*dur=(\d+(?:\.\d+)?)/.exec(part)
    if (match !== null) found.push({ name: match[1] as string, ms: Number(match[2]) })
  }
  return found
}
