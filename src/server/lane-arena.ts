/**
 * Where a lane keeps the heads of answers: a ring of slabs, the oldest of which is written anew when all are full.
 *
 * Floor 5, room server. A head of its own buffer costs more to make than all that stands in it, and three objects far
 * apart to read. Bounded by an eighth of the memory's limit; slabs are made as they are needed, charged, and stay. Whoever
 * finds his head overwritten makes it again: a head is never more than a copy of what the response says.
 */
import type { Engine } from '../flow/engine.ts'
import { ACCOUNT, type Ledger } from '../model/ledger.ts'

const SHARE = 8
const MIN_SLAB_BYTES = 16 * 1024
const MAX_SLAB_BYTES = 1024 * 1024
const MIN_SLABS = 4

/** A place for heads. */
export interface Slab {
  readonly bytes: Buffer
  /** Changes when it is written anew: what was put before is gone. */
  serial: number
}

/** A head that was put. */
export interface PutHead {
  readonly head: Buffer
  readonly slab: Slab
  /** Bytes that no slab holds: whoever keeps the head has them charged. */
  readonly ownBytes: number
}

/** See the module's header. */
export class HeadArena {
  readonly #ledger: Ledger
  readonly #slabBytes: number
  readonly #maxSlabs: number
  readonly #slabs: Slab[] = []
  #current = 0
  #used = Infinity

  /** @param maxBytes the memory's limit */
  constructor(maxBytes: number, ledger: Ledger) {
    const bytes = maxBytes / SHARE
    this.#ledger = ledger
    this.#slabBytes = Math.floor(Math.min(Math.max(bytes / 16, MIN_SLAB_BYTES), MAX_SLAB_BYTES))
    this.#maxSlabs = Math.max(MIN_SLABS, Math.floor(bytes / this.#slabBytes))
  }

  /** Puts a head, latin1. */
  put(text: string): PutHead {
    const { length } = text
    if (length > this.#slabBytes / 4) return { head: Buffer.from(text, 'latin1'), slab: LASTING, ownBytes: length }
    if (this.#used + length > this.#slabBytes) this.#turn()
    const slab = this.#slabs[this.#current] as Slab
    const head = slab.bytes.subarray(this.#used, this.#used + length)
    slab.bytes.write(text, this.#used, 'latin1')
    this.#used += length
    return { head, slab, ownBytes: 0 }
  }

  #turn(): void {
    this.#used = 0
    if (this.#slabs.length < this.#maxSlabs) {
      this.#current = this.#slabs.length
      this.#slabs.push({ bytes: Buffer.allocUnsafeSlow(this.#slabBytes), serial: 0 })
      this.#ledger.charge(ACCOUNT.lane, this.#slabBytes)
      return
    }
    this.#current = (this.#current + 1) % this.#slabs.length
    ;(this.#slabs[this.#current] as Slab).serial += 1
  }
}

/** Of heads that stand alone: never written anew. */
const LASTING: Slab = { bytes: Buffer.alloc(0), serial: 0 }

/** One for all desks of an engine: heads stay when rules are exchanged. */
const arenas = new WeakMap<Engine, HeadArena>()

/** The arena of an engine. */
export function arenaOf(engine: Engine): HeadArena {
  const arena = arenas.get(engine) ?? new HeadArena(engine.memory.maxBytes, engine.ledger)
  arenas.set(engine, arena)
  return arena
}
