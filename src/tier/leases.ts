/**
 * One process's leases: those it holds, and those it waits for.
 *
 * Floor 2, room tier. One connection for all bells, opened with the first question, and kept. Held leases are renewed by one
 * timer. While somebody waits, a pulse goes round by the store again and again: a store that is frozen, or a connection that
 * is dead without a word, costs a deadline or two, and then everybody loads alone. What is held and what waits is bounded.
 */
import type { Clock, Timer } from '../model/clock.ts'
import type { Random } from '../model/random.ts'
import { Lease } from './lease.ts'
import type { LeaseAnswer, LeaseBell, LeaseListening, LeaseStore } from './lease-store.ts'
import { Waiter } from './lease-wait.ts'

/** What leases are made of. */
export interface LeasesParts {
  readonly store: LeaseStore
  readonly clock: Clock
  readonly random: Random
  /** A lease ends so long after its holder was heard last, ms. */
  readonly leaseMs: number
  /** Nobody waits longer without progress, ms. */
  readonly waitMs: number
  /** A load that takes longer is not renewed any more, ms. */
  readonly maxHoldMs: number
  /** For a question that a caller waits for, ms. */
  readonly deadlineMs: number
  onCount(what: LeaseCount): void
  /** Hears of the bytes that came from other processes and were not taken yet, more or fewer. */
  onHeld?(bytes: number): void
}

/** What happened, for counters. */
export type LeaseCount = 'held' | 'awaited' | 'taken' | 'lost' | 'down' | 'full'

/** What a question came to. */
export type LeasePlace =
  | { readonly role: 'hold'; readonly lease: Lease; readonly wasReleased: boolean }
  | { readonly role: 'wait'; readonly waiter: Waiter }
  /** Each for himself: the store is away, or too much is under way. */
  | { readonly role: 'alone' }

/** What is asked for. */
export interface LeaseQuestion {
  readonly name: string
  readonly stamp: string
  /** Whether what a holder with this stamp reads is of no use here. */
  isDead(stamp: string): boolean
}

const RENEWALS = 4
const MAX_HELD = 65_536
const MAX_WAITING = 65_536
const PULSE_MS = 50
/** Pulses that were sent and not heard: the connection that bells come in by is dead. */
const MAX_UNHEARD = 3
/** Nobody waits for these calls. */
const CALM_DEADLINE_MS = 1000
const ALONE: LeasePlace = { role: 'alone' }

/** See the module's header. */
export class Leases {
  readonly #parts: LeasesParts
  readonly #held = new Map<string, Lease>()
  readonly #waiting = new Map<string, Set<Waiter>>()
  /** Names that are being asked for, and whether their bell has rung since: the answer may come after the bell. */
  readonly #asking = new Map<string, { count: number; hasRung: boolean }>()
  #waiters = 0
  #number = 0
  #renewal: Timer | undefined
  #pulse: Timer | undefined
  #unheard = 0
  #turn = 0
  #listening: Promise<LeaseListening> | undefined
  #isClosed = false

  constructor(parts: LeasesParts) {
    this.#parts = parts
  }

  /** Leases held now. */
  get held(): number {
    return this.#held.size
  }

  /** Waiters now. */
  get waiting(): number {
    return this.#waiters
  }

