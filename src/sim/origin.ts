/**
 * The origin of a simulation: a version for each key, counted up by every write; what every answer is compared with.
 *
 * Floor 1, room sim. A reading takes a while before and after the moment at which the origin looks, and is never lost: what
 * caches do between the two is what goes wrong. Its answers reach a process that runs, and wait for one that stands still.
 */
import type { VirtualClock } from '../model/virtual-clock.ts'
import type { Chance } from './chance.ts'
import type { Process } from './process.ts'

/** How long a reading takes. */
export interface OriginPace {
  /** Each half of a reading takes up to so long, ms. */
  mostMs: number
  /** Share of halves that take ten times as long. */
  slow: number
}

/** See the module's header. */
export class Origin {
  readonly pace: OriginPace = { mostMs: 20, slow: 0.05 }
  readonly #clock: VirtualClock
  readonly #chance: Chance
  /** Moments of the writes of each key; index + 1 is the version. */
  readonly #writes = new Map<string, number[]>()
  readonly #underWay = new Map<string, number>()
  #loads = 0
  #mostAtOnce = 0

  constructor(clock: VirtualClock, chance: Chance) {
    this.#clock = clock
    this.#chance = chance
  }

  /** Readings begun. */
  get loads(): number {
    return this.#loads
  }

  /** Readings of one key under way at once, the most there were. */
  get mostAtOnce(): number {
    return this.#mostAtOnce
  }

  /** The version now; 0 before the first write. */
  versionOf(key: string): number {
    return this.#writes.get(key)?.length ?? 0
  }

  /** Since when a version is not the newest any more, world's ms; Infinity while it is. */
  supersededAt(key: string, version: number): number {
    return this.#writes.get(key)?.[version] ?? Number.POSITIVE_INFINITY
  }

  /** Changes a key at once. @returns its new version */
  write(key: string): number {
    const writes = this.#writes.get(key) ?? []
    writes.push(this.#clock.now())
    this.#writes.set(key, writes)
    return writes.length
  }

  /** A reading by a process. */
  read(process: Process, key: string): Promise<number> {
    this.#loads += 1
    const underWay = (this.#underWay.get(key) ?? 0) + 1
    this.#underWay.set(key, underWay)
    this.#mostAtOnce = Math.max(this.#mostAtOnce, underWay)
    return new Promise((resolve) => {
      let version = 0
      const arrive = process.bound('message', () => resolve(version))
      const end = (): void => {
        this.#underWay.set(key, (this.#underWay.get(key) ?? 1) - 1)
        arrive()
      }
      const look = (): void => {
        version = this.versionOf(key)
        this.#clock.after(this.#half(), end)
      }
      this.#clock.after(this.#half(), look)
    })
  }

  #half(): number {
    const ms = this.#chance.between(0, this.pace.mostMs)
    return this.#chance.hits(this.pace.slow) ? ms * 10 : ms
  }
}
