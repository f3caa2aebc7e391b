/**
 * Texts that are kept for long: copied so that they hold nothing else in memory, and one instance of what is often the same.
 *
 * Floor 0, room model. V8 lets a slice keep the text it was cut from, and a sum keep its parts: a key of 30 characters may
 * hold a request of 8 KiB. Only texts of one byte per character are copied, which header fields and keys are.
 */

/** Longest text that is worth looking for among the known. */
const MAX_LENGTH = 64
/** Texts known at once; then all are forgotten, and what is in use comes back. */
const MAX_TEXTS = 2048

const WIDE = /[\u0100-\uffff]/

/** The same text in memory of its own. Costs about 150 ns. */
export function ownText(text: string): string {
  return WIDE.test(text) ? text : Buffer.from(text, 'latin1').toString('latin1')
}

/** One instance of each text that is often the same. */
export class Interned {
  readonly #texts = new Map<string, string>()

  /** The known instance of a text, or an own copy, which is known from now on. */
  of(text: string): string {
    if (text.length > MAX_LENGTH) return ownText(text)
    const known = this.#texts.get(text)
    if (known !== undefined) return known
    if (this.#texts.size >= MAX_TEXTS) this.#texts.clear()
    const own = ownText(text)
    this.#texts.set(own, own)
    return own
  }
}
