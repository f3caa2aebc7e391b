import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { Horizon } from '../../../src/tier/horizon.ts'

const BLIND_MS = 100

describe('horizon: how far a member has come, and since when it knows', () => {
  let horizon: Horizon

  beforeEach(() => {
    horizon = new Horizon(BLIND_MS)
    horizon.restart('g', 5)
  })

  it('proves nothing before it was told', () => {
    expect(horizon.provenUntil).toBe(Number.NEGATIVE_INFINITY)
  })

  it('counts a proof from the moment it was asked for', () => {
    const asked = horizon.ask(1000)
    expect(horizon.judge({ generation: 'g', floor: 0, last: 5 }, asked)).toBe('current')
    expect(horizon.provenUntil).toBe(1000 + BLIND_MS)
  })

  it('counts a proof once everything it spoke of is applied, and not before', () => {
    expect(horizon.judge({ generation: 'g', floor: 0, last: 7 }, horizon.ask(1000))).toBe('behind')
    horizon.advance()
    expect(horizon.provenUntil).toBe(Number.NEGATIVE_INFINITY)
    horizon.advance()
    expect(horizon.provenUntil).toBe(1000 + BLIND_MS)
  })

  it('proves something where the log grows as it is followed: a later question does not put off what an earlier one has shown', () => {
    horizon.judge({ generation: 'g', floor: 0, last: 7 }, horizon.ask(1000))
    horizon.advance()
    horizon.judge({ generation: 'g', floor: 0, last: 8 }, horizon.ask(1040))
    horizon.advance()
    expect(horizon.provenUntil).toBe(1000 + BLIND_MS)
    horizon.judge({ generation: 'g', floor: 0, last: 9 }, horizon.ask(1080))
    horizon.advance()
    expect(horizon.provenUntil).toBe(1040 + BLIND_MS)
  })

  it('learns at once what a later question shows of less', () => {
    horizon.judge({ generation: 'g', floor: 0, last: 9 }, horizon.ask(1000))
    horizon.judge({ generation: 'g', floor: 0, last: 6 }, horizon.ask(1040))
    horizon.advance()
    expect(horizon.provenUntil).toBe(1040 + BLIND_MS)
  })

  it('follows only what comes next', () => {
    expect(horizon.follow(6, 'g')).toBe('next')
    expect(horizon.follow(5, 'g')).toBe('known')
    expect(horizon.follow(7, 'g')).toBe('gap')
    expect(horizon.follow(6, 'h')).toBe('other')
  })

  it('takes an end behind its own for a log that was set back, unless it came on since it asked', () => {
    const asked = horizon.ask(1000)
    horizon.advance()
    expect(horizon.judge({ generation: 'g', floor: 0, last: 5 }, asked)).toBe('current')
    expect(horizon.judge({ generation: 'g', floor: 0, last: 5 }, horizon.ask(1001))).toBe('lost')
  })

  it('has lost what was trimmed before it came', () => {
    expect(horizon.judge({ generation: 'g', floor: 6, last: 9 }, horizon.ask(1))).toBe('lost')
    expect(horizon.judge({ generation: 'g', floor: 5, last: 9 }, horizon.ask(1))).toBe('behind')
  })

  it('has lost everything to a log of another name', () => {
    expect(horizon.judge({ generation: 'h', floor: 0, last: 5 }, horizon.ask(1))).toBe('lost')
  })

  it('hears nothing in an answer to a question from before it began anew', () => {
    const asked = horizon.ask(1)
    horizon.restart('h', 2)
    expect(horizon.judge({ generation: 'g', floor: 0, last: 9 }, asked)).toBe('moot')
    expect(horizon.judge({ generation: 'h', floor: 0, last: 2 }, asked)).toBe('moot')
    expect(horizon.provenUntil).toBe(Number.NEGATIVE_INFINITY)
  })

  it('never trusts silence for longer than from the last question whose answer it has applied', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('append' as const) }),
      fc.record({ kind: fc.constant('ask' as const) }),
      fc.record({ kind: fc.constant('answer' as const), pick: fc.nat(3) }),
      fc.record({ kind: fc.constant('hear' as const) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const at = new Horizon(BLIND_MS)
        at.restart('g', 0)
        let [last, now] = [0, 0]
        const appendedAt: number[] = []
        const open: { asked: ReturnType<Horizon['ask']>; last: number }[] = []
        for (const one of steps) {
          now += 1
          if (one.kind === 'append') appendedAt[(last += 1)] = now
          else if (one.kind === 'ask') open.push({ asked: at.ask(now), last })
          else if (one.kind === 'hear') {
            if (at.follow(at.position + 1, 'g') === 'next' && at.position < last) at.advance()
          } else {
            const [answer] = open.splice(one.pick % Math.max(1, open.length), 1)
            if (answer !== undefined) at.judge({ generation: 'g', floor: 0, last: answer.last }, answer.asked)
          }
          // Whatever is not applied here was appended after the moment that is proven.
          const provenAt = at.provenUntil - BLIND_MS
          for (let place = at.position + 1; place <= last; place += 1) expect(appendedAt[place]).toBeGreaterThan(provenAt)
        }
      }),
    )
  })
})
