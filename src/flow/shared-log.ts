/**
 * This engine's part in a log shared with other engines: what is invalidated here is published, what others publish is
 * applied here.
 *
 * Floor 3, room flow. Positions of the fence stay this process's own; the shared sequence number stands beside them and
 * makes the version token. Own records were applied when they were published and are not applied again: invalidations
 * commute. Blind, everything stored counts as dead, nothing is stored and no load is shared; what was read while blind is
 * dropped when sight returns. Costs a hit nothing: blindness is an invalidation of everything.
 */
import type { Position } from '../model/entry.ts'
import type { FenceLink, LinkReceiver, LinkRecord, LinkTarget, Settled } from '../model/link.ts'
import type { Target } from '../model/log.ts'
import type { MemoryPort } from '../model/port.ts'
import type { Fence } from '../tier/fence.ts'
import type { Flights } from './flight.ts'
import { countMatches } from './invalidate.ts'

/** The parts of an engine that a shared log acts on. */
export interface SharedParts {
  readonly fence: Fence
  readonly memory: MemoryPort
  readonly flights: Flights
}

const ALL: readonly Target[] = [{ kind: 'all' }]

/** See the module's header. */
export class SharedLog implements LinkReceiver {
  readonly #link: FenceLink
  readonly #parts: SharedParts
  #applied: Position
  #isBlind = false
  /** Version of the rules in force here; changed with them, see LinkDraft. */
  rules = 0

  constructor(link: FenceLink, parts: SharedParts) {
    this.#link = link
    this.#parts = parts
    this.#applied = link.start(this)
  }

  /** Whether this engine cannot prove that it has heard everything. */
  get isBlind(): boolean {
    return this.#isBlind
  }

  /** Version token of what is applied here. */
  get token(): string {
    return this.tokenOf(this.#applied)
  }

  /** Version token of a place in the log. */
  tokenOf(sequence: Position): string {
    return `${this.#link.generation}.${sequence}`
  }

  /** Whether a token's writes are applied here. */
  hasReached(token: string): boolean {
    const [generation, sequence] = token.split('.')
    return generation === this.#link.generation && !this.#isBlind && Number(sequence) <= this.#applied
  }

  /** Appends what was applied here already. Never rejects. */
  publish(record: { readonly targets: readonly Target[]; readonly soft: boolean; readonly source: string }): Promise<Settled> {
    const targets = record.targets.map((target) => outward(target, this.#parts.fence))
    return this.#link.publish({ ...record, targets, rules: this.rules })
  }

  apply(record: LinkRecord): number {
    const { fence, memory } = this.#parts
    const targets = record.rules === this.rules ? record.targets.flatMap((target) => inward(target, fence)) : ALL
    const matched = countMatches(memory, targets)
    if (targets.length > 0) fence.append(targets, record.soft && record.rules === this.rules, record.source)
    this.#applied = record.sequence
    return matched
  }

  reach(sequence: Position): void {
    this.#applied = sequence
  }

  blind(): void {
    this.#isBlind = true
    this.#parts.flights.alone = true
    this.#parts.fence.append(ALL, false, 'blind')
  }

  see(): void {
    this.#parts.fence.append(ALL, false, 'blind')
    this.#parts.flights.alone = false
    this.#isBlind = false
  }
}

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
