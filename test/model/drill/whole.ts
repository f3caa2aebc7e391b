/**
 * forecache on one node of a drill, whole: caches, fetcher, second level and stream link with all their promises, over the questions of the
 * drill's world. What DrillNode restates is held against it.
 */
import { type Cache, cacheOver } from '../../../src/flow/cache.ts'
import { Engine } from '../../../src/flow/engine.ts'
import { promote } from '../../../src/flow/keep.ts'
import { resolveSettings } from '../../../src/flow/options.ts'
import { SecondLevel } from '../../../src/flow/second-level.ts'
import type { SharedLog } from '../../../src/flow/shared-log.ts'
import { encodeValue } from '../../../src/flow/value-codec.ts'
import type { Clock } from '../../../src/model/clock.ts'
import type { Acknowledgement, Heard, LogStore } from '../../../src/tier/log-store.ts'
import type { RemotePort, RemoteRead, RemoteWrite, RemoteWritten } from '../../../src/tier/remote-port.ts'
import { StoreClock } from '../../../src/tier/store-clock.ts'
import { StreamLink } from '../../../src/tier/stream-link.ts'
import { Alarms } from './alarms.ts'
import type { Cell } from './lean-cells.ts'
import type { Member, Reading, Writing } from './member.ts'
import { TAGS } from './node.ts'
import { BUDGET, READ_MS } from './second.ts'
import { ACK_MS, BLIND_MS, BUDGET_MS, KEYS, type World } from './world.ts'

const SETTINGS = resolveSettings({ memory: { maxBytes: '64KiB' }, deadlines: { token: 150 } })
const CALL = { budget: { fresh: BUDGET.freshMs, stale: BUDGET.staleMs, onError: BUDGET.onErrorMs }, jitter: 0 } as const
const WRITE_MS = 100
/** What stands in a cell, beside its tags. */
const ENVELOPES = new WeakMap<readonly string[], Uint8Array>()

/** See the module's header. */
export class WholeNode implements Member {
  readonly name: string
  readonly world: World
  life = 0
  isPaused = false
  isCut = false
  cache!: Cache
  shared!: SharedLog
  readonly #breaks: ((node: WholeNode) => void) | undefined
  #link!: StreamLink
  #alarms: Alarms
  #storeClock = new StoreClock(BUDGET_MS)
  #storeRun = 0
  #heardWord = 0

  constructor(world: World, name: string, breaks?: (node: WholeNode) => void) {
    this.world = world
    this.name = name
    this.#breaks = breaks
    this.#alarms = new Alarms(world)
  }

  start(): void {
    const { world } = this
    this.#alarms = new Alarms(world) // timers of a former life ring no more
    this.#storeClock = new StoreClock(BUDGET_MS)
    this.#storeRun = this.#heardWord = 0
    const { clock } = this.#alarms
    const engine = new Engine({ ...SETTINGS, clock, random: () => 0.5 })
    this.cache = cacheOver(engine)
    this.#link = new StreamLink({ clock, store: this.#createLog(), blindAfterMs: BLIND_MS, ackMs: ACK_MS })
    this.shared = engine.join(this.#link, world.settings.policy)
    if (world.settings.hasSecond) Object.assign(engine, { second: this.#createSecond(engine, clock) })
    this.#breaks?.(this)
  }

  stop(): void {
    this.#alarms.clear()
  }

  /** Judged where it counts, in the other form. */
  shouldHaveSeen(): undefined {
    return undefined
  }

  hasApplied({ token }: Writing): boolean {
    return token !== undefined && this.shared.hasReached(token)
  }

  tick(): void {
    this.#alarms.ring()
  }

  read(reading: Reading): void {
    const key = KEYS[reading.key] as string
    const tags = TAGS[reading.key] as readonly string[]
    const token = reading.token?.token
    const options = { ...CALL, ...(reading.key === 0 ? { tags } : {}), ...(token === undefined ? {} : { token }) }
    const load = this.cache.fetch<number>(key, options, (context) => {
      context.tag(...tags)
      return new Promise((resolve) => this.world.load(this, reading.key, resolve))
    })
    load.then(
      ({ data, cached }) => this.world.answer(reading, data, cached),
      (error: unknown) => this.world.broken(`${this.name} failed: ${String(error)}`),
    )
  }

  write(writing: Writing): void {
    const key = KEYS[writing.key] as string
    const { engine } = this.cache
    const how = this.world.dice.next()
    const done = (token: string, hasAll: boolean): void =>
      this.world.acknowledge(writing, { token, sequence: Number(token.split('.')[1]) || 0, hasAll })
    if (how < 0.15) {
      const tags = TAGS[writing.key] as readonly string[]
      const fill = engine.write(key, { tags })
      engine.keep(fill, { value: writing.version, bytes: 8, budget: BUDGET, tags, jitter: 0 })
      void (async () => done(await engine.written(), false))()
      return
    }
    const tag = TAGS[writing.key]?.[0] as string
    const input =
      how < 0.5
        ? { keys: [key] }
        : how < 0.8
          ? { tags: [tag] }
          : how < 0.9
            ? { tags: ['all-of-them'] }
            : how < 0.95
              ? { prefixes: [key] }
              : { all: true }
    const told = this.cache.engine.invalidateEverywhere(input)
    void (async () => {
      const { token, nodes } = await told
      done(token, nodes.acknowledged === nodes.expected)
    })()
  }

  #ask<T>(what: string, ms: number, serve: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      this.world.ask<T>(this, what, { ms, serve, hear: resolve, fail: () => reject(new Error('lost')) })
    })
  }

