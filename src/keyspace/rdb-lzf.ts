/**
 * LZF, as Redis packs long strings.
 *
 * Floor 3, room keyspace. Literal runs (`000LLLLL`, L + 1 bytes), and references of 3 to 264 bytes up to 8192 back
 * (`LLLooooo oooooooo`, `111ooooo LLLLLLLL oooooooo`). What is packed is what Redis packs, byte for byte.
 *
 * @see http://software.schmorp.de/pkg/liblzf.html
 */
import { RdbFault } from './rdb-fault.ts'

const HASH_BITS = 16
const PLACES = 1 << HASH_BITS
const MOST_LITERALS = 32
const MOST_BACK = 1 << 13
const MOST_REFERENCE = (1 << 8) + (1 << 3)
/** So many comparisons are made there without a look at the end. */
const UNROLLED = 16
/** A byte of input cannot unpack to more. */
const MOST_GROWTH = 264

/** @param bytes of what comes out, as it is claimed @throws RdbFault */
export function unpackLzf(packed: Uint8Array, bytes: number): Buffer {
  if (bytes > packed.length * MOST_GROWTH) throw new RdbFault('more is claimed than can have been packed')
  const out = Buffer.allocUnsafe(bytes)
  let at = 0
  let from = 0
  const next = (): number => {
    const byte = packed[from]
    if (byte === undefined) throw new RdbFault('it ends within a packed string')
    from += 1
    return byte
  }
  while (from < packed.length) {
    const control = next()
    if (control < MOST_LITERALS) {
      const end = from + control + 1
      if (end > packed.length || at + control + 1 > bytes) throw new RdbFault('a run leaves a packed string')
      out.set(packed.subarray(from, end), at)
      at += control + 1
      from = end
      continue
    }
    const short = control >>> 5
    const length = (short === 7 ? short + next() : short) + 2
    let source = at - ((control & 0x1f) << 8) - 1 - next()
    if (source < 0 || at + length > bytes) throw new RdbFault('a reference leaves a packed string')
    for (let i = 0; i < length; i += 1) out[at++] = out[source++] as number
  }
  if (at !== bytes) throw new RdbFault('a packed string is shorter than it claims')
  return out
}

/** Where three bytes stood last, plus `base`: what is below was another input. */
const places = new Float64Array(PLACES)
let base = 1

function placeOf(hash: number): number {
  return ((hash >>> (24 - HASH_BITS)) - Math.imul(hash, 5)) & (PLACES - 1)
}

/** @returns undefined where it would not save four bytes */
export function packLzf(input: Uint8Array): Buffer | undefined {
  const limit = input.length - 4
  if (limit <= 0) return undefined
  const packer = new Packer(input, Buffer.allocUnsafe(limit))
  const packed = packer.run()
  base += input.length + 1
  return packed
}

/** One packing: the state of lzf_compress. */
class Packer {
  readonly #in: Uint8Array
  readonly #out: Buffer
  #at = 1
  #from = 0
  #literals = 0

  constructor(input: Uint8Array, out: Buffer) {
    this.#in = input
    this.#out = out
  }

  run(): Buffer | undefined {
    const input = this.#in
    const last = input.length - 2
    while (this.#from < last) {
      const reference = this.#exchange(this.#from)
      const back = this.#from - reference - 1
      if (reference > 0 && back < MOST_BACK && this.#matches(reference)) {
        if (!this.#refer(reference, back)) return undefined
        if (this.#from >= last) break
        this.#exchange(this.#from - 2)
        this.#exchange(this.#from - 1)
      } else if (!this.#copy()) return undefined
    }
    if (this.#at + 3 > this.#out.length) return undefined
    while (this.#from < input.length) this.#copy()
    this.#endRun()
    return this.#out.subarray(0, this.#literals === 0 ? this.#at - 1 : this.#at)
  }

  /** Notes the three bytes that begin there. @returns where they stood before; -1: nowhere */
  #exchange(from: number): number {
    const input = this.#in
    const hash = ((input[from] as number) << 16) | ((input[from + 1] as number) << 8) | (input[from + 2] as number)
    const place = placeOf(hash)
    const former = (places[place] as number) - base
    places[place] = base + from
    return former < 0 ? -1 : former
  }

  #matches(reference: number): boolean {
    const [input, from] = [this.#in, this.#from]
    return (
      input[reference] === input[from] && input[reference + 1] === input[from + 1] && input[reference + 2] === input[from + 2]
    )
  }

  #refer(reference: number, back: number): boolean {
    const [input, out] = [this.#in, this.#out]
    const isEmpty = this.#literals === 0
    if (this.#at + 4 >= out.length && this.#at - (isEmpty ? 1 : 0) + 4 >= out.length) return false
    this.#endRun()
    if (isEmpty) this.#at -= 1
    const room = Math.min(input.length - this.#from - 2, MOST_REFERENCE)
    const most = room > UNROLLED ? Math.max(room, UNROLLED + 3) : room
    let length = 3
    while (length < most && input[reference + length] === input[this.#from + length]) length += 1
    const coded = length - 2
    if (coded < 7) out[this.#at++] = (back >>> 8) + (coded << 5)
    else {
      out[this.#at++] = (back >>> 8) + (7 << 5)
      out[this.#at++] = coded - 7
    }
    out[this.#at++] = back & 0xff
    this.#literals = 0
    this.#at += 1
    this.#from += length
    return true
  }

  #copy(): boolean {
    if (this.#at >= this.#out.length) return false
    this.#out[this.#at++] = this.#in[this.#from++] as number
    this.#literals += 1
    if (this.#literals === MOST_LITERALS) {
      this.#endRun()
      this.#literals = 0
      this.#at += 1
    }
    return true
  }

  #endRun(): void {
    if (this.#literals > 0) this.#out[this.#at - this.#literals - 1] = this.#literals - 1
  }
}
