/**
 * The sparse form of a HyperLogLog: runs of zeros and of equal values.
 *
 * Floor 3, room keyspace. Opcodes and the way they are split and joined are Redis's, so that the bytes are the same:
 * `00xxxxxx` up to 64 zeros, `01xxxxxx xxxxxxxx` up to 16384 zeros, `1vvvvvll` up to 4 registers of a value up to 32.
 */

export const REGISTERS = 16_384
const MOST_ZEROS = 64
const MOST_VALUE = 32
const MOST_RUN = 4
/** Opcodes looked at for joining, from the one before the changed one on. */
const JOINED = 5

interface Opcode {
  /** 0: zeros. */
  readonly value: number
  readonly run: number
  readonly bytes: 1 | 2
}

function opcodeAt(body: readonly number[], at: number): Opcode {
  const byte = body[at] as number
  if ((byte & 0x80) !== 0) return { value: ((byte >> 2) & 0x1f) + 1, run: (byte & 3) + 1, bytes: 1 }
  if ((byte & 0x40) === 0) return { value: 0, run: (byte & 0x3f) + 1, bytes: 1 }
  return { value: 0, run: (((byte & 0x3f) << 8) | (body[at + 1] ?? 0)) + 1, bytes: 2 }
}

function zeros(run: number): number[] {
  if (run <= MOST_ZEROS) return run === 0 ? [] : [run - 1]
  return [0x40 | ((run - 1) >> 8), (run - 1) & 0xff]
}

function values(value: number, run: number): number[] {
  return run === 0 ? [] : [0x80 | ((value - 1) << 2) | (run - 1)]
}

/** A sketch of nothing. */
export function emptyBody(): number[] {
  return zeros(REGISTERS)
}

/** Every run in order. @returns false: it is corrupt */
export function eachRun(body: readonly number[], visit: (from: number, run: number, value: number) => void): boolean {
  let from = 0
  for (let at = 0; at < body.length; ) {
    const { value, run, bytes } = opcodeAt(body, at)
    visit(from, run, value)
    from += run
    at += bytes
  }
  return from === REGISTERS
}

/**
 * Raises a register.
 *
 * @param mostBytes the body may have
 * @returns whether it was raised; 'dense': this form cannot hold it; 'corrupt'
 */
export function raise(
  body: number[],
  register: number,
  { count, mostBytes }: { readonly count: number; readonly mostBytes: number },
): boolean | 'dense' | 'corrupt' {
  if (count > MOST_VALUE) return 'dense'
  let [at, first, before] = [0, 0, 0]
  while (at < body.length) {
    const { run, bytes } = opcodeAt(body, at)
    if (register < first + run) break
    before = at
    first += run
    at += bytes
  }
  if (at >= body.length) return 'corrupt'
  const { value, run, bytes } = opcodeAt(body, at)
  if (value >= count) return false
  const [left, right] = [register - first, first + run - 1 - register]
  const fill = (length: number): number[] => (value === 0 ? zeros(length) : values(value, length))
  const made = [...fill(left), ...values(count, 1), ...fill(right)]
  if (made.length > bytes && body.length + made.length - bytes > mostBytes) return 'dense'
  body.splice(at, bytes, ...made)
  join(body, before)
  return true
}

function join(body: number[], from: number): void {
  let at = from
  for (let looked = 0; at < body.length && looked < JOINED; looked += 1) {
    const one = opcodeAt(body, at)
    if (one.value > 0 && at + 1 < body.length) {
      const other = opcodeAt(body, at + 1)
      if (other.value === one.value && one.run + other.run <= MOST_RUN) {
        body.splice(at, 2, ...values(one.value, one.run + other.run))
        continue
      }
    }
    at += one.bytes
  }
}
