/**
 * Groups of rows by fingerprint: open addressing in typed arrays.
 *
 * Floor 4, room advice. Sized once for so many groups; about 10 ns a question, no allocation.
 */

/** See the module's header. */
export class Groups {
  /** By place: the last row of the group, -1 while it has none. */
  readonly row: Int32Array
  /** By place: the answer before the last one that differed; 0 while there was none. */
  readonly former: Int32Array
  readonly #prints: Int32Array
  readonly #mask: number

  /** @param most groups that may come */
  constructor(most: number) {
    let size = 16
    while (size < most * 2) size *= 2
    this.#mask = size - 1
    this.#prints = new Int32Array(size)
    this.row = new Int32Array(size).fill(-1)
    this.former = new Int32Array(size)
  }

  /** The place of a group. The caller sets `row` before the next question. */
  find(print: number): number {
    let at = (print ^ (print >>> 15)) & this.#mask
    while (this.row[at] !== -1 && this.#prints[at] !== print) at = (at + 1) & this.#mask
    this.#prints[at] = print
    return at
  }
}
