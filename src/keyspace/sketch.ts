/**
 * HyperLogLogs in Redis's own bytes: a header with a cached count, and registers, sparse or dense.
 *
 * Floor 3, room keyspace. 16384 registers of 6 bits; hash: MurmurHash64A; estimate: Ertl, arXiv:1702.01284, as in Redis.
 */
import { eachRun, emptyBody, raise, REGISTERS } from './sketch-sparse.ts'

const MAGIC = 'HYLL'
const HEAD_BYTES = 16
const DENSE_BYTES = (REGISTERS * 6) / 8
const SPARSE_BYTES = 3000
const CACHE_AT = 8
const STALE = 0x80
const BITS = 50
const ALPHA = 0.7213475204444817
const M = 0xc6a4a7935bd1e995n
const SEED = 0xadc83b19n

/** See the module's header. */
export class Sketch {
  readonly #cache: Buffer
  /** Sparse. */
  #body: number[] | undefined
  #dense: Buffer

  private constructor(cache: Buffer, body: number[] | undefined, dense: Buffer) {
    this.#cache = cache
    this.#body = body
    this.#dense = dense
  }

  static empty(): Sketch {
    return new Sketch(Buffer.alloc(8), emptyBody(), Buffer.alloc(0))
  }

  /** @param text bytes as latin1 @returns undefined: it is none */
  static parse(text: string): Sketch | undefined {
    if (text.length < HEAD_BYTES || !text.startsWith(MAGIC)) return undefined
    const bytes = Buffer.from(text, 'latin1')
    const encoding = bytes[4] as number
    const isDense = encoding === 0
    if (encoding > 1 || (isDense && bytes.length !== HEAD_BYTES + DENSE_BYTES)) return undefined
    const cache = bytes.subarray(CACHE_AT, HEAD_BYTES)
    const rest = bytes.subarray(HEAD_BYTES)
    return new Sketch(cache, isDense ? undefined : [...rest], isDense ? rest : Buffer.alloc(0))
  }

  get isDense(): boolean {
    return this.#body === undefined
  }

  /** The cached count, undefined where it is stale. */
  get cached(): bigint | undefined {
    return ((this.#cache[7] as number) & STALE) === 0 ? this.#cache.readBigUInt64LE() : undefined
  }

  text(): string {
    const head = Buffer.alloc(CACHE_AT)
    head.write(MAGIC, 'latin1')
    head[4] = this.isDense ? 0 : 1
    return Buffer.concat([head, this.#cache, this.#body === undefined ? this.#dense : Buffer.from(this.#body)]).toString('latin1')
  }

  spoilCache(): void {
    this.#cache[7] = (this.#cache[7] as number) | STALE
  }

  keepCount(count: bigint): void {
    this.#cache.writeBigUInt64LE(count)
  }

  /** @returns whether anything changed; undefined: it is corrupt */
  add(element: string): boolean | undefined {
    const { register, count } = placeOf(element)
    return this.raise(register, count)
  }

  /** The same by register. */
  raise(register: number, count: number): boolean | undefined {
    if (this.#body !== undefined) {
      const raised = raise(this.#body, register, { count, mostBytes: SPARSE_BYTES - HEAD_BYTES })
      if (raised === 'corrupt') return undefined
      if (raised !== 'dense') {
        if (raised) this.spoilCache()
        return raised
      }
      if (!this.makeDense()) return undefined
    }
    if (registerOf(this.#dense, register) >= count) return false
    setRegister(this.#dense, register, count)
    return true
  }

  /** @returns false: it is corrupt */
  makeDense(): boolean {
    if (this.#body === undefined) return true
    const dense = Buffer.alloc(DENSE_BYTES)
    const isWhole = this.#each((register, value) => {
      if (register < REGISTERS) setRegister(dense, register, value)
    })
    if (!isWhole) return false
    this.#dense = dense
    this.#body = undefined
    return true
  }

  /** Raises `most` to these registers. @returns false: it is corrupt */
  mergeInto(most: Uint8Array): boolean {
    return this.#each((register, value) => {
      if (register < REGISTERS && value > (most[register] as number)) most[register] = value
    })
  }

  /** Registers that are not zero. */
  #each(visit: (register: number, value: number) => void): boolean {
    if (this.#body !== undefined) {
      return eachRun(this.#body, (from, run, value) => {
        for (let i = 0; value > 0 && i < run; i += 1) visit(from + i, value)
      })
    }
    for (let register = 0; register < REGISTERS; register += 1) {
      const value = registerOf(this.#dense, register)
      if (value > 0) visit(register, value)
    }
    return true
  }
}

/** The estimate for registers. */
export function estimate(registers: Uint8Array): bigint {
  const histogram = new Float64Array(64)
  for (const value of registers) histogram[value] = (histogram[value] as number) + 1
  const m = REGISTERS
  let z = m * tau((m - (histogram[BITS + 1] as number)) / m)
  for (let j = BITS; j >= 1; j -= 1) z = (z + (histogram[j] as number)) * 0.5
  z += m * sigma((histogram[0] as number) / m)
  return BigInt(Math.round((ALPHA * m * m) / z))
}

function sigma(given: number): number {
  if (given === 1) return Number.POSITIVE_INFINITY
  let [x, y, z, former] = [given, 1, given, Number.NaN]
  while (former !== z) {
    x *= x
    former = z
    z += x * y
    y += y
  }
  return z
}

function tau(given: number): number {
  if (given === 0 || given === 1) return 0
  let [x, y, z, former] = [given, 1, 1 - given, Number.NaN]
  while (former !== z) {
    x = Math.sqrt(x)
    former = z
    y *= 0.5
    z -= (1 - x) ** 2 * y
  }
  return z / 3
}

function placeOf(element: string): { readonly register: number; readonly count: number } {
  const hash = murmur(Buffer.from(element, 'latin1'))
  let rest = (hash >> 14n) | (1n << BigInt(BITS))
  let count = 1
  for (; (rest & 1n) === 0n; rest >>= 1n) count += 1
  return { register: Number(hash & 0x3fffn), count }
}

function murmur(data: Buffer): bigint {
  const times = (a: bigint): bigint => BigInt.asUintN(64, a * M)
  const whole = data.length - (data.length & 7)
  let h = SEED ^ times(BigInt(data.length))
  for (let at = 0; at < whole; at += 8) {
    let k = times(data.readBigUInt64LE(at))
    k = times(k ^ (k >> 47n))
    h = times(h ^ k)
  }
  if (whole < data.length) {
    for (let at = whole; at < data.length; at += 1) h ^= BigInt(data[at] as number) << BigInt(8 * (at - whole))
    h = times(h)
  }
  h = times(h ^ (h >> 47n))
  return h ^ (h >> 47n)
}

function registerOf(dense: Buffer, register: number): number {
  const at = Math.floor((register * 6) / 8)
  const shift = (register * 6) & 7
  return (((dense[at] as number) >> shift) | ((dense[at + 1] ?? 0) << (8 - shift))) & 63
}

function setRegister(dense: Buffer, register: number, value: number): void {
  const at = Math.floor((register * 6) / 8)
  const shift = (register * 6) & 7
  dense[at] = ((dense[at] as number) & ~(63 << shift)) | (value << shift)
  if (at + 1 < dense.length) dense[at + 1] = ((dense[at + 1] as number) & ~(63 >> (8 - shift))) | (value >> (8 - shift))
}
