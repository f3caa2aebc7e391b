/**
 * What happens inside, told to whoever listens: `cache.on(name, listener)` and `node:diagnostics_channel`.
 *
 * Floor 0, room model. Names are `room:verb`; the channel of `keep:store` is `forecache:keep:store`. Nothing is built
 * when nobody listens, and a listener that throws is reported, never felt by the request.
 */
import { type Channel, channel } from 'node:diagnostics_channel'
import type { Violation, Way } from './audit.ts'
import type { Position, EntryKind } from './entry.ts'
import type { LogRecord } from './log.ts'
import type { RemoveReason } from './port.ts'
import { ForecacheError, textOf } from './errors.ts'
import type { Refusal } from './reason.ts'

/** Payload of each event. Durations in ms, sizes in bytes. */
export interface Events {
  'lookup:hit': { readonly key: string; readonly ageMs: number }
  'lookup:stale': { readonly key: string; readonly ageMs: number; readonly reason: 'revalidate' | 'error' | 'deadline' }
  'lookup:miss': { readonly key: string }
  'flight:join': { readonly key: string }
  'flight:detach': { readonly key: string }
  'origin:load': { readonly key: string; readonly tookMs: number }
  'origin:fail': { readonly key: string; readonly error: unknown; readonly background: boolean }
  'keep:store': {
    readonly key: string
    readonly bytes: number
    readonly kind: EntryKind
    readonly asOf: Position
    /** `clock.now()` when its reading began. */
    readonly storedAt: number
    readonly way: Way
    readonly namespace: number
    readonly tags: readonly string[]
  }
  'keep:refuse': {
    readonly key: string
    readonly reason: Refusal
    readonly namespace?: number
    readonly tags?: readonly string[]
  }
  'memory:remove': { readonly key: string; readonly reason: RemoveReason; readonly bytes: number }
  'fence:append': LogRecord
  'audit:violation': Violation
}

/** Names of all events. */
export type EventName = keyof Events
const EVENT_NAMES: ReadonlySet<string> = new Set<EventName>([
  'lookup:hit',
  'lookup:stale',
  'lookup:miss',
  'flight:join',
  'flight:detach',
  'origin:load',
  'origin:fail',
  'keep:store',
  'keep:refuse',
  'memory:remove',
  'fence:append',
  'audit:violation',
])

/** A listener of one event. */
export type Listener<N extends EventName> = (payload: Events[N]) => void

interface Line {
  readonly listeners: Set<(payload: never) => void>
  readonly channel: Channel
}

/** See the module's header. */
export class EventHub {
  readonly #lines = new Map<EventName, Line>()
  readonly #report: (error: unknown) => void

  /** @param report told about listeners that throw */
  constructor(report: (error: unknown) => void = () => {}) {
    this.#report = report
  }

  /** @returns a function that stops the listening @throws FC_OPTION_VALUE for an unknown name, FC_OPTION_TYPE */
  on<N extends EventName>(name: N, listener: Listener<N>): () => void {
    if (!EVENT_NAMES.has(name)) {
      throw new ForecacheError('FC_OPTION_VALUE', {
        name: 'event',
        reason: `${textOf(name)} is not one; known: ${[...EVENT_NAMES].join(', ')}`,
      })
    }
    if (typeof listener !== 'function') {
      throw new ForecacheError('FC_OPTION_TYPE', { name: 'listener', expected: 'a function', given: typeof listener })
    }
    const { listeners } = this.#line(name)
    listeners.add(listener as (payload: never) => void)
    return () => listeners.delete(listener as (payload: never) => void)
  }

  /** Whether anybody listens; ask before building a payload on a hot path. */
  wants(name: EventName): boolean {
    const line = this.#lines.get(name) ?? this.#line(name)
    return line.listeners.size > 0 || line.channel.hasSubscribers
  }

  emit<N extends EventName>(name: N, payload: Events[N]): void {
    const line = this.#lines.get(name) ?? this.#line(name)
    for (const listener of line.listeners) {
      try {
        const done: unknown = (listener as Listener<N>)(payload)
        if (done instanceof Promise) done.catch(this.#report) // an async listener fails later, and just as unfelt
      } catch (error) {
        this.#report(error)
      }
    }
    if (line.channel.hasSubscribers) line.channel.publish(payload)
  }

  #line(name: EventName): Line {
    let line = this.#lines.get(name)
    if (line === undefined) {
      line = { listeners: new Set(), channel: channel(`forecache:${name}`) }
      this.#lines.set(name, line)
    }
    return line
  }
}
