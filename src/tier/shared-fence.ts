/**
 * What the shared log named last, by its own sequence numbers: judges what comes from the shared tier.
 *
 * Floor 2, room tier. A reading of the shared tier carries the sequence number its reader had applied when it began; it is
 * good iff nothing that names it stands in the log after that. Tables are bounded; what they have forgotten, or what stood in
 * the log before this process began to read it, lies below the floor, and a reading older than the floor counts as dead.
 * Own invalidations without a place yet name whatever was not read after them, which is everything that others wrote.
 */
import type { Position } from '../model/entry.ts'
import type { LinkDraft, LinkTarget } from '../model/link.ts'
import type { Standing } from '../model/log.ts'
import { Positions } from './positions.ts'

/** What is looked at in a reading of the shared tier. Namespaces go by name. */
export interface SharedReading {
  readonly key: string
  readonly namespace: string
  readonly tags: readonly string[]
}

/** Names remembered. */
export interface SharedLimits {
  readonly keys: number
  readonly tags: number
  readonly prefixes: number
  readonly namespaces: number
}

export const SHARED_LIMITS: SharedLimits = { keys: 65_536, tags: 65_536, prefixes: 256, namespaces: 1024 }

/** A name with its place. */
const NAME_BYTES = 160

class Side {
  readonly #keys: Positions
  readonly #tags: Positions
  readonly #prefixes: Positions
  readonly #namespaces: Positions
  #all: Position = 0

  constructor(limits: SharedLimits) {
    this.#keys = new Positions(limits.keys)
    this.#tags = new Positions(limits.tags)
    this.#prefixes = new Positions(limits.prefixes)
    this.#namespaces = new Positions(limits.namespaces)
  }

  get size(): number {
    return this.#keys.size + this.#tags.size + this.#prefixes.size + this.#namespaces.size
  }

  note(target: LinkTarget, position: Position): void {
    switch (target.kind) {
      case 'key':
        return this.#keys.set(target.key, position)
      case 'tag':
        return this.#tags.set(target.tag, position)
      case 'prefix':
        return this.#prefixes.set(target.prefix, position)
      case 'namespace':
        return this.#namespaces.set(target.namespace, position)
      case 'all': {
        this.#all = position
        return
      }
      default:
        return target satisfies never
    }
  }

  names(asOf: Position, { key, namespace, tags }: SharedReading): boolean {
    if (this.#all > asOf || isAfter(this.#keys, key, asOf) || isAfter(this.#namespaces, namespace, asOf)) return true
    for (const tag of tags) if (isAfter(this.#tags, tag, asOf)) return true
    if (this.#prefixes.floor > asOf) return true
    for (const [prefix, at] of this.#prefixes.entries()) if (at > asOf && key.startsWith(prefix)) return true
    return false
  }
}

/** See the module's header. */
export class SharedFence {
  readonly #limits: SharedLimits
  #hard: Side
  #soft: Side
  #floor: Position

  constructor(floor: Position, limits: SharedLimits = SHARED_LIMITS) {
    this.#limits = limits
    this.#hard = new Side(limits)
    this.#soft = new Side(limits)
    this.#floor = floor
  }

  /** Readings that began before it cannot be judged. */
  get floor(): Position {
    return this.#floor
  }

  /** Bytes of what is remembered, about. */
  get heldBytes(): number {
    return (this.#hard.size + this.#soft.size) * NAME_BYTES
  }

  /** Forgets everything: the log begins at `floor`. */
  restart(floor: Position): void {
    this.#hard = new Side(this.#limits)
    this.#soft = new Side(this.#limits)
    this.#floor = floor
  }

  /** Records must come in their order. */
  note({ targets, soft }: Pick<LinkDraft, 'targets' | 'soft'>, sequence: Position): void {
    const side = soft ? this.#soft : this.#hard
    for (const target of targets) side.note(target, sequence)
  }

  /** @param pending own invalidations without a place yet */
  standing(asOf: Position, reading: SharedReading, pending: Iterable<LinkDraft>): Standing {
    if (asOf < this.#floor || this.#hard.names(asOf, reading)) return 'dead'
    let standing: Standing = this.#soft.names(asOf, reading) ? 'soft' : 'current'
    for (const { targets, soft } of pending) {
      if (!targets.some((target) => namesShared(target, reading))) continue
      if (!soft) return 'dead'
      standing = 'soft'
    }
    return standing
  }
}

/** Whether a target names a reading of the shared tier. */
export function namesShared(target: LinkTarget, { key, namespace, tags }: SharedReading): boolean {
  switch (target.kind) {
    case 'key':
      return target.key === key
    case 'tag':
      return tags.includes(target.tag)
    case 'prefix':
      return key.startsWith(target.prefix)
    case 'namespace':
      return target.namespace === namespace
    case 'all':
      return true
    default:
      return target satisfies never
  }
}

function isAfter(table: Positions, name: string, asOf: Position): boolean {
  return table.floor > asOf || table.get(name) > asOf
}
