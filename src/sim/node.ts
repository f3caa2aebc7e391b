/**
 * One instance of the system that is tried, as the system sees it: its process, and its ways to everything else.
 *
 * Floor 1, room sim.
 */
import type { Clock } from '../model/clock.ts'
import type { Random } from '../model/random.ts'
import type { Network } from './network.ts'
import type { Origin } from './origin.ts'
import type { Process } from './process.ts'
import type { Store } from './store.ts'
import { StoreClient } from './store.ts'

/** What all nodes of a world share. */
export interface Surroundings {
  readonly network: Network
  readonly origin: Origin
  readonly store: Store
  readonly random: Random
  /** Other nodes by name, those that are down among them. */
  readonly processes: ReadonlyMap<string, Process>
  note(who: string, text: string): void
  fail(name: string, downMs: number): void
}

/** See the module's header. */
export class SimNode {
  readonly name: string
  /** Hand it to everything that waits or measures time. */
  readonly clock: Clock
  /** Hand it to everything that draws lots. */
  readonly random: Random
  readonly process: Process
  readonly network: Network
  /** The world's store, over the network. */
  readonly store: StoreClient
  /** Reads the origin: the version that stands there at some moment of the reading. */
  readonly load: (key: string) => Promise<number>
  /** Lets ms pass in this process. */
  readonly sleep: (ms: number) => Promise<void>
  readonly #around: Surroundings

  constructor(process: Process, around: Surroundings) {
    this.name = process.name
    this.clock = process.clock
    this.random = around.random
    this.process = process
    this.network = around.network
    this.store = new StoreClient(around.store, process)
    this.load = (key) => around.origin.read(process, key)
    this.sleep = (ms) => new Promise((resolve) => void process.clock.after(ms, resolve))
    this.#around = around
  }

  /** Tells other nodes over the network, once each at most: `deliver` runs in their process with their name. */
  broadcast(deliver: (name: string) => void): void {
    for (const [name, process] of this.#around.processes) {
      if (name !== this.name) this.network.send(this.process, process, () => deliver(name))
    }
  }

  /** Ends this life at once, as a watchdog would; the next one begins after `downMs`. */
  fail(downMs: number): void {
    this.#around.fail(this.name, downMs)
  }

  /** A line in the trace. */
  note(text: string): void {
    this.#around.note(this.name, text)
  }
}
