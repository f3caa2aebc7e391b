/**
 * The warmth of one worker: a snapshot of its own, hot keys told in the name of its instance.
 *
 * Floor 5, room server. Registration is the supervisor's.
 */
import type { Engine } from '../flow/engine.ts'
import type { Config } from './config-schema.ts'
import type { Preserver } from '../flow/preserve.ts'
import type { Logger } from '../model/port.ts'
import { keepWarm } from './keeping-warm.ts'
import { openRegistryStore, type RegistryStore } from './registry-store.ts'
import type { Warmth } from './warmth.ts'
import type { WorkerStart } from './worker-message.ts'

/** What it works with. */
export interface WorkerWarmthParts {
  readonly engine: Engine
  readonly logger: Logger
  /** The configuration in force. */
  config(): Config
  /** Codecs of the door in force. */
  preserver(): Preserver
}

/** See the module's header. */
export class WorkerWarmth {
  readonly #store: RegistryStore | undefined
  readonly #warmth: Warmth
  #isServing = false

  /** @throws FC_OPTION_VALUE */
  constructor({ config, place, instance: id }: WorkerStart, parts: WorkerWarmthParts) {
    this.#store = openRegistryStore(config, parts.engine)
    const { engine, logger, preserver } = parts
    this.#warmth = keepWarm(config, {
      engine,
      logger,
      config: () => parts.config(),
      preserver,
      store: this.#store,
      id,
      suffix: `.${place}`,
    })
  }

  /** Before clients are listened to. Bounded; never rejects. */
  async begin(): Promise<void> {
    await this.#warmth.restore()
    await this.#warmth.fetchHot()
    await this.#warmth.begin()
  }

  /** When it listens. */
  serve(): void {
    this.#isServing = true
    this.#warmth.start()
  }

  /**
   * When it serves nothing any more. Bounded; never rejects. Others may serve on, and invalidate: without a log that lasts,
   * nothing would say so of what this one writes, so it does not count as written after all had ended.
   */
  async close(): Promise<void> {
    this.#warmth.stop()
    if (this.#isServing) await this.#warmth.finish({ drained: false })
    this.#store?.close()
  }
}
