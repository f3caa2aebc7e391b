/**
 * The loads of one call for many keys: those that begin in the same turn ask together whether another process loads the same
 * keys, and are told together, so that they go to the origin in one call.
 *
 * Floor 3, room flow. One question and one lease, however many keys; it goes by the names of all of them, so that who asks for
 * other keys waits for nobody.
 */
import { awaitLease, type Stand, type Wish } from './await-lease.ts'
import type { Engine } from './engine.ts'

interface Asking extends Wish {
  settle(stand: Stand): void
}

/** See the module's header. */
export class Together {
  readonly #engine: Engine
  #asking: Asking[] = []

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** As `awaitLease`, of one of the keys. Never rejects. */
  enter(wish: Wish): Promise<Stand> {
    return new Promise((settle) => {
      if (this.#asking.length === 0) queueMicrotask(() => void this.#ask())
      this.#asking.push({ ...wish, settle })
    })
  }

  async #ask(): Promise<void> {
    const asking = this.#asking
    this.#asking = []
    const stands = await awaitLease(this.#engine, asking)
    asking.forEach(({ settle }, index) => settle(stands[index] as Stand))
  }
}
