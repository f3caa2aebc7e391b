/**
 * The leader of a flight among processes: loads for all, or takes what another process loads.
 *
 * Floor 4, room http. Another's answer comes as it is read there, from its first byte, where its head says that it may be
 * shared and the log has nothing against it; else when the second level has it. What cannot be had so is asked of the origin,
 * as if there were no others.
 */
import { countEnd } from '../flow/await-lease.ts'
import type { Fill } from '../flow/fill.ts'
import type { Lead } from '../flow/flight.ts'
import type { Reply } from '../model/exchange.ts'
import { COUNTER } from '../model/metric.ts'
import type { Lease } from '../tier/lease.ts'
import type { LeaseFrame } from '../tier/lease-store.ts'
import type { LeaseEvent, Waiter } from '../tier/lease-wait.ts'
import { LeasedLead } from './leased-lead.ts'
import { readHead } from './relay-frame.ts'
import { followRelay } from './relay-follow.ts'
import type { RelayedFrom } from './relayed.ts'
import { pullStored } from './second.ts'
import { serveStored } from './serve.ts'
import { type Sharing, takeShared } from './sharing.ts'
import { beginFill, type KeyedVisit } from './visit.ts'

/** Asks the origin; without a lead, for this client alone. */
export type RunAcross = (how: { readonly fill: Fill; readonly lead: Lead<Sharing> | undefined }) => Promise<Reply>

/** A leader on its way. */
export interface Across {
  reply(): Promise<Reply>
  /** Who waits for its answer, here and elsewhere. */
  waiters(): number
}

/** @param place the flight it leads in this process */
export function createAcross(visit: KeyedVisit, place: Lead<Sharing>, run: RunAcross): Across {
  const { leases } = visit.desk.engine
  const isOwn = leases === undefined || place.fill.shared === undefined || visit.head.fields.has('range')
  if (isOwn) return { reply: () => run({ fill: place.fill, lead: place }), waiters: () => place.waiters() }
  return new SharedLeader(visit, place, run)
}

class SharedLeader implements Across {
  readonly #visit: KeyedVisit
  readonly #place: Lead<Sharing>
  readonly #run: RunAcross
  #lead: LeasedLead | undefined

  constructor(visit: KeyedVisit, place: Lead<Sharing>, run: RunAcross) {
    this.#visit = visit
    this.#place = place
    this.#run = run
  }

  waiters(): number {
    return (this.#lead ?? this.#place).waiters()
  }

  async reply(): Promise<Reply> {
    const standing = await this.#visit.desk.engine.leases?.enter([this.#place.fill])
    if (standing?.role === 'wait') return this.#wait(standing.waiter)
    if (standing?.role === 'hold') return this.#hold(standing, this.#place.fill)
    return this.#run({ fill: this.#place.fill, lead: this.#place })
  }

  async #wait(waiter: Waiter): Promise<Reply> {
    const { signal } = this.#visit.exchange
    const leave = (): void => {
      if (this.#place.waiters() === 0) waiter.leave()
    }
    signal.addEventListener('abort', leave, { once: true })
    waiter.follow()
    try {
      for (;;) {
        const event = await waiter.next()
        if (event.kind === 'restart') continue
        if (event.kind === 'hold') return await this.#hold(event, this.#begin())
        return event.kind === 'frames' ? await this.#take(waiter, event) : await this.#end(event)
      }
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  /** Loads for all, unless what was loaded just now can be had. */
  async #hold({ lease, wasReleased }: { readonly lease: Lease; readonly wasReleased: boolean }, fill: Fill): Promise<Reply> {
    const { engine } = this.#visit.desk
    const found = wasReleased ? await this.#look() : undefined
    if (found !== undefined) {
      engine.leases?.release(lease, [fill.key], 'stored')
      this.#place.abandon()
      return found
    }
    const lead = new LeasedLead(engine, this.#place, { lease, fill: wasReleased ? this.#begin() : fill })
    this.#lead = lead
    try {
      return await this.#run({ fill: lead.fill, lead })
    } catch (error) {
      if (this.#visit.exchange.signal.aborted) lead.give(error)
      else lead.fail(error)
      throw error
    }
  }

  /** Another's answer as it comes, where it is this one's too. */
  async #take(waiter: Waiter, { frames, takenAt }: LeaseEvent & { readonly kind: 'frames' }): Promise<Reply> {
    const { meter } = this.#visit.desk.engine
    const begun = this.#open(waiter, frames, takenAt)
    if (begun === undefined) {
      waiter.leave()
      meter.count(COUNTER.leasesAlone)
      return this.#alone()
    }
    meter.count(COUNTER.leasesStreamed)
    const sharing = followRelay(this.#visit, this.#place, { waiter, ...begun })
    return (await takeShared(this.#visit, sharing)) ?? this.#run({ fill: this.#begin(), lead: undefined })
  }

  /** The head of what comes, where it may be taken, and what came with it. */
  #open(waiter: Waiter, frames: readonly LeaseFrame[], takenAt: number): Omit<RelayedFrom, 'waiter'> | undefined {
    const { leases } = this.#visit.desk.engine
    const { key, namespace } = this.#place.fill
    try {
      const [first, ...rest] = frames.map((frame) => leases?.open(waiter, frame) ?? frame)
      const head = first === undefined ? undefined : readHead(this.#visit, first, takenAt)
      if (head === undefined) return undefined
      const { plan, stamp } = head
      const standing = leases?.standing({ key, namespace, tags: plan.tags, ...stamp, storedAt: takenAt })
      return standing === 'current' ? { plan, frames: rest } : undefined
    } catch {
      return undefined // whatever came over, it takes nobody down
    }
  }

  async #end(event: LeaseEvent & { readonly kind: 'over' | 'alone' }): Promise<Reply> {
    const isOver = event.kind === 'over' && event.outcome !== 'failed'
    const found = isOver ? await this.#look() : undefined
    countEnd(this.#visit.desk.engine, event, found !== undefined)
    if (found === undefined && !(isOver && event.outcome === 'alone')) return this.#alone()
    this.#place.abandon() // what stands now is everybody's, and what is for one alone nobody's
    return found ?? this.#run({ fill: this.#begin(), lead: undefined })
  }

  /** For this process alone. */
  #alone(): Promise<Reply> {
    return this.#run({ fill: this.#begin(), lead: this.#place })
  }

  async #look(): Promise<Reply | undefined> {
    const { second } = this.#visit.desk.engine
    if (second !== undefined) await pullStored(this.#visit, second)
    return serveStored(this.#visit)
  }

  #begin(): Fill {
    return beginFill(this.#visit, this.#place.fill.key)
  }
}
