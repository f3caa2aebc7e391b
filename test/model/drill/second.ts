/**
 * The second level in a drill: its judging as it ships, its asking and writing by the world's questions, as src/tier/remote.ts does.
 */
import type { Fill, SharedStamp } from '../../../src/flow/fill.ts'
import { type SecondParts, SecondLevel } from '../../../src/flow/second-level.ts'
import type { Budget } from '../../../src/model/budget.ts'
import type { Entry } from '../../../src/model/entry.ts'
import type { Target } from '../../../src/model/log.ts'
import { StoreClock } from '../../../src/tier/store-clock.ts'
import type { Cell } from './lean-cells.ts'
import type { Member } from './member.ts'
import { BUDGET_MS, type World } from './world.ts'

export const BUDGET: Budget = { freshMs: 700, staleMs: 900, onErrorMs: BUDGET_MS }
/** A question for an entry waits so long. */
export const READ_MS = 50
const WRITE_MS = 100

/** See the module's header. */
export class DrillSecond extends SecondLevel {
  readonly #world: World
  readonly #node: Member
  #storeClock = new StoreClock(BUDGET_MS)
  #storeRun = 0
  readonly #pulls = new Map<string, ((found: boolean) => void)[]>()

  constructor(parts: SecondParts, world: World, node: Member) {
    super(parts)
    this.#world = world
    this.#node = node
  }

  /** Another life: nothing is known of the server's clock. */
  restart(): void {
    this.#storeClock = new StoreClock(BUDGET_MS)
    this.#storeRun = 0
    this.#pulls.clear()
  }

  override offer({ shared }: Fill, entry: Entry): void {
    if (shared !== undefined) this.#put(shared, entry)
  }

  override forget(targets: readonly Target[]): void {
    for (const target of targets) if (target.kind === 'key') this.#drop(target.key)
  }

  #put({ generation, asOf }: SharedStamp, { key, value, tags, storedAt }: Entry): void {
    const world = this.#world
    const store = this.#storeClock
    const asked = world.now
    if (!store.isKnown || !(storedAt + BUDGET_MS > asked)) return
    const given = {
      ...{
        generation: `${generation}.${this.#storeRun}`,
        asOf,
        storedAt: Math.floor(store.at(storedAt)),
        ageMs: Math.max(0, Math.ceil(asked - storedAt)),
      },
      ...{ lifeMs: BUDGET_MS, version: value as number, tags },
    }
    world.ask<readonly [number, number]>(this.#node, `write ${key}`, {
      ms: WRITE_MS,
      serve: () => {
        world.entries.write(key, given, world.time())
        return [world.time(), world.log.run]
      },
      hear: ([time, run]) => this.#observe(time, run, asked),
    })
  }

  #drop(key: string): void {
    const { cells } = this.#world.entries
    this.#world.ask(this.#node, `drop ${key}`, { ms: WRITE_MS, serve: () => (cells.delete(key), null) })
  }

  #observe(time: number, run: number, asked: number): void {
    if (run !== this.#storeRun) this.#storeClock = new StoreClock(BUDGET_MS)
    this.#storeRun = run
    this.#storeClock.observe(time, asked, this.#world.now)
  }

  find(key: string, then: (found: boolean) => void): void {
    const world = this.#world
    const waiting = this.#pulls.get(key)
    if (waiting !== undefined) {
      waiting.push(then)
      return
    }
    if (this.stamp() === undefined) return then(false)
    this.#pulls.set(key, [then])
    const [asked, known] = [world.now, this.#storeRun]
    world.ask<readonly [number, number, Cell | undefined]>(this.#node, `look for ${key}`, {
      ms: READ_MS,
      serve: () => [world.time(), world.log.run, world.entries.read(key, world.time())],
      hear: ([time, run, cell]) => {
        this.#observe(time, run, asked)
        // By the clock of another run nothing can be said of an age.
        const name = `.${run}`
        const isSure =
          cell !== undefined && (known === run || known === 0) && cell.generation.endsWith(name) && cell.storedAt <= time
        if (!isSure) return this.#pulled(key, false)
        const storedAt = this.#storeClock.steadyOf(cell.storedAt, time, asked)
        this.#pulled(key, this.#let(key, { ...cell, generation: cell.generation.slice(0, -name.length) }, storedAt))
      },
      fail: () => this.#pulled(key, false),
    })
  }

  #pulled(key: string, found: boolean): void {
    const waiting = this.#pulls.get(key) ?? []
    this.#pulls.delete(key)
    for (const then of waiting) then(found)
  }

  #let(key: string, { tags, generation, asOf, version }: Cell, storedAt: number): boolean {
    const reading = { key, namespace: 0, tags, generation, asOf, storedAt }
    const outcome = this.admit(reading, { kind: 'value', budget: BUDGET }, () => ({ value: version, bytes: 8 }))
    if (outcome === 'l2Hits') this.#world.counts.second += 1
    return outcome === 'l2Hits'
  }
}
