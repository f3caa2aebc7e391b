/**
 * Follows a configuration file: says when it may have changed.
 *
 * Floor 5, room server. The folder is watched, because editors and orchestrators replace files by renaming; several
 * events close together are one. Watching is a convenience: where the system cannot, SIGHUP does the same.
 */
import { watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Clock, Timer } from '../model/clock.ts'
import type { Logger } from '../model/port.ts'

/** Events within this time are one change, ms. */
const SETTLE_MS = 100

/** What watching takes. */
export interface WatchParts {
  readonly clock: Clock
  readonly logger: Logger
  onChange(): void
}

/** @returns how to stop */
export function watchFile(path: string, parts: WatchParts): () => void {
  const name = basename(path)
  let timer: Timer | undefined
  try {
    const watcher = watch(dirname(path), { persistent: false }, (_, changed) => {
      // Kubernetes swaps `..data`, a link that the file's own link goes through.
      if (changed !== null && changed !== name && !changed.startsWith('..')) return
      timer?.cancel()
      timer = parts.clock.after(SETTLE_MS, () => parts.onChange())
    })
    watcher.on('error', (error) =>
      parts.logger.warn({ err: error, file: path }, 'the configuration is not watched any more; send SIGHUP'),
    )
    return () => {
      timer?.cancel()
      watcher.close()
    }
  } catch (error) {
    parts.logger.warn({ err: error, file: path }, 'the configuration cannot be watched; send SIGHUP')
    return () => {}
  }
}
