/**
 * Faults, as scenarios speak of them: each is done to real processes and connections, written into the history as a trouble, and
 * undone at the end of the run whatever the scenario forgot.
 */
import type { Random } from '../../src/model/random.ts'
import type { History } from '../../src/sim/history.ts'
import type { Instance } from './instance.ts'
import type { Lane, Way } from './proxy.ts'
import type { Stand } from './stand.ts'
import { createPatience } from './strain.ts'
import type { Traffic } from './traffic.ts'

/** What may be frozen and killed, whatever it speaks. */
type Server = Pick<Stand['redis'], 'port' | 'freeze' | 'thaw' | 'kill' | 'restart'>

/** What a scenario found broken beside what the checker reads from the history. */
export interface Finding {
  readonly promise: 'ONCE' | 'SIGHT'
  readonly text: string
  readonly node: string
}

/** A line of what was done. */
export interface Deed {
  readonly at: number
  readonly text: string
}

/** See the module's header. */
export class Arena {
  readonly stand: Stand
  readonly history: History
  readonly random: Random
  readonly traffic: Traffic
  readonly deeds: Deed[] = []
  readonly findings: Finding[] = []
  readonly #undo = new Set<() => void | Promise<void>>()

  constructor(parts: { readonly stand: Stand; readonly history: History; readonly random: Random; readonly traffic: Traffic }) {
    this.stand = parts.stand
    this.history = parts.history
    this.random = parts.random
    this.traffic = parts.traffic
  }

  /** The time that silence is trusted: faults are measured in it. */
  get blindAfterMs(): number {
    return this.stand.build.blindAfterMs
  }

  /** Seeded. */
  between(least: number, most: number): number {
    return least + this.random() * (most - least)
  }

  /** Seeded. @returns distinct instances */
  some(count: number): Instance[] {
    const left = [...this.stand.instances]
    return Array.from({ length: count }, () => left.splice(Math.floor(this.random() * left.length), 1)[0] as Instance)
  }

  one(): Instance {
    return this.some(1)[0] as Instance
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms))
  }

  say(text: string): void {
    this.deeds.push({ at: performance.now(), text })
  }

  /** Waits until it is so. @throws when that takes longer than anything may */
  async until(condition: () => boolean, what: string): Promise<void> {
    const isOver = createPatience(this.stand.build.patienceMs, () => this.stand.processes.map(({ pid }) => pid))
    while (!condition()) {
      if (isOver()) throw new Error(`waited in vain for ${what}`)
      await this.wait(5)
    }
  }

  /** A key may have been loaded so often by now, by all instances together. */
  expectLoads(key: string, most: number): void {
    const loads = this.stand.origin.loadsOf(key)
    for (const at of loads) this.deeds.push({ at, text: `the origin is asked for ${key}` })
    if (loads.length <= most) return
    const { name } = this.stand.instances[0] as Instance
    this.findings.push({ promise: 'ONCE', text: `${key} was loaded ${loads.length} times, ${most} allowed`, node: name })
  }

  /** From now on something is ill, for one instance or for all. @returns what ends it; done at the end of the run if not before */
  ill(instance?: Instance): () => void {
    return this.#until(this.history.trouble('sick', instance?.name))
  }

  /** SIGSTOP, and SIGCONT after a while. */
  async stop(instance: Instance, ms: number): Promise<void> {
    const resume = this.halt(instance)
    await this.wait(ms)
    resume()
  }

  /** SIGSTOP. @returns what lets it go on */
  halt(instance: Instance): () => void {
    this.say(`SIGSTOP ${instance.name}`)
    const end = this.history.trouble('stop', instance.name)
    instance.signal('SIGSTOP')
    return this.#until(() => {
      instance.signal('SIGCONT')
      this.say(`SIGCONT ${instance.name}`)
      end()
    })
  }

  /** kill -9, and a new life after a while. */
  async kill(instance: Instance, ms: number, name: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.say(`${name} ${instance.name}, back in ${Math.round(ms)} ms`)
    const end = this.history.trouble('stop', instance.name)
    const join = this.ill(instance) // a new life has to find the log first
    await instance.kill(name)
    await this.wait(ms)
    await instance.start()
    this.say(`${instance.name} lives again`)
    end()
    join()
  }

  /** Bytes wait: for as long as the fault lasts, or for so long each. @returns what ends it */
  hold(instance: Instance, fault: { lane?: Lane; way?: Way; delayMs?: () => number; isHarmless?: boolean } = {}): () => void {
    const { lane = 'all', way = 'both', delayMs, isHarmless = false } = fault
    this.say(`${delayMs === undefined ? 'hold' : 'delay'} ${lane} of ${instance.name}, ${way}`)
    const heal = this.#proxyOf(instance).begin({ lane, way, delayMs: delayMs ?? (() => Number.POSITIVE_INFINITY) })
    const end = isHarmless ? () => {} : this.ill(instance)
    return this.#until(() => {
      this.say(`flow ${lane} of ${instance.name}`)
      heal()
      end()
    })
  }

  /** Connections are reset. */
  cut(instance: Instance, lane: Lane = 'all'): void {
    this.say(`cut ${lane} of ${instance.name}`)
    this.ill(instance)()
    this.#proxyOf(instance).cut(lane)
  }

  /** Nothing comes through, and no connection is made. @returns what ends it */
  part(instance: Instance): () => void {
    const flow = this.hold(instance)
    const accept = this.#proxyOf(instance).refuse()
    return this.#until(() => {
      accept()
      this.#proxyOf(instance).cut('all') // what was on its way is lost
      flow()
    })
  }

  /** SIGSTOP of stores. @returns what ends it */
  freeze(servers: readonly Server[] = this.stand.servers): () => void {
    this.say(`SIGSTOP the store (${servers.map(({ port }) => port).join(', ')})`)
    const end = this.ill()
    for (const server of servers) server.freeze()
    return this.#until(() => {
      for (const server of servers) server.thaw()
      this.say('SIGCONT the store')
      end()
    })
  }

  /** The store is ended as by a power cut, and started again after a while. */
  async restart(how: { readonly withData: boolean; readonly ms: number }, server: Server = this.stand.redis): Promise<void> {
    this.say(`kill -9 the store, back ${how.withData ? 'with' : 'without'} data in ${Math.round(how.ms)} ms`)
    const end = this.ill()
    await server.kill()
    await this.wait(how.ms)
    await server.restart(how)
    this.say('the store lives again')
    end()
  }

  /** Undoes what still lasts. */
  async heal(): Promise<void> {
    for (const undo of [...this.#undo]) await undo()
  }

  /** Done at the end of the run, or when the result is called: once. */
  onEnd(undo: () => void | Promise<void>): void {
    this.#undo.add(undo)
  }

  #until(undo: () => void): () => void {
    const once = (): void => {
      if (this.#undo.delete(once)) undo()
    }
    this.#undo.add(once)
    return once
  }

  #proxyOf(instance: Instance): NonNullable<Stand['proxies'][number]> {
    const proxy = this.stand.proxies[this.stand.instances.indexOf(instance)]
    if (proxy === undefined) throw new Error('this stand has no proxies')
    return proxy
  }
}
