/**
 * A log between machines in virtual time: one server, and to each member a network that delays, loses, cuts and reorders.
 *
 * The server's own steps are instantaneous and atomic, as a Redis script's are. It may be emptied, restored from an older
 * state, and trimmed.
 */
import type { Clock, Timer } from '../../src/model/clock.ts'
import type { Acknowledgement, Appended, Heard, LogRow, LogStore, Proof } from '../../src/tier/log-store.ts'

const MEMBER_TTL_MS = 1250

interface Listener {
  readonly member: string
  readonly after: number
  wake(): void
}

/** What stands on the server. */
export class VirtualLog {
  readonly clock: Clock
  generation = 'g1'
  floor = 0
  last = 0
  begunAt = Number.NEGATIVE_INFINITY
  rows: LogRow[] = []
  members = new Map<string, number>()
  inboxes = new Map<string, Acknowledgement[]>()
  readonly #listeners = new Set<Listener>()
  #generations = 1

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Everything is lost; the log begins anew. */
  empty(): void {
    this.#generations += 1
    this.generation = `g${this.#generations}`
    this.rows = []
    this.last = 0
    this.floor = 0
    this.members = new Map()
    this.inboxes = new Map()
    this.begunAt = this.clock.now()
  }

  /** As a failover to a replica that lags: the last records are lost. */
  fallBack(records: number): void {
    const last = Math.max(0, this.last - records)
    this.#generations += 1
    this.generation = `g${this.#generations}`
    this.rows = this.rows.filter(({ sequence }) => sequence <= last)
    this.last = last
    this.floor = last
    this.begunAt = this.clock.now()
  }

  /** Only the last records are kept. */
  trim(keep: number): void {
    this.floor = Math.max(this.floor, this.last - keep)
    this.rows = this.rows.filter(({ sequence }) => sequence > this.floor)
  }

  living(): string[] {
    const now = this.clock.now()
    for (const [member, until] of [...this.members]) if (until <= now) this.members.delete(member)
    return [...this.members.keys()]
  }

  prove(member: string): Proof {
    this.members.set(member, this.clock.now() + MEMBER_TTL_MS)
    return { generation: this.generation, floor: this.floor, last: this.last, members: this.living() }
  }

  append(member: string, generation: string, texts: readonly string[]): Appended {
    const members = this.living()
    const unsureMs = this.begunAt + MEMBER_TTL_MS - this.clock.now()
    if (generation !== this.generation) return { generation: this.generation, first: 0, members, unsureMs }
    const first = this.last + 1
    for (const text of texts) {
      this.last += 1
      this.rows.push({ sequence: this.last, generation, member, text })
    }
    for (const listener of [...this.#listeners]) listener.wake()
    return { generation, first, members, unsureMs }
  }

  read(after: number, limit: number): readonly LogRow[] {
    return this.rows.filter(({ sequence }) => sequence > after).slice(0, limit)
  }

  acknowledge(to: ReadonlyMap<string, Acknowledgement>): void {
    for (const [member, acknowledgement] of to) {
      const inbox = this.inboxes.get(member) ?? []
      inbox.push(acknowledgement)
      this.inboxes.set(member, inbox)
      for (const listener of [...this.#listeners]) if (listener.member === member) listener.wake()
    }
  }

  /** Answers once something is there, or when time is up. */
  listen(member: string, after: number, waitMs: number): Promise<Heard> {
    return new Promise((resolve) => {
      const take = (isLate: boolean): void => {
        const rows = this.read(after, 1000)
        const acknowledgements = this.inboxes.get(member) ?? []
        if (!isLate && rows.length === 0 && acknowledgements.length === 0) return
        this.inboxes.delete(member)
        this.#listeners.delete(listener)
        timer.cancel()
        resolve({ rows, acknowledgements })
      }
      const listener: Listener = { member, after, wake: () => take(false) }
      this.#listeners.add(listener)
      const timer: Timer = this.clock.after(waitMs, () => take(true))
      take(false)
    })
  }
}

/** What a member's network does; changed while it runs. */
export interface VirtualNet {
  /** Ms of one way; drawn anew for each. */
  delay(): number
  /** Whether a message is lost now. */
  isCut(): boolean
}

/** A member's end. Everything in it happens through `run`, so that a process that sleeps does nothing. */
export class VirtualLogStore implements LogStore {
  readonly member: string
  readonly #log: VirtualLog
  readonly #net: VirtualNet
  readonly #clock: Clock

  /** @param clock the member's own: its timers run only while it runs */
  constructor(log: VirtualLog, parts: { readonly member: string; readonly net: VirtualNet; readonly clock: Clock }) {
    this.member = parts.member
    this.#log = log
    this.#net = parts.net
    this.#clock = parts.clock
  }

  prove(deadlineMs: number): Promise<Proof> {
    return this.#ask(deadlineMs, () => this.#log.prove(this.member))
  }

  append(generation: string, texts: readonly string[], deadlineMs: number): Promise<Appended> {
    return this.#ask(deadlineMs, () => this.#log.append(this.member, generation, texts))
  }

  read(after: number, limit: number, deadlineMs: number): Promise<readonly LogRow[]> {
    return this.#ask(deadlineMs, () => this.#log.read(after, limit))
  }

  listen(after: number, waitMs: number): Promise<Heard> {
    return this.#ask(waitMs * 2, () => this.#log.listen(this.member, after, waitMs))
  }

  redial(): void {}

  async acknowledge(to: ReadonlyMap<string, Acknowledgement>, deadlineMs: number): Promise<void> {
    await this.#ask(deadlineMs, () => this.#log.acknowledge(to))
  }

  onBack(): () => void {
    return () => {}
  }

  async leave(): Promise<void> {
    this.#log.members.delete(this.member)
  }

  #ask<T>(deadlineMs: number, serve: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = this.#clock.after(deadlineMs, () => reject(new Error('no answer in time')))
      const { clock } = this.#log
      clock.after(this.#net.delay(), () => {
        if (this.#net.isCut()) return
        void Promise.resolve(serve()).then((answer) => {
          clock.after(this.#net.delay(), () => {
            // What arrives while the member sleeps is read when it wakes.
            if (this.#net.isCut()) return
            this.#clock.after(0, () => {
              late.cancel()
              resolve(answer)
            })
          })
        })
      })
    })
  }
}
