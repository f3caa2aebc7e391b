/**
 * The words of a command, as the command table reads them: from a framed request, or from a client library's arguments.
 *
 * Floor 4, room resp. Two ways to hold one interface, each used again for command after command; nothing is decoded but
 * what a rule asks for, no string is made of bytes.
 */
import { hashBytes, hashText } from './coherence-hash.ts'
import type { FramedCommand } from './executor.ts'

/** A command's words, its name at 0. */
export interface Words {
  readonly count: number
  /** A number of the word in lower case, for the table's look-up; words may share one. */
  nameOf(index: number): number
  /** Whether a word is this text, given in lower case, whatever its own case. */
  is(index: number, text: string): boolean
  /** A word as a decimal number, NaN for anything else. */
  integer(index: number): number
  /** A word as the hash of a key. */
  hash(index: number): number
}

/** As `Words.nameOf`. @param text in lower case */
export function nameOfText(text: string): number {
  let name = text.length
  for (let i = 0; i < text.length; i += 1) name = (Math.imul(name, 31) + lower(text.charCodeAt(i))) | 0
  return name
}

function lower(unit: number): number {
  return unit >= 0x41 && unit <= 0x5a ? unit + 0x20 : unit
}

/** No number of keys, and nothing else that is looked for, is longer. */
const MAX_DIGITS = 15

/** Words of a framed request. */
export class FramedWords implements Words {
  #frame: FramedCommand | undefined

  /** Makes it stand for this frame. */
  of(frame: FramedCommand): this {
    this.#frame = frame
    return this
  }

  get count(): number {
    return this.#frame?.count ?? 0
  }

  nameOf(index: number): number {
    const { bytes, starts, ends } = this.#frame as FramedCommand
    const [start, end] = [starts[index] as number, ends[index] as number]
    let name = end - start
    for (let i = start; i < end; i += 1) name = (Math.imul(name, 31) + lower(bytes[i] as number)) | 0
    return name
  }

  is(index: number, text: string): boolean {
    const { bytes, starts, ends } = this.#frame as FramedCommand
    const start = starts[index] as number
    if ((ends[index] as number) - start !== text.length) return false
    for (let i = 0; i < text.length; i += 1) if (lower(bytes[start + i] as number) !== text.charCodeAt(i)) return false
    return true
  }

  integer(index: number): number {
    const { bytes, starts, ends } = this.#frame as FramedCommand
    const [start, end] = [starts[index] as number, ends[index] as number]
    if (end === start || end - start > MAX_DIGITS) return Number.NaN
    let value = 0
    for (let i = start; i < end; i += 1) {
      const digit = (bytes[i] as number) - 0x30
      if (digit < 0 || digit > 9) return Number.NaN
      value = value * 10 + digit
    }
    return value
  }

  hash(index: number): number {
    const { bytes, starts, ends } = this.#frame as FramedCommand
    return hashBytes(bytes, starts[index] as number, ends[index] as number)
  }
}

/** Words as client libraries hold them. */
export class ListWords implements Words {
  #list: readonly (string | Uint8Array)[] = []

  /** Makes it stand for this list, the command's name first. */
  of(list: readonly (string | Uint8Array)[]): this {
    this.#list = list
    return this
  }

  get count(): number {
    return this.#list.length
  }

  nameOf(index: number): number {
    return nameOfText(this.#text(index))
  }

  is(index: number, text: string): boolean {
    const word = this.#text(index)
    return word.length === text.length && word.toLowerCase() === text
  }

  integer(index: number): number {
    const word = this.#text(index)
    return word.length <= MAX_DIGITS && /^\d+$/.test(word) ? Number(word) : Number.NaN
  }

  hash(index: number): number {
    const word = this.#list[index] as string | Uint8Array
    return typeof word === 'string' ? hashText(word) : hashBytes(word, 0, word.length)
  }

  #text(index: number): string {
    const word = this.#list[index] as string | Uint8Array
    return typeof word === 'string' ? word : Buffer.from(word.buffer, word.byteOffset, word.byteLength).toString('latin1')
  }
}
