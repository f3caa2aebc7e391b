/**
 * The origin of the fault suite: a version for each key, counted up by every write.
 *
 * A reading takes a while before and after the moment at which the origin looks: what caches do between the two is what goes
 * wrong. What it knows is exact, and what every answer is compared with.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Random } from '../../src/model/random.ts'

/** A key whose requests wait. */
interface Held {
  /** Head and half of the body go out first. */
  readonly isInBody: boolean
  readonly opened: Promise<void>
  open(): void
  readonly answers: ServerResponse[]
}

/** Bytes of the body of a held key: more than one piece. */
const HELD_BYTES = 200_000

/** See the module's header. */
export class Origin {
  /** Longest half of a reading, ms. */
  slowMs = 12
  cacheControl = 'max-age=60'
  loads = 0
  readonly #random: Random
  readonly #writes = new Map<string, number[]>()
  readonly #held = new Map<string, Held>()
  readonly #loads = new Map<string, number[]>()
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

  /** When a key was asked for, so far. */
  loadsOf(key: string): readonly number[] {
    return this.#loads.get(key) ?? []
  }

  /** Requests for a key wait from now on, before their answer or in the middle of its body. @returns what answers them */
  hold(key: string, isInBody = false): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#held.set(key, { isInBody, opened: promise, open: resolve, answers: [] })
    return resolve
  }

  /** Refuses one of the requests that wait, by its place among them. */
  refuse(key: string, index: number): void {
    this.#held.get(key)?.answers[index]?.writeHead(503).end()
  }

  close(): void {
    for (const { open } of this.#held.values()) open()
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    this.loads += 1
    const key = (req.url ?? '').slice('/k/'.length)
    this.#loads.set(key, [...this.loadsOf(key), performance.now()])
    const held = this.#held.get(key)
    if (held !== undefined) return this.#answerHeld(held, key, res)
    await this.#half()
    const version = this.versionOf(key)
    await this.#half()
    res.writeHead(200, this.#fields(key)).end(JSON.stringify({ version }))
  }

  async #answerHeld({ isInBody, opened, answers }: Held, key: string, res: ServerResponse): Promise<void> {
    const body = JSON.stringify({ version: this.versionOf(key), pad: 'x'.repeat(isInBody ? HELD_BYTES : 0) })
    const half = isInBody ? body.length / 2 : 0
    answers.push(res)
    if (isInBody) res.writeHead(200, this.#fields(key)).write(body.slice(0, half))
    await opened
    if (res.writableEnded) return
    if (!isInBody) res.writeHead(200, this.#fields(key))
    res.end(body.slice(half))
  }

  #fields(key: string): Record<string, string> {
    return { 'cache-control': this.cacheControl, 'surrogate-key': `t-${key}`, 'content-type': 'application/json' }
  }

  #half(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.#random() * this.slowMs))
  }
}
