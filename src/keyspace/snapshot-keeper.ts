/**
 * Keeps the data over a restart: read at the start, written now and then and at the end.
 *
 * Floor 3, room keyspace. One snapshot at a time, one process to a file. A file that is not whole is put aside and nothing of
 * it is read.
 */
import { rename } from 'node:fs/promises'
import type { Clock, Timer } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import { type Logger, SILENT } from '../model/port.ts'
import { FileOwner } from '../tier/file-owner.ts'
import type { Keyspace } from './keyspace.ts'
import { loadSnapshot } from './snapshot-load.ts'
import { saveSnapshot } from './snapshot-save.ts'

export interface KeeperOptions {
  readonly path: string
  /** Between two snapshots while something changes, ms; 0: only when asked, and at the end. */
  readonly intervalMs: number
  readonly logger?: Logger
}

/** For a process that had the file before and writes its last snapshot. */
const OWNER_MS = 20_000

/** See the module's header. */
export class SnapshotKeeper {
  readonly path: string
  /** Epoch seconds of the last good one, or of the start. */
  lastSaveSeconds: number
  lastFailed = false
  /** Bytes held while one is written. */
  heldBytes = 0
  readonly intervalMs: number
  readonly #space: Keyspace
  readonly #clock: Clock
  readonly #logger: Logger
  #running: Promise<void> | undefined
  #timer: Timer | undefined
  #isOpen = false
  #owner: FileOwner | undefined
  #endsAt = Number.POSITIVE_INFINITY

  constructor(space: Keyspace, clock: Clock, options: KeeperOptions) {
    this.#space = space
    this.#clock = clock
    this.#logger = options.logger ?? SILENT
    this.path = options.path
    this.intervalMs = options.intervalMs
    this.lastSaveSeconds = Math.floor(clock.wall() / 1000)
  }

  get isSaving(): boolean {
    return this.#running !== undefined
  }

  /**
   * Reads what is there; from now on snapshots are written.
   *
   * @throws (rejects) FC_KEYSPACE_OWNED, or what the system says of a file that is there and cannot be opened
   */
  async open(): Promise<void> {
    const { path } = this
    this.#owner = await FileOwner.take(path, this.#clock, OWNER_MS)
    if (this.#owner === undefined) throw new ForecacheError('FC_KEYSPACE_OWNED', { path })
    const startedAt = this.#clock.now()
    this.#space.now = this.#clock.wall()
    try {
      const loaded = await loadSnapshot(this.#space, path)
      const ms = Math.round(this.#clock.now() - startedAt)
      if (loaded !== undefined) this.#logger.info({ ...loaded, path, ms }, 'the snapshot of the Redis data was read')
    } catch (error) {
      if (!(error instanceof ForecacheError)) {
        this.#owner.release()
        throw error
      }
      const aside = `${path}.damaged`
      await rename(path, aside)
      this.#logger.error({ reason: error.message, aside }, 'the snapshot of the Redis data is put aside; beginning without data')
    }
    this.#isOpen = true
    this.#arm()
  }

  /** @throws (rejects) what the system says of the disk */
  save(): Promise<void> {
    this.#running ??= this.#save().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Writes a last one where something has changed. Never rejects. @param deadlineMs for what is under way, and for it */
  async close(deadlineMs: number): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#endsAt = this.#clock.now() + deadlineMs
    await this.#running?.catch(() => undefined)
    if (this.#space.dirty > 0) await this.save().catch(() => undefined)
    this.#owner?.release()
  }

  async #save(): Promise<void> {
    const startedAt = this.#clock.now()
    try {
      const saved = await saveSnapshot(this.#space, {
        path: this.path,
        isOver: () => this.#clock.now() >= this.#endsAt,
        hold: (bytes) => {
          this.heldBytes = bytes
        },
      })
      this.lastSaveSeconds = Math.floor(this.#clock.wall() / 1000)
      this.lastFailed = false
      this.#logger.debug({ ...saved, ms: Math.round(this.#clock.now() - startedAt) }, 'the Redis data was written to disk')
    } catch (error) {
      this.lastFailed = true
      const reason = error instanceof Error ? error.message : String(error)
      this.#logger.error({ reason, path: this.path }, 'the Redis data was not written to disk; the former snapshot stands')
      throw error
    }
  }

  #arm(): void {
    if (this.intervalMs === 0) return
    this.#timer = this.#clock.after(this.intervalMs, () => {
      if (this.#space.dirty > 0) void this.save().catch(() => undefined)
      this.#arm()
    })
  }
}
