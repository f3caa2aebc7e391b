import { describe, expect, it } from 'vitest'
import { Press } from '../../../src/wire/press.ts'
import { createVirtualClock, settle } from '../../../src/model/virtual-clock.ts'
import { gate } from '../../support/door-stand.ts'

describe('press: bounded work', () => {
  it('works on so many at once, in the order they came', async () => {
    const press = new Press({ concurrency: 2, maxBytes: 100 })
    const gates = [gate(), gate(), gate()]
    const began: number[] = []
    const done = gates.map(({ passed }, i) =>
      press.take(10, () => {
        began.push(i)
        return passed
      }),
    )
    expect([began, press.bytes, press.size]).toEqual([[0, 1], 30, 3])
    gates[1]?.open()
    await done[1]
    expect([began, press.bytes]).toEqual([[0, 1, 2], 20])
    for (const one of gates) one.open()
    await Promise.all(done)
    expect([press.bytes, press.size]).toEqual([0, 0])
  })

  it('turns away what would exceed its bytes, and says so before', async () => {
    const press = new Press({ concurrency: 1, maxBytes: 100 })
    const { passed, open } = gate()
    const first = press.take(60, () => passed)
    expect([press.isFull(41), press.isFull(40)]).toEqual([true, false])
    expect(press.take(41, () => Promise.resolve())).toBeUndefined()
    open()
    await first
    expect(await press.take(100, () => Promise.resolve(1))).toBe(1)
  })

  it('goes on after work that fails, and hands the failure on', async () => {
    const press = new Press({ concurrency: 1, maxBytes: 100 })
    const failing = press.take(10, () => Promise.reject(new Error('broken')))
    const next = press.take(10, () => Promise.resolve('next'))
    await expect(failing).rejects.toThrow('broken')
    expect(await next).toBe('next')
    expect(press.bytes).toBe(0)
  })

  it('tells every change of what it holds', async () => {
    const charges: number[] = []
    const press = new Press({ concurrency: 1, maxBytes: 100, onCharge: (bytes) => charges.push(bytes) })
    await press.take(7, () => Promise.resolve())
    expect(charges).toEqual([7, -7])
  })

  it('takes no more than its share of the time in the long run, after what it may spend at once', async () => {
    const clock = createVirtualClock()
    const press = new Press({ concurrency: 1, maxBytes: 1000, pace: { clock, share: 0.25, burstMs: 100 } })
    const began: number[] = []
    const start = clock.now()
    const done = Array.from({ length: 8 }, () =>
      press.take(1, () => {
        began.push(clock.now() - start)
        return new Promise<void>((resolve) => void clock.after(50, resolve))
      }),
    )
    for (let i = 0; i < 200; i += 1) {
      clock.advance(10)
      await settle()
    }
    await Promise.all(done)
    const last = began.at(-1) as number
    expect(began.slice(0, 2)).toEqual([0, 50])
    expect(last).toBeGreaterThan((7 * 50 - 100 - 50) / 0.25)
    expect(last).toBeLessThan((8 * 50) / 0.25 + 200)
  })
})
