/**
 * One process at a time for a file: who has taken it owns it until he lets go or ends, however he ends.
 *
 * Floor 2, room tier. On Linux the owner listens on an abstract socket named after the file: the kernel takes the name back with the
 * process, so that nothing stale is ever left. It holds among processes of one network namespace; elsewhere, and on other
 * systems, nobody is kept out.
 */
import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { basename, dirname, join, resolve } from 'node:path'
import type { Clock } from '../model/clock.ts'

const AGAIN_MS = 100

/** See the module's header. */
export class FileOwner {
  readonly #server: Server | undefined

  private constructor(server: Server | undefined) {
    this.#server = server
  }

  /**
   * Takes a file, which need not be there.
   *
   * @param waitMs for another process to let go
   * @returns undefined where it did not
   */
  static async take(path: string, clock: Clock, waitMs: number): Promise<FileOwner | undefined> {
    if (process.platform !== 'linux') return new FileOwner(undefined)
    const name = nameOf(path)
    for (const end = clock.now() + waitMs; ; await new Promise<void>((done) => void clock.after(AGAIN_MS, done))) {
      const server = await listenAt(name)
      if (server !== 'taken') return new FileOwner(server)
      if (clock.now() >= end) return undefined
    }
  }

  /** Others may have it. */
  release(): void {
    this.#server?.close()
  }
}

/** @returns undefined where the system knows no such names */
function listenAt(name: string): Promise<Server | 'taken' | undefined> {
  return new Promise((done) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => done(error.code === 'EADDRINUSE' ? 'taken' : undefined))
    server.listen(name, () => done(server))
    server.unref()
  })
}

/** The same for all ways to write the path. */
function nameOf(path: string): string {
  const whole = resolve(path)
  const digest = createHash('sha256').update(join(realOf(dirname(whole)), basename(whole)))
  return `\0forecache-file-${digest.digest('hex').slice(0, 32)}`
}

/** A folder by its own name; what is not there yet is made when the file is written. */
function realOf(folder: string): string {
  try {
    return realpathSync(folder)
  } catch {
    const above = dirname(folder)
    return above === folder ? folder : join(realOf(above), basename(folder))
  }
}
