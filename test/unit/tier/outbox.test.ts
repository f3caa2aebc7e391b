import { describe, expect, it } from 'vitest'
import type { LinkDraft } from '../../../src/model/link.ts'
import { MAX_WAITING, Outbox } from '../../../src/tier/outbox.ts'

const SURE = { members: ['me'], unsureMs: 0 }

function draft(tag: string): LinkDraft {
  return { targets: [{ kind: 'tag', tag }], soft: false, source: tag, rules: 0 }
}

function sources(outbox: Outbox): string[] {
  return [...outbox.pending()].map(({ source }) => source)
}

describe('own invalidations on their way into the log', () => {
  it('wait in order, and count as pending until this member has come so far itself', () => {
    const outbox = new Outbox()
    const placed: number[] = []
    for (const name of ['a', 'b', 'c']) outbox.push(draft(name), (sequence) => placed.push(sequence))

    outbox.place(outbox.head(2), 7, SURE)

    expect(placed).toEqual([7, 8])
    expect(outbox.size).toBe(1)
    expect(sources(outbox).toSorted()).toEqual(['a', 'b', 'c'])
    expect(outbox.reach(7)?.source).toBe('a')
    expect(outbox.reach(9)).toBeUndefined()
    expect(sources(outbox).toSorted()).toEqual(['b', 'c'])
  })

  it('forget what is behind this member, and nothing else', () => {
    const outbox = new Outbox()
    for (const name of ['a', 'b', 'c']) outbox.push(draft(name), () => {})
    outbox.place(outbox.head(2), 7, SURE)
    outbox.forget(7)
    expect(sources(outbox).toSorted()).toEqual(['b', 'c'])
    outbox.forget(Number.POSITIVE_INFINITY)
    expect(sources(outbox)).toEqual(['c'])
  })

  it('become one record that names everything before any of them is forgotten', () => {
    const outbox = new Outbox()
    for (let i = 0; i <= MAX_WAITING; i += 1) outbox.push(draft(`t${i}`), () => {})
    expect(outbox.size).toBe(1)
    expect([...outbox.pending()][0]?.targets).toEqual([{ kind: 'all' }])
  })

  it('stay whole when they collapse while some of them are being appended', () => {
    const outbox = new Outbox()
    outbox.push(draft('first'), () => {})
    const batch = outbox.head(10)
    for (let i = 0; i <= MAX_WAITING; i += 1) outbox.push(draft(`t${i}`), () => {})
    outbox.place(batch, 3, SURE)
    expect([...outbox.pending()].some(({ targets }) => targets[0]?.kind === 'all')).toBe(true)
  })
})
