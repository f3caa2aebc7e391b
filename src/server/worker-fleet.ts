/**
 * The workers of one supervisor: started, followed, replaced when they are lost, drained together.
 *
 * Floor 5, room server. A worker that leaves `SILENT_BEATS` beats unanswered is ended and replaced. One that is lost soon
 * after its start is replaced after a pause that doubles, so that a crash loop costs little; the others serve meanwhile.
 */
import cluster from 'node:cluster'
import type { Clock, Timer } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import type { EventName } from '../model/event.ts'
import type { Logger } from '../model/port.ts'
import type { Answers, Counts, Fleet, Question, WorkerView } from '../ops/fleet.ts'
import type { Sequencer } from '../tier/sequencer.ts'
import type { ListenWish } from './listener.ts'
import type { ReloadPlan } from './reload.ts'
import type { WorkerEvent, WorkerStart } from './worker-message.ts'
import { type WorkerEvents, WorkerProcess } from './worker-process.ts'

/** What a fleet works with. */
export interface FleetParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly sequencer: Sequencer
  readonly workers: number
  /** What the next worker is started with, but for its name and address. */
  start(): Omit<WorkerStart, 'worker' | 'place' | 'at'>
  onCounts(worker: string, counts: Counts): void
  onEnded(worker: string): void
  onHappened(events: readonly WorkerEvent[]): void
}

const BEAT_MS = 200
const SILENT_BEATS = 25
const ASK_MS = 1000
const START_MS = 60_000
/** A worker that lived so long was no part of a crash loop. */
const STEADY_MS = 10_000
const FIRST_PAUSE_MS = 100
const MAX_PAUSE_MS = 10_000

/** See the module's header. */
export class WorkerFleet implements Fleet {
  readonly #parts: FleetParts
  readonly #live = new Map<string, WorkerProcess>()
  readonly #places = new Map<string, number>()
  readonly #pauses = new Set<Timer>()
  #starting: { resolve(port: number): void; reject(error: Error): void } | undefined
  #watched: readonly EventName[] = []
  #at: ListenWish = { host: '127.0.0.1', port: 0 }
  #next = 1
  #crashes = 0
  #beat: Timer | undefined
  #isClosing = false
  replaced = 0

  constructor(parts: FleetParts) {
    this.#parts = parts
  }

