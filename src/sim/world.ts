/**
 * A world: time, chance, network, store, origin and nodes of one run.
 *
 * Floor 1, room sim. Nothing in it comes from outside: the same seed and the same steps give the same world. After every
 * event the event loop turns once: nothing else of the process is waited for.
 */
import { createVirtualClock, type VirtualClock } from '../model/virtual-clock.ts'
import { Chance } from './chance.ts'
import { History } from './history.ts'
import { Network } from './network.ts'
import { SimNode } from './node.ts'
import { Origin } from './origin.ts'
import { Process } from './process.ts'
import { Store } from './store.ts'

/** How a world is made. */
export interface WorldOptions {
  /** Says all that chance decides. */
  readonly seed: number
  /** How many there are: `n1`, `n2` and so on. */
  readonly nodes: number
  /** Clocks of nodes and store differ by up to so much, ms; default 0. */
  readonly skewMs?: number
  /** Keeps lines for people to read; default false. */
  readonly isTraced?: boolean
}

/** See the module's header. */
export class World {
  readonly clock: VirtualClock
  readonly chance: Chance
  readonly network: Network
  readonly store: Store
  readonly origin: Origin
  readonly history: History
  readonly nodes: readonly SimNode[]
  /** Lines of the trace. */
  readonly lines: string[] = []
  /** Ends a life of a node; who runs a schedule says how. */
  onFail: (name: string, downMs: number) => void = () => {}
  readonly #startMs: number
  readonly #isTraced: boolean

  constructor({ seed, nodes, skewMs = 0, isTraced = false }: WorldOptions) {
    this.clock = createVirtualClock()
    this.#startMs = this.clock.now()
    this.#isTraced = isTraced
    this.chance = new Chance(seed)
    this.network = new Network(this.clock, this.chance)
    this.origin = new Origin(this.clock, this.chance)
    this.history = new History(() => this.clock.now())
    const processOf = (name: string): Process =>
      new Process({ name, clock: this.clock, chance: this.chance, skewMs: this.chance.between(-skewMs, skewMs) })
    this.store = new Store(processOf('store'), this.network)
    const processes = new Map<string, Process>()
    for (let i = 1; i <= nodes; i += 1) processes.set(`n${i}`, processOf(`n${i}`))
    const { network, store, origin } = this
    const note = (who: string, text: string): void => this.note(who, text)
    const fail = (name: string, downMs: number): void => this.onFail(name, downMs)
    const around = { network, store, origin, random: this.chance.next, processes, note, fail }
    this.nodes = [...processes.values()].map((process) => new SimNode(process, around))
  }

  /** Ms since the beginning. */
  get atMs(): number {
    return this.clock.now() - this.#startMs
  }

  /** A line in the trace. */
  note(who: string, text: string): void {
    if (this.#isTraced) this.lines.push(`${this.atMs.toFixed(1).padStart(9)}  ${who.padEnd(6)} ${text}`)
  }

  /** Lets time pass, and everything happen in it. */
  pass(ms: number): Promise<void> {
    return this.clock.advanceAsync(ms, turnEventLoop)
  }
}

/** A world of one's own, for tests that go step by step: `explore` makes its worlds itself. */
export function createWorld(options: WorldOptions): World {
  return new World(options)
}

/** Promises settle, however long their chain, and what was put off with `setImmediate` by now has run. */
function turnEventLoop(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}
