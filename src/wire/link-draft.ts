/**
 * An invalidation as text, between machines that may run different releases.
 *
 * Floor 1, room wire. JSON with short names. Reading never throws: what cannot be read, or names something that this release
 * does not know, names everything. In doubt too much goes, never too little. Text is bounded, see MAX_DRAFT_CHARS.
 */
import type { LinkDraft, LinkTarget } from '../model/link.ts'

/** An invalidation that would be longer names everything instead. */
export const MAX_DRAFT_CHARS = 256 * 1024

const ALL: readonly LinkTarget[] = [{ kind: 'all' }]
const MAX_SOURCE_CHARS = 200

/** @returns at most MAX_DRAFT_CHARS and a little */
export function formatDraft(draft: LinkDraft): string {
  const source = draft.source.slice(0, MAX_SOURCE_CHARS)
  const text = textOf(draft.targets, draft, source)
  return text.length <= MAX_DRAFT_CHARS ? text : textOf(ALL, { ...draft, soft: false }, source)
}

/** Never throws. */
export function parseDraft(text: string): LinkDraft {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch {
    return everything(0)
  }
  if (typeof given !== 'object' || given === null) return everything(0)
  const { t, s, f, r } = given as Record<string, unknown>
  const rules = typeof r === 'number' ? r : 0
  if (!Array.isArray(t) || typeof f !== 'string') return everything(rules)
  const targets = t.map(parseTarget)
  if (!targets.every((target) => target !== undefined)) return everything(rules)
  return { targets, soft: s === 1, source: f, rules }
}

function textOf(targets: readonly LinkTarget[], { soft, rules }: LinkDraft, source: string): string {
  return JSON.stringify({ t: targets.map(formatTarget), s: soft ? 1 : 0, f: source, r: rules })
}

function everything(rules: number): LinkDraft {
  return { targets: ALL, soft: false, source: 'unreadable', rules }
}

function formatTarget(target: LinkTarget): readonly string[] {
  switch (target.kind) {
    case 'key':
      return ['k', target.key]
    case 'tag':
      return ['t', target.tag]
    case 'prefix':
      return ['p', target.prefix]
    case 'namespace':
      return ['n', target.namespace]
    case 'all':
      return ['a']
    default:
      return target satisfies never
  }
}

function parseTarget(given: unknown): LinkTarget | undefined {
  if (!Array.isArray(given)) return undefined
  const [kind, name] = given as [unknown, unknown]
  if (kind === 'a') return { kind: 'all' }
  if (typeof name !== 'string') return undefined
  switch (kind) {
    case 'k':
      return { kind: 'key', key: name }
    case 't':
      return { kind: 'tag', tag: name }
    case 'p':
      return { kind: 'prefix', prefix: name }
    case 'n':
      return { kind: 'namespace', namespace: name }
    default:
      return undefined
  }
}
