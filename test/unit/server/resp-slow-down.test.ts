import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../../src/model/virtual-clock.ts'
import { SlowDown } from '../../../src/server/resp-slow-down.ts'

describe('who guesses passwords', () => {
  it('waits twice as long after each wrong one, beyond the first three', () => {
    const clock = createVirtualClock()
    const slow = new SlowDown(clock)
    const delays: number[] = []

    for (let i = 0; i < 12; i += 1) {
      const delay = slow.delayMs('a')
      delays.push(delay)
      clock.advance(delay)
      slow.tell('a', false)
    }

    expect(delays).toEqual([0, 0, 0, 50, 100, 200, 400, 800, 1600, 3200, 5000, 5000])
    expect(slow.delayMs('b')).toBe(0)
  })

  it('waits behind his own attempts on other connections', () => {
    const slow = new SlowDown(createVirtualClock())
    for (let i = 0; i < 3; i += 1) slow.tell('a', false)

    expect([slow.delayMs('a'), slow.delayMs('a'), slow.delayMs('a')]).toEqual([50, 100, 150])
  })

  it('is forgiven for the right one, and after a while', () => {
    const clock = createVirtualClock()
    const slow = new SlowDown(clock)
    for (let i = 0; i < 5; i += 1) for (const address of ['a', 'b']) slow.tell(address, false)

    slow.tell('a', true)
    clock.advance(11 * 60_000)

    expect([slow.delayMs('a'), slow.delayMs('b')]).toEqual([0, 0])
  })

  it('is remembered among a bounded number', () => {
    const slow = new SlowDown(createVirtualClock())

    for (let i = 0; i < 12_000; i += 1) slow.tell(`address ${i}`, false)

    expect(slow.size).toBe(10_000)
  })
})
