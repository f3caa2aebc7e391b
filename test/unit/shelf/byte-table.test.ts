import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/model/random.ts'
import { ByteKey, ByteSpan } from '../../../src/shelf/byte-hash.ts'
import { ByteTable, type ByteTableOptions, NONE } from '../../../src/shelf/byte-table.ts'

function tableOf(options: Partial<ByteTableOptions> = {}): ByteTable {
  return new ByteTable({ maxBytes: Number.POSITIVE_INFINITY, evicts: true, seed: [1, 2], ...options })
}

function keyOf(text: string, space = 0): ByteKey {
  const key = new ByteKey()
  key.set(Buffer.from(text), 0, Buffer.byteLength(text))
  key.space = space
  return key
}

function span(text: string): ByteSpan {
  return new ByteSpan(Buffer.from(text))
}

function textOf({ bytes, start, end }: ByteSpan): string {
  return Buffer.from(bytes.subarray(start, end)).toString()
}

function get(table: ByteTable, text: string): string | undefined {
  const slot = table.find(keyOf(text))
  return slot < 0 ? undefined : textOf(table.value(slot))
}

describe('byte-table: entries', () => {
  it('keeps value, key, space, kind, marks and deadline of an entry', () => {
    const table = tableOf()
    const slot = table.put(keyOf('key', 5), span('value'))
    table.setKind(slot, 200)
    table.setMark(slot, -1)
    table.setNote(slot, 2 ** 31 - 1)
    table.setDeadline(slot, 1e15 + 0.5)
    table.touch(slot)
    expect(textOf(table.key(slot))).toBe('key')
    expect(textOf(table.value(slot))).toBe('value')
    expect([table.space(slot), table.kind(slot), table.mark(slot), table.note(slot)]).toEqual([5, 200, -1, 2 ** 31 - 1])
    expect(table.deadline(slot)).toBe(1e15 + 0.5)
    expect(table.find(keyOf('key', 4))).toBe(NONE)
    expect(table.find(keyOf('key', 5))).toBe(slot)
  })

  it('replaces a value and keeps the rest, whatever the lengths', () => {
    const table = tableOf()
    const slot = table.put(keyOf('key'), span('value'))
    table.setKind(slot, 3)
    table.setDeadline(slot, 77)
    for (const length of [5, 4, 100, 99, 10_000, 50_000, 70_000, 40_000, 0, 31]) {
      expect(table.put(keyOf('key'), span('x'.repeat(length)))).toBe(slot)
      expect(textOf(table.value(slot))).toBe('x'.repeat(length))
      expect(textOf(table.key(slot))).toBe('key')
    }
    expect([table.kind(slot), table.deadline(slot), table.size]).toEqual([3, 77, 1])
  })

  it('begins a new entry without kind, marks and deadline, also in a slot that was used', () => {
    const table = tableOf()
    const former = table.put(keyOf('a'), span('1'))
    table.setKind(former, 9)
    table.setMark(former, 9)
    table.setNote(former, 9)
    table.setDeadline(former, 9)
    table.remove(former)
    const slot = table.put(keyOf('b'), span('2'))
    expect(slot).toBe(former)
    expect([table.kind(slot), table.mark(slot), table.note(slot), table.deadline(slot)]).toEqual([
      0,
      0,
      0,
      Number.POSITIVE_INFINITY,
    ])
  })

  it('takes keys of any length, also long ones that differ in their last byte', () => {
    const table = tableOf()
    for (const length of [0, 1, 2, 3, 4, 5, 62, 63, 64, 1000, 40_000]) {
      for (const last of 'ab') table.put(keyOf('k'.repeat(length) + last), span(`${length}${last}`))
    }
    for (const length of [0, 1, 2, 3, 4, 5, 62, 63, 64, 1000, 40_000]) {
      for (const last of 'ab') expect(get(table, 'k'.repeat(length) + last)).toBe(`${length}${last}`)
    }
  })

  it('lends a long value as bytes that nobody writes to any more', () => {
    const table = tableOf()
    const slot = table.put(keyOf('key'), span('x'.repeat(100_000)))
    const { bytes, start, end } = table.value(slot)
    expect(table.isApart(slot)).toBe(true)
    table.put(keyOf('key'), span('y'.repeat(100_000)))
    expect(Buffer.from(bytes.subarray(start, end)).equals(Buffer.alloc(100_000, 'x'))).toBe(true)
    table.put(keyOf('key'), span('short'))
    expect(table.isApart(slot)).toBe(false)
  })

  it('forgets everything at once', () => {
    const table = tableOf()
    for (let i = 0; i < 5000; i += 1) table.put(keyOf(`k${i}`), span('x'.repeat(i * 10)))
    table.clear()
    expect(table.size).toBe(0)
    expect(get(table, 'k1')).toBeUndefined()
    expect(table.liveBytes).toBe(0)
    table.put(keyOf('k1'), span('again'))
    expect(get(table, 'k1')).toBe('again')
  })
})

