/**
 * One worker as its supervisor sees it: its channel, its state, what it owes an answer for.
 *
 * Floor 5, room server. Every question has a deadline; a process that does not read its channel is noticed by the beats it
 * leaves unanswered. Ended means that the process is gone: only then may be called lost what it held.
 */
import type { ChildProcess } from 'node:child_process'
import type { Clock } from '../model/clock.ts'
import type { EventName } from '../model/event.ts'
import type { Answers, Counts, Question, WorkerView } from '../ops/fleet.ts'
import type { ToMember, ToSequencer } from '../tier/sequencer.ts'
import type { ReloadPlan } from './reload.ts'
import { errorOf, type FromWorker, type ToWorker, type WorkerEvent, type WorkerStart } from './worker-message.ts'

/** Where a worker is in its life. */
export type WorkerState = 'starting' | 'joined' | 'listening' | 'draining' | 'ended'

/** What a worker's life causes. */
export interface WorkerEvents {
  /** @returns the place in the log that the worker starts from */
  onJoin(worker: WorkerProcess): number
  onListening(worker: WorkerProcess, port: number): void
  onFailed(worker: WorkerProcess, error: Error): void
  onLink(worker: WorkerProcess, message: ToSequencer): void
  onCounts(worker: WorkerProcess, counts: Counts): void
  onHappened(events: readonly WorkerEvent[]): void
  /** It needs a successor: it ends by itself, or has ended. Called once. */
  onLost(worker: WorkerProcess, reason: string): void
  /** The process is gone. */
  onEnded(worker: WorkerProcess): void
}

/** See the module's header. */
export class WorkerProcess {
  readonly id: string
  readonly startedAt: string
  readonly #child: ChildProcess
  readonly #clock: Clock
  readonly #events: WorkerEvents
  readonly #asked = new Map<number, (answer: unknown) => void>()
  readonly #startedMs: number
  #state: WorkerState = 'starting'
  #nextId = 1
  #unanswered = 0
  #isLost = false
  #isStarted = false
  #end!: () => void
  readonly ended: Promise<void>

  constructor(child: ChildProcess, parts: { id: string; start: () => WorkerStart; clock: Clock; events: WorkerEvents }) {
    this.id = parts.id
    this.#child = child
    this.#clock = parts.clock
    this.#events = parts.events
    this.#startedMs = parts.clock.now()
    this.startedAt = new Date(parts.clock.wall()).toISOString()
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
    child.on('message', (message) => this.#receive(message as FromWorker, parts.start))
    child.once('exit', (code, signal) => this.#onExit(signal ?? `code ${code}`))
    child.once('error', (error) => this.#onExit(error.message))
  }

  get state(): WorkerState {
    return this.#state
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** How long it has lived, ms. */
  get agedMs(): number {
    return this.#clock.now() - this.#startedMs
  }

  /** Whether it follows the log. */
  get isMember(): boolean {
    return this.#state === 'joined' || this.#state === 'listening' || this.#state === 'draining'
  }

  /** Beats sent since it was last heard. */
  get unanswered(): number {
    return this.#unanswered
  }

  view(): WorkerView {
    return { id: this.id, pid: this.pid, state: this.#state, startedAt: this.startedAt }
  }

  link(message: ToMember): void {
    if (message.type === 'beat') this.#unanswered += 1
    this.#tell({ type: 'link', message })
  }

  watch(names: readonly EventName[]): void {
    this.#tell({ type: 'watch', names })
  }

  /** @returns undefined when it does not answer in time */
  ask<W extends Question['what']>(question: Extract<Question, { what: W }>, deadlineMs: number): Promise<Answers[W] | undefined> {
    return this.#expect((id) => ({ type: 'ask', id, question }), deadlineMs) as Promise<Answers[W] | undefined>
  }

  /** @returns whether the other rules are in force there */
  async reload(plan: ReloadPlan, rules: number, deadlineMs: number): Promise<boolean> {
    if (!this.#isStarted) return true // it will be started with them
    return (await this.#expect((id) => ({ type: 'reload', id, plan, rules }), deadlineMs)) === true
  }

  /** Lets it finish what is under way. */
  drain(deadlineMs: number): void {
    if (this.#state === 'ended') return
    this.#isLost = true
    this.#state = 'draining'
    this.#tell({ type: 'drain', deadlineMs })
  }

  /** Ends it now, even if it is stopped. */
  kill(): void {
    if (this.isMember) this.#state = 'draining' // it takes no requests any more
    this.#child.kill('SIGKILL')
  }

  #expect(message: (id: number) => ToWorker, deadlineMs: number): Promise<unknown> {
    if (!this.#isStarted || this.#state === 'ended') return Promise.resolve(undefined)
    const id = this.#nextId
    this.#nextId += 1
    return new Promise((resolve) => {
      const finish = (answer: unknown): void => {
        this.#asked.delete(id)
        timer.cancel()
        resolve(answer)
      }
      const timer = this.#clock.after(deadlineMs, () => finish(undefined))
      this.#asked.set(id, finish)
      this.#tell(message(id))
    })
  }

  #tell(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => {}) // a channel that breaks is told by the end of the process
  }

  #receive(message: FromWorker, start: () => WorkerStart): void {
    this.#unanswered = 0
    switch (message.type) {
      case 'hello': {
        this.#isStarted = true
        return this.#tell({ type: 'start', start: start() })
      }
      case 'join': {
        this.#state = 'joined'
        return this.#tell({ type: 'welcome', sequence: this.#events.onJoin(this) })
      }
      case 'listening': {
        if (this.#state === 'joined') this.#state = 'listening'
        return this.#events.onListening(this, message.port)
      }
      case 'failed':
        return this.#events.onFailed(this, errorOf(message.error))
      case 'link':
        return this.#events.onLink(this, message.message)
      case 'alive':
        return
      case 'counts':
        return this.#events.onCounts(this, message.counts)
      case 'answer':
        return this.#asked.get(message.id)?.(message.answer)
      case 'reloaded':
        return this.#asked.get(message.id)?.(true)
      case 'events':
        return this.#events.onHappened(message.events)
      case 'ending': {
        this.#state = 'draining'
        return this.#lose('an error that nobody caught')
      }
      default:
        return message satisfies never
    }
  }

  #lose(reason: string): void {
    if (this.#isLost) return
    this.#isLost = true
    this.#events.onLost(this, reason)
  }

  #onExit(reason: string): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    for (const finish of [...this.#asked.values()]) finish(undefined)
    this.#events.onEnded(this)
    this.#lose(reason)
    this.#end()
  }
}
