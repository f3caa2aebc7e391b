/**
 * A file that is written whole or not at all.
 *
 * Floor 2, room tier. Written beside its place and renamed when it is on the disk, so that a crash leaves the former one.
 * Only the owner may read it.
 */
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** See the module's header. All methods reject with what the system says of the disk. */
export class WholeFile {
  readonly #path: string
  readonly #file: FileHandle

  private constructor(path: string, file: FileHandle) {
    this.#path = path
    this.#file = file
  }

  /** Begins one; the directory is made where there is none. */
  static async create(path: string): Promise<WholeFile> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await rm(besideOf(path), { force: true })
    return new WholeFile(path, await open(besideOf(path), 'wx', 0o600))
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#file.writeFile(bytes)
  }

  /** Puts it in its place. */
  async finish(): Promise<void> {
    await this.#file.sync()
    await this.#file.close()
    await rename(besideOf(this.#path), this.#path)
  }

  /** Takes away what was written; the former one stands. Never rejects. */
  async drop(): Promise<void> {
    await this.#file.close().catch(() => undefined)
    await rm(besideOf(this.#path), { force: true }).catch(() => undefined)
  }
}

function besideOf(path: string): string {
  return `${path}.tmp`
}
