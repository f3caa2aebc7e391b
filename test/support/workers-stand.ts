/**
 * A gateway with workers before an origin that counts versions, and connections known to be one worker's each.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, onTestFinished } from 'vitest'
import { createRandom } from '../../src/model/random.ts'
import { type SpawnedGateway, spawnGateway } from './gateway-spawn.ts'
import { type Answer, RawClient } from './raw-client.ts'

/** A worker as `/v1/instances` tells. */
export interface WorkerSeen {
  readonly id: string
  readonly pid: number
  readonly state: string
}

/** A connection and the worker at its other end. */
export interface Pinned {
  readonly worker: string
  readonly client: RawClient
}

/** An origin with a version for each path: GET gives it, POST raises it; both at a moment inside a random delay. */
export class VersionedOrigin {
  readonly versions = new Map<string, number>()
  readonly #random = createRandom(7)
  #server = createServer((request, response) => void this.#answer(request.method ?? '', request.url ?? '', response))
  maxDelayMs = 0
  /** What every GET's answer is filled up to. */
  padBytes = 0

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      this.#server.close()
      this.#server.closeAllConnections()
    })
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Changes what a path answers, as a backend does that nobody sees. */
  raise(path: string): number {
    const version = (this.versions.get(path) ?? 0) + 1
    this.versions.set(path, version)
    return version
  }

  async #answer(method: string, path: string, response: import('node:http').ServerResponse): Promise<void> {
    const half = async (): Promise<void> => {
      if (this.maxDelayMs > 0) await pause(this.#random() * this.maxDelayMs)
    }
    await half()
    const version = method === 'POST' ? this.raise(path) : (this.versions.get(path) ?? 0)
    await half()
    response.setHeader('cache-control', method === 'GET' ? 'max-age=600' : 'no-store')
    if (method === 'GET') response.setHeader('cache-tag', `p:${path}`)
    response.end(String(version).padEnd(method === 'GET' ? this.padBytes : 0))
  }
}

/** See the module's header. */
export class WorkersStand {
  readonly origin = new VersionedOrigin()
  gateway!: SpawnedGateway
  #paths = 0

  /** @param args beside `--workers` and `--origin` */
  async start(workers: number, args: readonly string[] = []): Promise<this> {
    const origin = await this.origin.listen()
    this.gateway = await spawnGateway(['--origin', origin, '--workers', String(workers), ...args])
    return this
  }

  async api(path: string): Promise<unknown> {
    return (await fetch(`http://127.0.0.1:${this.gateway.apiPort}${path}`)).json()
  }

  async invalidate(wish: object): Promise<{ token: string; matched: number; nodes: { expected: number; acknowledged: number } }> {
    const reply = await fetch(`http://127.0.0.1:${this.gateway.apiPort}/v1/invalidate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(wish),
    })
    expect(reply.status).toBe(200)
    return (await reply.json()) as Awaited<ReturnType<WorkersStand['invalidate']>>
  }

  async workers(): Promise<WorkerSeen[]> {
    const { instances } = (await this.api('/v1/instances')) as { instances: { workers: WorkerSeen[] }[] }
    return instances[0]?.workers ?? []
  }

  /** Waits until so many listen. */
  async listening(count: number): Promise<WorkerSeen[]> {
    for (const deadline = Date.now() + 20_000; ; await pause(50)) {
      const all = (await this.workers()).filter(({ state }) => state === 'listening')
      if (all.length === count) return all
      if (Date.now() > deadline) throw new Error(`${all.length} of ${count} workers listen`)
    }
  }

  /** A new connection, and whose it is: the worker that holds what was asked through it. */
  async connect(): Promise<Pinned> {
    const client = new RawClient(this.gateway.port)
    onTestFinished(() => client.destroy())
    this.#paths += 1
    const path = `/who/${this.#paths}`
    await client.ask(`GET ${path}`).answer()
    const { workers } = (await this.api(`/v1/explain?url=${encodeURIComponent(`http://a.test${path}`)}`)) as {
      workers: { worker: string; cached: boolean }[]
    }
    const worker = workers.find(({ cached }) => cached)?.worker
    if (worker === undefined) throw new Error(`nobody holds ${path}: ${JSON.stringify(workers)}`)
    return { worker, client }
  }

  /** Connections until each worker has so many. */
  async pins(workers: number, each: number): Promise<Pinned[]> {
    const pins: Pinned[] = []
    for (let tries = 0; tries < 200; tries += 1) {
      const counts = Map.groupBy(pins, ({ worker }) => worker)
      if (counts.size === workers && [...counts.values()].every((some) => some.length >= each)) return pins
      const pin = await this.connect()
      if ((counts.get(pin.worker)?.length ?? 0) < each) pins.push(pin)
      else pin.client.destroy()
    }
    throw new Error(`no ${each} connections to each of ${workers} workers in 200 tries`)
  }
}

/** One request on a pinned connection. */
export async function through({ client }: Pinned, start: string, lines: readonly string[] = []): Promise<Answer> {
  return client.ask(start, lines as never).answer(start.split(' ', 1)[0])
}
