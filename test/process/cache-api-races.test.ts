/**
 * Many clients at once, over real sockets: nobody reads what was replaced, deleted or invalidated before he asked, in any
 * coding. Histories are random by seed; the order of events is what the clients saw.
 */
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { createRandom } from '../../src/model/random.ts'
import { type CacheApiHere, cacheApiHere } from '../support/cache-api-here.ts'

/** Something that changed a key: a write of a version, or (undefined) a removal. */
interface Change {
  readonly key: string
  readonly version: number | undefined
  readonly beganAt: number
  endedAt: number
}

/** What somebody read. */
interface Read {
  readonly key: string
  readonly version: number | undefined
  readonly beganAt: number
  readonly endedAt: number
}

const KEYS = ['a', 'b', 'c']
const CLIENTS = 8
const STEPS = 120
const PADDING = 'all work and no play '.repeat(100)
const CODINGS = ['identity', 'gzip', 'br', 'zstd, gzip;q=0.5', 'gzip, br']
const DECODE: Readonly<Record<string, (bytes: Buffer) => Buffer>> = { gzip: gunzipSync, br: brotliDecompressSync }

/** Clients and what they saw; the clock counts what they did. */
class History {
  readonly changes: Change[] = []
  readonly reads: Read[] = []
  readonly #here: CacheApiHere
  readonly #random: () => number
  #clock = 0
  #version = 0

  constructor(here: CacheApiHere, seed: number) {
    this.#here = here
    this.#random = createRandom(seed)
  }

  async client(): Promise<void> {
    for (let step = 0; step < STEPS; step += 1) {
      const key = this.#pick(KEYS)
      const dice = this.#random()
      if (dice < 0.25) await this.#write(key)
      else if (dice < 0.32) await this.#remove([key], () => this.#here.ask('DELETE', `/cache/${key}`))
      else if (dice < 0.36) await this.#remove([key], () => this.#invalidate({ tags: [`tag:${key}`] }))
      else if (dice < 0.38) await this.#remove(KEYS, () => this.#invalidate({ all: true }))
      else await this.#read(key)
    }
  }

  /** Reads that nothing allows. */
  violations(): Read[] {
    return this.reads.filter((read) => !this.#isAllowed(read))
  }

  #isAllowed({ key, version, beganAt, endedAt }: Read): boolean {
    const changes = this.changes.filter((change) => change.key === key)
    if (version !== undefined) {
      const write = changes.find((change) => change.version === version)
      if (write === undefined || write.beganAt > endedAt) return false
      return !changes.some((later) => later.beganAt > write.endedAt && later.endedAt < beganAt)
    }
    const settled = changes.filter((change) => change.version !== undefined && change.endedAt < beganAt)
    if (settled.length === 0) return true
    const removals = changes.filter((change) => change.version === undefined)
    return settled.every((write) => removals.some((gone) => gone.endedAt > write.beganAt && gone.beganAt < endedAt))
  }

  async #write(key: string): Promise<void> {
    this.#version += 1
    const version = this.#version
    const change = this.#begin(key, version)
    const asBatch = this.#random() < 0.3
    const value = `${version} ${PADDING}`
    if (asBatch) await this.#batch({ set: [{ key, text: value, tags: [`tag:${key}`] }] })
    else await this.#here.ask('PUT', `/cache/${key}?tags=tag:${key}`, { body: value, headers: { 'content-type': 'text/plain' } })
    this.#end(change)
  }

  async #remove(keys: readonly string[], act: () => Promise<unknown>): Promise<void> {
    const changes = keys.map((key) => this.#begin(key, undefined))
    await act()
    for (const change of changes) this.#end(change)
  }

  async #read(key: string): Promise<void> {
    const beganAt = this.#tick()
    const told = await this.#here.ask('GET', `/cache/${key}`, { headers: { 'accept-encoding': this.#pick(CODINGS) } })
    const coding = told.headers.get('content-encoding')
    const bytes = coding === null || told.status !== 200 ? told.bytes : (DECODE[coding]?.(told.bytes) ?? Buffer.from(''))
    const version = told.status === 404 ? undefined : Number.parseInt(bytes.toString(), 10)
    if (coding === 'zstd') return // no decoder in every runtime
    expect(told.status === 404 || bytes.toString() === `${version} ${PADDING}`).toBe(true)
    this.reads.push({ key, version, beganAt, endedAt: this.#tick() })
  }

  #invalidate(wish: object): Promise<unknown> {
    return this.#here.cache.invalidate(wish)
  }

  #batch(body: object): Promise<unknown> {
    return this.#here.ask('POST', '/cache', { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
  }

  #begin(key: string, version: number | undefined): Change {
    const change = { key, version, beganAt: this.#tick(), endedAt: Number.POSITIVE_INFINITY }
    this.changes.push(change)
    return change
  }

  #end(change: Change): void {
    change.endedAt = this.#tick()
  }

  #tick(): number {
    this.#clock += 1
    return this.#clock
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)] as T
  }
}

it.each([
  [7001, false],
  [7002, true],
  [7003, true],
])('nobody reads what was superseded before he asked, seed %i, lane %s', async (seed, lane) => {
  const history = new History(await cacheApiHere({ lane }), seed)
  await Promise.all(Array.from({ length: CLIENTS }, () => history.client()))

  expect(history.violations()).toEqual([])
  expect(history.reads.filter(({ version }) => version !== undefined).length).toBeGreaterThan(100)
})
