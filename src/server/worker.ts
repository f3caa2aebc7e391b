/**
 * A worker: the front of a gateway in a process of its own, one of several before one supervisor.
 *
 * Floor 5, room server. It listens only when it hears every invalidation; it goes to the origin for everything while its
 * supervisor is silent; it drains and ends when the supervisor says so or is gone. Signals are the supervisor's: a terminal
 * sends them to all processes, and each must end in order.
 */
import { type Logger, pino } from 'pino'
import { type Cache, createCache } from '../flow/cache.ts'
import type { SharedLog } from '../flow/shared-log.ts'
import { createExplainer } from '../ops/explain-endpoint.ts'
import { countsOf, createRespondent, type Respondent } from '../ops/fleet.ts'
import { SequencedLink } from '../tier/sequenced-link.ts'
import type { Config } from './config-schema.ts'
import { Front } from './front.ts'
import type { ReloadPlan } from './reload.ts'
import { openWorkerChannel, type WorkerChannel } from './worker-channel.ts'
import { EventTap } from './worker-events.ts'
import { watchMemory } from './resident.ts'
import { WorkerWarmth } from './worker-warmth.ts'
import type { FromWorker, ToWorker, WorkerStart } from './worker-message.ts'

const BLIND_AFTER_MS = 1000
const COUNTS_EVERY_MS = 1000

/** Runs until the supervisor ends it. @returns the exit code */
export function runWorker(): Promise<number> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  const channel = openWorkerChannel()
  return new Promise((resolve) => {
    let serving: Worker | undefined
    const end = (code: number, deadlineMs?: number): void => {
      if (serving === undefined) resolve(code)
      else void serving.close(deadlineMs).then(() => resolve(code))
    }
    process.on('message', (message: ToWorker) => {
      if (message.type === 'start') serving = start(message.start, { channel, end })
      else if (message.type === 'drain') end(0, message.deadlineMs)
      else serving?.receive(message)
    })
    process.once('disconnect', () => {
      serving?.cut()
      end(0)
    })
    channel.tell({ type: 'hello' })
  })
}

type End = (code: number, deadlineMs?: number) => void

function start(given: WorkerStart, { channel, end }: { channel: WorkerChannel; end: End }): Worker | undefined {
  const logger = pino({ level: given.config.log.level, base: { worker: given.worker } }, pino.destination({ fd: 2, sync: true }))
  process.on('unhandledRejection', (error) => logger.error({ err: error }, 'a rejection that nobody handled'))
  process.once('uncaughtException', (error) => {
    logger.error({ err: error }, 'an error that nobody caught; draining')
    channel.tell({ type: 'ending' })
    end(1)
  })
  try {
    return new Worker(given, { channel, logger, end })
  } catch (error) {
    channel.fail(error)
    end(1)
    return undefined
  }
}

class Worker {
  readonly #start: WorkerStart
  readonly #channel: WorkerChannel
  readonly #logger: Logger
  readonly #onFailed: () => void
  readonly #cache: Cache
  readonly #front: Front
  readonly #warmth: WorkerWarmth
  readonly #respondent: Respondent
  readonly #events: EventTap
  #config: Config
  #link: SequencedLink | undefined
  #shared: SharedLog | undefined
  #rules: number
  #closed: Promise<void> | undefined

