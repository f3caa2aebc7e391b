import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Dict } from '../../../src/keyspace/dict.ts'

const KEYS = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g')
const CHANGES = fc.array(fc.record({ key: KEYS, value: fc.nat(9), isSet: fc.boolean() }), { maxLength: 60 })

describe('dict: a dictionary that can be scanned while it changes', () => {
  it.each([true, false])('holds what a Map holds (ordered: %s)', (ordered) => {
    fc.assert(
      fc.property(CHANGES, (changes) => {
        // Arrange
        const dict = new Dict<number>(ordered)
        const map = new Map<string, number>()

        // Act
        for (const { key, value, isSet } of changes) {
          if (isSet) expect(dict.set(key, value)).toBe(!map.has(key))
          else expect(dict.delete(key)).toBe(map.has(key))
          if (isSet) map.set(key, value)
          else map.delete(key)
        }

        // Assert
        expect(dict.size).toBe(map.size)
        for (const key of 'abcdefg') expect(dict.get(key)).toBe(map.get(key))
        if (ordered) expect([...dict.keys]).toEqual([...map.keys()])
        else expect([...dict.keys].sort()).toEqual([...map.keys()].sort())
      }),
    )
  })

  it('shows a scan every key that stood there all the while, whatever else changes', () => {
    fc.assert(
      fc.property(fc.array(CHANGES, { maxLength: 8 }), fc.integer({ min: 1, max: 4 }), (rounds, count) => {
        // Arrange
        const dict = new Dict<number>(false)
        const kept = ['x1', 'x2', 'x3', 'x4', 'x5']
        for (const key of [...kept, 'a', 'b', 'c']) dict.set(key, 0)
        const seen = new Set<string>()

        // Act
        let cursor = 0
        let turn = 0
        do {
          cursor = dict.scan(cursor, count, (key) => seen.add(key))
          for (const { key, value, isSet } of rounds[turn] ?? []) {
            if (isSet) dict.set(key, value)
            else dict.delete(key)
          }
          turn += 1
        } while (cursor !== 0)

        // Assert
        expect(kept.filter((key) => !seen.has(key))).toEqual([])
      }),
    )
  })
})
