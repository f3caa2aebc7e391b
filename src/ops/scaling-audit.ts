/**
 * What the scaler decided, and what came of it: a bounded list, and a file where the configuration names one.
 *
 * Floor 4, room ops. One JSON object a line; a file that has grown past its bound is renamed to `.1`, once. Writing is in
 * order, behind, and never fails who decided.
 */
import { appendFile, rename, stat } from 'node:fs/promises'
import { textOf } from '../model/errors.ts'
import type { Logger } from '../model/port.ts'
import type { ScalingReason } from './scaling-policy.ts'

/** One decision that was more than staying. */
export interface ScalingRecord {
  /** ISO 8601. */
  readonly at: string
  readonly term: number
  /** Id of the instance that decided. */
  readonly by: string
  readonly outcome: 'ordered' | 'done' | 'failed' | 'refused' | 'dry-run'
  readonly from: number
  readonly desired: number
  readonly wanted: number
  readonly reason: ScalingReason
  /** For people: what was measured, or what went wrong. */
  readonly detail: string
  readonly scaler: string
}

/** What an audit is made of. */
export interface AuditParts {
  readonly logger: Logger
  /** Lines are added to this file; undefined: to none. */
  readonly file: string | undefined
  /** Hears of every record. */
  onRecord?(record: ScalingRecord): void
}

const MAX_RECORDS = 200
const MAX_FILE_BYTES = 8 * 1024 * 1024
/** Lines that may wait for a disk that is slow. */
const MAX_WAITING = 1000

/** See the module's header. */
export class ScalingAudit {
  readonly #parts: AuditParts
  readonly #records: ScalingRecord[] = []
  #writing: Promise<void> = Promise.resolve()
  #waiting = 0

  constructor(parts: AuditParts) {
    this.#parts = parts
  }

  /** Latest first. */
  get records(): readonly ScalingRecord[] {
    return this.#records.toReversed()
  }

  add(record: ScalingRecord): void {
    this.#records.push(record)
    if (this.#records.length > MAX_RECORDS) this.#records.shift()
    const level = record.outcome === 'failed' || record.outcome === 'refused' ? 'warn' : 'info'
    this.#parts.logger[level](record, 'scaling')
    this.#parts.onRecord?.(record)
    const { file } = this.#parts
    if (file === undefined || this.#waiting >= MAX_WAITING) return
    this.#waiting += 1
    this.#writing = this.#writing.then(() => this.#write(file, `${JSON.stringify(record)}\n`))
  }

  /** Resolves when everything added is written, or cannot be. */
  flush(): Promise<void> {
    return this.#writing
  }

  async #write(file: string, line: string): Promise<void> {
    this.#waiting -= 1
    try {
      const size = await stat(file).then(
        (found) => found.size,
        () => 0,
      )
      if (size + line.length > MAX_FILE_BYTES) await rename(file, `${file}.1`)
      await appendFile(file, line, { mode: 0o600 })
    } catch (error) {
      this.#parts.logger.error({ file, reason: textOf(error) }, 'the audit of the scaler could not be written')
    }
  }
}
