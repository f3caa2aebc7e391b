/**
 * Leases as they are meant: what a store does, in memory, on a clock that is handed in, with a network that may be slow,
 * lose bells or stand still.
 */
import type { Clock } from '../../src/model/clock.ts'
import { ForecacheError } from '../../src/model/errors.ts'
import type {
  LeaseAnswer,
  LeaseBell,
  LeaseClaim,
  LeaseFrame,
  LeaseHold,
  LeaseListening,
  LeaseOutcome,
  LeaseRead,
  LeaseStore,
} from '../../src/tier/lease-store.ts'

/** What the network does to the next call or bell. */
export interface LeaseWeather {
  /** Ms on the way there, and as much back. */
  delayMs(): number
  /** Whether a bell is lost. */
  losesBell(): boolean
}

const CALM: LeaseWeather = { delayMs: () => 0, losesBell: () => false }
const RELEASED_MS = 2000
const MAX_FRAMES = 64

interface Row {
  token: string
  stamp: string
  takenAt: number
  endsAt: number
  releasedBy: string | undefined
}

/** What all members share. */
export class LeaseModelServer {
  readonly clock: Clock
  readonly weather: LeaseWeather
  readonly rows = new Map<string, Row>()
  readonly waiting = new Map<string, Set<LeaseModel>>()
  readonly fills = new Map<string, { token: string; frames: { number: number; frame: LeaseFrame }[] }>()
  isFrozen = false
  #members = 0

  constructor(clock: Clock, weather: LeaseWeather = CALM) {
    this.clock = clock
    this.weather = weather
  }

  open(): LeaseModel {
    return new LeaseModel(this, `m${(this.#members += 1)}`)
  }

  /** Who holds it; undefined: nobody. */
  holder(name: string): Row | undefined {
    const row = this.rows.get(name)
    return row === undefined || row.endsAt <= this.clock.now() ? undefined : row
  }

  ring(name: string, bell: LeaseBell): void {
    for (const member of this.waiting.get(name) ?? []) this.ringOne(member, bell)
  }

  ringOne(member: LeaseModel, bell: LeaseBell): void {
    if (this.weather.losesBell()) return
    this.clock.after(this.weather.delayMs(), () => member.hear(bell))
  }
}

export class LeaseModel implements LeaseStore {
  readonly member: string
  readonly #server: LeaseModelServer
  #onBell: ((bell: LeaseBell) => void) | undefined
  #onPulse: (() => void) | undefined
  isDead = false

  constructor(server: LeaseModelServer, member: string) {
    this.#server = server
    this.member = member
    byName.set(member, this)
  }

  hear(bell: LeaseBell): void {
    if (!this.isDead) this.#onBell?.(bell)
  }

  isUp(): boolean {
    return true
  }

  ask(name: string, claim: LeaseClaim, deadlineMs: number): Promise<LeaseAnswer> {
    return this.#call(deadlineMs, () => {
      const { rows, clock, fills } = this.#server
      const row = this.#server.holder(name)
      if (row !== undefined && row.releasedBy === undefined && row.token !== claim.over) {
        const set = this.#server.waiting.get(name) ?? new Set()
        this.#server.waiting.set(name, set)
        const holder = byName.get(row.token.split('.')[0] as string)
        const bell: LeaseBell = { kind: 'awaited', name, token: row.token, outcome: 'failed' }
        if (!set.has(this) && holder !== undefined) this.#server.ringOne(holder, bell)
        set.add(this)
        return { isHeld: false, token: row.token, stamp: row.stamp, leftMs: row.endsAt - clock.now() }
      }
      fills.delete(name)
      const { token, stamp, leaseMs } = claim
      rows.set(name, { token, stamp, takenAt: clock.now(), endsAt: clock.now() + leaseMs, releasedBy: undefined })
      this.#server.ring(name, { kind: 'taken', name, token, outcome: 'failed' })
      return { isHeld: true, wasReleased: row?.releasedBy !== undefined }
    })
  }

  extend(hold: LeaseHold, leaseMs: number, deadlineMs: number): Promise<{ isHeld: boolean; waiting: number }> {
    return this.#call(deadlineMs, () => {
      const row = this.#own(hold)
      if (row === undefined) return { isHeld: false, waiting: 0 }
      row.endsAt = this.#server.clock.now() + leaseMs
      return { isHeld: true, waiting: this.#server.waiting.get(hold.name)?.size ?? 0 }
    })
  }

  publish(
    hold: LeaseHold,
    { first, frames }: { readonly first: number; readonly frames: readonly LeaseFrame[]; readonly keepMs: number },
    deadlineMs: number,
  ): Promise<boolean> {
    return this.#call(deadlineMs, () => {
      if (this.#own(hold) === undefined) return false
      const { name, token } = hold
      const fill = this.#server.fills.get(name) ?? { token, frames: [] }
      this.#server.fills.set(name, fill)
      frames.forEach((frame, index) => fill.frames.push({ number: first + index, frame }))
      fill.frames.splice(0, Math.max(0, fill.frames.length - MAX_FRAMES))
      this.#server.ring(name, { kind: 'frames', name, token, outcome: 'failed' })
      return true
    })
  }

  release(hold: LeaseHold, outcome: LeaseOutcome, deadlineMs: number): Promise<boolean> {
    return this.#call(deadlineMs, () => {
      const row = this.#own(hold)
      if (row === undefined) return false
      row.releasedBy = row.token
      row.endsAt = this.#server.clock.now() + RELEASED_MS
      this.#server.ring(hold.name, { kind: 'over', name: hold.name, token: hold.token, outcome })
      this.#server.waiting.delete(hold.name)
      return true
    })
  }

  read({ name, token }: LeaseHold, after: number, deadlineMs: number): Promise<LeaseRead> {
    return this.#call(deadlineMs, () => {
      const row = this.#server.holder(name)
      const fill = this.#server.fills.get(name)
      const own = fill?.token === token ? fill.frames.filter(({ number }) => number > after) : []
      const ageMs = row?.token === token ? this.#server.clock.now() - row.takenAt : Number.POSITIVE_INFINITY
      return { first: own[0]?.number ?? 0, frames: own.map(({ frame }) => frame), ageMs }
    })
  }

  probe(_name: string, deadlineMs: number): Promise<void> {
    return this.#call(deadlineMs, () => {
      this.#server.clock.after(0, () => this.#onPulse?.())
    })
  }

  async listen(onBell: (bell: LeaseBell) => void, onPulse: () => void): Promise<LeaseListening> {
    const over = new AbortController()
    await this.#call(1000, () => undefined)
    this.#onBell = onBell
    this.#onPulse = onPulse
    return {
      ended: over.signal,
      close: () => {
        this.#onBell = undefined
        over.abort()
      },
    }
  }

  #own({ name, token }: LeaseHold): Row | undefined {
    const row = this.#server.holder(name)
    return row?.token === token && row.releasedBy === undefined ? row : undefined
  }

  #call<T>(deadlineMs: number, run: () => T): Promise<T> {
    const { clock, weather } = this.#server
    return new Promise<T>((resolve, reject) => {
      const late = clock.after(deadlineMs, () => {
        if (!this.isDead) reject(new ForecacheError('FC_L2_TIMEOUT', { address: 'model', ms: deadlineMs }))
      })
      const there = (): void => {
        if (this.isDead) return
        if (this.#server.isFrozen) return void clock.after(5, there)
        const reply = run()
        clock.after(weather.delayMs(), () => {
          late.cancel()
          if (!this.isDead) resolve(reply)
        })
      }
      clock.after(weather.delayMs(), there)
    })
  }
}

const byName = new Map<string, LeaseModel>()
