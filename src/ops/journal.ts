/**
 * The last thing that happened to each key, for `explain`: stored, refused, removed, failed.
 *
 * Floor 4, room ops. Listens to events of the miss path only, so hits cost nothing. Bounded: the key that was silent
 * longest is forgotten first. Tags are kept after the entry has gone, so that what invalidated it can still be named.
 */
import type { Clock } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import type { EventHub } from '../model/event.ts'
import type { Position } from '../model/entry.ts'
import { OldestFirst } from '../model/oldest.ts'
import type { RemoveReason } from '../model/port.ts'
import type { Refusal } from '../model/reason.ts'

/** What happened last. */
export type Happening =
  | { readonly what: 'stored' }
  | { readonly what: 'refused'; readonly reason: Refusal }
  | { readonly what: 'removed'; readonly reason: Exclude<RemoveReason, 'replaced'> }
  | { readonly what: 'failed' }

/** What is remembered about a key. */
export interface Note {
  readonly last: Happening
  /** `clock.wall()` of it. */
  readonly at: number
  /** Tags and namespace of what was read last. */
  readonly tags: readonly string[]
  readonly namespace: number
  /** Position as of which it was read. */
  readonly asOf: Position
  /** The last refusal, which also tells why an entry is a pass marker. */
  readonly refusal?: Refusal
  readonly failure?: { readonly at: number; readonly text: string }
}

const NOTHING: Omit<Note, 'last' | 'at'> = { tags: [], namespace: 0, asOf: 0 }
const MAX_TEXT = 500

/** See the module's header. */
export class Journal {
  readonly #notes = new OldestFirst<Note>()
  readonly #maxKeys: number
  readonly #clock: Clock
  readonly #stops: (() => void)[]

  /** @param maxKeys keys remembered */
  constructor(events: EventHub, clock: Clock, maxKeys: number) {
    this.#clock = clock
    this.#maxKeys = maxKeys
    this.#stops = [
      events.on('keep:store', ({ key, tags, namespace, asOf }) => this.#note(key, { what: 'stored' }, { tags, namespace, asOf })),
      events.on('keep:refuse', ({ key, reason, tags, namespace }) => {
        const read = { ...(tags !== undefined && { tags }), ...(namespace !== undefined && { namespace }) }
        this.#note(key, { what: 'refused', reason }, { ...read, refusal: reason })
      }),
      events.on('memory:remove', ({ key, reason }) => {
        if (reason !== 'replaced') this.#note(key, { what: 'removed', reason }, {})
      }),
      events.on('origin:fail', ({ key, error }) => {
        this.#note(key, { what: 'failed' }, { failure: { at: clock.wall(), text: textOf(error) } })
      }),
    ]
  }

  last(key: string): Note | undefined {
    return this.#notes.get(key)
  }

  /** Keys remembered now. */
  get size(): number {
    return this.#notes.size
  }

  /** Stops listening and forgets. */
  close(): void {
    for (const stop of this.#stops) stop()
    this.#notes.clear()
  }

  #note(key: string, last: Happening, learned: Partial<Note>): void {
    const known = this.#notes.get(key) ?? NOTHING
    this.#notes.set(key, { ...known, ...learned, last, at: this.#clock.wall() })
    if (this.#notes.size > this.#maxKeys) this.#notes.takeOldest()
  }
}

function textOf(error: unknown): string {
  const text =
    error instanceof ForecacheError ? error.message : error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return text.slice(0, MAX_TEXT)
}
