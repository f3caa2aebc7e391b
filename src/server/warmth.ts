/**
 * What a process keeps for the next one, and begins with: the snapshot on disk, the hot keys of the other instances.
 *
 * Floor 5, room server. Neither is needed: what fails is told in the log, and the process begins cold. Everything
 * takes its deadline and no more.
 */
import { hottest } from '../flow/heat.ts'
import { decoderOf, type Preserver, preserveValues } from '../flow/preserve.ts'
import type { Engine } from '../flow/engine.ts'
import { lastingLog, type SnapshotParts, untilInSight } from '../flow/snapshot.ts'
import { loadSnapshot } from '../flow/snapshot-load.ts'
import { saveSnapshot } from '../flow/snapshot-save.ts'
import type { Timer } from '../model/clock.ts'
import { textOf } from '../model/errors.ts'
import { DEFAULT_ROUTE } from '../model/meter.ts'
import { COUNTER, type CounterName } from '../model/metric.ts'
import type { Logger } from '../model/port.ts'
import type { HotList } from '../ops/hot-list.ts'
import type { HotFile } from './hot-file.ts'
import type { RegistrySettings, SnapshotSettings } from './fleet-schema.ts'

/** What warmth works with. */
export interface WarmthParts {
  readonly engine: Engine
  readonly logger: Logger
  /** Codecs of the door in force; undefined: there is none here. */
  readonly preserver: (() => Preserver) | undefined
  readonly snapshot:
    | (SnapshotSettings &
        Pick<SnapshotParts['file'], 'seal'> & {
          /** Digest of the rules in force. */
          meaning(): string
        })
    | undefined
  readonly hot:
    | { readonly list: HotList; readonly settings: RegistrySettings; instances(): Promise<readonly string[]> }
    | undefined
  /** What this process reads most, for the next one. */
  readonly own: HotFile | undefined
}

/** Keys asked for at once. */
const PAGE = 64

/** See the module's header. */
export class Warmth {
  readonly #parts: WarmthParts
  readonly #timers = new Set<Timer>()
  #saving: Promise<void> | undefined
  #isClosed = false

  constructor(parts: WarmthParts) {
    this.#parts = parts
  }

  /** Fills memory from the snapshot; before anything else can have filled it. Never rejects. */
  async restore(): Promise<void> {
    await this.#restore()
    await this.#parts.own?.restore()
  }

