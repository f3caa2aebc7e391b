/**
 * A body that another process reads from the origin, as it comes over.
 *
 * Floor 4, room http. When that process is gone, the body goes on from wherever it can be had: its successor's stream, the
 * second level, the origin itself. What goes on must have the same head, and begin with exactly the bytes that were given
 * already: then the whole is one response as the origin gave it. Where that cannot be had it breaks off.
 */
import { createHash } from 'node:crypto'
import { ForecacheError } from '../model/errors.ts'
import type { BodySource } from '../model/exchange.ts'
import { COUNTER } from '../model/metric.ts'
import type { LeaseFrame } from '../tier/lease-store.ts'
import type { LeaseEvent, Waiter } from '../tier/lease-wait.ts'
import { loadAnew } from './load-anew.ts'
import { FRAME, isSameHead, readHead } from './relay-frame.ts'
import { findStored } from './second.ts'
import type { Plan } from './stored.ts'
import type { KeyedVisit } from './visit.ts'

/** Where it comes from. */
export interface RelayedFrom {
  readonly waiter: Waiter
  readonly plan: Plan
  /** Frames that have come already, behind the head. */
  readonly frames: readonly LeaseFrame[]
}

const MAX_RESUMES = 3

/** The stream has no more: why. */
class Lost {
  readonly event: Exclude<LeaseEvent, { readonly kind: 'frames' }>
  constructor(event: Exclude<LeaseEvent, { readonly kind: 'frames' }>) {
    this.event = event
  }
}

/** See the module's header. */
export class Relayed implements BodySource {
  readonly #visit: KeyedVisit
  readonly #from: RelayedFrom
  readonly #hash = createHash('sha256')
  #given = 0
  #isResuming = false
  /** Whether what came is all there is of the response: the body alone. */
  isWhole = false

  constructor(visit: KeyedVisit, from: RelayedFrom) {
    this.#visit = visit
    this.#from = from
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const steps = this.#read()
    return {
      next: () => steps.next(),
      return: () => {
        this.#from.waiter.leave() // it may be waiting for a frame
        void steps.return(undefined)
        return Promise.resolve({ value: undefined, done: true })
      },
    }
  }

  async *#read(): AsyncGenerator<Uint8Array, void> {
    const { waiter, frames } = this.#from
    let piece: BodySource = this.#chunks(frames)
    try {
      for (let tries = 0; ; tries += 1) {
        try {
          for await (const bytes of this.#unseen(piece)) {
            this.#hash.update(bytes)
            this.#given += bytes.byteLength
            yield bytes
          }
          return
        } catch (error) {
          if (!(error instanceof Lost)) throw error
          if (tries >= MAX_RESUMES) throw this.#giveUp(error.event)
          piece = await this.#resume(error.event)
        }
      }
    } catch (error) {
      if (this.#isResuming) this.#count('leaseBreaks')
      throw error
    } finally {
      waiter.leave()
    }
  }

  #giveUp(event: Lost['event']): ForecacheError {
    if (event.kind === 'hold') event.lease.release('free')
    return brokenOff('those who read it were lost one after the other')
  }

  /** Bodies of frames until the last one. @throws Lost */
  async *#chunks(first: readonly LeaseFrame[]): AsyncGenerator<Uint8Array, void> {
    const { waiter } = this.#from
    for (let frames = first; ; ) {
      for (const { kind, data } of frames) {
        if (kind === FRAME.chunk) yield data
        else if (kind === FRAME.end) {
          this.isWhole = data[0] === 1
          return
        } else throw brokenOff('the origin broke off')
      }
      const event = await waiter.next()
      if (event.kind !== 'frames') throw new Lost(event)
      frames = event.frames.map((frame) => this.#open(frame))
    }
  }

  /** What was not given yet of a body that begins anew. */
  async *#unseen(piece: BodySource): AsyncGenerator<Uint8Array, void> {
    const check = createHash('sha256')
    let left = this.#given
    for await (const bytes of piece) {
      if (left === 0) {
        yield bytes
        continue
      }
      const seen = bytes.subarray(0, left)
      check.update(seen)
      left -= seen.byteLength
      if (left > 0) continue
      if (!check.digest().equals(this.#hash.copy().digest())) throw brokenOff('what was to go on is another response')
      this.#isResuming = false
      this.#count('leaseResumes')
      if (bytes.byteLength > seen.byteLength) yield bytes.subarray(seen.byteLength)
    }
    if (left > 0) throw brokenOff('what was to go on is shorter')
  }

  async #resume(event: Lost['event']): Promise<BodySource> {
    this.#isResuming = true
    if (event.kind === 'alone' && event.reason !== 'behind') this.#count(event.reason === 'down' ? 'leasesCut' : 'leasesLate')
    if (event.kind === 'restart') return this.#successor()
    const isStored = event.kind === 'over' ? event.outcome === 'stored' : event.kind === 'hold' && event.wasReleased
    const stored = isStored ? await findStored(this.#visit) : undefined
    if (stored !== undefined && isSameHead(stored.plan, this.#from.plan)) {
      if (event.kind === 'hold') event.lease.release('stored')
      this.isWhole = stored.trailers === undefined
      return once(stored.body)
    }
    const lease = event.kind === 'hold' ? event.lease : undefined
    const { plan, body } = await loadAnew(this.#visit, lease)
    return this.#checked(plan, body)
  }

  /** The next one that reads it from the origin; from its first byte. */
  async #successor(): Promise<BodySource> {
    const event = await this.#from.waiter.next()
    if (event.kind !== 'frames') return this.#resume(event)
    const [head, ...rest] = event.frames.map((frame) => this.#open(frame))
    const read = head === undefined ? undefined : readHead(this.#visit, head, event.takenAt)
    return this.#checked(read?.plan, this.#chunks(rest))
  }

  #checked(plan: Plan | undefined, body: BodySource): BodySource {
    if (plan !== undefined && isSameHead(plan, this.#from.plan)) return body
    void body[Symbol.asyncIterator]().return?.()
    throw brokenOff('what was to go on has another head')
  }

  #open(frame: LeaseFrame): LeaseFrame {
    return this.#visit.desk.engine.leases?.open(this.#from.waiter, frame) ?? frame
  }

  #count(name: 'leaseResumes' | 'leaseBreaks' | 'leasesCut' | 'leasesLate'): void {
    this.#visit.desk.engine.meter.count(COUNTER[name])
  }
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield body
}

function brokenOff(reason: string): ForecacheError {
  return new ForecacheError('FC_ORIGIN_BROKEN', { reason })
}
