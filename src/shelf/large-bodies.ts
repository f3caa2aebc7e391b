/**
 * Who may come in when room must be made: a body much larger than the mean has to be asked for twice.
 *
 * Floor 1, room shelf. One large body would push out many small ones that are each as likely to be read again; so while
 * the tier is full, the first store of a large body is declined and remembered by fingerprint, a second one is admitted.
 */
import { Ghost } from './ghost.ts'

/** A body is large from this many times the mean bytes of an entry. */
const LARGE_FACTOR = 8
/** Declined keys remembered: as many as there are entries, within these bounds. */
const MIN_REMEMBERED = 64

/** What is asked about the tier. */
export interface Fullness {
  readonly entries: number
  readonly meanBytes: number
}

/** See the module's header. */
export class LargeBodies {
  readonly #declined = new Ghost()

  shed(): void {
    this.#declined.clear()
  }

  /** Whether a key that needs `bytes` may push others out; a no is remembered. */
  admits(print: number, bytes: number, fullness: Fullness): boolean {
    if (bytes <= fullness.meanBytes * LARGE_FACTOR) return true
    const entries = Math.max(MIN_REMEMBERED, fullness.entries)
    const age = this.#declined.take(print)
    if (age >= 0 && age < entries) return true
    this.#declined.add(print, entries)
    return false
  }
}
