import { describe, expect, it } from 'vitest'
import type { LinkDraft } from '../../../src/model/link.ts'
import { SharedFence } from '../../../src/tier/shared-fence.ts'

const READING = { key: 'a:1', namespace: 'n', tags: ['t', 'u'] }

function record(...targets: LinkDraft['targets']): Pick<LinkDraft, 'targets' | 'soft'> {
  return { targets, soft: false }
}

describe('the shared log as it judges what others have stored', () => {
  for (const target of [
    { kind: 'key', key: 'a:1' },
    { kind: 'tag', tag: 'u' },
    { kind: 'prefix', prefix: 'a:' },
    { kind: 'namespace', namespace: 'n' },
    { kind: 'all' },
  ] satisfies LinkDraft['targets'][number][]) {
    it(`calls dead what a record of kind ${target.kind} names after its reading began`, () => {
      const fence = new SharedFence(0)
      fence.note(record(target), 7)
      expect(fence.standing(6, READING, [])).toBe('dead')
      expect(fence.standing(7, READING, [])).toBe('current')
    })
  }

  it('leaves alone what a record does not name', () => {
    const fence = new SharedFence(0)
    fence.note(record({ kind: 'key', key: 'b' }, { kind: 'tag', tag: 'v' }, { kind: 'prefix', prefix: 'b' }), 7)
    fence.note(record({ kind: 'namespace', namespace: 'm' }), 8)
    expect(fence.standing(0, READING, [])).toBe('current')
  })

  it('calls soft what was softened only', () => {
    const fence = new SharedFence(0)
    fence.note({ targets: [{ kind: 'tag', tag: 't' }], soft: true }, 3)
    expect(fence.standing(2, READING, [])).toBe('soft')
  })

  it('cannot judge what began before it began to listen', () => {
    const fence = new SharedFence(10)
    expect(fence.standing(9, READING, [])).toBe('dead')
    expect(fence.standing(10, READING, [])).toBe('current')
    fence.note(record({ kind: 'key', key: 'a:1' }), 11)
    fence.restart(20)
    expect(fence.standing(19, READING, [])).toBe('dead')
    expect(fence.standing(20, READING, [])).toBe('current')
  })

  it('calls dead what a table may have forgotten', () => {
    const fence = new SharedFence(0, { keys: 2, tags: 2, prefixes: 2, namespaces: 2 })
    for (const [index, key] of ['x', 'y', 'z'].entries()) fence.note(record({ kind: 'key', key }), index + 1)
    expect(fence.standing(0, READING, [])).toBe('dead')
    expect(fence.standing(1, READING, [])).toBe('current')
  })

  it('counts own invalidations that have no place yet', () => {
    const fence = new SharedFence(0)
    const pending = (soft: boolean): LinkDraft[] => [{ targets: [{ kind: 'tag', tag: 't' }], soft, source: 's', rules: 0 }]
    expect(fence.standing(99, READING, pending(false))).toBe('dead')
    expect(fence.standing(99, READING, pending(true))).toBe('soft')
    expect(fence.standing(99, { ...READING, tags: [] }, pending(false))).toBe('current')
  })
})
