/**
 * This engine's part in a log shared with other engines: what is invalidated here is published, what others publish is
 * applied here.
 *
 * Floor 3, room flow. Positions of the fence stay this process's own; the shared sequence number stands beside them and
 * makes the version token. Own records were applied when they were published and are not applied again: invalidations
 * commute. Blind, this engine does what its policy says. `strict` is for links that lose nothing while they see: everything
 * stored counts as dead, nothing is stored and no load is shared, and what was read while blind is dropped when sight returns.
 * `miss` and `fail` hide what is stored until everything said meanwhile is applied; `budget` serves it, once the log could not
 * be reached for as long as silence is trusted: before that, what was stored here before the log was found is hidden too. Costs a hit nothing
 * but, before what is asynchronous, one comparison (`seesUntil`).
 */
import { ForecacheError } from '../model/errors.ts'
import type { Clock } from '../model/clock.ts'
import type { Position } from '../model/entry.ts'
import type { BlindPolicy, FenceLink, LinkDraft, LinkReceiver, LinkRecord, LinkTarget, Settled } from '../model/link.ts'
import type { Standing, Target } from '../model/log.ts'
import type { MemoryPort } from '../model/port.ts'
import type { Fence } from '../tier/fence.ts'
import { SharedFence, type SharedReading } from '../tier/shared-fence.ts'
import type { Flights } from './flight.ts'
import { countMatches } from './invalidate.ts'

/** The parts of an engine that a shared log acts on. */
export interface SharedParts {
  readonly clock: Clock
  readonly fence: Fence
  readonly memory: MemoryPort & { veil(isVeiled: boolean): void }
  readonly flights: Flights
}

const ALL: readonly Target[] = [{ kind: 'all' }]
const NONE: readonly LinkDraft[] = []

/** See the module's header. */
export class SharedLog implements LinkReceiver {
  readonly policy: BlindPolicy
  readonly #link: FenceLink
  readonly #parts: SharedParts
  #applied: Position = 0
  #table: SharedFence | undefined
  #isBlind = false
  #isDoubtful = false
  #blindSince = 0
  #blindMs = 0
  /** Version of the rules in force here; changed with them, see LinkDraft. */
  rules = 0
  /** What is stored may be served without a question until this moment of the clock; then after `regain`. */
  seesUntil = Number.POSITIVE_INFINITY

  constructor(link: FenceLink, parts: SharedParts, policy: BlindPolicy = 'strict') {
    this.#link = link
    this.#parts = parts
    this.policy = policy
    if (policy !== 'strict') this.#table = new SharedFence(0)
    const start = link.start(this)
    this.#applied = Math.max(this.#applied, start)
  }

  /** Whether this engine cannot prove that it has heard everything. */
  get isBlind(): boolean {
    return this.#isBlind
  }

  /** Whether what was read must not be stored now. */
  get isClosedToKeeps(): boolean {
    return this.#isBlind && this.policy !== 'budget'
  }

  /** Ms that this engine was blind. */
  get blindMs(): number {
    return this.#blindMs + (this.#isBlind ? this.#parts.clock.now() - this.#blindSince : 0)
  }

  /** Name of the log; '' until it was reached. */
  get generation(): string {
    return this.#link.generation
  }

  /** Members that live, this one among them; at least two while nobody knows. */
  get expected(): number {
    return this.#link.expected ?? UNKNOWN
  }

  /** Last shared sequence number applied here, everything before it too: what a reading that begins now carries. */
  get applied(): Position {
    return this.#applied
  }

  /** Version token of what is applied here. */
  get token(): string {
    return `${this.#link.generation}.${this.#applied}`
  }

  /** Bytes of what is remembered of the log, about. */
  get heldBytes(): number {
    return this.#table?.heldBytes ?? 0
  }

  /** Version token of a place in the log; of a record that has none yet (0): one that nobody has reached. */
  tokenOf(sequence: Position): string {
    return `${this.#link.generation}.${sequence === 0 ? UNPLACED : sequence}`
  }

