import { describe, expect, it } from 'vitest'
import { createVirtualClock, settle } from '../../../src/model/virtual-clock.ts'
import type { LeaseFrame } from '../../../src/tier/lease-store.ts'
import { Waiter } from '../../../src/tier/lease-wait.ts'

const FRAME_BYTES = 100 * 1024
const WAIT_MS = 1000

/** A waiter at a holder who has got so many frames, two of which are given at a reading. */
function setUp(count: number) {
  const clock = createVirtualClock()
  const frames = Array.from({ length: count }, (_, index): LeaseFrame => ({ kind: index, data: new Uint8Array(FRAME_BYTES) }))
  const seen = { held: 0, most: 0, read: 0 }
  const waiter = new Waiter(
    'a',
    { token: 't', leftMs: 60_000 },
    {
      clock,
      random: () => 0,
      waitMs: WAIT_MS,
      ask: () => Promise.resolve({ isHeld: false, token: 't', stamp: '', leftMs: 60_000 }),
      read: (_token, after) => {
        const some = frames.slice(after, after + 2)
        seen.read += some.length
        return Promise.resolve({ first: some.length > 0 ? after + 1 : 0, frames: some, ageMs: 0 })
      },
      onHeld: (bytes) => {
        seen.held += bytes
        seen.most = Math.max(seen.most, seen.held)
      },
      onEnd: () => {},
    },
  )
  return { clock, waiter, seen }
}

describe('one who waits for a lease', () => {
  it('reads no further while much of what came has not been taken', async () => {
    const { waiter, seen } = setUp(40)
    waiter.follow()
    await settle()
    expect(seen.read).toBe(4)
    expect(seen.held).toBe(4 * FRAME_BYTES)
  })

  it('reads on when it is taken, until all has come, and holds nothing then', async () => {
    const { waiter, seen } = setUp(40)
    waiter.follow()
    let got = 0
    while (got < 40) {
      const event = await waiter.next()
      if (event.kind !== 'frames') throw new Error(event.kind)
      got += event.frames.length
    }
    expect(got).toBe(40)
    expect(seen.held).toBe(0)
    expect(seen.most).toBeLessThanOrEqual(5 * FRAME_BYTES)
  })

  it('does not count as late what waits here', async () => {
    const { clock, waiter } = setUp(40)
    waiter.follow()
    await settle()
    clock.advance(WAIT_MS * 5)
    const kinds: string[] = []
    for (let got = 0; got < 20; got += 1) kinds.push((await waiter.next()).kind)
    expect(new Set(kinds)).toEqual(new Set(['frames']))
  })

  it('is late when nothing comes any more, also after it was held up here', async () => {
    const { clock, waiter } = setUp(6)
    waiter.follow()
    await settle()
    clock.advance(WAIT_MS * 5)
    for (let got = 0; got < 3; got += 1) expect((await waiter.next()).kind).toBe('frames')
    await settle()
    clock.advance(WAIT_MS + 1)
    expect(await waiter.next()).toEqual({ kind: 'alone', reason: 'late' })
  })

  it('gives back what nobody took when it leaves', async () => {
    const { waiter, seen } = setUp(40)
    waiter.follow()
    await settle()
    waiter.leave()
    expect(seen.held).toBe(0)
  })
})