  constructor(start: WorkerStart, parts: { channel: WorkerChannel; logger: Logger; end: End }) {
    const { memory, l2, audit, refreshAhead, warming, adaptive, contexts, events } = start.config
    this.#start = start
    this.#config = start.config
    this.#rules = start.rules
    this.#channel = parts.channel
    this.#logger = parts.logger
    this.#onFailed = () => parts.end(1)
    this.#cache = createCache({ memory, l2, audit, refreshAhead, warming, adaptive, contexts, events, logger: parts.logger })
    const { engine } = this.#cache
    this.#front = new Front(start.config, { engine, logger: parts.logger, name: start.generation })
    this.#warmth = new WorkerWarmth(start, {
      ...{ engine, logger: parts.logger },
      config: () => this.#config,
      preserver: () => this.#front.preserver,
    })
    const doors = [{ explain: (head: Parameters<Front['explain']>[0]) => this.#front.explain(head) }]
    this.#respondent = createRespondent(engine, createExplainer({ engine, doors, authority: () => this.#front.authority }))
    this.#events = new EventTap(engine, (happened) => parts.channel.tell({ type: 'events', events: happened }))
    parts.channel.tell({ type: 'join' })
    this.#report()
  }

  receive(message: Exclude<ToWorker, { type: 'start' | 'drain' }>): void {
    switch (message.type) {
      case 'welcome': {
        void this.#listen(message.sequence)
        return
      }
      case 'link': {
        if (message.message.type === 'beat') this.#channel.tell({ type: 'alive' })
        this.#link?.receive(message.message)
        return
      }
      case 'ask': {
        const { id, question } = message
        this.#respondent.answer(question).then(
          (told) => this.#channel.tell({ type: 'answer', id, answer: told }),
          (error: unknown) => this.#logger.error({ err: error, question }, 'a question of the supervisor failed'),
        )
        return
      }
      case 'watch':
        return this.#events.watch(message.names)
      case 'reload': {
        this.#rules = message.rules
        if (this.#shared !== undefined) this.#shared.rules = message.rules
        this.#apply(message.plan)
        return this.#channel.tell({ type: 'reloaded', id: message.id })
      }
      default:
        return message satisfies never
    }
  }

  /** The supervisor is gone: nothing is known of the others any more. */
  cut(): void {
    this.#link?.cut()
  }

  close(deadlineMs = this.#config.limits.drain): Promise<void> {
    this.#closed ??= this.#shut(deadlineMs)
    return this.#closed
  }

  /** The supervisor has found it good already: what fails here is this process's fault, and its successor's chance. */
  #apply(plan: ReloadPlan): void {
    this.#config = plan.next
    this.#logger.level = plan.next.log.level
    this.#front.renew(plan.next)
    if (plan.applied.length > 0) this.#front.apply(plan)
  }

  async #listen(sequence: number): Promise<void> {
    const { engine } = this.#cache
    const tell = (message: Extract<FromWorker, { type: 'link' }>['message']): void =>
      this.#channel.tell({ type: 'link', message })
    const { clock } = engine
    const parts = { clock, generation: this.#start.generation, sequence, blindAfterMs: BLIND_AFTER_MS, tell }
    if (engine.shared === undefined) this.#link = new SequencedLink(parts)
    this.#shared = engine.shared ?? engine.join(this.#link as SequencedLink)
    this.#shared.rules = this.#rules
    try {
      await this.#warmth.begin()
      if (this.#closed !== undefined) return
      const { port } = await this.#front.listen(this.#start.at)
      watchMemory(engine)
      this.#warmth.serve()
      this.#channel.tell({ type: 'listening', port })
    } catch (error) {
      this.#channel.fail(error)
      this.#onFailed()
    }
  }

  async #shut(deadlineMs: number): Promise<void> {
    await this.#front.close(deadlineMs)
    await this.#warmth.close()
    this.#channel.tell({ type: 'counts', counts: countsOf(this.#cache.engine) })
    this.#events.watch([])
    this.#respondent.close()
    this.#link?.close()
    await this.#channel.flush()
    await this.#cache.close()
  }

  /** What it has counted outlives it, but for the last moment before a crash. */
  #report(): void {
    const { engine } = this.#cache
    engine.clock.after(COUNTS_EVERY_MS, () => {
      if (this.#closed !== undefined) return
      // A supervisor that is silent reads nothing: nothing may pile up for it.
      if (this.#shared?.isBlind !== true) this.#channel.tell({ type: 'counts', counts: countsOf(engine) })
      this.#report()
    })
  }
}
