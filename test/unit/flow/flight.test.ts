import { describe, expect, it } from 'vitest'
import { Flights, type Lead, type Follow } from '../../../src/flow/flight.ts'
import { type Fill, openFill } from '../../../src/flow/fill.ts'
import { EventHub } from '../../../src/model/event.ts'
import { createVirtualClock } from '../../../src/model/virtual-clock.ts'
import { Fence } from '../../../src/tier/fence.ts'

function setup(limits = { maxWaiters: 100, maxFlights: 10, maxMs: 1000 }) {
  const clock = createVirtualClock()
  const fence = new Fence(clock)
  const flights = new Flights({ fence, clock, events: new EventHub(), limits })
  const begin =
    (key = 'k', tags: string[] = []) =>
    (): Fill =>
      openFill({ fence, clock, originLagMs: 0 }, key, { tags })
  const lead = (key = 'k', tags: string[] = []): Lead<string> => flights.enter<string>(key, begin(key, tags)) as Lead<string>
  const follow = (key = 'k'): Follow<string> => flights.enter<string>(key, begin(key)) as Follow<string>
  return { clock, fence, flights, lead, follow }
}

describe('flight: coalescing in one process', () => {
  it('lets the first caller lead and hands its answer to those who follow', async () => {
    // Arrange
    const { flights, lead, follow } = setup()
    const leader = lead()
    const followers = [follow(), follow()]

    // Act
    leader.answer('body')
    leader.end()

    // Assert
    expect(followers.every((one) => one.role === 'follow')).toBe(true)
    expect(await Promise.all(followers.map((one) => one.wait()))).toEqual(['body', 'body'])
    expect(flights.size).toBe(0)
    expect(flights.joined).toBe(2)
  })

  it('fails followers with the leader and never a caller who comes after the failure', async () => {
    const { lead, follow } = setup()
    const leader = lead()
    const waiting = follow().wait()
    leader.fail(new Error('down'))
    await expect(waiting).rejects.toThrow('down')
    expect(lead().role).toBe('lead')
  })

  it('lets callers join between the answer and the end', async () => {
    const { lead, follow } = setup()
    const leader = lead()
    leader.answer('head')
    expect(await follow().wait()).toBe('head')
    leader.end()
    expect(lead().role).toBe('lead')
  })

  it('sends followers to find their own answer when the leader gives the flight up', async () => {
    const { lead, follow } = setup()
    const leader = lead()
    const waiting = follow().wait()
    leader.abandon()
    expect(await waiting).toBeUndefined()
  })

  for (const soft of [false, true]) {
    it(`starts another flight for whoever comes after a ${soft ? 'soft' : 'hard'} invalidation; those waiting get the old answer`, async () => {
      const { fence, lead, follow } = setup()
      const first = lead()
      const waiting = follow().wait()
      fence.append([{ kind: 'key', key: 'k' }], soft, 'test')
      const second = lead()
      expect(second.role).toBe('lead')
      first.answer('old')
      first.end()
      second.answer('new')
      expect(await waiting).toBe('old')
      expect(await follow().wait()).toBe('new')
    })
  }

  it('detaches flights by declared tag and by everything', () => {
    const { fence, lead } = setup()
    lead('a', ['t'])
    lead('b', ['t'])
    fence.append([{ kind: 'tag', tag: 't' }], false, 'test')
    expect(lead('a').role).toBe('lead')
    fence.append([{ kind: 'all' }], false, 'test')
    expect(lead('a').role).toBe('lead')
    expect(lead('b').role).toBe('lead')
  })

  it('refuses an answer whose learned tag was invalidated before the follower came, not when it was after', async () => {
    // Arrange: one follower before the invalidation, one after it
    const { fence, lead, follow } = setup()
    const leader = lead()
    const early = follow().wait()
    fence.append([{ kind: 'tag', tag: 'learned' }], false, 'test')
    const late = follow().wait()

    // Act
    leader.answer('old', ['learned'])

    // Assert
    expect(await early).toBe('old')
    expect(await late).toBeUndefined()
    expect(lead().role).toBe('lead')
  })

  it('bounds callers per flight and flights in all', () => {
    const { lead, flights } = setup({ maxWaiters: 1, maxFlights: 2, maxMs: 1000 })
    lead('a')
    expect(lead('a').role).toBe('follow')
    expect(lead('a').role).toBe('full')
    lead('b')
    expect(lead('c').role).toBe('full')
    expect(flights.size).toBe(2)
  })

  it('frees a place when a follower leaves, and tells the leader when the last one has', () => {
    const { lead, follow } = setup({ maxWaiters: 1, maxFlights: 2, maxMs: 1000 })
    const leader = lead()
    let empty = 0
    leader.onEmpty(() => (empty += 1))
    const one = follow()
    one.leave()
    one.leave()
    expect([empty, leader.waiters()]).toEqual([1, 0])
    expect(follow().role).toBe('follow')
  })

  it('takes out a flight its leader forgot, and sends its followers away', async () => {
    const { clock, lead, follow, flights } = setup()
    lead()
    const waiting = follow().wait()
    clock.advance(1000)
    expect(await waiting).toBeUndefined()
    expect([flights.size, clock.pending]).toEqual([0, 0])
  })

  it('leaves no timer behind when a flight ends', () => {
    const { clock, lead } = setup()
    lead('a').end()
    lead('b').fail(new Error('x'))
    lead('c').abandon()
    expect(clock.pending).toBe(0)
  })
})