describe('byte-table: objects', () => {
  it('keeps an object beside a key, with the bytes it is charged with', () => {
    const table = tableOf()
    const before = table.bytes
    const hash = new Map([['field', 'value']])
    const slot = table.putObject(keyOf('h'), hash, 5000)
    expect(table.object(slot)).toBe(hash)
    expect(textOf(table.value(slot))).toBe('')
    expect(textOf(table.key(slot))).toBe('h')
    const charged = table.bytes
    expect(charged).toBeGreaterThanOrEqual(before + 5000)
    expect(table.charge(slot, 6000)).toBe(true)
    expect(table.bytes).toBe(charged + 1000)
    expect(table.putObject(keyOf('h'), new Set(), 100)).toBe(slot)
    expect(table.bytes).toBe(charged - 4900)
    table.put(keyOf('h'), span('bytes'))
    expect(table.object(slot)).toBeUndefined()
    expect(table.bytes).toBe(charged - 5000)
    expect(get(table, 'h')).toBe('bytes')
  })

  it('drops an object with its key', () => {
    const table = tableOf()
    const slot = table.putObject(keyOf('h'), {}, 5000)
    const charged = table.bytes
    table.remove(slot)
    expect(table.object(slot)).toBeUndefined()
    expect(table.bytes).toBe(charged - 5000)
  })
})

describe('byte-table: limit', () => {
  const MAX = 4 * 1024 * 1024

  it('never allocates beyond it, whatever comes, and holds what fits', () => {
    const random = createRandom(1)
    const table = tableOf({ maxBytes: MAX })
    for (let i = 0; i < 60_000; i += 1) {
      const bytes = random() < 0.02 ? random() * 200_000 : random() * 300
      table.put(keyOf(`k${Math.floor(random() * 30_000)}`), span('x'.repeat(bytes)))
      expect(table.bytes).toBeLessThanOrEqual(MAX)
    }
    expect(table.liveBytes).toBeGreaterThan(MAX * 0.6)
    expect(table.evictions).toBeGreaterThan(1000)
  })

  it('holds small values in four fifths of it', () => {
    const table = tableOf({ maxBytes: 32 * 1024 * 1024 })
    for (let i = 0; table.evictions === 0; i += 1) table.put(keyOf(`key:${String(i).padStart(12, '0')}`), span('x'.repeat(71)))
    expect(table.liveBytes).toBeGreaterThan(32 * 1024 * 1024 * 0.7)
  })

  it('tells of each entry before it leaves', () => {
    const left: string[] = []
    const table: ByteTable = tableOf({ maxBytes: MAX, onEvict: (slot) => left.push(textOf(table.key(slot))) })
    for (let i = 0; i < 40_000; i += 1) table.put(keyOf(`k${i}`), span('x'.repeat(100)))
    expect(left).toHaveLength(table.evictions)
    expect(left.length + table.size).toBe(40_000)
    for (const key of left) expect(get(table, key)).toBeUndefined()
  })

  it('keeps what is read while a scan ten times as large passes by', () => {
    const table = tableOf({ maxBytes: MAX })
    const hot = Array.from({ length: 2000 }, (_, i) => `hot${i}`)
    const read = (): number => {
      let found = 0
      for (const key of hot) {
        const slot = table.find(keyOf(key))
        if (slot < 0) table.put(keyOf(key), span('x'.repeat(100)))
        else {
          found += 1
          table.touch(slot)
        }
      }
      return found
    }
    for (let i = 0; i < 4; i += 1) read()
    for (let i = 0; i < 200_000; i += 1) table.put(keyOf(`scan${i}`), span('x'.repeat(100)))
    expect(read()).toBeGreaterThan(hot.length * 0.99)
  })

  it('refuses what does not fit where nobody may leave, and what stood before stays', () => {
    const table = tableOf({ maxBytes: MAX, evicts: false })
    let stored = 0
    while (table.put(keyOf(`k${stored}`), span('x'.repeat(200))) !== NONE) stored += 1
    expect(table.bytes).toBeLessThanOrEqual(MAX)
    expect(table.size).toBe(stored)
    expect(stored * 280).toBeGreaterThan(MAX * 0.7)
    expect(table.put(keyOf('k0'), span('y'.repeat(2_000_000)))).toBe(NONE)
    for (let i = 0; i < stored; i += 1) expect(get(table, `k${i}`)).toBe('x'.repeat(200))
    expect(table.putObject(keyOf('h'), {}, 5_000_000)).toBe(NONE)
    expect(table.find(keyOf('h'))).toBe(NONE)
    for (let i = 0; i < stored / 2; i += 1) table.remove(table.find(keyOf(`k${i}`)))
    expect(table.put(keyOf('new'), span('y'.repeat(100_000)))).not.toBe(NONE)
    for (let i = stored - 1; i > stored / 2; i -= 1) expect(get(table, `k${i}`)).toBe('x'.repeat(200))
  })

  it('follows a limit that is lowered, at the next change', () => {
    const table = tableOf({ maxBytes: MAX })
    for (let i = 0; i < 8000; i += 1) table.put(keyOf(`k${i}`), span('x'.repeat(300)))
    table.maxBytes = MAX / 2
    table.put(keyOf('next'), span('x'.repeat(300)))
    table.shrink()
    expect(table.bytes).toBeLessThanOrEqual(MAX / 2)
    expect(get(table, 'next')).toBeDefined()
  })
})
