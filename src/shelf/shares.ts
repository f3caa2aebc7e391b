/**
 * Bodies that several entries have in common: kept and charged once, counted by reference.
 *
 * Floor 1, room shelf. A body becomes shared when an entry naming it is stored right after `canonical` was asked for it;
 * until then only the last body asked for is held, so a caller who never stores costs nothing.
 */

interface Share {
  readonly body: unknown
  readonly bytes: number
  refs: number
}

/** Bytes a shared body is charged with beside its own and its identity's. */
const SHARE_BYTES = 200

/** See the module's header. */
export class Shares {
  readonly #held = new Map<string, Share>()
  #asked: { readonly id: string; readonly body: unknown } | undefined
  /** Charged bytes of all shared bodies. */
  bytes = 0

  /** The held instance of the body `id`, or `body`. */
  canonical<T>(id: string, body: T): T {
    const share = this.#held.get(id)
    if (share !== undefined) return share.body as T
    this.#asked = { id, body }
    return body
  }

  /** The held instance of the body `id`; undefined: none. */
  held(id: string): unknown {
    return this.#held.get(id)?.body
  }

  /** Bytes that an entry naming `id` would add; 0 when the body is held already. */
  cost(id: string, bytes: number): number {
    return this.#held.has(id) ? 0 : bytes + SHARE_BYTES + id.length
  }

  /** One more entry names `id`; false when the body was never asked for, then the entry is to be charged in full. */
  retain(id: string, bytes: number): boolean {
    const share = this.#held.get(id)
    if (share !== undefined) {
      share.refs += 1
      return true
    }
    if (this.#asked?.id !== id) return false
    this.#held.set(id, { body: this.#asked.body, bytes, refs: 1 })
    this.#asked = undefined
    this.bytes += bytes + SHARE_BYTES + id.length
    return true
  }

  release(id: string): void {
    const share = this.#held.get(id)
    if (share === undefined) return
    share.refs -= 1
    if (share.refs > 0) return
    this.#held.delete(id)
    this.bytes -= share.bytes + SHARE_BYTES + id.length
  }

  /** Bytes of the body `id` alone, 0 when it is not held. */
  bytesOf(id: string): number {
    return this.#held.get(id)?.bytes ?? 0
  }

  clear(): void {
    this.#held.clear()
    this.#asked = undefined
    this.bytes = 0
  }
}
