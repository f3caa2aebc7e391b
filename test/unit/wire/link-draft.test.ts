import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LinkDraft, LinkTarget } from '../../../src/model/link.ts'
import { formatDraft, MAX_DRAFT_CHARS, parseDraft } from '../../../src/wire/link-draft.ts'

const target: fc.Arbitrary<LinkTarget> = fc.oneof(
  fc.string().map((key): LinkTarget => ({ kind: 'key', key })),
  fc.string().map((tag): LinkTarget => ({ kind: 'tag', tag })),
  fc.string().map((prefix): LinkTarget => ({ kind: 'prefix', prefix })),
  fc.string().map((namespace): LinkTarget => ({ kind: 'namespace', namespace })),
  fc.constant<LinkTarget>({ kind: 'all' }),
)
const draft: fc.Arbitrary<LinkDraft> = fc.record({
  targets: fc.array(target, { maxLength: 5 }),
  soft: fc.boolean(),
  source: fc.string({ maxLength: 50 }),
  rules: fc.nat(),
})

describe('an invalidation as text', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(draft, (one) => {
        expect(parseDraft(formatDraft(one))).toEqual(one)
      }),
    )
  })

  it('names everything where it cannot be read', () => {
    for (const text of ['', '{', '[]', '{"t":[["x","y"]],"f":"s","r":1}', '{"t":[["k"]],"f":"s"}', 'null', '{"t":1,"f":"s"}']) {
      expect(parseDraft(text).targets, text).toEqual([{ kind: 'all' }])
      expect(parseDraft(text).soft).toBe(false)
    }
  })

  it('never throws, whatever it is given', () => {
    const judge = (text: string): void => {
      const { targets } = parseDraft(text)
      expect(targets.every(({ kind }) => ['key', 'tag', 'prefix', 'namespace', 'all'].includes(kind))).toBe(true)
    }
    fc.assert(fc.property(fc.string(), judge))
    fc.assert(fc.property(fc.json(), judge))
  })

  it('names everything where it would be too long', () => {
    const keys = Array.from({ length: 10_000 }, (_, i): LinkTarget => ({ kind: 'key', key: `a rather long key ${i}`.repeat(3) }))
    const text = formatDraft({ targets: keys, soft: true, source: 's', rules: 3 })
    expect(text.length).toBeLessThan(MAX_DRAFT_CHARS)
    expect(parseDraft(text)).toEqual({ targets: [{ kind: 'all' }], soft: false, source: 's', rules: 3 })
  })
})
