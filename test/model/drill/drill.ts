/**
 * Drills: schedules of single steps, drawn from a seed, against a system on two or three nodes.
 *
 * A step is one thing: a client asks, something changes, one question moves on by one hop, time passes, something breaks. Each draws
 * from a stream of its own, so that a schedule can be made shorter by leaving steps out. At the end all is mended, and every node is
 * asked for every key once more.
 */
import { Dice } from './dice.ts'
import type { Member, Settings } from './member.ts'
import { BLIND_MS, KEYS, World } from './world.ts'

/** A system, with the nodes that it runs on. */
export interface System {
  readonly name: string
  /** Makes one node; used for one schedule after the other. */
  readonly create: (world: World, name: string) => Member
  /** What it promises; default: drawn from the seed. */
  readonly settings?: Settings
  /** Nothing breaks; default: drawn from the seed. */
  readonly isCalm?: boolean
}

/** A schedule that breaks a promise. */
export interface Failure {
  readonly seed: number
  readonly drawnSteps: number
  /** Those that are needed. */
  readonly steps: readonly number[]
  readonly violations: readonly string[]
  readonly trace: string
}

/** What is likely in a schedule. */
type Mood = 'calm' | 'mixed' | 'slow' | 'server' | 'old'

const MOODS: readonly Mood[] = ['calm', 'mixed', 'mixed', 'slow', 'slow', 'server', 'old']
const NODES = 3
const LEAST_STEPS = 20
const MORE_STEPS = 41
/** Rounds until everything must have come to an end. */
const END_ROUNDS = 24
const MOVES_A_ROUND = 400
/** Whoever is awake sees time pass in no longer steps; in one leap it looks as if he had slept. */
const STRIDE_MS = 15

/** Runs schedules of one system; everything is made once. */
export class Drill {
  readonly world = new World()
  readonly #system: System
  readonly #members: readonly Member[]
  readonly #plan = new Dice()
  #mood: Mood = 'calm'
  #isWarm = true
  #nodes = NODES
  #keys: number = KEYS.length
  #walk = { ms: 0, moves: 0 }

  constructor(system: System) {
    this.#system = system
    this.#members = Array.from({ length: NODES }, (_, index) => system.create(this.world, `n${index + 1}`))
  }

  /** @param only these steps; default: all that are drawn @returns what is broken */
  run(seed: number, only?: readonly number[]): readonly string[] {
    const course = this.course(seed, only)
    while (course.next().done !== true) continue
    return this.world.violations
  }

