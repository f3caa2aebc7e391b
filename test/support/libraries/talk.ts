/**
 * What a program that uses a library tells of it: a line for each answer, the same whichever server stands behind.
 */
import { createServer, type RequestListener } from 'node:http'
import { Redis } from 'ioredis'
import { createClient } from 'redis'

const HOST = '127.0.0.1'

/** A program's lines, and what it leaves behind. */
export class Talk {
  readonly lines: string[] = []
  readonly #ends: (() => unknown)[] = []

  /** Tells what was answered, or how it failed. */
  async say(what: string, ask: () => unknown): Promise<void> {
    try {
      this.lines.push(`${what}: ${show(await ask())}`)
    } catch (error) {
      this.lines.push(`${what} failed: ${error instanceof Error ? `${error.name} ${error.message}` : show(error)}`)
    }
  }

  /** Something to be ended behind the program, last first. */
  after(end: () => unknown): void {
    this.#ends.push(end)
  }

  async end(): Promise<void> {
    for (const end of this.#ends.toReversed()) await end()
  }

  ioredis(port: number): Redis {
    const client = new Redis({ host: HOST, port })
    this.after(() => client.disconnect())
    return client
  }

  async nodeRedis(port: number) {
    const client = createClient({ url: `redis://${HOST}:${port}` })
    await client.connect()
    this.after(() => client.destroy())
    return client
  }

  /** An application on a port of its own. @returns its URL */
  async serve(app: RequestListener): Promise<string> {
    const server = createServer(app)
    await new Promise<void>((resolve) => server.listen(0, HOST, resolve))
    this.after(() => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    })
    const address = server.address()
    return `http://${HOST}:${typeof address === 'object' && address !== null ? address.port : 0}`
  }
}

/** Runs a program against a server. */
export async function tell(program: (talk: Talk, port: number) => Promise<void>, port: number): Promise<readonly string[]> {
  const talk = new Talk()
  try {
    await program(talk, port)
  } finally {
    await talk.end()
  }
  return talk.lines
}

/** Milliseconds or seconds that have begun to run, to the next full ten seconds. */
export function tens(ms: unknown): string {
  return typeof ms === 'number' && ms > 0 ? `${Math.ceil(ms / 10_000)}0 s` : String(ms)
}

function show(value: unknown): string {
  if (value === undefined) return 'undefined'
  return JSON.stringify(value instanceof Map || value instanceof Set ? [...value] : value)
}
