/**
 * A network in virtual time between named processes: it delays, loses, repeats, reorders and cuts.
 *
 * Floor 1, room sim. `send` is a datagram: it may be lost, come twice, or be overtaken. `call` is a question with a deadline:
 * question or answer may be lost, and then nobody knows whether it was done. A `channel` is a connection or a pipe: it keeps
 * its order and loses nothing but what was under way when an end died; a cut holds it up. All chance is the world's.
 */
import type { VirtualClock } from '../model/virtual-clock.ts'
import type { Chance } from './chance.ts'
import type { Process } from './process.ts'

/** What every message meets; may be changed at any time. */
export interface Weather {
  /** One way takes from `leastMs` to `mostMs`, uniformly. Datagrams overtake each other as this lets them. */
  leastMs: number
  mostMs: number
  /** Share of datagrams, questions and answers that are lost. */
  loss: number
  /** Share of datagrams that come twice. */
  repetition: number
}

/** A question to another process. */
export interface Question<T> {
  /** By the asking process's clock, ms. */
  readonly deadlineMs: number
  /** Done by the process that is asked. */
  readonly serve: () => T | Promise<T>
}

/** Rejects a call whose answer did not come in time. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  constructor(from: string, to: string) {
    super(`${from} had no answer from ${to} within its deadline`)
  }
}

/** Without a stack: it would be that of the clock, and is what costs most. */
function noAnswer(from: string, to: string): NoAnswer {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  const error = new NoAnswer(from, to)
  Error.stackTraceLimit = stackTraceLimit
  return error
}

const EVERYBODY = '*'

/** See the module's header. */
export class Network {
  readonly weather: Weather = { leastMs: 0.2, mostMs: 3, loss: 0, repetition: 0 }
  readonly #clock: VirtualClock
  readonly #chance: Chance
  readonly #cuts = new Map<string, number>()

  constructor(clock: VirtualClock, chance: Chance) {
    this.#clock = clock
    this.#chance = chance
  }

  /**
   * Cuts the way between two processes, in both directions.
   *
   * @param to default: everybody @returns a function that mends it
   */
  cut(from: string, to: string = EVERYBODY): () => void {
    const mends = [this.cutOneWay(from, to), this.cutOneWay(to, from)]
    return () => {
      for (const mend of mends) mend()
    }
  }

  /** Cuts one direction: what `from` says does not reach `to`. @returns a function that mends it */
  cutOneWay(from: string, to: string): () => void {
    const way = `${from}>${to}`
    this.#cuts.set(way, (this.#cuts.get(way) ?? 0) + 1)
    let isCut = true
    return () => {
      if (!isCut) return
      isCut = false
      const left = (this.#cuts.get(way) ?? 1) - 1
      if (left === 0) this.#cuts.delete(way)
      else this.#cuts.set(way, left)
    }
  }

  /** Whether what `from` says reaches `to`, as far as cuts go. */
  isCut(from: string, to: string): boolean {
    if (this.#cuts.size === 0) return false
    return this.#cuts.has(`${from}>${to}`) || this.#cuts.has(`${from}>${EVERYBODY}`) || this.#cuts.has(`${EVERYBODY}>${to}`)
  }

  /** A datagram. */
  send(from: Process, to: Process, deliver: () => void): void {
    this.#carry(from, to, deliver)
    if (this.#chance.hits(this.weather.repetition)) this.#carry(from, to, deliver)
  }

  /** A connection that keeps its order. @returns what sends over it; it ends with the life of either end */
  channel(from: Process, to: Process): (deliver: () => void) => void {
    const lives = [from.life, to.life]
    let lastAt = 0
    const queue: (() => void)[] = []
    const isOpen = (): boolean => from.life === lives[0] && to.life === lives[1]
    const arrive = (): void => {
      if (!isOpen()) return
      if (this.isCut(from.name, to.name)) this.#clock.after(this.#delay() + 1, arrive)
      else to.do('message', () => queue.shift()?.())
    }
    return (deliver) => {
      if (!isOpen()) return
      lastAt = Math.max(lastAt, this.#clock.now() + this.#delay())
      queue.push(deliver)
      this.#clock.after(lastAt - this.#clock.now(), arrive)
    }
  }

  /** A question. @throws (rejects) NoAnswer at its deadline; what `serve` throws */
  call<T>(from: Process, to: Process, { deadlineMs, serve }: Question<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = from.clock.after(deadlineMs, () => reject(noAnswer(from.name, to.name)))
      const home = (done: () => void): void =>
        this.#carry(
          to,
          from,
          from.bound('message', () => {
            late.cancel()
            done()
          }),
        )
      const answer = async (): Promise<void> => {
        try {
          const given = serve()
          const value = isPromise(given) ? await given : given
          home(() => resolve(value))
        } catch (error) {
          home(() => reject(error))
        }
      }
      this.#carry(from, to, () => void answer())
    })
  }

  #carry(from: Process, to: Process, deliver: () => void): void {
    if (from.isDead || this.isCut(from.name, to.name) || this.#chance.hits(this.weather.loss)) return
    const arrive = (): void => {
      if (!this.isCut(from.name, to.name)) to.do('message', deliver)
    }
    this.#clock.after(this.#delay(), arrive)
  }

  #delay(): number {
    return this.#chance.between(this.weather.leastMs, this.weather.mostMs)
  }
}

function isPromise<T>(given: T | Promise<T>): given is Promise<T> {
  return typeof (given as { then?: unknown } | undefined)?.then === 'function'
}
