/**
 * Faults: what each of them does to a world, and how it ends.
 *
 * Floor 1, room sim.
 */
import type { FaultName, Step } from './schedule.ts'
import type { World } from './world.ts'

/** What a run does with its nodes. */
export interface Lives {
  /** Another life of a node begins. */
  begin(node: number): void
  /** A node's life is over. */
  end(node: number): void
}

/** Begins a fault; it ends by itself. */
export function beginFault(step: Step & { readonly do: FaultName }, world: World, lives: Lives): void {
  const mend = FAULT[step.do](step, world, lives)
  if (mend !== undefined) world.clock.after(step.forMs, mend)
}

type Fault = (step: Step, world: World, lives: Lives) => (() => void) | undefined

const FAULT: Readonly<Record<FaultName, Fault>> = {
  pause({ node }, { nodes, history }) {
    const { process, name } = nodeOf(nodes, node)
    if (process.isDead) return undefined
    const { life } = process
    const over = history.trouble('stop', name)
    process.pause()
    return () => {
      over()
      if (process.life === life) process.resume()
    }
  },
  crash({ node }, { nodes, history }, lives) {
    const { process, name } = nodeOf(nodes, node)
    if (process.isDead) return undefined
    const over = history.trouble('stop', name)
    lives.end(node)
    process.crash()
    return () => {
      over()
      process.restart()
      lives.begin(node)
    }
  },
  cut({ node }, { nodes, network, history }) {
    const { name } = nodeOf(nodes, node)
    return both(network.cut(name), history.trouble('sick', name))
  },
  'cut-store'({ node, share }, { nodes, network, store, history }) {
    const { name } = nodeOf(nodes, node)
    const there = store.process.name
    // A third of the cuts are in one direction only.
    const mend =
      share > 0.4 ? network.cut(name, there) : share > 0.25 ? network.cutOneWay(name, there) : network.cutOneWay(there, name)
    return both(mend, history.trouble('sick', name))
  },
  loss({ share }, { network: { weather }, history }) {
    weather.loss = share
    return both(() => (weather.loss = 0), history.trouble('sick'))
  },
  repetition({ share }, { network: { weather } }) {
    weather.repetition = share
    return () => (weather.repetition = 0)
  },
  delay({ forMs }, { network: { weather }, history, clock }) {
    const mostMs = weather.mostMs
    weather.mostMs = Math.max(mostMs, forMs)
    const over = history.trouble('sick')
    return () => {
      weather.mostMs = Math.min(weather.mostMs, mostMs)
      clock.after(forMs, over) // what was sent last is still under way
    }
  },
  'freeze-store'(_step, { store: { process }, history }) {
    const { life } = process
    process.pause()
    return both(() => process.life === life && process.resume(), history.trouble('sick'))
  },
  'restart-store': (step, world) => restart(world, true, step),
  'empty-store': (step, world) => restart(world, false, step),
  'fail-over'({ forMs }, { store, history }) {
    if (store.process.isDead) return undefined
    store.failOver(forMs)
    history.trouble('sick')()
    return undefined
  },
  'step-clock'({ node, share }, { nodes, store }) {
    const process = share > 0.9 ? store.process : nodeOf(nodes, node).process
    process.stepWall(share > 0.55 ? HOUR_MS : -HOUR_MS)
    return undefined
  },
}

const HOUR_MS = 3_600_000

function restart({ store, history }: World, withData: boolean, _step: Step): (() => void) | undefined {
  if (store.process.isDead) return undefined
  return both(store.crash(withData), history.trouble('sick'))
}

function nodeOf<T>(nodes: readonly T[], index: number): T {
  return nodes[index % nodes.length] as T
}

function both(one: () => unknown, other: () => unknown): () => void {
  return () => {
    one()
    other()
  }
}
