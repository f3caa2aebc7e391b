/**
 * Random histories of several machines that share one log through a server, against an oracle that knows the origin.
 *
 * The network delays and loses; machines stand still and go on; the server is cut off, emptied, set back and trimmed. Every
 * machine has memory and all of them a shared tier, judged by the log. What is checked: P1 own invalidations hold at once;
 * P2 what everybody has acknowledged is gone everywhere; P3 where the log can be reached, nobody serves for longer than
 * `BLIND_MS` what was invalidated, or, with policy `miss`, ever after the publisher's deadline; P5 a token is never broken.
 */
import { type Cache, createCache } from '../../src/flow/cache.ts'
import type { InvalidateResult } from '../../src/flow/invalidate.ts'
import type { SharedLog } from '../../src/flow/shared-log.ts'
import type { BlindPolicy } from '../../src/model/link.ts'
import { createRandom } from '../../src/model/random.ts'
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import { StreamLink } from '../../src/tier/stream-link.ts'
import { Process } from '../support/virtual-process.ts'
import { VirtualLog, VirtualLogStore } from '../support/virtual-log.ts'

/** What a history came to. */
export interface StreamOutcome {
  readonly reads: number
  readonly cached: number
  readonly shared: number
  readonly writes: number
  readonly withToken: number
  readonly blind: number
  readonly renewed: number
  readonly unplaced: number
  /** Longest wait of a write for the others, ms. */
  readonly longestMs: number
  readonly violations: readonly string[]
}

/** What may be broken on purpose, to prove that the judge sees it. */
export type Sabotage =
  | 'silence is trusted for ever'
  | 'proofs are not asked for'
  | 'another log is taken for the same'
  | 'tokens are believed'
  | 'nobody waits'
  | 'the shared tier is not judged'
  | 'own records without a place are forgotten'

/** How a history runs. */
export interface StreamRun {
  readonly steps: number
  readonly policy: Exclude<BlindPolicy, 'strict' | 'fail'>
  readonly sabotage?: Sabotage | undefined
}

const MACHINES = 4
const KEYS = 6
const BLIND_MS = 250
const ACK_MS = 320
/** What a read may take on its way beyond the bound: a question, and the answer to it. */
const SLACK_MS = 5

interface Machine {
  readonly id: string
  readonly process: Process
  readonly cache: Cache
  readonly shared: SharedLog
  readonly link: StreamLink
  isCut: boolean
  /** Version that no read beginning here now may be older than. */
  readonly floors: Map<string, number>
}

interface SharedEntry {
  readonly generation: string
  readonly asOf: number
  readonly version: number
}

/** Runs one history. */
export async function runStream(seed: number, run: StreamRun): Promise<StreamOutcome> {
  const history = new StreamHistory(seed, run)
  await history.begin()
  for (let step = 0; step < run.steps; step += 1) await history.step()
  return history.end()
}

class StreamHistory {
  readonly #clock = createVirtualClock()
  readonly #random: () => number
  readonly #run: StreamRun
  readonly #log: VirtualLog
  readonly #machines: Machine[] = []
  readonly #tier = new Map<string, SharedEntry>()
  readonly #versions = new Map<string, number>()
  /** Places in the log at their moments: what was told everybody by then. */
  readonly #placed: { readonly at: number; readonly key: string; readonly version: number }[] = []
  readonly #tokens: { readonly token: string; readonly key: string; readonly version: number }[] = []
  readonly #violations: string[] = []
  readonly #counts = { reads: 0, cached: 0, shared: 0, writes: 0, withToken: 0, unplaced: 0, longestMs: 0 }
  /** Since when every machine can reach the server. */
  #mendedAt = 0

  constructor(seed: number, run: StreamRun) {
    this.#random = createRandom(seed)
    this.#run = run
    this.#log = new VirtualLog(this.#clock)
    for (let i = 0; i < MACHINES; i += 1) this.#machines.push(this.#start(`m${i}`))
  }

  async begin(): Promise<void> {
    await this.#clock.advanceAsync(300)
  }

  async step(): Promise<void> {
    const chance = this.#random()
    if (chance < 0.5) void this.#read()
    else if (chance < 0.6) void this.#write()
    else if (chance < 0.62) this.#trouble()
    else await this.#clock.advanceAsync(this.#random() * 15)
  }

