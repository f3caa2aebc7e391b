/**
 * Events of the workers for whoever looks at them through the supervisor.
 *
 * Floor 5, room server. Workers tell only what somebody listens to.
 */
import type { EventName } from '../model/event.ts'
import type { WorkerEvent } from './worker-message.ts'

type Listener = (payload: unknown) => void

/** See the module's header. */
export class EventRelay {
  readonly #listeners = new Map<EventName, Set<Listener>>()
  readonly #onWanted: (names: readonly EventName[]) => void

  /** @param onWanted told whenever other events are listened to */
  constructor(onWanted: (names: readonly EventName[]) => void) {
    this.#onWanted = onWanted
  }

  /** @returns how to stop */
  on(name: EventName, listener: Listener): () => void {
    const known = this.#listeners.get(name)
    if (known === undefined) {
      this.#listeners.set(name, new Set([listener]))
      this.#onWanted([...this.#listeners.keys()])
    } else {
      known.add(listener)
    }
    return () => this.#off(name, listener)
  }

  /** Takes what has happened in a worker. */
  tell(events: readonly WorkerEvent[]): void {
    for (const { name, payload } of events) for (const listener of this.#listeners.get(name) ?? []) listener(payload)
  }

  #off(name: EventName, listener: Listener): void {
    const known = this.#listeners.get(name)
    known?.delete(listener)
    if (known?.size !== 0) return
    this.#listeners.delete(name)
    this.#onWanted([...this.#listeners.keys()])
  }
}