  /** Takes a lease or waits for it. Never rejects; takes at most the deadline. */
  async ask(question: LeaseQuestion): Promise<LeasePlace> {
    const { store, onCount } = this.#parts
    const { name } = question
    if (this.#isClosed || !store.isUp(name)) return this.#alone('down')
    if (this.#held.size >= MAX_HELD || this.#waiters >= MAX_WAITING) return this.#alone('full')
    const asking = this.#asking.get(name) ?? { count: 0, hasRung: false }
    this.#asking.set(name, asking)
    asking.count += 1
    try {
      let answer = await this.#claim(question, '')
      if (!answer.isHeld && question.isDead(answer.stamp)) answer = await this.#claim(question, answer.token)
      if (answer.isHeld) return { role: 'hold', lease: answer.lease as Lease, wasReleased: answer.wasReleased }
      onCount('awaited')
      const waiter = this.#wait(question, answer)
      if (asking.hasRung) void waiter.again()
      return { role: 'wait', waiter }
    } catch {
      return this.#alone('down')
    } finally {
      asking.count -= 1
      if (asking.count === 0) this.#asking.delete(name)
    }
  }

  /** The store is known to be away: nobody is asked, and it is counted as if he had been in vain. */
  forgo(): LeasePlace {
    return this.#alone('down')
  }

  /** Ends what is held and sends everybody away who waits. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const lease of [...this.#held.values()]) lease.release('free')
    for (const waiter of this.#all()) waiter.end({ kind: 'alone', reason: 'down' })
    this.#renewal?.cancel()
    this.#pulse?.cancel()
    this.#hangUp()
  }

  #alone(why: 'down' | 'full'): LeasePlace {
    this.#parts.onCount(why)
    return ALONE
  }

  async #claim({ name, stamp }: LeaseQuestion, over: string): Promise<LeaseAnswer & { lease?: Lease }> {
    const { store, clock, leaseMs, deadlineMs, onCount } = this.#parts
    const token = `${store.member}.${(this.#number += 1)}`
    const askedAt = clock.now()
    const answer = await store.ask(name, { token, stamp, leaseMs, over }, deadlineMs)
    if (!answer.isHeld) return answer
    onCount('held')
    const parts = { clock, store, leaseMs, deadlineMs: CALM_DEADLINE_MS }
    const lease = new Lease({ name, token }, askedAt, {
      ...parts,
      onEnd: ({ token: ended }) => this.#held.delete(ended),
      onLost: () => onCount('lost'),
    })
    this.#held.set(token, lease)
    this.#armRenewal()
    if (this.#isClosed) lease.release('free')
    // Who waits rings; what rang before somebody listened is asked for.
    else if (this.#listening === undefined) void this.#listen().then(() => lease.renew())
    return { ...answer, lease }
  }

  #wait(question: LeaseQuestion, holder: { readonly token: string; readonly leftMs: number }): Waiter {
    const { store, clock, random, waitMs, deadlineMs } = this.#parts
    const { name } = question
    const wasListening = this.#listening !== undefined
    const waiter = new Waiter(name, holder, {
      ...{ clock, random, waitMs },
      ask: async () => {
        const answer = await this.#claim(question, '')
        if (answer.isHeld) this.#parts.onCount('taken')
        return answer
      },
      read: (token, after) => store.read({ name, token }, after, deadlineMs),
      onHeld: (bytes) => this.#parts.onHeld?.(bytes),
      onEnd: (ended) => this.#forget(ended),
    })
    const set = this.#waiting.get(name) ?? new Set()
    this.#waiting.set(name, set.add(waiter))
    this.#waiters += 1
    this.#armPulse()
    // What rang before somebody listened was not heard.
    if (!wasListening) void this.#listen().then(() => waiter.again())
    return waiter
  }

  #forget(waiter: Waiter): void {
    const set = this.#waiting.get(waiter.name)
    if (set?.delete(waiter) !== true) return
    this.#waiters -= 1
    if (set.size === 0) this.#waiting.delete(waiter.name)
    if (this.#waiters > 0) return
    this.#pulse?.cancel()
    this.#pulse = undefined
    this.#unheard = 0
  }

  #all(): Waiter[] {
    return [...this.#waiting.values()].flatMap((set) => [...set])
  }

  #ring(bell: LeaseBell): void {
    if (bell.kind === 'awaited') return this.#held.get(bell.token)?.awaited()
    const asking = this.#asking.get(bell.name)
    if (asking !== undefined) asking.hasRung = true
    for (const waiter of [...(this.#waiting.get(bell.name) ?? [])]) waiter.bell(bell)
  }

  /** Never rejects: without bells everybody asks again when the lease should have ended, and at each pulse that is not heard. */
  async #listen(): Promise<void> {
    this.#listening ??= this.#open()
    await this.#listening.catch(() => {
      this.#listening = undefined
    })
  }

  async #open(): Promise<LeaseListening> {
    const listening = await this.#parts.store.listen(
      (bell) => this.#ring(bell),
      () => {
        this.#unheard = 0
      },
    )
    if (this.#isClosed) listening.close()
    listening.ended.addEventListener('abort', () => this.#hangUp(), { once: true })
    return listening
  }

  #hangUp(): void {
    const listening = this.#listening
    this.#listening = undefined
    this.#unheard = 0
    void listening?.then((open) => open.close()).catch(() => {})
  }

  #armRenewal(): void {
    if (this.#isClosed || this.#held.size === 0) return
    const { clock, leaseMs, maxHoldMs } = this.#parts
    this.#renewal ??= clock.after(leaseMs / RENEWALS, () => {
      this.#renewal = undefined
      const now = clock.now()
      for (const lease of [...this.#held.values()]) {
        if (now - lease.takenAt > maxHoldMs) lease.release('free')
        else if (now - lease.renewedAt >= leaseMs / RENEWALS - 1) void lease.renew()
      }
      this.#armRenewal()
    })
  }

  #armPulse(): void {
    if (this.#isClosed || this.#waiters === 0) return
    this.#pulse ??= this.#parts.clock.after(PULSE_MS, () => {
      this.#pulse = undefined
      void this.#beat()
      this.#armPulse()
    })
  }

  /** One waiter's server is asked, another's next time; when it does not answer, everybody's is. */
  async #beat(): Promise<void> {
    const names = [...this.#waiting.keys()]
    const name = names[(this.#turn += 1) % names.length] as string
    if (this.#unheard >= MAX_UNHEARD) this.#hangUp()
    if (this.#listening === undefined) {
      void this.#listen().then(() => {
        for (const waiter of this.#all()) void waiter.again()
      })
    }
    this.#unheard += 1
    if (await this.#reaches(name)) return
    await Promise.all(
      names.map(async (one) => {
        if (one !== name && (await this.#reaches(one))) return
        for (const waiter of [...(this.#waiting.get(one) ?? [])]) waiter.end({ kind: 'alone', reason: 'down' })
      }),
    )
  }

  async #reaches(name: string): Promise<boolean> {
    const { store, deadlineMs } = this.#parts
    return store.probe(name, deadlineMs).then(
      () => true,
      () => false,
    )
  }
}