  /** Workers that listen. */
  get listening(): number {
    return [...this.#live.values()].filter(({ state }) => state === 'listening').length
  }

  workers(): WorkerView[] {
    return [...this.#live.values()].map((worker) => worker.view())
  }

  /** Starts all workers; resolves with the port when all listen. @throws what the first says that cannot listen; FC_WORKER_START */
  async start(at: ListenWish): Promise<number> {
    this.#at = at
    this.#pulse()
    const listening = new Promise<number>((resolve, reject) => {
      this.#starting = { resolve, reject }
    })
    // The first one takes a free port, where none is given; the others share it.
    const first = at.port === 0 ? 1 : this.#parts.workers
    for (let i = 0; i < first; i += 1) this.#spawn()
    return listening.finally(() => (this.#starting = undefined))
  }

  async ask<W extends Question['what']>(
    question: Extract<Question, { readonly what: W }>,
  ): Promise<{ readonly worker: string; readonly answer: Answers[W] }[]> {
    const deadlineMs = ASK_MS + ('windowMs' in question ? question.windowMs : 0)
    const asked = [...this.#live.values()].map(async (worker) => ({
      worker: worker.id,
      answer: await worker.ask(question, deadlineMs),
    }))
    const answers = await Promise.all(asked)
    return answers.flatMap(({ worker, answer }) => (answer === undefined ? [] : [{ worker, answer: answer as Answers[W] }]))
  }

  /** Puts other rules in force everywhere; a worker that does not take them in time is ended. */
  async reload(plan: ReloadPlan, rules: number): Promise<void> {
    const all = [...this.#live.values()].map(async (worker) => {
      if (await worker.reload(plan, rules, ASK_MS)) return
      this.end(worker.id)
      return worker.ended
    })
    await Promise.all(all)
  }

  /** Events that the workers tell from now on. */
  watch(names: readonly EventName[]): void {
    this.#watched = names
    for (const worker of this.#live.values()) if (worker.isMember) worker.watch(names)
  }

  /** Ends a worker that cannot be relied on; its successor is started. */
  end(id: string): void {
    const worker = this.#live.get(id)
    if (worker === undefined) return
    this.#parts.logger.error({ worker: id, pid: worker.pid }, 'a worker does not answer; ending it')
    worker.kill()
  }

  /** Lets every worker finish what is under way; who has not ended `afterMs` after the deadline is ended. */
  async close(deadlineMs: number, afterMs = ASK_MS): Promise<void> {
    this.#isClosing = true
    for (const pause of this.#pauses) pause.cancel()
    const all = [...this.#live.values()]
    for (const worker of all) worker.drain(deadlineMs)
    const timer = this.#parts.clock.after(deadlineMs + afterMs, () => this.kill())
    await Promise.all(all.map((worker) => worker.ended))
    timer.cancel()
    this.#beat?.cancel()
  }

  /** Ends every worker now. */
  kill(): void {
    this.#isClosing = true
    for (const worker of this.#live.values()) worker.kill()
  }

  #spawn(): void {
    const id = String(this.#next)
    this.#next += 1
    const place = this.#freePlace()
    this.#places.set(id, place)
    const start = (): WorkerStart => ({ ...this.#parts.start(), worker: id, place, at: this.#at })
    const { process: child } = cluster.fork()
    const worker = new WorkerProcess(child, { id, start, clock: this.#parts.clock, events: this.#events() })
    this.#live.set(id, worker)
  }

  #freePlace(): number {
    const taken = new Set(this.#places.values())
    let place = 1
    while (taken.has(place)) place += 1
    return place
  }

  #events(): WorkerEvents {
    const { sequencer, onCounts, onHappened } = this.#parts
    return {
      onJoin: (worker) => sequencer.join(worker.id, (message) => worker.link(message)),
      onListening: (worker, port) => this.#onListening(worker, port),
      onFailed: (worker, error) => this.#fail(worker, error),
      onLink: (worker, message) => sequencer.receive(worker.id, message),
      onCounts: (worker, counts) => onCounts(worker.id, counts),
      onHappened,
      onLost: (worker, reason) => this.#onLost(worker, reason),
      onEnded: (worker) => this.#onEnded(worker),
    }
  }

  #onListening(worker: WorkerProcess, port: number): void {
    if (this.#watched.length > 0) worker.watch(this.#watched)
    if (this.#at.port === 0) {
      this.#at = { ...this.#at, port }
      for (let i = 1; i < this.#parts.workers; i += 1) this.#spawn()
    }
    if (this.listening === this.#parts.workers) this.#starting?.resolve(port)
  }

  #fail(worker: WorkerProcess, error: Error): void {
    this.#parts.logger.error({ err: error, worker: worker.id }, 'a worker cannot listen')
    this.#starting?.reject(error)
  }

  #onEnded(worker: WorkerProcess): void {
    this.#live.delete(worker.id)
    this.#places.delete(worker.id)
    this.#parts.sequencer.leave(worker.id)
    this.#parts.onEnded(worker.id)
  }

  #onLost(worker: WorkerProcess, reason: string): void {
    if (this.#isClosing) return
    const { logger, clock } = this.#parts
    this.#starting?.reject(new ForecacheError('FC_WORKER_START', { worker: worker.id, reason }))
    this.#crashes = worker.agedMs > STEADY_MS ? 0 : this.#crashes + 1
    const pauseMs = this.#crashes === 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (this.#crashes - 1), MAX_PAUSE_MS)
    logger.error({ worker: worker.id, pid: worker.pid, reason, pauseMs }, 'a worker was lost; replacing it')
    this.replaced += 1
    const pause = clock.after(pauseMs, () => {
      this.#pauses.delete(pause)
      if (!this.#isClosing) this.#spawn()
    })
    this.#pauses.add(pause)
  }

  /** Beats go out when everything that lay in the channels was read, so that who sees again has heard all of it. */
  #pulse(): void {
    const { clock, sequencer } = this.#parts
    this.#beat = clock.after(BEAT_MS, () => {
      setImmediate(() => {
        for (const worker of this.#live.values()) this.#check(worker)
        sequencer.beat()
      })
      this.#pulse()
    })
  }

  #check(worker: WorkerProcess): void {
    if (worker.unanswered >= SILENT_BEATS || (worker.state === 'starting' && worker.agedMs > START_MS)) this.end(worker.id)
  }
}
