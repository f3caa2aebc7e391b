/**
 * What is remembered of keys whose entry ended or was evicted, so that their next filling can be compared with it: the
 * digest of what stood, when it was read and as of which place of the log, and what was learned of its changes.
 *
 * Floor 1, room shelf. About as many places as there are entries, at most 32,768, 36 bytes each; a later key of the same
 * place simply takes it over. Holds no values. Whatever it says is held against the fence by who asks.
 */
import { KeyScan } from './fingerprint.ts'

/** What is known of what stood under a key. */
export interface Former {
  /** Digest of its bytes; 0: not known. */
  readonly mark: number
  /** See change-word.ts. */
  readonly word: number
  /** When its reading began. */
  readonly storedAt: number
  /** A position of the log at which it was current. */
  readonly asOf: number
  /** For how long it was fresh. */
  readonly freshMs: number
}

const PLACE_BYTES = 36
const MIN_PLACES = 256
const MAX_PLACES = 32_768

/** See the module's header. */
export class Departed {
  readonly #scan = new KeyScan()
  /** Places less one; a power of two less one. -1: none yet. */
  #mask = -1
  #prints = new Int32Array(0)
  #marks = new Int32Array(0)
  #words = new Int32Array(0)
  #storedAt = new Float64Array(0)
  #asOf = new Float64Array(0)
  #freshMs = new Float64Array(0)

  get bytes(): number {
    return (this.#mask + 1) * PLACE_BYTES
  }

  /** @param entries how many there are room for, about */
  keep(key: string, former: Former, entries: number): void {
    if (this.#mask < 0 || (this.#mask + 1 < entries && this.#mask + 1 < MAX_PLACES)) this.#grow(entries)
    this.#scan.read(key)
    this.#put(this.#scan.print, former)
  }

  find(key: string): Former | undefined {
    const at = this.#placeOf(key)
    return at < 0 ? undefined : this.#at(at)
  }

  /** What stood is not to be compared with any more; what was learned stays. */
  unmark(key: string): void {
    const at = this.#placeOf(key)
    if (at >= 0) this.#marks[at] = 0
  }

  /** Forgets everything. */
  shed(): void {
    this.#mask = -1
    this.#make(0)
  }

  #placeOf(key: string): number {
    if (this.#mask < 0) return -1
    this.#scan.read(key)
    const at = this.#scan.print & this.#mask
    return this.#prints[at] === this.#scan.print && ((this.#marks[at] as number) | (this.#words[at] as number)) !== 0 ? at : -1
  }

  #put(print: number, { mark, word, storedAt, asOf, freshMs }: Former): void {
    const at = print & this.#mask
    this.#prints[at] = print
    this.#marks[at] = mark
    this.#words[at] = word
    this.#storedAt[at] = storedAt
    this.#asOf[at] = asOf
    this.#freshMs[at] = freshMs
  }

  #at(at: number): Former {
    return {
      mark: this.#marks[at] as number,
      word: this.#words[at] as number,
      storedAt: this.#storedAt[at] as number,
      asOf: this.#asOf[at] as number,
      freshMs: this.#freshMs[at] as number,
    }
  }

  #grow(entries: number): void {
    let places = MIN_PLACES
    while (places < entries && places < MAX_PLACES) places *= 2
    const known = Array.from(this.#prints, (print, at) => ({ print, former: this.#at(at) }))
    this.#mask = places - 1
    this.#make(places)
    for (const { print, former } of known) if (former.mark !== 0 || former.word !== 0) this.#put(print, former)
  }

  #make(places: number): void {
    this.#prints = new Int32Array(places)
    this.#marks = new Int32Array(places)
    this.#words = new Int32Array(places)
    this.#storedAt = new Float64Array(places)
    this.#asOf = new Float64Array(places)
    this.#freshMs = new Float64Array(places)
  }
}
