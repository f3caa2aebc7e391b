/**
 * For how long processes were ready to run and got no core, and what follows from it for who had to answer within a time.
 *
 * What is told is coarse: so many ms of waiting, somewhere in a time. Of any part of that time as much is counted as can have
 * been waited in it, and no more: a long wait before a moment says nothing of the time behind it.
 */

/** Waited by one process, somewhere in a time. */
interface Wait {
  readonly pid: number
  readonly from: number
  readonly to: number
  readonly ms: number
}

/** A stretch of time, by where it may end. */
export interface Stretch {
  readonly from: number
  readonly to: number
  readonly stretchMs: number
}

/** See the module's header. */
export class Waits {
  readonly #byName = new Map<string, Wait[]>()
  readonly #clients: number

  /** @param clients the process that asks: it stands between every instance and the store */
  constructor(clients: number) {
    this.#clients = clients
  }

  /** @param name of an instance; empty: what all of them need */
  note(name: string, wait: Wait): void {
    const all = this.#byName.get(name) ?? []
    all.push(wait)
    this.#byName.set(name, all)
  }

  /** Ms that this instance, and whatever it cannot do without, may have waited in a time. */
  between(name: string, from: number, to: number): number {
    return [...this.#of(name), ...this.#of('')].reduce((sum, wait) => sum + share(wait, from, to), 0)
  }

  /**
   * Whether they waited for half of some stretch of so many ms that ends in this time. A question goes through the clients to one
   * store: of several the one that waited longest counts.
   */
  isStarved(name: string, { from, to, stretchMs }: Stretch): boolean {
    const near = (waits: readonly Wait[]): Wait[] => waits.filter((wait) => wait.to >= from - stretchMs && wait.from <= to)
    const [own, common] = [near(this.#of(name)), near(this.#of(''))]
    const turns = [...own, ...common].flatMap((wait) => [
      wait.to,
      wait.from + wait.ms,
      wait.from + stretchMs,
      wait.to - wait.ms + stretchMs,
    ])
    // Between these moments what is counted rises and falls evenly.
    return [from, to, ...turns].some((end) => {
      if (end < from || end > to) return false
      const begin = end - stretchMs
      const stores = new Map<number, number>()
      let waitedMs = own.reduce((sum, wait) => sum + share(wait, begin, end), 0)
      for (const wait of common) {
        const ms = share(wait, begin, end)
        if (wait.pid === this.#clients) waitedMs += ms
        else stores.set(wait.pid, (stores.get(wait.pid) ?? 0) + ms)
      }
      return waitedMs + Math.max(0, ...stores.values()) >= stretchMs / 2
    })
  }

  #of(name: string): readonly Wait[] {
    return this.#byName.get(name) ?? []
  }
}

/** As much of a wait as can lie in a time. */
function share(wait: Wait, from: number, to: number): number {
  return Math.max(0, Math.min(wait.ms, Math.min(wait.to, to) - Math.max(wait.from, from)))
}
