/**
 * What happens in a worker, told to its supervisor while somebody looks.
 *
 * Floor 5, room server. Gathered for a moment and bounded: what happens faster than is told is left out and counted.
 */
import type { Engine } from '../flow/engine.ts'
import type { EventName } from '../model/event.ts'
import { plainErrors } from '../ops/stream.ts'
import type { WorkerEvent } from './worker-message.ts'

const GATHER_MS = 50
const MAX_GATHERED = 500

/** See the module's header. */
export class EventTap {
  readonly #engine: Engine
  readonly #tell: (events: readonly WorkerEvent[]) => void
  #stops: (() => void)[] = []
  #gathered: WorkerEvent[] = []

  constructor(engine: Engine, tell: (events: readonly WorkerEvent[]) => void) {
    this.#engine = engine
    this.#tell = tell
  }

  /** Tells these from now on, and no others. */
  watch(names: readonly EventName[]): void {
    for (const stop of this.#stops) stop()
    this.#stops = names.map((name) => this.#engine.events.on(name, (payload) => this.#gather({ name, payload })))
  }

  #gather(event: WorkerEvent): void {
    if (this.#gathered.length >= MAX_GATHERED) return
    this.#gathered.push({ ...event, payload: JSON.parse(JSON.stringify(event.payload, plainErrors)) as unknown })
    if (this.#gathered.length > 1) return
    this.#engine.clock.after(GATHER_MS, () => {
      this.#tell(this.#gathered)
      this.#gathered = []
    })
  }
}
