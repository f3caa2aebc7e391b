/**
 * The front of a gateway: the clients' port and what serves it, over a cache that someone else owns.
 *
 * Floor 5, room server. Alone in a process with the api port (gateway.ts) or one of several before one api port
 * (worker.ts). `apply` swaps door, origin and rules between two requests; requests under way end with what they began with.
 */
import type { Engine } from '../flow/engine.ts'
import { ACCOUNT } from '../model/ledger.ts'
import type { Meter } from '../model/meter.ts'
import type { Logger } from '../model/port.ts'
import type { Config } from './config-schema.ts'
import { type ListenAddress, Listener, type ListenWish } from './listener.ts'
import type { ReloadPlan } from './reload.ts'
import { createRunning, type Running } from './running.ts'
import { listenerOptions } from './settings.ts'
import { TlsKeeper } from './tls-keeper.ts'

/** What a front works with. */
export interface FrontParts {
  readonly engine: Engine
  readonly logger: Logger
  /** This instance's name in Via, by which it knows its own requests again; default: this process's. */
  readonly name?: string
}

/** See the module's header. */
export class Front {
  readonly #parts: FrontParts
  readonly #listener: Listener
  readonly #keeper: TlsKeeper | undefined
  #running: Running
  #address: ListenAddress | undefined

  /** @throws FC_OPTION_* for routes or trusted proxies that are wrong, FC_TLS_* for certificates */
  constructor(config: Config, parts: FrontParts) {
    this.#parts = parts
    const { clock } = parts.engine
    this.#keeper =
      config.tls &&
      new TlsKeeper(config.tls, { name: 'tls', clock, logger: parts.logger, onChange: (tls) => this.#listener.secure(tls) })
    this.#running = this.#run(config)
    this.#listener = new Listener(
      { ...listenerOptions(config), tls: this.#keeper?.credentials },
      {
        clock,
        onRequest: (incoming) => this.#running.receive(incoming),
        ...(config.lane ? { lane: () => this.#running.lane } : {}),
        onUpgrade: (upgrade) => this.#running.upgrade(upgrade),
      },
    )
    this.#followLane(parts.engine.meter)
    parts.engine.governor.follow(ACCOUNT.connections, () => this.#listener.heldBytes)
  }

  #followLane(meter: Meter): void {
    const counts = this.#listener.lane?.counts
    if (counts === undefined) return
    meter.follow('laneAnswers', () => counts.answered)
    meter.follow('laneAwaits', () => counts.awaited)
    meter.follow('laneAsides', () => counts.aside)
    meter.follow('laneGiven', () => counts.given)
  }

  /** Where it listens; undefined before it does. */
  get address(): ListenAddress | undefined {
    return this.#address
  }

  /** `host:port` of where it listens: what a URL without an authority means. */
  get authority(): string | undefined {
    return this.#address === undefined ? undefined : `${this.#address.host}:${this.#address.port}`
  }

  /** What the door in force stores, as bytes and back. */
  get preserver(): Running['preserver'] {
    return this.#running.preserver
  }

  /** How the door sees a request. */
  explain(head: Parameters<Running['explain']>[0]): ReturnType<Running['explain']> {
    return this.#running.explain(head)
  }

  /** @throws what the system says of the address */
  async listen(at: ListenWish): Promise<ListenAddress> {
    const { port } = await this.#listener.listen(at)
    this.#address = { host: at.host, port }
    return this.#address
  }

  /** Takes other rules; what is stored under rules that no longer hold counts as invalidated. */
  apply({ next, changesMeaning, changesOrigin }: ReloadPlan): void {
    const former = this.#running
    this.#running = this.#run(next, changesOrigin ? undefined : former.origin)
    former.close()
    // What is stored was keyed, judged and asked for under the former rules; answers under way are fenced off with it.
    if (changesMeaning) this.#parts.engine.forget('reload')
    if (changesOrigin) void former.origin.retire()
  }

  /** Reads certificates again, those that `config` names. @throws FC_TLS_*; then the former ones stay */
  renew({ tls }: Config): void {
    if (tls !== undefined) this.#keeper?.renew(tls)
  }

  /** Stops accepting, lets requests under way end until the deadline, lets the origin go. */
  async close(deadlineMs: number): Promise<void> {
    this.#keeper?.close()
    await this.#listener.close(deadlineMs)
    this.#running.close()
    await this.#running.origin.close()
  }

  /** Cuts every connection now. */
  kill(): void {
    this.#listener.destroy()
  }

  #run(config: Config, origin?: Running['origin']): Running {
    const { engine, logger, name = engine.generation } = this.#parts
    return createRunning({ config, engine, origin, logger, pseudonym: `forecache-${name}` })
  }
}
