/**
 * What articles recommend and what other caches do, as far as their promises about invalidation go, for the same drills: each is
 * known to be wrong, and has to be found out. Every model says which rule it has, and where that rule stands.
 */
import type { Member, Plain, Reading, Writing } from './member.ts'
import { KEYS, type World } from './world.ts'

const TTL_MS = 60_000
const ASK_MS = 100
const LOCK_MS = 100
const POLL_MS = 5

/** A node of a cache without a log: memory, plain strings in the server, a channel. */
export abstract class PeerNode implements Member {
  readonly name: string
  readonly world: World
  life = 0
  isPaused = false
  isCut = false
  readonly memory = new Map<number, Plain>()
  readonly #loads = new Map<number, Reading[]>()
  #alarms: { readonly at: number; readonly run: () => void }[] = []

  constructor(world: World, name: string) {
    this.world = world
    this.name = name
  }

  start(): void {
    this.memory.clear()
    this.#loads.clear()
    this.#alarms = []
  }

  stop(): void {}

  tick(): void {
    const due = this.#alarms.filter(({ at }) => at <= this.world.now)
    if (due.length > 0) this.#alarms = this.#alarms.filter(({ at }) => at > this.world.now)
    for (const { run } of due) run()
  }

  /** It never says that it is in doubt. */
  shouldHaveSeen(): string {
    return 'which was told long ago'
  }

  hasApplied(): boolean {
    return false
  }

  abstract read(reading: Reading): void
  abstract write(writing: Writing): void

  /** From memory, if it is there. */
  protected hit(reading: Reading): boolean {
    const found = this.memory.get(reading.key)
    if (found === undefined || found.endsAt <= this.world.now) return false
    this.world.answer(reading, found.value, true)
    return true
  }

  protected remember(key: number, value: number): void {
    this.memory.set(key, { value, mark: this.world.now, endsAt: this.world.now + TTL_MS })
  }

  /** One load of a key at a time; whoever comes meanwhile gets its answer. */
  protected share(reading: Reading, begin: (end: (version: number, isCached: boolean) => void) => void): void {
    const waiting = this.#loads.get(reading.key)
    if (waiting !== undefined) {
      waiting.push(reading)
      return
    }
    this.#loads.set(reading.key, [reading])
    begin((version, isCached) => {
      const readings = this.#loads.get(reading.key) ?? []
      this.#loads.delete(reading.key)
      for (const one of readings) this.world.answer(one, version, isCached)
    })
  }

  protected get(name: string, then: (found: Plain | undefined) => void): void {
    const { plain } = this.world
    const look = (): Plain | null => {
      const found = plain.get(name)
      return found !== undefined && found.endsAt > this.world.now ? found : null
    }
    this.#ask(`get ${name}`, look, (found) => then(found ?? undefined))
  }

  /** @param mark any number beside it */
  protected set(name: string, given: { value: number; mark?: number; ms?: number }, then: () => void = () => {}): void {
    const { plain } = this.world
    const { value, mark = 0, ms = TTL_MS } = given
    this.#ask(`set ${name}`, () => (plain.set(name, { value, mark, endsAt: this.world.now + ms }), null), then)
  }

  protected del(name: string, then: () => void = () => {}): void {
    this.#ask(`del ${name}`, () => (this.world.plain.delete(name), null), then)
  }

  protected take(name: string, ms: number, then: (isMine: boolean) => void): void {
    const { plain } = this.world
    const ask = (): number => {
      const found = plain.get(name)
      if (found !== undefined && found.endsAt > this.world.now) return 0
      plain.set(name, { value: 1, mark: 0, endsAt: this.world.now + ms })
      return 1
    }
    this.#ask(`take ${name}`, ask, (given) => then(given === 1))
  }

  protected after(ms: number, run: () => void): void {
    this.#alarms.push({ at: this.world.now + ms, run })
  }

  protected done(writing: Writing): void {
    this.world.acknowledge(writing, { token: undefined, sequence: 1, hasAll: false })
  }

  /** What has no answer is taken for nothing. */
  #ask<T>(what: string, serve: () => T, then: (given: T | undefined) => void): void {
    this.world.ask<T>(this, what, { ms: ASK_MS, serve, hear: then, fail: () => then(undefined) })
  }
}

/** Cache-aside with a message to all at each change; nobody knows of a message that was lost, or of a load that was under way. */
export class PubSubAlone extends PeerNode {
  read(reading: Reading): void {
    if (this.hit(reading)) return
    const name = KEYS[reading.key] as string
    this.get(name, (found) => {
      if (found !== undefined) {
        this.remember(reading.key, found.value)
        return this.world.answer(reading, found.value, true)
      }
      this.world.load(this, reading.key, (version) => {
        this.set(name, { value: version })
        this.remember(reading.key, version)
        this.world.answer(reading, version, false)
      })
    })
  }

