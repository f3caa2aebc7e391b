/**
 * The origin of the fault suite: a version for each key, counted up by every write.
 *
 * A reading takes a while before and after the moment at which the origin looks: what caches do between the two is what goes
 * wrong. What it knows is exact, and what every answer is compared with.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Random } from '../../src/model/random.ts'

/** See the module's header. */
export class Origin {
  /** Longest half of a reading, ms. */
  slowMs = 12
  cacheControl = 'max-age=60'
  loads = 0
  readonly #random: Random
  readonly #writes = new Map<string, number[]>()
  readonly #server: Server

  constructor(random: Random) {
    this.#random = random
    this.#server = createServer((req, res) => void this.#answer(req, res))
    this.#server.keepAliveTimeout = 60_000
  }

  /** @returns its URL */
  async listen(host = '127.0.0.1'): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, host, resolve))
    return `http://${host}:${(this.#server.address() as AddressInfo).port}`
  }

  versionOf(key: string): number {
    return this.#writes.get(key)?.length ?? 0
  }

  /** Since when a version is not the newest any more, `performance.now()`; Infinity while it is. */
  supersededAt(key: string, version: number): number {
    return this.#writes.get(key)?.[version] ?? Number.POSITIVE_INFINITY
  }

  /** Changes a key at once. @returns its new version */
  write(key: string): number {
    const writes = this.#writes.get(key) ?? []
    writes.push(performance.now())
    this.#writes.set(key, writes)
    return writes.length
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    this.loads += 1
    const key = (req.url ?? '').slice('/k/'.length)
    await this.#half()
    const version = this.versionOf(key)
    await this.#half()
    const fields = { 'cache-control': this.cacheControl, 'surrogate-key': `t-${key}`, 'content-type': 'application/json' }
    res.writeHead(200, fields).end(JSON.stringify({ version }))
  }

  #half(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.#random() * this.slowMs))
  }
}
