/**
 * Random histories of several engines that share one log through a sequencer, against an oracle that knows the origin.
 *
 * Channels keep their order and lose nothing; one process, or the whole machine, stops for a while and goes on with
 * whatever comes first; a member that is silent is ended. After a write was answered, no read that
 * begins later, through any engine, may get an older version. All time is virtual, all chance is seeded.
 */
import { type Cache, createCache } from '../../src/flow/cache.ts'
import type { InvalidateResult } from '../../src/flow/invalidate.ts'
import type { Clock } from '../../src/model/clock.ts'
import { createRandom } from '../../src/model/random.ts'
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import { ownLink, SequencedLink } from '../../src/tier/sequenced-link.ts'
import { Sequencer, type ToMember } from '../../src/tier/sequencer.ts'
import { Process } from '../support/virtual-process.ts'

/** What a history came to. */
export interface FleetOutcome {
  readonly reads: number
  readonly cached: number
  readonly writes: number
  readonly ended: number
  readonly blind: number
  /** Longest wait of a write for the others, ms. */
  readonly longestMs: number
  readonly violations: readonly string[]
}

/** What may be broken on purpose, to prove that the judge sees it. */
export type Sabotage = 'nobody waits' | 'nobody goes blind' | 'silent members live on' | undefined

const KEYS = 6
const ACK_MS = 250
const BLIND_MS = 250
const BEAT_MS = 50

/** A channel that keeps its order. */
class Wire {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #to: Process
  #lastAt = 0
  #queue: (() => void)[] = []

  constructor(clock: Clock, random: () => number, to: Process) {
    this.#clock = clock
    this.#random = random
    this.#to = to
  }

  send(arrive: () => void): void {
    this.#lastAt = Math.max(this.#lastAt, this.#clock.now() + this.#random() * 15)
    this.#queue.push(arrive)
    // What arrives is whatever is next: a process that sleeps finds its channel in order.
    this.#clock.after(this.#lastAt - this.#clock.now(), () => this.#to.do(() => this.#queue.shift()?.()))
  }
}

interface Member {
  readonly id: string
  readonly process: Process
  readonly cache: Cache
}

/** Runs one history. */
export async function runFleet(seed: number, steps: number, sabotage?: Sabotage): Promise<FleetOutcome> {
  const history = new FleetHistory(seed, sabotage)
  for (let step = 0; step < steps; step += 1) await history.step()
  return history.end()
}

function raise(floors: Map<string, number>, key: string, version: number): void {
  floors.set(key, Math.max(floors.get(key) ?? 0, version))
}

class FleetHistory {
  readonly #clock = createVirtualClock()
  readonly #random: () => number
  readonly #sabotage: Sabotage
  readonly #supervisor: Process
  readonly #sequencer: Sequencer
  readonly #members = new Map<string, Member>()
  /** Those too that have not been taken in yet. */
  readonly #processes = new Set<Process>()
  readonly #versions = new Map<string, number>()
  /** Version that no read beginning now, at a worker, may be older than. */
  readonly #floors = new Map<string, number>()
  /** The same for the supervisor's own engine: what was said to be done although the supervisor was silent is not in it. */
  readonly #ownFloors = new Map<string, number>()
  readonly #violations: string[] = []
  #next = 1
  #reads = 0
  #cached = 0
  #writes = 0
  #ended = 0
  #blind = 0
  #longestMs = 0

