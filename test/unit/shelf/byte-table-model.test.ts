import { describe, expect, it } from 'vitest'
import { createRandom, type Random } from '../../../src/model/random.ts'
import { ByteKey, ByteSpan } from '../../../src/shelf/byte-hash.ts'
import { ByteTable, NONE } from '../../../src/shelf/byte-table.ts'

const OPERATIONS = Number(process.env['FORECACHE_OPERATIONS'] ?? 12_000)
const SEED = Number(process.env['FORECACHE_SEED'] ?? Date.now() % 1_000_000)
const LONG_MS = 3600 * 1000

/** What a map would know. */
interface Known {
  readonly text: string
  readonly object: object | undefined
  mark: number
  deadline: number
}

/** The table and a map, asked the same. */
class Pair {
  readonly model = new Map<string, Known>()
  readonly table: ByteTable
  readonly #key = new ByteKey()
  readonly #random: Random
  #number = 0

  constructor(random: Random, { maxBytes, evicts }: { maxBytes: number; evicts: boolean }) {
    this.#random = random
    const seed = [(random() * 2 ** 32) | 0, (random() * 2 ** 32) | 0] as const
    this.table = new ByteTable({ maxBytes, evicts, seed, onEvict: (slot) => this.model.delete(this.nameOf(slot)) })
  }

  nameOf(slot: number): string {
    return `${this.table.space(slot)} ${textOf(this.table.key(slot))}`
  }

  /** One random operation. */
  step(keys: number): void {
    const name = `${Math.floor(this.#random() * 3)} ${`k${Math.floor(this.#random() * keys)}`.repeat(this.#random() < 0.01 ? 9 : 1)}`
    const kind = this.#random()
    if (kind < 0.45) this.#put(name)
    else if (kind < 0.5) this.#putObject(name)
    else if (kind < 0.6) this.#remove(name)
    else if (kind < 0.601) this.table.tend()
    else this.#compare(name)
    expect(this.table.size).toBe(this.model.size)
    expect(this.table.bytes).toBeLessThanOrEqual(this.table.maxBytes)
  }

  #find(name: string): number {
    return this.table.find(this.#ask(name))
  }

  #ask(name: string): ByteKey {
    const bytes = Buffer.from(`..${name}..`, 'latin1')
    this.#key.set(bytes, 4, bytes.length - 2)
    this.#key.space = Number(name[0])
    return this.#key
  }

  #put(name: string): void {
    this.#number += 1
    const chance = this.#random()
    const length = chance < 0.002 ? this.#random() * 300_000 : chance < 0.1 ? this.#random() * 5000 : this.#random() * 150
    const text = String(this.#number).padEnd(length, '=')
    const former = this.model.get(name)
    this.model.set(name, {
      text,
      object: undefined,
      mark: former?.mark ?? 0,
      deadline: former?.deadline ?? Number.POSITIVE_INFINITY,
    })
    const slot = this.table.put(this.#ask(name), new ByteSpan(Buffer.from(text, 'latin1')))
    if (slot !== NONE) expect(this.model.has(name)).toBe(true)
    else if (former === undefined) this.model.delete(name)
    else this.model.set(name, former)
  }

  #putObject(name: string): void {
    const object = { name }
    const former = this.model.get(name)
    this.model.set(name, { text: '', object, mark: former?.mark ?? 0, deadline: former?.deadline ?? Number.POSITIVE_INFINITY })
    const slot = this.table.putObject(this.#ask(name), object, Math.floor(this.#random() * 2000))
    if (slot !== NONE) expect(this.model.has(name)).toBe(true)
    else if (former === undefined) this.model.delete(name)
    else this.model.set(name, former)
  }

  #remove(name: string): void {
    const slot = this.#find(name)
    expect(slot >= 0).toBe(this.model.delete(name))
    if (slot >= 0) this.table.remove(slot)
  }

  #compare(name: string): void {
    const slot = this.#find(name)
    const known = this.model.get(name)
    expect(slot >= 0).toBe(known !== undefined)
    if (known === undefined) return
    const { table } = this
    table.touch(slot)
    expect(textOf(table.value(slot))).toBe(known.text)
    expect(this.nameOf(slot)).toBe(name)
    expect([table.object(slot), table.mark(slot), table.deadline(slot)]).toEqual([known.object, known.mark, known.deadline])
    known.mark = (this.#random() * 2 ** 32) | 0
    known.deadline = this.#random() * 1e13
    table.setMark(slot, known.mark)
    table.setDeadline(slot, known.deadline)
  }
}

function textOf({ bytes, start, end }: ByteSpan): string {
  return Buffer.from(bytes.subarray(start, end)).toString('latin1')
}

describe(`byte-table beside a map, seed ${SEED}`, () => {
  it.each([
    { name: 'without a limit, few keys', keys: 100, maxBytes: Number.POSITIVE_INFINITY, evicts: true },
    { name: 'without a limit, many keys', keys: 50_000, maxBytes: Number.POSITIVE_INFINITY, evicts: true },
    { name: 'with a limit and eviction', keys: 50_000, maxBytes: 3_000_000, evicts: true },
    { name: 'with a limit and refusal', keys: 50_000, maxBytes: 3_000_000, evicts: false },
    { name: 'with the least limit', keys: 3000, maxBytes: 512 * 1024, evicts: true },
  ])(
    'tells the same, $name',
    ({ keys, maxBytes, evicts }) => {
      const pair = new Pair(createRandom(SEED + keys), { maxBytes, evicts })
      for (let i = 0; i < OPERATIONS; i += 1) pair.step(keys)
      const seen: number[] = []
      let cursor = 0
      do cursor = pair.table.scan(cursor, 10, seen)
      while (cursor !== 0)
      expect(seen.map((slot) => pair.nameOf(slot)).sort()).toEqual([...pair.model.keys()].sort())
    },
    LONG_MS,
  )
})
