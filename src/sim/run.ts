/**
 * One run: a schedule against a system, to its end, judged.
 *
 * Floor 1, room sim. Afterwards everything is mended, a moment passes, and every node is asked for every key once more: what
 * was missed for good shows then. Deterministic: system, options and schedule say everything.
 */
import { beginFault } from './faults.ts'
import type { Operation, Read, Write } from './history.ts'
import { checkHistory, type Violation } from './promises.ts'
import { describeStep, type FaultName, type Schedule, type Step } from './schedule.ts'
import { type Acknowledged, type Answer, type Instance, limitsOf, type Trial } from './trial-options.ts'
import { World } from './world.ts'

/** What became of a run. */
export interface Run {
  readonly violations: readonly Violation[]
  readonly world: World
}

/** What a node does that ends itself. */
const FAILED = { do: 'crash', afterMs: 0, key: 0, hasToken: false, share: 0, seed: 0 } as const

/** What passes between looks whether everything is answered, ms. */
const LOOK_MS = 25

/** @param isTraced keeps a line for everything that happens, in `world.lines` */
export async function runSchedule(trial: Trial, schedule: Schedule, isTraced = false): Promise<Run> {
  const run = new Running(trial, schedule, isTraced)
  await run.go()
  return { violations: run.judge(), world: run.world }
}

class Running {
  readonly world: World
  readonly #trial: Trial
  readonly #schedule: Schedule
  readonly #instances: (Instance | undefined)[]
  readonly #open = new Set<Operation>()
  readonly #latest = new Map<string, Write>()
  #mendedAt = 0

  constructor(trial: Trial, schedule: Schedule, isTraced: boolean) {
    this.#trial = trial
    this.#schedule = schedule
    const { nodes, skew } = trial
    this.world = new World({ seed: schedule.seed, nodes, skewMs: skew, isTraced })
    this.world.onFail = (name, forMs) => {
      const node = this.world.nodes.findIndex((one) => one.name === name)
      this.#trouble({ ...FAILED, node, forMs })
    }
    this.#instances = this.world.nodes.map((node) => trial.start(node))
  }

  async go(): Promise<void> {
    const { world } = this
    const { warmUp, blindAfter, follow, deadline } = this.#trial
    await world.pass(warmUp)
    for (const step of this.#schedule.steps) {
      if (step.afterMs > 0) await world.pass(step.afterMs)
      world.chance.seed(step.seed)
      this.#do(step)
    }
    world.chance.seed(this.#schedule.seed + 0x9e37_79b9) // not what was drawn at the beginning: names would be drawn twice
    await world.pass(Math.max(0, this.#mendedAt - world.clock.now()) + blindAfter + follow)
    world.note('', 'everything is mended; every node is asked for every key')
    for (let node = 0; node < world.nodes.length; node += 1) {
      for (let key = 0; key < this.#trial.keys; key += 1) this.#read({ node, key, hasToken: false })
    }
    const endAt = world.clock.now() + 2 * deadline
    while (this.#open.size > 0 && world.clock.now() < endAt) await world.pass(LOOK_MS)
  }

  judge(): Violation[] {
    const { check, promises } = this.#trial
    const found = checkHistory(this.world, limitsOf(this.#trial), promises)
    for (const text of check?.(this.world) ?? []) found.push({ promise: 'own', text, operation: undefined })
    for (const instance of this.#instances) instance?.stop?.()
    return found
  }

  #do(step: Step): void {
    if (step.do === 'read') this.#read(step)
    else if (step.do === 'write') this.#write(step)
    else this.#trouble(step as Step & { readonly do: FaultName })
  }

  #trouble(step: Step & { readonly do: FaultName }): void {
    this.world.note('', describeStep(step))
    const lives = { begin: (node: number) => this.#begin(node), end: (node: number) => this.#end(node) }
    beginFault(step, this.world, lives)
    // A delay outlasts itself: what was sent at its end is still under way.
    this.#mendedAt = Math.max(this.#mendedAt, this.world.clock.now() + (step.do === 'delay' ? 2 : 1) * step.forMs)
  }

  #begin(index: number): void {
    const node = this.world.nodes[index]
    if (node === undefined) return
    this.world.note(node.name, 'is back')
    this.#instances[index] = this.#trial.start(node)
  }

  #end(index: number): void {
    const node = this.world.nodes[index]
    this.#instances[index]?.stop?.()
    this.#instances[index] = undefined
    for (const operation of this.#open) if (operation.node === node?.name) this.#open.delete(operation)
  }

  #read({ node: index, key: number, hasToken }: Pick<Step, 'node' | 'key' | 'hasToken'>): void {
    const { node, instance } = this.#at(index)
    if (node === undefined || instance === undefined) return
    const key = `k${number + 1}`
    const tokenOf = hasToken ? this.#latest.get(key) : undefined
    const { process } = node
    const read = this.world.history.beginRead({ node: node.name, life: process.life, key, tokenOf })
    this.world.note(node.name, `is asked for ${key}${tokenOf === undefined ? '' : `, with the token of v${tokenOf.version}`}`)
    this.#perform(read, () => instance.read(key, { token: tokenOf?.token }))
  }

  #write({ node: index, key: number }: Step): void {
    const { node, instance } = this.#at(index)
    if (node === undefined || instance === undefined) return
    const key = `k${number + 1}`
    const version = this.world.origin.write(key)
    const write = this.world.history.beginWrite({ node: node.name, life: node.process.life, key, version })
    this.world.note(node.name, `is told that ${key} is v${version} now`)
    this.#perform(write, () => instance.invalidate(key, version))
  }

  #at(index: number): { readonly node: World['nodes'][number] | undefined; readonly instance: Instance | undefined } {
    const at = index % this.world.nodes.length
    return { node: this.world.nodes[at], instance: this.#instances[at] }
  }

  #perform(operation: Read | Write, ask: () => unknown): void {
    this.#open.add(operation)
    const end = (given: unknown, error?: unknown): void => {
      if (!this.#open.delete(operation)) return // its node is dead
      this.world.history.end(operation, error)
      if (error !== undefined)
        this.world.note(operation.node, `fails a ${operation.kind} of ${operation.key}: ${operation.error}`)
      else if (operation.kind === 'read') this.#answered(operation, given as Answer)
      else this.#acknowledged(operation, given as Acknowledged | undefined)
    }
    const perform = async (): Promise<void> => {
      try {
        end(await ask())
      } catch (error) {
        end(undefined, error ?? 'no reason given')
      }
    }
    this.world.nodes.find(({ name }) => name === operation.node)?.process.do('message', () => void perform())
  }

  #answered(read: Read, given: Answer): void {
    read.version = typeof given === 'number' ? given : given.data
    read.isCached = typeof given === 'object' && given.cached === true
    this.world.note(read.node, `answers ${read.key} v${read.version}${read.isCached ? ' from its cache' : ''}`)
  }

  #acknowledged(write: Write, given: Acknowledged | undefined): void {
    write.token = given?.token
    write.expected = given?.nodes?.expected ?? 0
    write.acknowledged = given?.nodes?.acknowledged ?? 0
    if (write.token !== undefined && (this.#latest.get(write.key)?.version ?? 0) < write.version)
      this.#latest.set(write.key, write)
    const heard = write.expected === 0 ? '' : `; ${write.acknowledged} of ${write.expected} have heard`
    this.world.note(write.node, `has invalidated ${write.key} v${write.version}${heard}`)
  }
}
