/**
 * Random commands of every group the embedded mode knows, with values at the edges.
 */
import type { Random } from '../../src/model/random.ts'

/** Draws what commands are made of. */
export class RespDice {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  below(count: number): number {
    return Math.floor(this.#random() * count)
  }

  chance(share: number): boolean {
    return this.#random() < share
  }

  one<T>(of: readonly T[]): T {
    return of[this.below(of.length)] as T
  }

  /** Some of these, each at most once, in their order. */
  some(of: readonly string[], share = 0.4): string[] {
    return of.filter(() => this.chance(share))
  }

  many(least: number, most: number, make: () => string | readonly string[]): string[] {
    return Array.from({ length: least + this.below(most - least + 1) }, make).flat()
  }

  key(): string {
    return this.one(['a', 'b', 'c', 'd', 'e', 'f', 'key:1', 'key:2', '{t}x', '', '\x00\xff'])
  }

  /** One that mostly holds the wanted type. */
  keyOf(type: string): string {
    return this.chance(0.12) ? this.key() : `${type}${this.below(4)}`
  }

  integer(): string {
    if (this.chance(0.7)) return String(this.below(21) - 10)
    return this.one(EDGE_INTEGERS)
  }

  count(): string {
    return this.chance(0.85) ? String(this.below(8)) : this.integer()
  }

  value(): string {
    if (this.chance(0.4)) return this.one(['a', 'b', 'c', 'd', 'e', 'f', 'g', '1', '2', '3', '10', '-5'])
    return this.one(EDGE_VALUES)
  }

  member(): string {
    return this.chance(0.85) ? this.one(['a', 'b', 'c', 'd', 'e', '1', '2', '3', '-4', '100']) : this.value()
  }

  float(): string {
    if (this.chance(0.6)) return String((this.below(2001) - 1000) / this.one([1, 2, 3, 4, 10, 100]))
    return this.one(EDGE_FLOATS)
  }

  scoreBound(): string {
    const bound = this.one(['-inf', '+inf', '0', '1', '2.5', '-3', '10', 'inf', '', 'x', '1e3', ' 1'])
    return this.chance(0.3) ? `(${bound}` : bound
  }

  textBound(): string {
    return this.one(['-', '+', '[a', '(a', '[c', '(d', '[', '(', 'a', '', '[zz', '+x', '[1'])
  }

  pattern(): string {
    return this.one(['*', 'a*', '?', '[abc]', '[^a]', '[a-c]*', 'key:*', '\\*', '[', '[z-a]', '*1*', '', '**a', 'h?llo'])
  }
}

const EDGE_INTEGERS = [
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
  '-9223372036854775809',
  '4294967296',
  '2147483648',
  '-0',
  '+1',
  '01',
  ' 1',
  '1 ',
  '',
  'x',
  '1.5',
  '1e3',
  '0x10',
  '99999999999999999999',
]
const EDGE_FLOATS = [
  'inf',
  '-inf',
  '+inf',
  'Infinity',
  'nan',
  '1e308',
  '-1e308',
  '1e400',
  '1e-400',
  '5e-324',
  '0',
  '-0',
  '+1',
  '1.',
  '.5',
  '.',
  '0x1p3',
  '0x',
  ' 1',
  '1 ',
  '',
  'x',
  '3.0',
  '1e5',
  '123456789012345678',
  '0.1',
  '17179869184.25',
  '1000000000000000.25',
]
const EDGE_VALUES = [
  '',
  '0',
  '-1',
  '9223372036854775807',
  '9223372036854775808',
  '3.14',
  'inf',
  '-0',
  '007',
  '\x00\x01\xff',
  '\r\n',
  'hello world',
  'x'.repeat(44),
  'y'.repeat(45),
  'z'.repeat(64),
  'w'.repeat(65),
  'v'.repeat(300),
  'A',
  'foobar',
]