  write(writing: Writing): void {
    this.memory.delete(writing.key)
    this.del(KEYS[writing.key] as string, () => {
      this.world.tell(this, writing.key, 0)
      this.done(writing)
    })
  }

  told(key: number): void {
    this.memory.delete(key)
  }
}

/** `SET NX PX` around the load, deleted without asking whose lock it is; the others poll, and load if that takes too long. */
export class LockAndDelete extends PeerNode {
  read(reading: Reading): void {
    const name = KEYS[reading.key] as string
    this.get(name, (found) => {
      if (found !== undefined) return this.world.answer(reading, found.value, true)
      this.take(`lock:${name}`, LOCK_MS, (isMine) => {
        if (isMine) this.#load(reading, name, () => this.del(`lock:${name}`))
        else this.#poll(reading, name, 5)
      })
    })
  }

  write(writing: Writing): void {
    this.del(KEYS[writing.key] as string, () => this.done(writing))
  }

  #poll(reading: Reading, name: string, times: number): void {
    if (times === 0) return this.#load(reading, name, () => {})
    this.after(POLL_MS, () =>
      this.get(name, (found) => {
        if (found === undefined) this.#poll(reading, name, times - 1)
        else this.world.answer(reading, found.value, true)
      }),
    )
  }

  #load(reading: Reading, name: string, then: () => void): void {
    this.world.load(this, reading.key, (version) => {
      this.set(name, { value: version }, then)
      this.world.answer(reading, version, false)
    })
  }
}

/**
 * As bentocache: memory, a store, a bus. What is deleted is told, and the others' memory drops it (`packages/bentocache/src/bus/bus.ts`,
 * `#onMessage`); what was found in the store or loaded is put into memory without a look at what was heard meanwhile
 * (`src/cache/get_set/two_tier_handler.ts`, `#returnRemoteCacheValue`), and told so that the others take theirs for stale. Loads of a process
 * wait for each other.
 */
export class Bento extends PeerNode {
  read(reading: Reading): void {
    if (this.hit(reading)) return
    const { key } = reading
    const name = KEYS[key] as string
    this.share(reading, (end) =>
      this.get(name, (found) => {
        if (found !== undefined) {
          this.remember(key, found.value)
          return end(found.value, true)
        }
        this.world.load(this, key, (version) => {
          this.remember(key, version)
          this.set(name, { value: version }, () => this.world.tell(this, key, 0))
          end(version, false)
        })
      }),
    )
  }

  write(writing: Writing): void {
    this.memory.delete(writing.key)
    this.del(KEYS[writing.key] as string, () => {
      this.world.tell(this, writing.key, 0)
      this.done(writing)
    })
  }

  told(key: number): void {
    this.memory.delete(key)
  }
}

/**
 * As the Redis handler of @neshca/cache-handler for Next.js: an entry bears the time at which it was set, a tag the time at which it was
 * revalidated, and the entry is gone if the tag's is later (`packages/cache-handler/src/handlers/redis-strings.ts`, `get` and
 * `revalidateTag`): what was read before and set after is good.
 */
export class TagTimes extends PeerNode {
  read(reading: Reading): void {
    const name = KEYS[reading.key] as string
    this.get(name, (found) => {
      if (found === undefined) return this.#load(reading, name)
      this.get(`tag:${name}`, (tag) => {
        if (tag === undefined || tag.mark <= found.mark) return this.world.answer(reading, found.value, true)
        this.del(name)
        this.#load(reading, name)
      })
    })
  }

  write(writing: Writing): void {
    const name = KEYS[writing.key] as string
    this.set(`tag:${name}`, { value: 0, mark: this.world.now }, () => this.del(name, () => this.done(writing)))
  }

  #load(reading: Reading, name: string): void {
    this.world.load(this, reading.key, (version) => {
      this.set(name, { value: version, mark: this.world.now })
      this.world.answer(reading, version, false)
    })
  }
}

/**
 * As cacheable with its sync: a set is told with its value and a delete without, and the others' memory follows
 * (`packages/cacheable/src/sync.ts`): whoever hears of an older set later has the older value.
 */
export class SyncedValues extends PeerNode {
  read(reading: Reading): void {
    if (this.hit(reading)) return
    const { key } = reading
    const name = KEYS[key] as string
    this.share(reading, (end) =>
      this.get(name, (found) => {
        if (found !== undefined) {
          this.remember(key, found.value)
          return end(found.value, true)
        }
        this.world.load(this, key, (version) => {
          this.remember(key, version)
          this.set(name, { value: version })
          this.world.tell(this, key, version)
          end(version, false)
        })
      }),
    )
  }

  write(writing: Writing): void {
    this.memory.delete(writing.key)
    this.del(KEYS[writing.key] as string, () => {
      this.world.tell(this, writing.key, -1)
      this.done(writing)
    })
  }

  told(key: number, value: number): void {
    if (value < 0) this.memory.delete(key)
    else this.remember(key, value)
  }
}
