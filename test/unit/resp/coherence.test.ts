import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../../src/model/virtual-clock.ts'
import { type Causality, Coherence } from '../../../src/resp/coherence.ts'
import { hashBytes, hashText } from '../../../src/resp/coherence-hash.ts'
import { Marks } from '../../../src/resp/coherence-marks.ts'
import { Reader } from '../../../src/resp/coherence-reader.ts'

const [A, B] = [hashText('a'), hashText('b')]

function standOf(causality: Causality = 'session') {
  const clock = new VirtualClock(1_000_000)
  const coherence = new Coherence({ clock, causality, maxStaleMs: 250, maxAgeMs: 60_000, slots: 1024 })
  let pings = 0
  const port = {
    ping: () => {
      pings += 1
    },
    askGrants: () => undefined,
  }
  coherence.opened(port, { isClustered: false, seesGrants: false, isThreaded: false })
  coherence.proven()
  const reader = new Reader()
  /** Reads a key and keeps it, if it may be. */
  const keep = (hash: number, pttl = -1): { kept: boolean; token: number; deadlineMs: number } => {
    const fill = coherence.begin(reader, [hash], clock.now())
    if (fill === undefined) return { kept: false, token: 0, deadlineMs: 0 }
    coherence.read(fill)
    fill.replied(false)
    fill.time(pttl)
    return { kept: coherence.keeps(fill, clock.now()), token: fill.token, deadlineMs: fill.deadlineMs }
  }
  return { clock, coherence, reader, port, keep, pings: () => pings }
}

