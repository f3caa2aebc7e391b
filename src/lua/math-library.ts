/**
 * Lua's `math`, and `bit` as Redis adds it.
 *
 * Floor 3, room lua. The generator of `math.random` is that of drand48, as in Redis, seeded at random.
 */
import { type Args, installLibrary, type Native } from './library.ts'
import type { Machine } from './machine.ts'
import type { LuaValue } from './value.ts'

const MOST_RANDOM = 2 ** 31 - 1
const MULTIPLIER = 0x5deece66dn
const ADDEND = 0xbn
const MASK = (1n << 48n) - 1n

/** Redis's own generator. */
class Drand {
  #state = 0n

  seed(value: number): void {
    this.#state = (BigInt.asUintN(32, BigInt(Math.trunc(value))) << 16n) | 0x330en
  }

  next(): number {
    this.#state = (this.#state * MULTIPLIER + ADDEND) & MASK
    return Number(this.#state >> 17n)
  }
}

function random(args: Args, drand: Drand): LuaValue[] {
  const share = (drand.next() % MOST_RANDOM) / MOST_RANDOM
  if (args.count === 0) return [share]
  const [low, high] = args.count === 1 ? [1, args.integer(0)] : [args.integer(0), args.integer(1)]
  if (low > high) throw args.bad(args.count - 1, 'interval is empty')
  return [Math.floor(share * (high - low + 1)) + low]
}

function one(run: (value: number) => number): Native {
  return (args) => [run(args.number(0))]
}

function split(args: Args): LuaValue[] {
  const value = args.number(0)
  if (value === 0 || !Number.isFinite(value)) return [value, 0]
  let exponent = Math.max(-1023, Math.floor(Math.log2(Math.abs(value))) + 1)
  let mantissa = value * 2 ** -exponent
  while (Math.abs(mantissa) < 0.5) [mantissa, exponent] = [mantissa * 2, exponent - 1]
  while (Math.abs(mantissa) >= 1) [mantissa, exponent] = [mantissa / 2, exponent + 1]
  return [mantissa, exponent]
}

const NAMES = [
  'abs',
  'acos',
  'asin',
  'atan',
  'ceil',
  'cos',
  'cosh',
  'exp',
  'floor',
  'log',
  'log10',
  'sin',
  'sinh',
  'sqrt',
  'tan',
  'tanh',
] as const

const FUNCTIONS: Readonly<Record<string, Native>> = {
  ...Object.fromEntries(NAMES.map((name) => [name, one((value) => Math[name](value))])),
  atan2: (args) => [Math.atan2(args.number(0), args.number(1))],
  deg: one((value) => (value * 180) / Math.PI),
  fmod: (args) => [args.number(0) % args.number(1)],
  frexp: split,
  ldexp: (args) => [args.number(0) * 2 ** args.integer(1)],
  max: (args) => [args.values.reduce<number>((most, _, i) => Math.max(most, args.number(i)), args.number(0))],
  min: (args) => [args.values.reduce<number>((least, _, i) => Math.min(least, args.number(i)), args.number(0))],
  mod: (args) => [args.number(0) % args.number(1)],
  modf: (args) => {
    const value = args.number(0)
    const whole = Math.trunc(value)
    return [whole, Number.isFinite(value) ? value - whole : 0]
  },
  pow: (args) => [args.number(0) ** args.number(1)],
  rad: one((value) => (value * Math.PI) / 180),
}

function bits(args: Args, i: number): number {
  const value = args.number(i)
  if (!Number.isFinite(value)) return 0
  return Number(BigInt.asIntN(32, BigInt(Math.round(value))))
}

function fold(run: (a: number, b: number) => number): Native {
  return (args) => {
    let value = bits(args, 0)
    for (let i = 1; i < args.count; i += 1) value = run(value, bits(args, i))
    return [value | 0]
  }
}

function shift(run: (value: number, by: number) => number): Native {
  return (args) => [run(bits(args, 0), bits(args, 1) & 31) | 0]
}

const BITS: Readonly<Record<string, Native>> = {
  arshift: shift((value, by) => value >> by),
  band: fold((a, b) => a & b),
  bnot: (args) => [~bits(args, 0)],
  bor: fold((a, b) => a | b),
  bswap: (args) => {
    const value = bits(args, 0)
    return [((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)]
  },
  bxor: fold((a, b) => a ^ b),
  lshift: shift((value, by) => value << by),
  rol: shift((value, by) => (value << by) | (value >>> (32 - by))),
  ror: shift((value, by) => (value >>> by) | (value << (32 - by))),
  rshift: shift((value, by) => value >>> by),
  tobit: (args) => [bits(args, 0)],
  tohex: (args) => {
    const digits = args.integer(1, 8)
    const text = (bits(args, 0) >>> 0)
      .toString(16)
      .padStart(8, '0')
      .slice(-Math.min(8, Math.abs(digits)))
    return [digits < 0 ? text.toUpperCase() : text]
  },
}

/** @param seed of the generator */
export function installMath(machine: Machine, seed: number): void {
  const drand = new Drand()
  drand.seed(seed)
  const library = installLibrary(machine, 'math', {
    ...FUNCTIONS,
    random: (args) => random(args, drand),
    randomseed: (args) => {
      drand.seed(args.number(0))
      return []
    },
  })
  library.set('pi', Math.PI)
  library.set('huge', Number.POSITIVE_INFINITY)
  installLibrary(machine, 'bit', BITS)
}
