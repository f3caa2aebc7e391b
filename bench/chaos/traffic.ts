/**
 * Clients of one run: they read, change the origin and invalidate, at every instance, and write down what they see.
 */
import type { Random } from '../../src/model/random.ts'
import type { History, Read, Write } from '../../src/sim/history.ts'
import type { Instance } from './instance.ts'
import type { Origin } from './origin.ts'

/** Where clients are. */
export interface Place {
  readonly instances: readonly Instance[]
  readonly origin: Origin
  readonly history: History
  readonly random: Random
  readonly keys: readonly string[]
  /** Share of the reads that bear the token of the key's last invalidation. */
  readonly tokenShare: number
}

const READERS = 2
const READ_PAUSE_MS = 30
const WRITE_PAUSE_MS = 250
const DOWN_MS = 40

/** See the module's header. */
export class Traffic {
  readonly #place: Place
  readonly #latest = new Map<string, Write>()
  readonly #loops = new Set<Promise<void>>()
  #isWriting = true
  #isReading = true

  constructor(place: Place) {
    this.#place = place
    for (const instance of place.instances) this.join(instance)
  }

  /** Clients of one more instance. */
  join(instance: Instance): void {
    for (let i = 0; i < READERS; i += 1)
      this.#run(
        () => this.#isReading,
        () => this.#readAny(instance),
        READ_PAUSE_MS,
      )
    this.#run(
      () => this.#isWriting,
      () => this.write(instance, this.#key()),
      WRITE_PAUSE_MS,
    )
  }

  stopWriting(): void {
    this.#isWriting = false
  }

  /** Resolves when everything asked was answered. */
  async end(): Promise<void> {
    this.#isWriting = false
    this.#isReading = false
    await Promise.all(this.#loops)
  }

  async read(instance: Instance, key: string, tokenOf?: Write): Promise<Read> {
    const { history } = this.#place
    const read = history.beginRead({ node: instance.name, life: instance.life, key, tokenOf })
    try {
      const got = await instance.read(key, tokenOf?.token)
      read.version = got.version
      read.isCached = got.isCached
      history.end(read, got.status === 200 ? undefined : String(got.status))
    } catch (error) {
      history.end(read, error)
    }
    return read
  }

  async write(instance: Instance, key: string): Promise<Write> {
    const { history, origin, random } = this.#place
    const version = origin.write(key)
    const write = history.beginWrite({ node: instance.name, life: instance.life, key, version })
    try {
      const { token, nodes } = await instance.invalidate(key, random() < 0.5)
      write.token = token
      write.expected = nodes.expected
      write.acknowledged = nodes.acknowledged
      history.end(write)
      const latest = this.#latest.get(key)
      if (latest === undefined || latest.version < version) this.#latest.set(key, write)
    } catch (error) {
      history.end(write, error)
    }
    return write
  }

  async #readAny(instance: Instance): Promise<Read> {
    const key = this.#key()
    return this.read(instance, key, this.#place.random() < this.#place.tokenShare ? this.#latest.get(key) : undefined)
  }

  #key(): string {
    const { keys, random } = this.#place
    return keys[Math.floor(random() * keys.length)] as string
  }

  #run(goesOn: () => boolean, act: () => Promise<Read | Write>, pauseMs: number): void {
    const loop = async (): Promise<void> => {
      while (goesOn()) {
        const { error } = await act()
        const ms = error === undefined ? this.#place.random() * pauseMs : DOWN_MS
        await new Promise((resolve) => setTimeout(resolve, ms))
      }
    }
    const running = loop().finally(() => this.#loops.delete(running))
    this.#loops.add(running)
  }
}
