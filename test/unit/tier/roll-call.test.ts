import { beforeEach, describe, expect, it } from 'vitest'
import type { Settled } from '../../../src/model/link.ts'
import { createVirtualClock, settle, type VirtualClock } from '../../../src/model/virtual-clock.ts'
import { RollCall } from '../../../src/tier/roll-call.ts'

const MEMBERS = ['me', 'b', 'c']
const SURE = { members: MEMBERS, unsureMs: 0 }

describe('who has applied what was published', () => {
  let clock: VirtualClock
  let roll: RollCall

  beforeEach(() => {
    clock = createVirtualClock()
    roll = new RollCall(clock, 'me')
    roll.restart('g')
  })

  function begin(): { placed: ReturnType<RollCall['begin']>; settled(): Settled | undefined } {
    let told: Settled | undefined
    const placed = roll.begin({ placeMs: 100, ackMs: 100 }, (given) => (told = given))
    return { placed, settled: () => told }
  }

  function hear(member: string, upTo: number, matched: [number, number][] = [], generation = 'g'): void {
    roll.hear({ member, generation, upTo, matched })
  }

  it('settles when everybody has acknowledged, with what they have matched', async () => {
    const one = begin()
    one.placed(5, SURE)
    hear('b', 5, [[5, 2]])
    await settle()
    expect(one.settled()).toBeUndefined()
    hear('c', 9, [[5, 1]])
    await settle()
    expect(one.settled()).toEqual({ sequence: 5, expected: 3, acknowledged: 3, matched: 3 })
  })

  it('counts acknowledgements that came before the word of the place', async () => {
    const one = begin()
    hear('b', 5, [[5, 2]])
    hear('c', 6)
    one.placed(5, SURE)
    await settle()
    expect(one.settled()).toEqual({ sequence: 5, expected: 3, acknowledged: 3, matched: 2 })
  })

  it('takes no acknowledgement of another log', async () => {
    const one = begin()
    hear('b', 9, [], 'former')
    one.placed(5, { ...SURE, members: ['me', 'b'] })
    hear('b', 9, [], 'former')
    await settle()
    expect(one.settled()).toBeUndefined()
  })

  it('does not wait for who is dead, but for who is only missing in a log that has just begun', async () => {
    const [one, two] = [begin(), begin()]
    one.placed(5, SURE)
    hear('b', 5)
    roll.note(['me', 'b'], 10)
    await settle()
    expect(one.settled()).toEqual({ sequence: 5, expected: 2, acknowledged: 2, matched: 0 })
    two.placed(6, SURE)
    hear('b', 6)
    roll.restart('h')
    roll.note(['me', 'b'], 10)
    await settle()
    expect(two.settled()).toBeUndefined()
  })

  it('takes nobody for dead by a list from before its record had its place', async () => {
    const one = begin()
    one.placed(5, SURE)
    hear('b', 5)
    roll.note(['me', 'b'], 4)
    await settle()
    expect(one.settled()).toBeUndefined()
    roll.note(['me', 'b'], 5)
    await settle()
    expect(one.settled()).toEqual({ sequence: 5, expected: 2, acknowledged: 2, matched: 0 })
  })

  it('calls nothing complete while somebody may be missing from the list', async () => {
    const one = begin()
    one.placed(5, { members: ['me'], unsureMs: 1000 })
    await settle()
    expect(one.settled()).toBeUndefined()
    await clock.advanceAsync(100)
    expect(one.settled()).toEqual({ sequence: 5, expected: 2, acknowledged: 1, matched: 0 })
  })

  it('answers at the deadline, counted once more from the place', async () => {
    const [placed, unplaced] = [begin(), begin()]
    await clock.advanceAsync(90)
    placed.placed(5, SURE)
    await clock.advanceAsync(10)
    expect(unplaced.settled()).toEqual({ sequence: 0, expected: 3, acknowledged: 1, matched: 0 })
    expect(placed.settled()).toBeUndefined()
    await clock.advanceAsync(90)
    expect(placed.settled()).toEqual({ sequence: 5, expected: 3, acknowledged: 1, matched: 0 })
  })

  it('answers everybody when it is closed', async () => {
    const one = begin()
    roll.close()
    await settle()
    expect(one.settled()).toMatchObject({ sequence: 0, acknowledged: 1 })
  })
})
