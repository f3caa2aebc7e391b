/**
 * The link between fences: one shared log that several engines append to and follow, whatever carries it.
 *
 * Floor 0, room model. What a link promises: records reach every member in one order; `publish` resolves when every
 * other member has applied the record or can no longer serve what it names, or says how many have; a member that cannot
 * prove that it has heard everything is told that it is blind. Within a machine tier/sequencer.ts carries it, between
 * machines a stream (tier/stream-link.ts). Links between machines cannot end a silent member: they doubt first, prove
 * anew, and hear what was said meanwhile, so that what stands may stand on.
 */
import type { Position } from './entry.ts'
import type { Target } from './log.ts'

/** A target between processes: namespaces go by name, since their small integers are each process's own. */
export type LinkTarget =
  | Exclude<Target, { readonly kind: 'namespace' }>
  | { readonly kind: 'namespace'; readonly namespace: string }

/** One invalidation before it has its place. */
export interface LinkDraft {
  readonly targets: readonly LinkTarget[]
  readonly soft: boolean
  /** Who asked, for explain. */
  readonly source: string
  /** Version of the rules that the targets' keys were made by: a member under other rules takes the record as naming all. */
  readonly rules: number
}

/** One invalidation in the shared log. */
export interface LinkRecord extends LinkDraft {
  /** Its place; the first is 1, each next one more. */
  readonly sequence: Position
}

/** What became of a published record. */
export interface Settled {
  /** Its place; 0 when the log could not be reached in time. */
  readonly sequence: Position
  /** Members that live, the publisher among them. */
  readonly expected: number
  /** Members of those that have applied it. */
  readonly acknowledged: number
  /** Entries it named in the other members' memories. */
  readonly matched: number
}

/** What a link calls. All of it is synchronous: when it returns, it holds. */
export interface LinkReceiver {
  /** Another member's record. @returns how many entries it named here */
  apply(record: LinkRecord): number
  /** A record of this member's own has its place; everything before it is applied. */
  reach(sequence: Position, draft: LinkDraft): void
  /**
   * Nothing may be trusted until the link sees again.
   *
   * @param untilMs moment of the clock until which this is known without asking again; default: until it sees
   * @param isNew this member has just begun: whether the log can be reached is not known yet
   */
  blind(untilMs?: number, isNew?: boolean): void
  /** Nothing that was read while blind, or before, may be served or stored; what is read from now on may. */
  see(): void
  /** Silence is proven up to a moment; it may be trusted until `untilMs` of the clock. Ends doubt and blindness. */
  prove(untilMs: number): void
  /** Silence may be trusted no longer: what is asked from now on waits for `reprove`. */
  doubt(): void
  /** It is another log now, or it has lost what follows this member's place: nothing stored so far is proven. */
  renew(position: Position): void
}

/** What a member does while it is blind: `strict` holds everything for dead, `miss` asks the origin, `fail` answers nobody. */
export type BlindPolicy = 'strict' | 'budget' | 'miss' | 'fail'

/** See the module's header. */
export interface FenceLink {
  /** Random name of the shared log: a token of another log says nothing here. Empty until the log was reached. */
  readonly generation: string
  /** Members that live, this one among them, as far as that is known; at least two while it is not. Default: two. */
  readonly expected?: number
  /** Begins to deliver. @returns the place in the log that this member starts from */
  start(receiver: LinkReceiver): Position
  /** Appends to the shared log what was applied here already. Bounded in time; never rejects. */
  publish(draft: LinkDraft): Promise<Settled>
  /** Records of this member's own that have no place yet: until then they name whatever comes from the others. */
  pending?(): Iterable<LinkDraft>
  /** Hears what stands up to a place, whatever delays it. @returns whether it is applied within the deadline */
  catchUp?(sequence: Position, deadlineMs: number): Promise<boolean>
  /** Proves silence now, in one bounded question. Never rejects. @returns whether this member sees */
  reprove?(): Promise<boolean>
  /** Appends what still waits, as far as the deadline allows, and leaves the log. Never rejects. */
  close?(deadlineMs: number): Promise<void> | void
}
