import { beforeEach, describe, expect, it } from 'vitest'
import type { LinkReceiver } from '../../../src/model/link.ts'
import { createVirtualClock, type VirtualClock } from '../../../src/model/virtual-clock.ts'
import { StreamLink } from '../../../src/tier/stream-link.ts'
import { VirtualLog, VirtualLogStore } from '../../support/virtual-log.ts'

const BLIND_MS = 400
const BEAT_MS = BLIND_MS / 4
const STEP_MS = 5
const RECORD = '{"targets":[{"kind":"tag","tag":"t"}],"soft":false,"source":"test","rules":0}'

/** A member behind a way that takes its time. */
class Slow implements LinkReceiver {
  readonly clock: VirtualClock
  readonly log: VirtualLog
  readonly link: StreamLink
  /** One way, ms. */
  wayMs = 1
  isCut = false
  isBlind = true
  /** Until when its blindness is known without a question. */
  knownUntil = 0
  /** How long each proof held when it came, ms. */
  readonly held: number[] = []
  asking = 0
  mostAsking = 0

  constructor() {
    this.clock = createVirtualClock()
    this.log = new VirtualLog(this.clock)
    const net = { delay: () => this.wayMs, isCut: () => this.isCut }
    const store = new VirtualLogStore(this.log, { member: 'slow', net, clock: this.clock })
    const { prove } = store
    store.prove = (deadlineMs) => {
      this.asking += 1
      this.mostAsking = Math.max(this.mostAsking, this.asking)
      return prove.call(store, deadlineMs).finally(() => (this.asking -= 1))
    }
    this.link = new StreamLink({ clock: this.clock, store, blindAfterMs: BLIND_MS, ackMs: BLIND_MS * 1.25 })
    this.link.start(this)
  }

  apply(): number {
    return 0
  }

  reach(): void {}

  blind(untilMs = Number.POSITIVE_INFINITY): void {
    this.isBlind = true
    this.knownUntil = untilMs
  }

  see(): void {}

  prove(untilMs: number): void {
    this.isBlind = false
    this.held.push(untilMs - this.clock.now())
  }

  doubt(): void {}

  renew(): void {}

  /** @returns the share of the time in which it was blind */
  async blindShare(ms: number): Promise<number> {
    let blind = 0
    for (let at = 0; at < ms; at += STEP_MS) {
      await this.clock.advanceAsync(STEP_MS)
      if (this.isBlind) blind += STEP_MS
    }
    return blind / ms
  }
}

describe('a member whose way to the log is slow', () => {
  let slow: Slow

  beforeEach(async () => {
    slow = new Slow()
    await slow.clock.advanceAsync(BLIND_MS)
  })

  it.each([0.2, 0.3, 0.4, 0.6, 0.7])('sees on where each answer takes %s of the time that silence is trusted', async (share) => {
    slow.wayMs = (share * BLIND_MS) / 2
    await slow.clock.advanceAsync(BLIND_MS * 2)

    expect(await slow.blindShare(BLIND_MS * 20)).toBe(0)
  })

  it.each([
    [0.2, 40],
    [0.35, 40],
    [0.35, 10],
    [0.5, 200],
    [0.5, 60],
    [0.5, 35],
    [0.5, 10],
  ])('sees on where an answer takes %s of that time and others write every %i ms', async (share, everyMs) => {
    slow.wayMs = (share * BLIND_MS) / 2
    const write = (): void => {
      slow.log.append('other', slow.log.generation, [RECORD])
      slow.clock.after(everyMs, write)
    }
    write()
    await slow.clock.advanceAsync(BLIND_MS * 3)

    expect(await slow.blindShare(BLIND_MS * 20)).toBe(0)
  })

  it('is blind where an answer takes longer than it could prove anything', async () => {
    slow.wayMs = BLIND_MS * 0.55
    await slow.clock.advanceAsync(BLIND_MS * 3)

    expect(await slow.blindShare(BLIND_MS * 10)).toBe(1)
  })

  it('believes a late answer from the moment it was asked for, and no longer', async () => {
    slow.wayMs = BLIND_MS * 0.3
    await slow.clock.advanceAsync(BLIND_MS * 2)
    slow.held.length = 0
    await slow.clock.advanceAsync(BLIND_MS * 5)

    expect(slow.held.length).toBeGreaterThan(10)
    expect(Math.max(...slow.held)).toBeLessThanOrEqual(BLIND_MS * 0.4 + 0.001)
  })

  it('knows all the while that it is blind, so that nobody is held up by asking again', async () => {
    slow.isCut = true
    await slow.clock.advanceAsync(BLIND_MS * 3)

    expect(slow.isBlind).toBe(true)
    for (let i = 0; i < 200; i += 1) {
      await slow.clock.advanceAsync(STEP_MS)
      expect(slow.knownUntil).toBeGreaterThan(slow.clock.now())
    }
  })

  it('has few questions under way, however many ask', async () => {
    slow.isCut = true
    for (let i = 0; i < 1000; i += 1) {
      void slow.link.reprove()
      await slow.clock.advanceAsync(STEP_MS)
    }

    expect(slow.mostAsking).toBeLessThanOrEqual(12)
  })

  it('sees again with the first answer after a cut, within a beat and its way', async () => {
    slow.isCut = true
    await slow.clock.advanceAsync(BLIND_MS * 5)
    slow.isCut = false
    await slow.clock.advanceAsync(BEAT_MS + 2 * slow.wayMs + 1)

    expect(slow.isBlind).toBe(false)
  })

  it('gets its own records into the log, once each, where an answer takes half of that time', async () => {
    slow.wayMs = BLIND_MS * 0.3
    const settled = slow.link.publish({ targets: [{ kind: 'tag', tag: 't' }], soft: false, source: 'test', rules: 0 })
    await slow.clock.advanceAsync(BLIND_MS * 4)

    expect((await settled).sequence).toBe(1)
    expect(slow.log.rows.map(({ sequence }) => sequence)).toEqual([1])
  })
})
