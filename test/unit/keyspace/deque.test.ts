import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Deque } from '../../../src/keyspace/deque.ts'

const STEPS = fc.array(
  fc.record({ kind: fc.constantFrom('push', 'unshift', 'pop', 'shift', 'insert', 'put', 'keep'), at: fc.nat(40) }),
  {
    maxLength: 120,
  },
)

describe('deque: elements in order', () => {
  it('holds what an array holds', () => {
    fc.assert(
      fc.property(STEPS, (steps) => {
        // Arrange
        const deque = new Deque<number>()
        let array: number[] = []

        // Act
        for (const [i, { kind, at }] of steps.entries()) {
          const place = array.length === 0 ? 0 : at % array.length
          if (kind === 'push') array.push(i)
          if (kind === 'push') deque.push(i)
          if (kind === 'unshift') array.unshift(i)
          if (kind === 'unshift') deque.unshift(i)
          if (kind === 'pop') expect(deque.pop()).toBe(array.pop())
          if (kind === 'shift') expect(deque.shift()).toBe(array.shift())
          if (kind === 'insert') array.splice(place, 0, i)
          if (kind === 'insert') deque.insert(place, i)
          if (kind === 'put' && array.length > 0) array[place] = i
          if (kind === 'put' && array.length > 0) deque.put(place, i)
          if (kind === 'keep') deque.keep(place, array.length)
          if (kind === 'keep') array = array.slice(place)
        }

        // Assert
        expect(Array.from({ length: deque.size }, (_, i) => deque.at(i))).toEqual(array)
      }),
    )
  })
})