  constructor(seed: number, sabotage: Sabotage) {
    this.#random = createRandom(seed)
    this.#sabotage = sabotage
    this.#supervisor = new Process(this.#clock, this.#random)
    this.#processes.add(this.#supervisor)
    this.#sequencer = new Sequencer({
      clock: this.#supervisor.clock,
      generation: 'g',
      ackMs: ACK_MS,
      onSilent: (id) => this.#kill(id),
    })
    const own = createCache({ clock: this.#supervisor.clock, random: this.#random })
    own.engine.join(ownLink(this.#sequencer, 'own'))
    this.#members.set('own', { id: 'own', process: this.#supervisor, cache: own })
    for (let i = 0; i < 3; i += 1) this.#spawn()
    this.#pulse()
  }

  async step(): Promise<void> {
    const chance = this.#random()
    if (chance < 0.5) void this.#read()
    else if (chance < 0.62) void this.#write()
    else if (chance < 0.635) this.#stop()
    else await this.#clock.advanceAsync(this.#random() * 20)
  }

  async end(): Promise<FleetOutcome> {
    await this.#clock.advanceAsync(10_000)
    return {
      reads: this.#reads,
      cached: this.#cached,
      writes: this.#writes,
      ended: this.#ended,
      blind: this.#blind,
      longestMs: this.#longestMs,
      violations: this.#violations,
    }
  }

  #spawn(): void {
    const id = `w${this.#next}`
    this.#next += 1
    const process = new Process(this.#clock, this.#random)
    this.#processes.add(process)
    const cache = createCache({ clock: process.clock, random: this.#random, memory: { maxBytes: 1_000_000 } })
    const [down, up] = [new Wire(this.#clock, this.#random, process), new Wire(this.#clock, this.#random, this.#supervisor)]
    let link: SequencedLink | undefined
    // The way of a worker: it asks to join, is taken in, and serves only after it has heard so.
    up.send(() => {
      const sequence = this.#sequencer.join(id, (message: ToMember) => down.send(() => link?.receive(message)))
      down.send(() => {
        link = new SequencedLink({
          clock: process.clock,
          generation: 'g',
          sequence,
          blindAfterMs: BLIND_MS,
          tell: (message) => up.send(() => this.#sequencer.receive(id, message)),
        })
        const shared = cache.engine.join(link)
        if (this.#sabotage === 'nobody goes blind') shared.blind = () => {}
        cache.on('fence:append', ({ source }) => {
          if (source === 'blind') this.#blind += 1
        })
        this.#members.set(id, { id, process, cache })
      })
    })
  }

  #kill(id: string): void {
    const member = this.#members.get(id)
    if (member === undefined || this.#sabotage === 'silent members live on') {
      this.#sequencer.leave(id)
      return
    }
    // The system ends it whether it runs or not; the supervisor hears of it a little later.
    member.process.isDead = true
    this.#members.delete(id)
    this.#ended += 1
    this.#clock.after(this.#random() * 10, () => this.#supervisor.do(() => this.#sequencer.leave(id)))
    this.#spawn()
  }

  /** One process stops for a while, or the whole machine does. */
  #stop(): void {
    const all = [...this.#processes].filter(({ isDead }) => !isDead)
    if (all.some(({ isStopped }) => isStopped)) return
    const chance = this.#random()
    const one = chance < 0.3 ? this.#supervisor : this.#pick()?.process
    const chosen = chance > 0.9 ? all : one === undefined ? [] : [one]
    const forMs = this.#random() * (this.#random() < 0.5 ? 60 : 900)
    for (const process of chosen) {
      process.isStopped = true
      this.#clock.after(forMs + this.#random() * 5, () => process.resume())
    }
  }

  #pick(): Member | undefined {
    return [...this.#members.values()][Math.floor(this.#random() * this.#members.size)]
  }

  #key(): string {
    return `k${Math.floor(this.#random() * KEYS)}`
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => this.#clock.after(this.#random() * 30, () => resolve()))
  }

  /** A client asks one process; it answers when it runs. */
  #read(): void {
    const [member, key] = [this.#pick(), this.#key()]
    const floor = (member?.process === this.#supervisor ? this.#ownFloors : this.#floors).get(key) ?? 0
    const load = async (): Promise<number> => {
      if (this.#random() < 0.5) await this.#wait()
      const version = this.#versions.get(key) ?? 0 // the moment at which the origin reads
      await this.#wait()
      return version
    }
    member?.process.do(() => {
      const asked = member.cache.fetch(key, { tags: [`t:${key}`], budget: 60_000 }, load)
      const judge = ({ data, cached }: { data: number; cached: boolean }): void => {
        if (member.process.isDead) return // nobody got this answer
        this.#reads += 1
        if (cached) this.#cached += 1
        if (data < floor) this.#violations.push(`${member.id} gave ${key} v${data}, v${floor} was told before the question`)
      }
      asked.then(judge, () => {})
    })
  }

  /** A client changes the origin through one process, which tells him when all have heard of it. */
  async #write(): Promise<void> {
    const [member, key] = [this.#pick(), this.#key()]
    if (member === undefined) return
    await this.#wait()
    const version = (this.#versions.get(key) ?? 0) + 1
    this.#versions.set(key, version)
    member.process.do(() => {
      const beganAt = this.#clock.now()
      const input = this.#random() < 0.5 ? { keys: [key] } : { tags: [`t:${key}`] }
      const { engine } = member.cache
      const done =
        this.#sabotage === 'nobody waits' ? Promise.resolve(engine.invalidate(input)) : engine.invalidateEverywhere(input)
      const answered = ({ nodes }: InvalidateResult): void => {
        if (member.process.isDead) return
        this.#writes += 1
        this.#longestMs = Math.max(this.#longestMs, this.#clock.now() - beganAt)
        raise(this.#floors, key, version)
        if (nodes.acknowledged === nodes.expected) raise(this.#ownFloors, key, version)
      }
      // An answer leaves only while its process runs.
      void done.then((result) => member.process.do(() => answered(result)))
    })
  }

  /** As the fleet does it: what lay in the channels first, then the beat. */
  #pulse(): void {
    const { clock } = this.#supervisor
    clock.after(BEAT_MS, () => {
      clock.after(0, () => this.#sequencer.beat())
      this.#pulse()
    })
  }
}
