import { describe, expect, it } from 'vitest'
import { MountNotes, type Note } from '../../../src/flow/mount-notes.ts'

const ROOM = 10_000
const note = (tags: readonly string[], more: Partial<Note> = {}): Note => ({
  ...{ type: 'text/plain', tags, mark: '"m"', writtenMs: 0, freshMs: 1000, staleMs: 1000 },
  ...more,
})

describe('notes of values that stand elsewhere', () => {
  it('say which keys have a tag, as they were written last', () => {
    const notes = new MountNotes(ROOM)
    notes.put('a', note(['t', 'u']))
    notes.put('b', note(['t']))
    notes.put('a', note(['u']))

    expect([notes.tagged('t'), notes.tagged('u'), notes.tagged('w')]).toEqual([['b'], ['a'], []])
    notes.drop('b')
    expect(notes.tagged('t')).toEqual([])
  })

  it('do not know whose a tag is once one has given way', () => {
    const notes = new MountNotes(ROOM)
    for (let i = 0; i < 100; i += 1) expect(notes.put(`key ${i}`, note([]))).toBe(true)
    expect(notes.tagged('t')).toEqual([])
    for (let i = 0; i < 100; i += 1) expect(notes.put(`key ${i}`, note(['t']))).toBe(true)

    expect(notes.size).toBeLessThan(100)
    expect(notes.bytes).toBeLessThanOrEqual(ROOM)
    expect(notes.tagged('t')).toBeUndefined()
  })

  it('are refused where they would be lost, and make room where nothing stands any more', () => {
    const gone = new Set<string>()
    const notes = new MountNotes(ROOM, (key) => !gone.has(key))
    let kept = 0
    while (notes.put(`key ${kept}`, note(['t']))) kept += 1
    expect(notes.tagged('t')).toHaveLength(kept)
    expect(notes.put('key 0', note(['t']))).toBe(true)

    gone.add('key 3')
    expect(notes.put('another', note(['t']))).toBe(true)
    expect(notes.get('key 3')).toBeUndefined()
  })

  it('go with their values, and only where the values stand here', () => {
    const standing = new Set(['a', 'b'])
    const alone = new MountNotes(ROOM, (key) => standing.has(key))
    const before = new MountNotes(ROOM)
    for (const notes of [alone, before]) for (const key of standing) notes.put(key, note(['t']))
    standing.delete('a')
    for (const notes of [alone, before]) {
      notes.touched('a')
      notes.touched('b')
      notes.touchedAll()
    }

    expect([alone.tagged('t'), before.tagged('t')]).toEqual([['b'], ['a', 'b']])
  })

  it('bind what would be told wrongly without them', () => {
    const notes = new MountNotes(ROOM)
    notes.put('type', note([]))
    notes.put('tag', note(['t']))
    notes.put('stale', note([], { staleMs: 2000 }))

    expect(['none', 'type', 'tag', 'stale'].map((key) => notes.binds(key))).toEqual([false, false, true, true])
  })

  it('take no note larger than all of them may be', () => {
    const notes = new MountNotes(ROOM)
    expect(notes.put('a', note(['x'.repeat(ROOM)]))).toBe(false)
    expect([notes.size, notes.bytes]).toEqual([0, 0])
  })
})
