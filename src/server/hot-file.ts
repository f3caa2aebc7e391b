/**
 * The list of the keys that are read most, beside the snapshot: what the next process asks for first.
 *
 * Floor 5, room server. No answer stands in it, so no log has to prove it: whatever it says, the origin is asked under the
 * rules in force. It is read although the snapshot may not be. Sealed where that is; only the owner may read it.
 */
import { readFile, stat } from 'node:fs/promises'
import type { Engine } from '../flow/engine.ts'
import { unpackWarmth } from '../flow/warm-saved.ts'
import { textOf } from '../model/errors.ts'
import type { Logger } from '../model/port.ts'
import { WholeFile } from '../tier/whole-file.ts'
import type { Seal } from '../wire/seal.ts'

/** What it is made of. */
export interface HotFileParts {
  readonly engine: Engine
  readonly logger: Logger
  readonly path: string
  readonly seal: Seal | undefined
  /** For reading it. */
  readonly deadlineMs: number
}

/** More is not read. */
const MAX_BYTES = 32 * 1024 * 1024
const BOUND = Buffer.from('forecache hot file')

/** See the module's header. */
export class HotFile {
  readonly #parts: HotFileParts

  constructor(parts: HotFileParts) {
    this.#parts = parts
  }

  /** Takes up what the former process has counted. Never rejects. */
  async restore(): Promise<void> {
    const { engine, logger, path, deadlineMs } = this.#parts
    const work = this.#read().catch((error: unknown) => {
      logger.warn({ reason: textOf(error) }, 'the hot keys of before could not be read')
      return undefined
    })
    let isLate = false
    const late = new Promise<undefined>((resolve) => {
      const timer = engine.clock.after(deadlineMs, () => {
        isLate = true
        resolve(undefined)
      })
      void work.finally(() => timer.cancel())
    })
    const packed = await Promise.race([work, late])
    if (isLate) logger.warn({ file: path }, 'the hot keys of before took too long to read')
    const saved = packed === undefined ? undefined : unpackWarmth(packed, engine.warming.settings.keys)
    if (packed !== undefined && saved === undefined) logger.warn({ file: path }, 'the hot keys of before are unreadable')
    if (saved !== undefined) logger.info({ keys: engine.warming.restore(saved), file: path }, 'hot keys of before read')
  }

  /** Writes what is counted, in place of the former list. Never rejects. */
  async save(): Promise<void> {
    const { engine, logger, path, seal } = this.#parts
    try {
      const packed = engine.warming.save()
      if (packed === undefined) return // the former one says more
      const file = await WholeFile.create(path)
      try {
        await file.write(seal === undefined ? packed : Buffer.concat(seal.close(packed, BOUND)))
        await file.finish()
      } catch (error) {
        await file.drop()
        throw error
      }
    } catch (error) {
      logger.warn({ reason: textOf(error) }, 'the hot keys could not be written')
    }
  }

  async #read(): Promise<Uint8Array | undefined> {
    const { path, seal } = this.#parts
    const size = await stat(path).then(
      (found) => found.size,
      () => undefined,
    )
    if (size === undefined) return undefined
    if (size > MAX_BYTES) throw new Error(`it has ${size} bytes; at most ${MAX_BYTES} are read`)
    const bytes = await readFile(path)
    return seal === undefined ? bytes : seal.open(bytes, BOUND)
  }
}