  /** Whether a token's writes are applied here. */
  hasReached(token: string): boolean {
    const [generation, sequence] = token.split('.')
    if (generation !== this.#link.generation || (this.#isBlind && this.policy === 'strict')) return false
    return generation !== '' && Number(sequence) <= this.#applied
  }

  /** Hears what a token's bearer has seen, whatever delays it. @returns whether it is applied within the deadline */
  async catchUp(token: string, deadlineMs: number): Promise<boolean> {
    if (this.hasReached(token)) return true
    const sequence = this.placeOf(token)
    if (sequence === undefined) return false
    return (await this.#link.catchUp?.(sequence, deadlineMs)) === true && this.hasReached(token)
  }

  /** The place in this log that a token stands for; undefined: of another log, or of a record that has none. */
  placeOf(token: string): Position | undefined {
    const [generation, place] = token.split('.')
    const sequence = Number(place)
    return generation === this.#link.generation && Number.isSafeInteger(sequence) ? sequence : undefined
  }

  /** Whether who comes after `seesUntil` has to ask once more: not where it is known that this member is blind. */
  get mustReprove(): boolean {
    return !this.#isBlind || (this.policy === 'budget' && this.#parts.clock.now() >= this.seesUntil)
  }

  /** For who comes after `seesUntil`: asks once more, in bounded time. @throws (rejects) FC_LINK_BLIND where the policy is `fail` */
  async regain(): Promise<void> {
    if (this.mustReprove) await this.#link.reprove?.()
    if (this.#isBlind && this.policy === 'fail') throw new ForecacheError('FC_LINK_BLIND')
  }

  /**
   * Judges a reading of the shared tier.
   *
   * @param asOf sequence number that its reader had applied when the reading began; of this generation
   */
  standing(asOf: Position, reading: SharedReading): Standing {
    if (this.isClosedToKeeps) return 'dead'
    this.#table ??= new SharedFence(this.#applied)
    return this.#table.standing(asOf, reading, this.#link.pending?.() ?? NONE)
  }

  /** Has what still waits appended, as far as the deadline allows, and leaves the log. */
  async close(deadlineMs: number): Promise<void> {
    await this.#link.close?.(deadlineMs)
  }

  /**
   * Appends what was applied here already. Never rejects.
   *
   * @param namespaces others that only other members may have
   */
  publish(
    record: { readonly targets: readonly Target[]; readonly soft: boolean; readonly source: string },
    namespaces: readonly string[] = [],
  ): Promise<Settled> {
    const others = namespaces.map((namespace): LinkTarget => ({ kind: 'namespace', namespace }))
    const targets = [...record.targets.map((target) => outward(target, this.#parts.fence)), ...others]
    return this.#link.publish({ ...record, targets, rules: this.rules })
  }

  apply(record: LinkRecord): number {
    const { fence, memory } = this.#parts
    const isSame = record.rules === this.rules
    const targets = isSame ? record.targets.flatMap((target) => inward(target, fence)) : ALL
    const matched = countMatches(memory, targets)
    if (targets.length > 0) fence.append(targets, record.soft && isSame, record.source)
    this.#table?.note(isSame ? record : EVERYTHING, record.sequence)
    this.#applied = record.sequence
    return matched
  }

  reach(sequence: Position, draft: LinkDraft): void {
    this.#table?.note(draft, sequence)
    this.#applied = sequence
  }

  blind(untilMs: number = Number.POSITIVE_INFINITY, isNew = false): void {
    const { flights, memory, fence } = this.#parts
    if (this.policy === 'fail') this.seesUntil = Number.NEGATIVE_INFINITY
    else this.seesUntil = this.policy === 'budget' ? untilMs : Number.POSITIVE_INFINITY
    // Who has just begun is no member yet, and nobody waits for it: it is late, not cut off, and serves nothing it has stored.
    memory.veil(isNew || this.policy === 'miss' || this.policy === 'fail')
    if (this.#isBlind) return
    this.#blindSince = this.#parts.clock.now()
    this.#isBlind = true
    this.#isDoubtful = false
    if (this.policy === 'budget') return
    flights.alone = true
    if (this.policy === 'strict') fence.append(ALL, false, 'blind')
    else flights.scatter()
  }

  see(): void {
    this.#parts.fence.append(ALL, false, 'blind')
    this.#open()
  }

  doubt(): void {
    if (this.#isBlind) return
    this.#isDoubtful = true
    this.#parts.memory.veil(true)
  }

  prove(untilMs: number): void {
    this.seesUntil = untilMs
    if (!this.#isBlind && !this.#isDoubtful) return
    if (this.#isBlind && this.policy === 'strict') this.#parts.fence.append(ALL, false, 'blind')
    this.#open()
  }

  renew(position: Position): void {
    this.#parts.fence.append(ALL, false, 'lost')
    this.#table?.restart(position)
    this.#applied = position
  }

  #open(): void {
    if (this.#isBlind) this.#blindMs += this.#parts.clock.now() - this.#blindSince
    this.#parts.flights.alone = false
    this.#parts.memory.veil(false)
    this.#isBlind = false
    this.#isDoubtful = false
  }
}

/** This member, and there may be others. */
const UNKNOWN = 2
/** Stands in a token for the place of a record that has none. */
const UNPLACED = '?'
const EVERYTHING: Pick<LinkDraft, 'targets' | 'soft'> = { targets: [{ kind: 'all' }], soft: false }

/** A target in words that every process understands. */
export function outward(target: Target, fence: Fence): LinkTarget {
  return target.kind === 'namespace' ? { kind: 'namespace', namespace: fence.namespaceName(target.namespace) } : target
}

/** None for a namespace that this process does not have: nothing of it is stored here. */
export function inward(target: LinkTarget, fence: Fence): Target[] {
  if (target.kind !== 'namespace') return [target]
  const namespace = fence.knownNamespace(target.namespace)
  return namespace === undefined ? [] : [{ kind: 'namespace', namespace }]
}
