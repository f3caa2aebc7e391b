/**
 * The library's calls on a namespace whose values stand elsewhere.
 *
 * Floor 3, room flow. Values are bytes both ways: text is written as UTF-8, and what is read is a Buffer of the reader's own.
 * Nothing is loaded into it: between a load and its write anybody may write to a Redis, and an older value would win.
 */
import type { Budget } from '../model/budget.ts'
import { ForecacheError, textOf } from '../model/errors.ts'
import { COUNTER } from '../model/metric.ts'
import type { Call } from './call.ts'
import { BYTES_TYPE } from './content.ts'
import type { Engine } from './engine.ts'
import type { Result } from './fetch.ts'
import type { MountView } from './mount-view.ts'

/** See the module's header. */
export class MountLibrary {
  readonly #engine: Engine
  readonly #view: MountView

  constructor(engine: Engine, view: MountView) {
    this.#engine = engine
    this.#view = view
  }

  /** What is stored, if memory may tell it now. */
  peek(key: string): Buffer | undefined {
    const value = this.#view.peek(key)
    return value && Buffer.from(value)
  }

  /** @param named the caller's budget: nothing older @throws (rejects) FC_MOUNT_*, FC_RESP_* */
  async get(key: string, named: Budget | undefined): Promise<Result<Buffer> | undefined> {
    const { meter } = this.#engine
    const found = await this.#view.find(key, false)
    if (found === undefined || (named !== undefined && found.ageMs >= named.staleMs)) {
      meter.count(COUNTER.misses)
      return undefined
    }
    const { ageMs } = found
    const stale = found.stale || (named !== undefined && ageMs >= named.freshMs)
    meter.count(stale ? COUNTER.staleServes : COUNTER.hits)
    return { data: Buffer.from(found.content.body), cached: true, stale, ageMs }
  }

  /** @returns true: it is stored @throws (rejects) FC_MOUNT_*, FC_RESP_* */
  async set(key: string, value: unknown, { budget, tags, endAt }: Call): Promise<true> {
    const left = endAt - this.#engine.clock.wall()
    const cut = (ms: number): number => Math.max(1, Math.floor(Math.min(ms, left)))
    const windows = { freshMs: cut(budget.freshMs), staleMs: cut(budget.staleMs), onErrorMs: cut(budget.staleMs) }
    await this.#view.write(key, { type: BYTES_TYPE, body: bytesOf(key, value), budget: windows, tags })
    return true
  }

  /** @returns whether anything stood there @throws (rejects) FC_MOUNT_*, FC_RESP_* */
  delete(key: string): Promise<boolean> {
    return this.#view.erase(key)
  }

  /** @throws FC_MOUNT_LOAD */
  refuseLoad(): never {
    throw new ForecacheError('FC_MOUNT_LOAD', { name: this.#view.name })
  }
}

/** @throws FC_MOUNT_VALUE */
function bytesOf(key: string, value: unknown): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value)
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  throw new ForecacheError('FC_MOUNT_VALUE', {
    key,
    given: value === null ? 'null' : typeof value === 'object' ? 'an object' : textOf(value),
  })
}
