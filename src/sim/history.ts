/**
 * What happened, as clients saw it: every read and every invalidation with its beginning and its end.
 *
 * Floor 1, room sim. Each beginning and each end has a number of its own: one after the other also within one moment.
 */

/** What all operations have. */
export interface Operation {
  readonly node: string
  /** Which life of the node was asked. */
  readonly life: number
  readonly key: string
  /** Place of its beginning in the order of everything. */
  readonly begun: number
  readonly begunAt: number
  /** Place of its end; Infinity while there is none. */
  ended: number
  endedAt: number
  /** Why it failed, if it did. */
  error?: string
}

/** A client asked a node for a key. */
export interface Read extends Operation {
  readonly kind: 'read'
  /** The write whose token it carried. */
  readonly tokenOf: Write | undefined
  version: number
  isCached: boolean
}

/** A client changed the origin, and told a node so. Begins once the origin was changed. */
export interface Write extends Operation {
  readonly kind: 'write'
  readonly version: number
  /** What the node answered: a version token, and how many nodes have followed. */
  token: string | undefined
  expected: number
  acknowledged: number
}

/** A time during which something was wrong. */
export interface Trouble {
  /** Node it was about; undefined: all of them. */
  readonly node: string | undefined
  /** `stop`: the node stood still or was down. `sick`: it could not count on the store or the network. */
  readonly kind: 'stop' | 'sick'
  readonly from: number
  to: number
}

/** See the module's header. */
export class History {
  readonly reads: Read[] = []
  readonly writes: Write[] = []
  readonly troubles: Trouble[] = []
  readonly #now: () => number
  #order = 0

  /** @param now world's ms */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Operations without an end. */
  get open(): number {
    let open = 0
    for (const { ended } of this.reads) if (ended === NEVER) open += 1
    for (const { ended } of this.writes) if (ended === NEVER) open += 1
    return open
  }

  beginRead(at: Pick<Read, 'node' | 'life' | 'key' | 'tokenOf'>): Read {
    const read: Read = { kind: 'read', ...at, ...this.#begin(), version: -1, isCached: false }
    this.reads.push(read)
    return read
  }

  beginWrite(at: Pick<Write, 'node' | 'life' | 'key' | 'version'>): Write {
    const write: Write = { kind: 'write', ...at, ...this.#begin(), token: undefined, expected: 0, acknowledged: 0 }
    this.writes.push(write)
    return write
  }

  end(operation: Operation, error?: unknown): void {
    this.#order += 1
    operation.ended = this.#order
    operation.endedAt = this.#now()
    if (error !== undefined) operation.error = error instanceof Error ? error.message : String(error)
  }

  /** @returns a function that ends the trouble */
  trouble(kind: Trouble['kind'], node?: string): () => void {
    const trouble: Trouble = { kind, node, from: this.#now(), to: NEVER }
    this.troubles.push(trouble)
    return () => (trouble.to = this.#now())
  }

  #begin(): Pick<Operation, 'begun' | 'begunAt' | 'ended' | 'endedAt'> {
    this.#order += 1
    return { begun: this.#order, begunAt: this.#now(), ended: NEVER, endedAt: NEVER }
  }
}

const NEVER = Number.POSITIVE_INFINITY