  #createLog(): LogStore {
    const { world } = this
    const { log } = world
    const member = `${this.name}.${this.life}`
    return {
      member,
      prove: (ms) => this.#ask('prove', ms, () => log.prove(member)),
      append: (generation, texts, ms) => this.#ask('append', ms, () => log.append(member, generation, texts)),
      read: (after, _limit, ms) => this.#ask('read', ms, () => log.read(after)),
      listen: async (after, waitMs): Promise<Heard> => {
        const { rows, words } = await this.#ask('listen', waitMs + WRITE_MS, () => {
          const found = log.words(member, this.#heardWord)
          const next = log.read(after)
          return next.length === 0 && found.length === 0 ? undefined : { rows: next, words: found }
        })
        this.#heardWord = words.at(-1)?.id ?? this.#heardWord
        return { rows, acknowledgements: words.map(({ word }) => word) }
      },
      redial: () => {},
      acknowledge: (to: ReadonlyMap<string, Acknowledgement>, ms) => {
        const serve = (): null => {
          for (const [name, word] of to) log.tell(name, word)
          return null
        }
        world.ask(this, 'acknowledge', { ms, serve })
        return Promise.resolve()
      },
      onBack: () => () => {},
      leave: () => Promise.resolve(),
    }
  }

  #createRemote(): RemotePort {
    const { world } = this
    const readOne = async (key: string): Promise<RemoteRead | undefined> => {
      const [asked, known] = [world.now, this.#storeRun]
      const [time, run, cell] = await this.#ask<readonly [number, number, Cell | undefined]>(`look for ${key}`, READ_MS, () => [
        world.time(),
        world.log.run,
        world.entries.read(key, world.time()),
      ])
      this.#observe(time, run, asked)
      const name = `.${run}`
      const isSure =
        cell !== undefined && (known === run || known === 0) && cell.generation.endsWith(name) && cell.storedAt <= time
      if (!isSure) return undefined
      const storedAt = this.#storeClock.steadyOf(cell.storedAt, time, asked)
      const envelope = ENVELOPES.get(cell.tags) as Uint8Array
      return { generation: cell.generation.slice(0, -name.length), asOf: cell.asOf, storedAt, envelope }
    }
    const write = async ({ key, generation, asOf, storedAt, envelope }: RemoteWrite): Promise<RemoteWritten> => {
      const [asked, store] = [world.now, this.#storeClock]
      if (!store.isKnown || !(storedAt + BUDGET_MS > asked)) return 'unsure'
      const tags: readonly string[] = []
      ENVELOPES.set(tags, envelope)
      const given = {
        ...{ generation: `${generation}.${this.#storeRun}`, asOf, storedAt: Math.floor(store.at(storedAt)), version: 0, tags },
        ...{ ageMs: Math.max(0, Math.ceil(asked - storedAt)), lifeMs: BUDGET_MS },
      }
      const [time, run] = await this.#ask<readonly [number, number]>(`write ${key}`, WRITE_MS, () => {
        world.entries.write(key, given, world.time())
        return [world.time(), world.log.run]
      })
      this.#observe(time, run, asked)
      return 'written'
    }
    return {
      isUp: true,
      readMany: (keys) => Promise.all(keys.map(readOne)),
      write,
      delete: async ([key = '']) => {
        const { cells } = world.entries
        world.ask(this, `drop ${key}`, { ms: WRITE_MS, serve: () => (cells.delete(key), null) })
      },
      ready: () => Promise.resolve(true),
      close: () => {},
    }
  }

  #observe(time: number, run: number, asked: number): void {
    if (run !== this.#storeRun) this.#storeClock = new StoreClock(BUDGET_MS)
    this.#storeRun = run
    this.#storeClock.observe(time, asked, this.world.now)
  }

  #createSecond(engine: Engine, clock: Clock): SecondLevel {
    const { fence, memory, governor, events, meter, ledger } = engine
    const keeping = { fence, memory, governor, clock, random: () => 0.5, events, jitter: 0, maxLoadMs: 30_000 }
    const second = new SecondLevel({
      ...{ remote: this.#createRemote(), seal: undefined, clock, fence, meter, ledger, originLagMs: 0 },
      ...{ deadlineMs: READ_MS, maxEntryBytes: 4096, maxQueueBytes: 1_000_000 },
      shared: () => engine.shared,
      promote: (entry, softened) =>
        engine.shared?.isClosedToKeeps === true ? 'fenced' : promote(keeping, entry, { softened, way: 'promotion' }),
    })
    second.teach(encodeValue)
    return second
  }
}