  async #restore(): Promise<void> {
    const parts = this.#snapshotParts()
    if (parts === undefined) {
      if (this.#parts.snapshot !== undefined)
        this.#parts.logger.warn({}, 'no snapshots: without l2 nothing proves them, and snapshot.unproven is drop')
      return
    }
    try {
      const loaded = await loadSnapshot(parts, this.#parts.snapshot?.deadline ?? 0)
      this.#count('warmedSnapshot', loaded.entries)
      this.#parts.logger.info({ ...loaded, file: parts.file.path }, 'snapshot read')
    } catch (error) {
      this.#tell(error, 'the snapshot could not be read')
    }
  }

  /** Fills memory with what others read most and the second level has. Never rejects. */
  fetchHot(): Promise<void> {
    return this.#fetchHot().catch((error: unknown) => this.#tell(error, 'the hot keys of others could not be had'))
  }

  /** Asks the origin for what was read most and does not stand; for as long as `warming` says. Never rejects. */
  async begin(): Promise<void> {
    const { engine, logger } = this.#parts
    const { warming, clock, memory } = engine
    if (warming.size === 0) return
    const beganAt = clock.now()
    await warming.begin(warming.settings.startup)
    const ms = Math.round(clock.now() - beganAt)
    logger.info({ entries: memory.size, waiting: warming.waiting, ms }, 'hot keys of before asked for')
  }

  /** Begins to write snapshots and lists of hot keys. */
  start(): void {
    const { snapshot, hot } = this.#parts
    if (snapshot !== undefined && snapshot.interval > 0) this.#repeat(snapshot.interval, () => this.#saveNow())
    if (hot !== undefined && hot.settings.hotKeys > 0) this.#repeat(hot.settings.hotEvery, () => this.#publish())
  }

  /** Ends what repeats; call it when the process begins to drain. */
  stop(): void {
    this.#isClosed = true
    for (const timer of this.#timers) timer.cancel()
  }

  /**
   * Writes the last snapshot, after one that is under way. Never rejects, and takes not much more than its deadline.
   *
   * @param drained nothing is served or invalidated after it
   */
  async finish({ drained }: { readonly drained: boolean }): Promise<void> {
    const { snapshot, engine } = this.#parts
    if (snapshot === undefined) return
    const work = (this.#saving ?? Promise.resolve()).then(() => this.#saveBoth(drained))
    // A disk that hangs keeps nobody from ending: what was begun stands beside the former snapshot.
    await new Promise<void>((resolve) => {
      const timer = engine.clock.after(snapshot.deadline * 2, resolve)
      void work.finally(() => {
        timer.cancel()
        resolve()
      })
    })
  }

  #saveNow(): Promise<void> {
    this.#saving ??= this.#saveBoth(false).finally(() => (this.#saving = undefined))
    return this.#saving
  }

  async #saveBoth(drained: boolean): Promise<void> {
    await Promise.all([this.#save(drained), this.#parts.own?.save()])
  }

  async #save(drained: boolean): Promise<void> {
    const parts = this.#snapshotParts()
    if (parts === undefined || parts.engine.memory.size === 0) return // the former one says more
    try {
      const saved = await saveSnapshot(parts, { drained, deadlineMs: this.#parts.snapshot?.deadline ?? 0 })
      this.#count(saved === undefined ? 'snapshotsUnproven' : 'snapshotsWritten')
      if (saved === undefined)
        this.#parts.logger[drained ? 'info' : 'debug']({}, 'no snapshot: what memory holds could not be proven')
      else this.#parts.logger[drained ? 'info' : 'debug']({ ...saved, file: parts.file.path }, 'snapshot written')
    } catch (error) {
      this.#count('snapshotsFailed')
      this.#tell(error, 'the snapshot could not be written')
    }
  }

  async #fetchHot(): Promise<void> {
    const { engine, hot, logger } = this.#parts
    const log = lastingLog(engine)
    const { second, clock, fence, memory } = engine
    if (hot === undefined || second === undefined || log === undefined) return
    const { warm, hotKeys } = hot.settings
    if (warm === 0 || hotKeys === 0) return
    const startedAt = clock.now()
    const isOver = (): boolean => clock.now() - startedAt >= warm || this.#isClosed
    if (!(await untilInSight(engine, log, isOver))) return
    const wanted = (await hot.list.read(await hot.instances(), hotKeys)).filter(({ key }) => memory.look(key) === undefined)
    const preservers = this.#preservers()
    let found = 0
    for (let at = 0; at < wanted.length && !isOver(); at += PAGE) {
      const pulls = wanted
        .slice(at, at + PAGE)
        .map(({ key, namespace }) =>
          second.pull({ key, namespace: fence.namespace(namespace), decode: decoderOf(preservers, key) }),
        )
      found += (await Promise.all(pulls)).filter(Boolean).length
    }
    this.#count('warmedHot', found)
    logger.info({ found, wanted: wanted.length, ms: Math.round(clock.now() - startedAt) }, 'hot keys of others fetched')
  }

  async #publish(): Promise<void> {
    const { engine, hot } = this.#parts
    if (hot === undefined) return
    const { memory, fence } = engine
    const keys = await hottest(memory, hot.settings.hotKeys, () => this.#isClosed)
    const named = keys.flatMap(({ key, heat }) => {
      const entry = memory.look(key)
      return entry === undefined || entry.kind === 'pass' ? [] : [{ key, heat, namespace: fence.namespaceName(entry.namespace) }]
    })
    // An instance that has nothing yet says nothing: a list of its own would say that nothing is hot.
    if (named.length > 0) await hot.list.publish(named)
  }

  #repeat(everyMs: number, work: () => Promise<void>): void {
    const timer = this.#parts.engine.clock.after(everyMs, () => {
      this.#timers.delete(timer)
      if (this.#isClosed) return
      work()
        .catch((error: unknown) => this.#parts.logger.debug({ reason: textOf(error) }, 'warmth for others could not be kept'))
        .finally(() => this.#isClosed || this.#repeat(everyMs, work))
    })
    this.#timers.add(timer)
  }

  #preservers(): readonly Preserver[] {
    const { preserver, engine } = this.#parts
    return [...(preserver === undefined ? [] : [preserver()]), preserveValues(engine)]
  }

  #snapshotParts(): SnapshotParts | undefined {
    const { snapshot, engine } = this.#parts
    if (snapshot === undefined || !mayBeRead(engine, snapshot)) return undefined
    const { file: path, maxBytes, maxKeys, unproven, seal } = snapshot
    return {
      ...{ engine, unproven, maxKeys, preservers: this.#preservers() },
      file: { path, maxBytes, seal },
      get meaning() {
        return snapshot.meaning()
      },
    }
  }

  #count(what: CounterName, by = 1): void {
    this.#parts.engine.meter.add(COUNTER[what], DEFAULT_ROUTE, by)
  }

  #tell(error: unknown, text: string): void {
    this.#parts.logger.warn({ reason: textOf(error) }, text)
  }
}

/** Whether what is written could ever be read. */
function mayBeRead(engine: Engine, { unproven }: SnapshotSettings): boolean {
  return unproven !== 'drop' || lastingLog(engine) !== undefined
}