  async end(): Promise<StreamOutcome> {
    await this.#clock.advanceAsync(5000)
    const sum = (count: (machine: Machine) => number): number =>
      this.#machines.reduce((total, machine) => total + count(machine), 0)
    return {
      ...this.#counts,
      blind: sum(({ link }) => link.counts.blind),
      renewed: sum(({ link }) => link.counts.renewed) - MACHINES,
      violations: this.#violations,
    }
  }

  #start(id: string): Machine {
    const process = new Process(this.#clock, this.#random)
    const { sabotage, policy } = this.#run
    const loss = policy === 'miss' ? 0.01 : 0 // with `budget`, who loses a question may serve on: P3 speaks of a log within reach
    const net = { delay: () => this.#random() * 6, isCut: () => machine.isCut || this.#random() < loss }
    const store = new VirtualLogStore(this.#log, { member: id, net, clock: process.clock })
    if (sabotage === 'proofs are not asked for') {
      const { prove } = store
      let proven = 0
      store.prove = async (deadlineMs) => {
        proven += 1
        if (proven > 3) return { generation: this.#log.generation, floor: 0, last: 0, members: this.#log.living() }
        return prove.call(store, deadlineMs)
      }
    }
    const cache = createCache({ clock: process.clock, random: this.#random, memory: { maxBytes: 1_000_000 } })
    const link = new StreamLink({ clock: process.clock, store, blindAfterMs: BLIND_MS, ackMs: ACK_MS })
    if (sabotage === 'own records without a place are forgotten') link.pending = () => []
    const shared = cache.engine.join(link, policy)
    if (sabotage === 'silence is trusted for ever') {
      shared.doubt = () => {}
      const { prove } = shared
      shared.prove = () => prove.call(shared, Number.POSITIVE_INFINITY)
      const { blind } = shared
      let isFirst = true
      shared.blind = () => {
        if (isFirst) blind.call(shared)
        isFirst = false
      }
    }
    if (sabotage === 'another log is taken for the same') shared.renew = () => {}
    if (sabotage === 'tokens are believed') cache.engine.catchUp = async () => true
    const machine: Machine = { id, process, cache, shared, link, isCut: false, floors: new Map() }
    return machine
  }

  /** One thing goes wrong, for a while. */
  #trouble(): void {
    const chance = this.#random()
    const machine = this.#pick()
    const forMs = this.#random() * (this.#random() < 0.5 ? 80 : 900)
    if (chance < 0.4) this.#cut([machine], forMs)
    else if (chance < 0.55) this.#cut(this.#machines, forMs)
    else if (chance < 0.9) this.#sleep(machine, forMs)
    else if (chance < 0.93) this.#log.empty()
    else if (chance < 0.96) this.#log.fallBack(1 + Math.floor(this.#random() * 3))
    else this.#log.trim(Math.floor(this.#random() * 4))
  }

  #cut(machines: readonly Machine[], forMs: number): void {
    const chosen = machines.filter(({ isCut }) => !isCut)
    for (const machine of chosen) machine.isCut = true
    this.#clock.after(forMs, () => {
      for (const machine of chosen) machine.isCut = false
      this.#mendedAt = this.#clock.now()
    })
  }

  #sleep({ process }: Machine, forMs: number): void {
    if (process.isStopped) return
    process.isStopped = true
    this.#clock.after(forMs, () => process.resume())
  }