  /** One thing after the other; between two of them whoever has promises may let them settle. */
  *course(seed: number, only?: readonly number[]): Generator<undefined, void> {
    const { world } = this
    const count = this.#begin(seed)
    this.#walk = { ms: 0, moves: 0 }
    if (this.#isWarm) while (world.deliver(0)) yield
    world.replicate()
    for (let index = 0; index < (only?.length ?? count); index += 1) {
      let hops = this.#step(seed, only?.[index] ?? index)
      yield
      for (; this.#walk.ms > 0; this.#walk.ms -= STRIDE_MS) {
        world.pass(Math.min(STRIDE_MS, this.#walk.ms))
        yield
        if (this.#walk.moves > 0 && world.deliver(world.dice.below(Math.max(1, world.underWay)))) yield
      }
      while (hops > 0 && world.deliver(world.dice.below(Math.max(1, world.underWay)))) {
        hops -= 1
        yield
      }
    }
    world.dice.seed(seed, 100_000)
    yield* this.#end()
    world.counts.schedules += 1
    world.counts.steps += count
  }

  /** The shortest form of a schedule that breaks something, with its trace. */
  explain(seed: number): Failure {
    let steps = Array.from({ length: this.#begin(seed) }, (_, index) => index)
    for (const member of this.world.members) member.stop()
    const drawnSteps = steps.length
    for (let size = Math.ceil(steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let from = 0; from < steps.length; ) {
        const fewer = steps.filter((_, index) => index < from || index >= from + size)
        if (this.run(seed, fewer).length > 0) steps = fewer
        else from += size
      }
    }
    this.world.lines = []
    const violations = this.run(seed, steps)
    const trace = this.world.lines.join('\n')
    this.world.lines = undefined
    return { seed, drawnSteps, steps, violations, trace }
  }

  #begin(seed: number): number {
    const plan = this.#plan
    plan.seed(seed, 1_000_000)
    const settings: Settings = { policy: plan.hits(0.5) ? 'miss' : 'budget', hasSecond: plan.hits(0.75) }
    this.#nodes = plan.hits(0.6) ? 2 : NODES
    this.#keys = plan.hits(0.7) ? 1 : KEYS.length
    const mood = MOODS[plan.below(MOODS.length)] as Mood
    this.#mood = this.#system.isCalm === true ? 'calm' : mood
    this.#isWarm = plan.hits(0.9)
    this.world.dice.seed(seed, 1_000_001)
    this.world.begin(this.#system.settings ?? settings, this.#members.slice(0, this.#nodes))
    return LEAST_STEPS + plan.below(MORE_STEPS)
  }

  /** @returns hops that questions are moved on by */
  #step(seed: number, step: number): number {
    const { world } = this
    const { dice } = world
    dice.seed(seed, step)
    const what = dice.next()
    if (what < 0.2) world.read(dice.below(this.#nodes), dice.below(this.#keys), dice.hits(0.4))
    else if (what < 0.29) world.write(dice.below(this.#nodes), dice.below(this.#keys))
    else if (what < 0.7) return 1 + dice.below(3)
    else if (what < 0.85) this.#pass()
    else return this.#trouble()
    return 0
  }

  #pass(): void {
    const { dice } = this.world
    const how = dice.next()
    const most = this.#mood === 'old' ? 0.4 : this.#mood === 'slow' ? 0.75 : 0.95
    if (how < 0.5) return this.world.pass(1 + dice.below(STRIDE_MS))
    const ms = how < most ? 20 + dice.below(80) : dice.below(this.#mood === 'slow' ? 250 : 900)
    if (dice.hits(0.5)) this.world.pass(ms)
    else this.#walk = { ms, moves: dice.below(2) }
  }

  /** @returns as `#step` */
  #trouble(): number {
    const { world } = this
    if (this.#mood === 'calm') return 1 + world.dice.below(3)
    world.counts.faults += 1
    if (this.#mood === 'old') this.#age()
    else if (this.#mood === 'slow') return this.#slow()
    else if (this.#mood === 'server' || world.dice.hits(0.3)) this.#server()
    else return this.#slow()
    return 0
  }

  /** Everything comes, but late. */
  #slow(): number {
    const { world } = this
    const { dice } = world
    const member = world.members[dice.below(this.#nodes)] as Member
    const what = dice.below(12)
    const one = dice.below(Math.max(1, world.underWay))
    if (what < 2) world.hold(one, 20 + dice.below(280))
    else if (what < 4) world.deafen(member, 120 + dice.below(118))
    else if (what < 6) this.#toggle(member, 'isPaused')
    else if (what < 8) this.#toggle(member, 'isCut')
    else if (what < 9) world.repeat(one)
    else if (this.#mood === 'slow') return 1 + dice.below(3)
    else if (what < 11) world.lose(one)
    else world.crash(member)
    return 0
  }

  /** The server loses something. */
  #server(): void {
    const { world } = this
    const { dice } = world
    const what = dice.below(10)
    if (what < 2) world.log.trim(dice.below(3))
    else if (what < 4) world.replicate()
    else if (what < 6) world.restart('as a replica')
    else if (what < 7) world.restart(dice.hits(0.5) ? 'with its data' : 'without its data')
    else if (what < 8) world.freeze(dice.hits(0.5))
    else if (what < 9) world.lose(dice.below(Math.max(1, world.underWay)))
    else world.log.scatter()
  }

  /** Nobody is told of what changes, and clocks are set. */
  #age(): void {
    const { world } = this
    const { dice } = world
    const what = dice.below(8)
    const key = dice.below(this.#keys)
    if (what < 3) world.change(key)
    else if (what < 4) world.entries.cells.delete(KEYS[key] as string)
    else if (what < 5) world.stepClock(dice.hits(0.5) ? 3_600_000 : -3_600_000)
    else if (what < 6) this.#toggle(world.members[dice.below(this.#nodes)] as Member, 'isPaused')
    else if (what < 7) world.crash(world.members[dice.below(this.#nodes)] as Member)
    else world.restart('with its data')
  }

  #toggle(member: Member, what: 'isPaused' | 'isCut'): void {
    member[what] = !member[what]
    this.world.note(`${member.name}: ${what} ${String(member[what])}`)
    if (what === 'isPaused' && !member.isPaused) this.world.due(member)
  }

  *#end(): Generator<undefined, void> {
    const { world } = this
    world.mend()
    world.note('everything is mended')
    world.pass(BLIND_MS + 1)
    yield
    yield* this.#settle()
    for (let node = 0; node < this.#nodes; node += 1) {
      for (let key = 0; key < this.#keys; key += 1) {
        world.read(node, key, false)
        yield
      }
    }
    for (let round = 0; round < END_ROUNDS && world.open > 0; round += 1) {
      yield* this.#settle()
      if (world.open > 0) world.pass(BLIND_MS / 2)
      yield
    }
    if (world.open > 0) world.broken(`${world.open} were never answered`)
    for (const member of world.members) member.stop()
  }

  /** Everything that is under way comes to an end. */
  *#settle(): Generator<undefined, void> {
    for (let move = 0; move < MOVES_A_ROUND && this.world.deliver(0); move += 1) yield
  }
}

/** Runs schedules of consecutive seeds. @returns the first that broke something, and how many did */
export function drill(
  it: Drill,
  { seed, schedules, stopAtFirst = false }: { readonly seed: number; readonly schedules: number; readonly stopAtFirst?: boolean },
): { readonly failed: number; readonly run: number; readonly firstSeed: number | undefined } {
  let [failed, run] = [0, 0]
  let firstSeed: number | undefined
  while (run < schedules && !(stopAtFirst && failed > 0)) {
    if (it.run(seed + run).length > 0) {
      failed += 1
      firstSeed ??= seed + run
    }
    run += 1
  }
  return { failed, run, firstSeed }
}
