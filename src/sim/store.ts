/**
 * A store in virtual time, as Redis or Valkey are: one server that everybody asks over the network.
 *
 * Floor 1, room sim. Commands and scripts are single steps there. It freezes, dies with or without its data, and is replaced
 * by a replica that lags. Messages of channels are told once to whom they reach, and nobody knows of those that were lost.
 */
import type { Timer } from '../model/clock.ts'
import type { Network } from './network.ts'
import type { Process } from './process.ts'
import { StoreData, type SetOptions, type StreamRow } from './store-data.ts'

interface Subscriber {
  readonly process: Process
  readonly life: number
  readonly channel: string
  readonly hear: (message: string) => void
}

/** The server. */
export class Store {
  readonly process: Process
  readonly data: StoreData
  readonly network: Network
  readonly #subscribers = new Set<Subscriber>()
  readonly #waiting = new Set<() => void>()

  constructor(process: Process, network: Network) {
    this.process = process
    this.network = network
    this.data = new StoreData(process.clock)
  }

  /** Ends it for a while. @returns a function that starts it again */
  crash(withData: boolean): () => void {
    this.process.crash()
    this.#waiting.clear() // connections are lost; subscribers come again by themselves, and have missed what was said
    return () => {
      this.data.restart(withData)
      this.process.restart()
    }
  }

  /** A replica takes over at once that lags by so much. */
  failOver(lagMs: number): void {
    this.#waiting.clear()
    this.data.failOver(lagMs)
  }

  /** Tells whoever has subscribed, as far as the network lets it. @returns to how many it was sent */
  publish(channel: string, message: string): number {
    let told = 0
    for (const subscriber of this.#subscribers) {
      if (subscriber.channel !== channel) continue
      if (subscriber.life !== subscriber.process.life) {
        this.#subscribers.delete(subscriber)
        continue
      }
      told += 1
      this.network.send(this.process, subscriber.process, () => subscriber.hear(message))
    }
    return told
  }

  /** @returns a function that ends it */
  subscribe(process: Process, channel: string, hear: (message: string) => void): () => void {
    const subscriber: Subscriber = { process, life: process.life, channel, hear }
    this.#subscribers.add(subscriber)
    return () => this.#subscribers.delete(subscriber)
  }

  /** Runs a step; whoever waits for something looks whether it is there now. */
  step<T>(script: (data: StoreData) => T): T {
    const given = script(this.data)
    for (const look of [...this.#waiting]) look()
    return given
  }

  /** Answers with what a script gives once it gives something, or with undefined when time is up. */
  wait<T>(waitMs: number, script: (data: StoreData) => T | undefined): Promise<T | undefined> {
    const given = script(this.data)
    if (given !== undefined) return Promise.resolve(given)
    return new Promise((resolve) => {
      const end = (found: T | undefined): void => {
        this.#waiting.delete(look)
        timer.cancel()
        resolve(found)
      }
      const look = (): void => {
        const found = script(this.data)
        if (found !== undefined) end(found)
      }
      const timer: Timer = this.process.clock.after(waitMs, () => end(undefined))
      this.#waiting.add(look)
    })
  }
}

/** What one process asks a store. Every question has a deadline, and rejects with NoAnswer when it has passed. */
export class StoreClient {
  readonly #store: Store
  readonly #process: Process
  /** Of questions that name none, ms. */
  deadlineMs = 100

  constructor(store: Store, process: Process) {
    this.#store = store
    this.#process = process
  }

  /** A script: everything it does is one step at the server. */
  run<T>(script: (data: StoreData) => T, deadlineMs: number = this.deadlineMs): Promise<T> {
    const store = this.#store
    return store.network.call(this.#process, store.process, { deadlineMs, serve: () => store.step(script) })
  }

  /** A blocking read: as `run`, answered once the script gives something, or with undefined after `waitMs`. */
  wait<T>(script: (data: StoreData) => T | undefined, waitMs: number): Promise<T | undefined> {
    const store = this.#store
    const deadlineMs = waitMs + this.deadlineMs
    return store.network.call(this.#process, store.process, { deadlineMs, serve: () => store.wait(waitMs, script) })
  }

  get(key: string): Promise<string | undefined> {
    return this.run((data) => data.get(key))
  }

  set(key: string, value: string, options?: SetOptions): Promise<boolean> {
    return this.run((data) => data.set(key, value, options))
  }

  del(key: string): Promise<boolean> {
    return this.run((data) => data.del(key))
  }

  /** Appends to a stream. @returns the record's id */
  xadd(key: string, value: string): Promise<number> {
    return this.run((data) => data.xadd(key, value))
  }

  /** Records after an id; waits for the first of them up to `waitMs`. */
  async xread(key: string, after: number, waitMs = 0): Promise<readonly StreamRow[]> {
    if (waitMs === 0) return this.run((data) => data.xread(key, after))
    const rowsOf = (data: StoreData): readonly StreamRow[] | undefined => {
      const rows = data.xread(key, after)
      return rows.length === 0 ? undefined : rows
    }
    return (await this.wait(rowsOf, waitMs)) ?? []
  }

  /** Tells a channel, at most once. @returns to how many subscribers it was sent */
  publish(channel: string, message: string): Promise<number> {
    const store = this.#store
    return this.run(() => store.publish(channel, message))
  }

  /** Hears a channel for as long as this life of the process lasts. @returns a function that ends it */
  subscribe(channel: string, hear: (message: string) => void): () => void {
    return this.#store.subscribe(this.#process, channel, hear)
  }
}
