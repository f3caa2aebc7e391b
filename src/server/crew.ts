/**
 * The workers of one engine, and everything that makes them one with it: the sequencer of their log, what they count, what
 * happens in them.
 *
 * Floor 5, room server.
 */
import cluster from 'node:cluster'
import type { Engine } from '../flow/engine.ts'
import type { SharedLog } from '../flow/shared-log.ts'
import type { Logger } from '../model/port.ts'
import type { Explainer } from '../ops/explain-endpoint.ts'
import { FleetTotals } from '../ops/fleet-totals.ts'
import { fleetWhole } from '../ops/fleet-whole.ts'
import type { Whole } from '../ops/whole.ts'
import { ownLink } from '../tier/sequenced-link.ts'
import { Sequencer } from '../tier/sequencer.ts'
import type { Config } from './config-schema.ts'
import { EventRelay } from './event-relay.ts'
import type { ListenAddress } from './listener.ts'
import { type ReloadPlan, rulesOf } from './reload.ts'
import { sharedListen } from './shared-port.ts'
import { WorkerFleet } from './worker-fleet.ts'
import { workerShare } from './worker-shares.ts'

/** A worker that has not acknowledged an invalidation within this is ended before the invalidation is called done, ms. */
const ACK_MS = 1000
const SELF = 'supervisor'

/** What a crew works with. */
export interface CrewParts {
  readonly engine: Engine
  readonly logger: Logger
  readonly workers: number
  /** Script of a worker; it calls `runWorker`. */
  readonly script: string
  /** The configuration in force. */
  config(): Config
}

/** See the module's header. */
export class Crew {
  readonly #parts: CrewParts
  readonly #fleet: WorkerFleet
  readonly #totals: FleetTotals
  readonly #relay: EventRelay
  readonly #shared: SharedLog

  constructor(parts: CrewParts) {
    const { engine, logger, workers, script } = parts
    const { clock, generation } = engine
    const onSilent = (worker: string): void => this.#fleet.end(worker)
    const sequencer = new Sequencer({ clock, generation, ackMs: ACK_MS, onSilent })
    this.#parts = parts
    // A log between machines is followed by every process itself: then nothing goes through the sequencer.
    this.#shared = engine.shared ?? engine.join(ownLink(sequencer, SELF))
    this.#shared.rules = engine.redis === undefined ? 0 : rulesOf(parts.config())
    this.#totals = new FleetTotals(engine)
    this.#relay = new EventRelay((names) => this.#fleet.watch(names))
    cluster.setupPrimary({ exec: script, args: [], serialization: 'advanced' })
    this.#fleet = new WorkerFleet({
      clock,
      logger,
      sequencer,
      workers,
      start: () => {
        const config = workerShare(parts.config(), workers)
        return { config, rules: this.#shared.rules, generation, instance: engine.generation }
      },
      onCounts: (worker, counts) => this.#totals.note(worker, counts),
      onEnded: (worker) => this.#totals.end(worker),
      onHappened: (happened) => this.#relay.tell(happened),
    })
  }

  /** Workers that take requests. */
  get listening(): number {
    return this.#fleet.listening
  }

  /** All of them and this engine as one, for administration. */
  whole(explainer: Explainer): Whole {
    const { engine } = this.#parts
    const onEvent = this.#relay.on.bind(this.#relay)
    return fleetWhole({ engine, explainer, fleet: this.#fleet, totals: this.#totals, onEvent })
  }

  /** Starts them; resolves with the port when all listen. @throws FC_WORKER_START, what the system says of the address */
  async listen(at: ListenAddress): Promise<number> {
    return this.#fleet.start(await sharedListen(at))
  }

  /**
   * Puts other rules in force: here at once, everywhere when it resolves. Until then keys that one made by the former rules
   * name nothing reliably to another: what crosses names everything.
   */
  reload(plan: ReloadPlan): Promise<void> {
    const { next, changesMeaning } = plan
    if (this.#parts.engine.redis !== undefined) this.#shared.rules = rulesOf(next)
    else if (plan.applied.length > 0) this.#shared.rules += 1
    if (changesMeaning) this.#parts.engine.forget('reload')
    return this.#fleet.reload({ ...plan, next: workerShare(next, this.#parts.workers) }, this.#shared.rules)
  }

  /** Lets them finish what is under way. */
  close(deadlineMs: number): Promise<void> {
    const { snapshot } = this.#parts.config()
    return this.#fleet.close(deadlineMs, ACK_MS + (snapshot?.deadline ?? 0) * 2)
  }

  /** Ends them now. */
  kill(): void {
    this.#fleet.kill()
  }
}
