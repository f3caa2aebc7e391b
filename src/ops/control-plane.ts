/**
 * The control plane: the leader looks at all instances, decides how many there should be, and tells the scaler.
 *
 * Floor 4, room ops. Every instance has one; only the leader's acts. An order is recorded in the store under the leader's
 * term first, in the step that refuses a former leader, then given within a deadline, carrying the term. When an order was
 * given is read from the store by whoever becomes leader, so a cool-down outlives him; what was wanted before is not known to
 * him, so nothing is taken away until he has watched for a whole window.
 */
import type { Clock, Timer } from '../model/clock.ts'
import { ForecacheError, textOf } from '../model/errors.ts'
import type { Logger } from '../model/port.ts'
import type { Election, Leadership } from './election.ts'
import type { InstanceFacts } from './instance.ts'
import type { Scaler, ScaleReading } from './scaler-port.ts'
import type { ScalingAudit, ScalingRecord } from './scaling-audit.ts'
import { beginScaling, decideScaling, type ScalingDecision, type ScalingMemory, type ScalingPolicy } from './scaling-policy.ts'

/** What a control plane is made of. */
export interface ControlParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly election: Election
  readonly scaler: Scaler
  readonly audit: ScalingAudit
  readonly policy: ScalingPolicy
  /** Id of this instance. */
  readonly id: string
  /** Between two looks, ms. */
  readonly everyMs: number
  /** For the scaler's answer, ms. */
  readonly deadlineMs: number
  /** Decides, orders nothing. */
  readonly dryRun: boolean
  /** Instances that live. @throws (rejects) FC_L2_* */
  list(): Promise<readonly InstanceFacts[]>
}

/** What the control plane is at. */
export interface ControlState {
  readonly scaler: string
  readonly dryRun: boolean
  readonly leadership: Leadership
  /** The last decision of this instance; undefined: it has not led yet. */
  readonly decision: Omit<ScalingDecision, 'memory'> | undefined
}

/** See the module's header. */
export class ControlPlane {
  readonly #parts: ControlParts
  #timer: Timer | undefined
  #memory: ScalingMemory | undefined
  #term = 0
  #decision: Omit<ScalingDecision, 'memory'> | undefined
  /** What a scaler that cannot say was told last, and until when that is believed. */
  #ordered: { readonly desired: number; readonly until: number } | undefined
  #isClosed = false
  #dryRunAt = -1

  constructor(parts: ControlParts) {
    this.#parts = parts
  }

  get state(): ControlState {
    const { scaler, dryRun, election } = this.#parts
    return { scaler: scaler.name, dryRun, leadership: election.leadership, decision: this.#decision }
  }

  start(): void {
    if (this.#isClosed) return
    this.#timer = this.#parts.clock.after(this.#parts.everyMs, () => void this.look().then(() => this.start()))
  }

  /** One look, and what follows from it. Never rejects. */
  async look(): Promise<void> {
    const { election, logger } = this.#parts
    const { isSelf, term } = election.leadership
    if (!isSelf) {
      this.#memory = undefined
      return
    }
    try {
      if (this.#memory === undefined || this.#term !== term) await this.#begin(term)
      const [instances, read] = await Promise.all([this.#parts.list(), this.#read()])
      await this.#decide(term, instances, read)
    } catch (error) {
      logger.warn({ reason: textOf(error) }, 'the scaler cannot see; nothing is changed')
    }
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  async #begin(term: number): Promise<void> {
    const { clock, election, policy } = this.#parts
    const last = await election.last()
    const now = clock.now()
    this.#memory = beginScaling(now, last === undefined ? undefined : now - last.agoMs)
    this.#ordered = last && { desired: last.desired, until: now - last.agoMs + policy.cooldownOut }
    this.#term = term
  }

  #read(): Promise<ScaleReading> {
    return this.#parts.scaler.read(AbortSignal.timeout(this.#parts.deadlineMs))
  }

  async #decide(term: number, instances: readonly InstanceFacts[], read: ScaleReading): Promise<void> {
    const { clock, policy, dryRun } = this.#parts
    const now = clock.now()
    const living = instances.filter(({ state }) => state !== 'draining').length
    const ordered = this.#ordered !== undefined && now < this.#ordered.until ? this.#ordered.desired : living
    const from = read.desired ?? ordered
    const { memory, ...decision } = decideScaling(policy, { now, desired: from, instances }, this.#memory as ScalingMemory)
    this.#decision = decision
    if (decision.desired === from || !dryRun) this.#memory = memory
    else this.#memory = { ...memory, changedAt: (this.#memory as ScalingMemory).changedAt } // nothing was changed
    if (decision.desired === from) return
    const record = this.#record({ term, from, decision })
    if (!dryRun) return this.#order(record, { version: read.version })
    if (this.#dryRunAt !== decision.desired) this.#parts.audit.add({ ...record, outcome: 'dry-run' })
    this.#dryRunAt = decision.desired
  }

  async #order(record: ScalingRecord, { version }: { readonly version: string | undefined }): Promise<void> {
    const { clock, election, scaler, audit, deadlineMs, policy } = this.#parts
    const { desired, from, term, detail: reason } = record
    const direction = desired > from ? 'out' : 'in'
    const permit = await election.permit(term, { desired, direction, record })
    if (permit === 'refused') {
      this.#memory = undefined
      return audit.add({ ...record, outcome: 'refused', detail: 'another instance leads by now' })
    }
    audit.add(record)
    try {
      await scaler.scale({ desired, from, term, reason, version }, AbortSignal.timeout(deadlineMs))
      this.#ordered = { desired, until: clock.now() + policy.cooldownOut }
      this.#settle({ ...record, at: this.#now(), outcome: 'done' })
    } catch (error) {
      const outcome = error instanceof ForecacheError && error.code === 'FC_SCALER_REFUSED' ? 'refused' : 'failed'
      this.#settle({ ...record, at: this.#now(), outcome, detail: textOf(error instanceof Error ? error.message : error) })
    }
  }

  #settle(record: ScalingRecord): void {
    this.#parts.audit.add(record)
    void this.#parts.election.note(record)
  }

  #record(about: {
    readonly term: number
    readonly from: number
    readonly decision: Omit<ScalingDecision, 'memory'>
  }): ScalingRecord {
    const { term, from, decision } = about
    const { desired, wanted, reason, by } = decision
    const detail = by === undefined ? 'outside of the bounds' : `${by.target} ${Number(by.now.toPrecision(4))} wants ${by.wanted}`
    const { id, scaler } = this.#parts
    return { at: this.#now(), term, by: id, outcome: 'ordered', from, desired, wanted, reason, detail, scaler: scaler.name }
  }

  #now(): string {
    return new Date(this.#parts.clock.wall()).toISOString()
  }
}
