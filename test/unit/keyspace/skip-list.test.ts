import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SkipList } from '../../../src/keyspace/skip-list.ts'
import { createRandom } from '../../../src/model/random.ts'

const ENTRIES = fc.array(fc.record({ member: fc.string({ maxLength: 2 }), score: fc.integer({ min: -3, max: 3 }) }), {
  maxLength: 80,
})

function sorted(scores: ReadonlyMap<string, number>): (readonly [string, number])[] {
  return [...scores].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : a > b ? 1 : 0))
}

describe('skip list: members by score and bytes', () => {
  it('keeps order, ranks, the n-th member and both directions', () => {
    fc.assert(
      fc.property(ENTRIES, fc.nat(), (entries, seed) => {
        // Arrange
        const list = new SkipList(createRandom(seed))
        const scores = new Map<string, number>()

        // Act
        for (const { member, score } of entries) {
          const former = scores.get(member)
          if (former !== undefined) expect(list.remove(former, member)).toBe(true)
          if (former === score) {
            scores.delete(member)
            continue
          }
          list.insert(score, member)
          scores.set(member, score)
        }

        // Assert
        const expected = sorted(scores)
        expect(list.size).toBe(expected.length)
        for (const [place, [member, score]] of expected.entries()) {
          expect(list.rank(score, member)).toBe(place)
          expect(list.at(place)).toMatchObject({ member, score })
        }
        expect(list.at(expected.length)).toBeUndefined()
        const forward: string[] = []
        for (let node = list.first; node !== undefined; node = node.next[0]) forward.push(node.member)
        const backward: string[] = []
        for (let node = list.last; node !== undefined; node = node.before) backward.unshift(node.member)
        expect(forward).toEqual(expected.map(([member]) => member))
        expect(backward).toEqual(forward)
        expect(list.countLower(({ score }) => score < 0)).toBe(expected.filter(([, score]) => score < 0).length)
      }),
    )
  })

  it('refuses to remove what is not there', () => {
    // Arrange
    const list = new SkipList(createRandom(1))
    list.insert(1, 'a')

    // Act and assert
    expect(list.remove(2, 'a')).toBe(false)
    expect(list.remove(1, 'b')).toBe(false)
    expect(list.size).toBe(1)
  })
})