describe('Coherence', () => {
  it('keeps what nothing has changed since it was sent, as long as its key lives', () => {
    const { coherence, clock, keep } = standOf()
    const lasting = keep(A)

    expect(lasting.kept).toBe(true)
    expect(lasting.deadlineMs).toBe(clock.now() + 60_000)
    expect(keep(A, 300).deadlineMs).toBe(clock.now() + 300)
    expect(keep(A, 0).kept).toBe(false)
    expect(keep(A, -2).kept).toBe(false)
    expect(keep(A, Number.NaN).kept).toBe(false)
    coherence.invalidate(A)

    expect(coherence.stands(A, lasting.token)).toBe(false)
    expect(coherence.stands(B, lasting.token)).toBe(true)
  })

  it('keeps nothing that was invalidated between question and reply', () => {
    const { coherence, clock, reader } = standOf()
    for (const change of [() => coherence.invalidate(A), () => coherence.invalidateAll(), () => coherence.closed()]) {
      const fill = coherence.begin(reader, [A], clock.now())
      change()
      fill?.replied(false)
      fill?.time(-1)

      expect(fill !== undefined && coherence.keeps(fill, clock.now())).toBe(false)
    }
  })

  it('keeps nothing under a write of ours that is under way, however many there are', () => {
    const { coherence, keep } = standOf()
    coherence.forwarded(A)
    coherence.forwarded([A, B])
    coherence.answered(A)

    expect(keep(A).kept).toBe(false)
    coherence.answered([A, B])

    expect(keep(A).kept).toBe(true)
    coherence.forwarded('everything')

    expect(keep(B).kept).toBe(false)
    coherence.answered('everything')

    expect(keep(B).kept).toBe(true)
  })

  it('keeps no counters and no locks for some minutes, and forgets them', () => {
    const { coherence, clock, keep } = standOf()
    const { token } = keep(A)
    coherence.enliven(A)

    expect(coherence.stands(A, token)).toBe(false)
    expect(keep(A).kept).toBe(false)
    clock.advance(250_000)

    expect(keep(A).kept).toBe(false)
    clock.advance(300_000)
    keep(B)
    clock.advance(300_000)

    expect(keep(A).kept).toBe(true)
  })

  it('lets hits wait for a fence that was sent behind what their reader learned', () => {
    const { coherence, clock, reader, pings } = standOf()
    const [other] = [new Reader()]

    expect(coherence.mayHit(reader, clock.now())).toBe(true)
    coherence.learned(reader)

    expect(pings()).toBe(2)
    expect(coherence.mayHit(reader, clock.now())).toBe(false)
    expect(coherence.isBehind(reader, clock.now())).toBe(true)
    expect(coherence.mayHit(other, clock.now())).toBe(true)
    coherence.learned(reader)
    coherence.proven()

    expect(coherence.mayHit(reader, clock.now())).toBe(false)
    coherence.proven()

    expect(coherence.mayHit(reader, clock.now())).toBe(true)
  })

  it('asks for no fence ahead for one who only writes', () => {
    const { coherence, reader, pings } = standOf()
    for (let i = 0; i < 100; i += 1) coherence.learned(reader)

    expect(pings()).toBe(1)
  })

  it('has few fences under way however many ask for one', () => {
    const { coherence, clock, pings } = standOf()
    for (let i = 0; i < 100; i += 1) {
      const reader = new Reader()
      coherence.mayHit(reader, clock.now())
      coherence.learned(reader)
    }

    expect(pings()).toBe(3)
    coherence.proven()
    coherence.proven()

    expect(pings()).toBe(4)
  })

  it('has a reader learn from memory what memory has yet to follow', () => {
    const { coherence, clock, reader } = standOf()
    const fill = coherence.begin(reader, [A], clock.now())
    if (fill === undefined) throw new Error('no fill')
    coherence.read(fill)
    const other = new Reader()

    expect(coherence.served(other, fill.fence)).toBe(true)
    expect(coherence.mayHit(other, clock.now())).toBe(false)
    coherence.proven()

    expect(coherence.mayHit(other, clock.now())).toBe(true)
    expect(coherence.served(other, fill.fence)).toBe(false)
  })

  it('lets the lease run out by itself', () => {
    const { coherence, clock, reader } = standOf()
    clock.advance(250)

    expect(coherence.mayHit(reader, clock.now())).toBe(true)
    clock.advance(1)

    expect(coherence.mayHit(reader, clock.now())).toBe(false)
  })

  it('holds replies in strict until memory has followed, and no longer than the lease', () => {
    const { coherence, clock, reader } = standOf('strict')
    const ran: string[] = []
    coherence.whenProven(coherence.learned(reader), () => ran.push('first'))
    coherence.proven()
    coherence.whenProven(coherence.learned(reader), () => ran.push('second'))

    expect(ran).toEqual(['first'])
    clock.advance(600)

    expect(ran).toEqual(['first', 'second'])
    coherence.whenProven(coherence.learned(reader), () => ran.push('third'))
    coherence.closed()

    expect(ran).toEqual(['first', 'second', 'third'])
  })

  it('joins a question under way only if it was sent behind all that the reader knows', () => {
    const { coherence, clock, reader } = standOf()
    const late = new Reader()
    const fill = coherence.begin(reader, [A], clock.now())
    if (fill === undefined) throw new Error('no fill')

    expect(coherence.mayJoin(late, fill)).toBe(true)
    coherence.learned(late)

    expect(coherence.mayJoin(late, fill)).toBe(false)
    expect(coherence.mayJoin(new Reader(), fill)).toBe(true)
    coherence.forwarded(A)

    expect(coherence.mayJoin(new Reader(), fill)).toBe(false)
  })

  it('keeps nothing behind a lost write on everything until the server has surely come past it', () => {
    const { coherence, clock, reader, keep } = standOf()
    coherence.forwarded('everything')
    coherence.lost('everything')
    coherence.mayHit(reader, clock.now())
    clock.advance(1900)

    expect(keep(A).kept).toBe(false)
    clock.advance(200)
    for (let i = 0; i < 5; i += 1) {
      coherence.mayHit(reader, clock.now())
      coherence.proven()
    }

    expect(keep(A).kept).toBe(true)
  })
})

describe('Marks', () => {
  it('begins anew when its numbers are used up, and says so', () => {
    let restarts = 0
    const marks = new Marks(8, () => {
      restarts += 1
    })
    marks.sequence = 0x7fff_0000
    marks.mark(1)

    expect(restarts).toBe(1)
    expect(marks.sequence).toBe(2)
    expect(marks.stands(1, 1)).toBe(false)
    expect(marks.stands(1, 2)).toBe(true)
  })

  it('never loses count of writes under way: a slot with too many is not kept any more', () => {
    const marks = new Marks(8, () => undefined)
    for (let i = 0; i < 70_000; i += 1) marks.begin(3)
    for (let i = 0; i < 70_000; i += 1) marks.end(3)

    expect(marks.isWriting(3)).toBe(true)
    expect(marks.isWriting(4)).toBe(false)
  })
})

describe('the hash of a key', () => {
  it('is the same for text and for its UTF-8, in any place', () => {
    for (const text of ['', 'a', 'user:1001', 'ключ', '💾', 'a\u0000b']) {
      const bytes = Buffer.from(`..${text}..`)

      expect(hashBytes(bytes, 2, bytes.length - 2)).toBe(hashText(text))
    }
  })

  it('spreads keys that differ in a digit', () => {
    const slots = new Set(Array.from({ length: 10_000 }, (_, i) => hashText(`user:${i}`) & 0xffff))

    expect(slots.size).toBeGreaterThan(9000)
  })
})