  #pick(): Machine {
    return this.#machines[Math.floor(this.#random() * MACHINES)] as Machine
  }

  #key(): string {
    return `k${Math.floor(this.#random() * KEYS)}`
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => this.#clock.after(this.#random() * 20, () => resolve()))
  }

  /** The shared tier first, then the origin; what the origin said is written behind, sooner or later. */
  async #load(machine: Machine, key: string, token: string | undefined): Promise<number> {
    const { shared } = machine
    const stamp = { generation: shared.generation, asOf: shared.applied }
    await this.#wait()
    const found = this.#tier.get(key)
    const reading = { key, namespace: '', tags: [`t:${key}`] }
    const isTrusted = this.#run.sabotage === 'the shared tier is not judged'
    const mayAsk = token === undefined || machine.cache.engine.hasReached(token) // else only the origin knows
    if (found !== undefined && mayAsk && found.generation === shared.generation && stamp.generation !== '') {
      if (isTrusted || shared.standing(found.asOf, reading) === 'current') {
        this.#counts.shared += 1
        return found.version
      }
    }
    await this.#wait()
    const version = this.#versions.get(key) ?? 0 // the moment at which the origin reads
    await this.#wait()
    void this.#wait().then(() => {
      const standing = this.#tier.get(key)
      const isNewer = standing === undefined || standing.generation !== stamp.generation || standing.asOf < stamp.asOf
      if (isNewer) this.#tier.set(key, { ...stamp, version })
    })
    return version
  }

  /** A client asks one machine; it answers when it runs. */
  #read(): void {
    const [machine, key] = [this.#pick(), this.#key()]
    const held = this.#random() < 0.15 ? this.#tokens[Math.floor(this.#random() * this.#tokens.length)] : undefined
    const asked = held === undefined ? key : held.key
    const begun = this.#clock.now()
    const told = Math.max(machine.floors.get(asked) ?? 0, held?.version ?? 0)
    const bound = this.#boundAt(asked, begun, machine)
    if (held !== undefined) this.#counts.withToken += 1
    machine.process.do(() => {
      const options = { tags: [`t:${asked}`], budget: 60_000, ...(held === undefined ? {} : { token: held.token }) }
      const answer = machine.cache.fetch(asked, options, () => this.#load(machine, asked, held?.token))
      answer.then(
        ({ data, cached }) => {
          this.#counts.reads += 1
          if (cached) this.#counts.cached += 1
          // A network that was cut since the question may have left the machine in the dark.
          const floor = Math.max(told, Math.min(bound, this.#boundAt(asked, begun, machine)))
          if (data >= floor) return
          const how = `${cached ? 'cached' : 'loaded'}, ${held === undefined ? 'no token' : `token ${held.token}`}`
          this.#violations.push(`${Math.round(begun)} ${machine.id} gave ${asked} v${data}, not v${floor} (${how})`)
        },
        () => {},
      )
    })
  }

  /** P3: what stood in the log before the bound, where the log could be reached all the time since. */
  #boundAt(key: string, begun: number, { isCut }: Machine): number {
    const before = begun - BLIND_MS - SLACK_MS
    if (this.#run.policy === 'budget' && (isCut || this.#mendedAt > before || this.#machines.some((one) => one.isCut))) return 0
    let bound = 0
    for (const placed of this.#placed) if (placed.key === key && placed.at < before) bound = Math.max(bound, placed.version)
    return bound
  }

  /** A client changes the origin through one machine, which tells him what became of it. */
  async #write(): Promise<void> {
    const [machine, key] = [this.#pick(), this.#key()]
    await this.#wait()
    const version = (this.#versions.get(key) ?? 0) + 1
    this.#versions.set(key, version)
    machine.process.do(() => {
      const beganAt = this.#clock.now()
      const input = this.#random() < 0.5 ? { keys: [key] } : { tags: [`t:${key}`] }
      const done = machine.cache.invalidate(input)
      raise(machine.floors, key, version) // P1: it holds when the call returns
      if (this.#run.sabotage === 'nobody waits') this.#gone(key, version)
      void done.then((result) => {
        this.#counts.longestMs = Math.max(this.#counts.longestMs, this.#clock.now() - beganAt)
        machine.process.do(() => this.#answered(result, key, version))
      })
    })
  }

  #answered({ token, nodes }: InvalidateResult, key: string, version: number): void {
    this.#counts.writes += 1
    this.#tokens.push({ token, key, version })
    if (this.#tokens.length > 40) this.#tokens.shift()
    if (token.endsWith('?')) {
      this.#counts.unplaced += 1
      return
    }
    this.#placed.push({ at: this.#clock.now(), key, version })
    if (nodes.acknowledged === nodes.expected || this.#run.policy === 'miss') this.#gone(key, version)
  }

  /**
   * From now on nobody may serve what is older; with `budget`, nobody who is not blind and was taken for dead. Such a one may
   * have been entered among those who live since, by a question whose answer was lost: that it lives is not that it sees.
   */
  #gone(key: string, version: number): void {
    for (const { id, floors, shared } of this.#machines) {
      const isTold = this.#log.living().includes(id) && !shared.isBlind
      if (this.#run.policy === 'miss' || isTold) raise(floors, key, version)
    }
  }
}

function raise(floors: Map<string, number>, key: string, version: number): void {
  floors.set(key, Math.max(floors.get(key) ?? 0, version))
}
