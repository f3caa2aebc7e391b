import { describe, expect, it } from 'vitest'
import { ACCOUNT, Ledger } from '../../../src/model/ledger.ts'
import { HeadArena } from '../../../src/server/lane-arena.ts'

const LIMIT = 1024 * 1024

function setUp() {
  const ledger = new Ledger()
  return { arena: new HeadArena(LIMIT, ledger), charged: () => ledger.of(ACCOUNT.lane) }
}

describe('the place of heads', () => {
  it('puts many into one slab, charged once', () => {
    const { arena, charged } = setUp()
    const [a, b] = [arena.put('a'.repeat(100)), arena.put('b'.repeat(100))]
    expect(a.slab).toBe(b.slab)
    expect(String(a.head)).toBe('a'.repeat(100))
    expect(String(b.head)).toBe('b'.repeat(100))
    expect([a.ownBytes, b.ownBytes]).toEqual([0, 0])
    expect(charged()).toBe(16 * 1024)
  })

  it('tells who puts a long one that nobody has charged it', () => {
    const { arena, charged } = setUp()
    expect(arena.put('c'.repeat(5000)).ownBytes).toBe(5000)
    expect(charged()).toBe(0)
  })

  it('never holds more than an eighth of the limit, and marks what was written over', () => {
    const { arena, charged } = setUp()
    const first = arena.put('d'.repeat(1000))
    const { serial } = first.slab
    for (let i = 0; i < 1000; i += 1) arena.put('e'.repeat(1000))
    expect(charged()).toBe(LIMIT / 8)
    expect(first.slab.serial).toBeGreaterThan(serial)
  })
})
