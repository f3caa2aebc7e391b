/**
 * Storing: a response under its key, or under its variant's key together with the index of Vary sets.
 *
 * Floor 4, room http. Everything goes through `engine.keep`, so the fence judges it. A variant is stored only if the
 * reading is admitted for the primary key and the one asked for: whatever invalidates the primary key invalidates every variant, and
 * an index that went away comes back under another id, so that variants of before cannot be reached again.
 */
import { hash, randomBytes } from 'node:crypto'
import type { Fill } from '../flow/fill.ts'
import type { Kept } from '../flow/keep.ts'
import type { Fields } from '../model/fields.ts'
import { ownText } from '../model/intern.ts'
import type { Part } from '../rules/partial.ts'
import { markOfBytes, markOfText } from '../shelf/mark.ts'
import { textBytes } from './compact.ts'
import { keyOfVariant } from './select.ts'
import { MAX_SETS, type Plan, Stored, VaryIndex } from './stored.ts'
import { type BodySet, withVariants } from './variants.ts'
import type { Desk } from './visit.ts'

/** Bodies smaller than this are not looked for among equal ones. */
const MIN_SHARED_BYTES = 256
const INDEX_MS = 30 * 86_400_000
const MAX_LANGUAGES = 8
/** Of SHA-256 in base64url. */
const DIGEST_CHARS = 43
/** An index with its id and its two lists. */
const INDEX_BYTES = 176
const LIST_BYTES = 56

/** Content that goes with a plan. */
export interface Content {
  readonly body: Uint8Array
  readonly trailers?: Fields | undefined
  readonly part?: Part | undefined
}

/** Where a response is to be stored: the reading it came with, and the primary key of the request. */
export interface Place {
  readonly fill: Fill
  readonly primary: string
}

/** Before the name of a body, and of a body with what was made of it. */
const BODY = 'body:'
export const SET = 'set:'

/** A response made of a plan and its body; equal bodies are one, and bring what was made of them. */
export function sealStored(desk: Desk, plan: Plan, content: Content): Stored {
  if (content.body.byteLength < MIN_SHARED_BYTES) return new Stored(plan, content)
  const shareId = `${BODY}${hash('sha256', content.body, 'base64url')}`
  const stored = new Stored(plan, { ...content, shareId })
  const setId = content.trailers === undefined ? setIdOf(stored) : undefined
  const set = heldSet(desk, setId)
  if (set !== undefined) return withVariants(stored, set, setId)
  return new Stored(plan, { ...content, body: desk.engine.canonical(shareId, content.body), shareId })
}

/** Name of a response's body with what is made of it under its route's settings. */
export function setIdOf({ plan: { recoding }, shareId }: Stored): string | undefined {
  if (recoding === undefined || shareId?.startsWith(BODY) !== true) return undefined
  return `${SET}${shareId.slice(BODY.length)}:${recoding.coding}:${recoding.settings.id}`
}

/** What was made of an equal body, while an entry holds it. */
export function heldSet(desk: Desk, setId: string | undefined): BodySet | undefined {
  return setId === undefined ? undefined : (desk.engine.memory.held(setId) as BodySet | undefined)
}

/** Stores a response where requests like the one it answered will find it. */
export function placeStored(desk: Desk, { fill, primary }: Place, stored: Stored): Kept {
  const { fence } = desk.engine
  const reading = { asOf: fill.asOf, namespace: fill.namespace, tags: fill.tags }
  if (!fence.admits({ ...reading, key: fill.key }) || !fence.admits({ ...reading, key: primary })) return 'fenced'
  const standing = desk.engine.lookup(primary)
  const known = standing.state === 'fresh' && standing.entry.value instanceof VaryIndex ? standing.entry.value : undefined
  const { vary, selecting } = stored.plan
  if (vary.length === 0 && known === undefined) return keepStored(desk, { ...fill, key: primary }, stored)
  const index = known ?? new VaryIndex(randomBytes(6).toString('base64url'), [])
  const key = keyOfVariant(primary, index, { names: vary, values: selecting })
  const next = withSet(index, vary, languageOf(desk, stored) ? key : undefined)
  if (next !== known) {
    const kept = keepIndex(desk, { ...fill, key: primary }, next)
    if (kept !== 'kept') return kept
  }
  return keepStored(desk, { ...fill, key }, stored)
}

/** The key under which a response stands now, if it does. */
export function keyOfStored(desk: Desk, primary: string, { vary, selecting }: Pick<Plan, 'vary' | 'selecting'>): string {
  const value = desk.engine.memory.look(primary)?.value
  return value instanceof VaryIndex ? keyOfVariant(primary, value, { names: vary, values: selecting }) : primary
}

/** Remembers that the answers of a key cannot be shared, so that its callers stop waiting for each other. */
export function markPass(desk: Desk, fill: Fill, ms: number): void {
  if (ms <= 0) return
  const standing = desk.engine.lookup(fill.key)
  if (standing.state !== 'absent' && standing.state !== 'pass' && standing.entry.value instanceof VaryIndex) return
  desk.engine.pass(fill, ms)
}

function keepStored(desk: Desk, fill: Fill, stored: Stored): Kept {
  const { plan, shareId, bodyBytes } = stored
  const { promised } = plan
  return desk.engine.keep(
    { ...fill, key: ownText(fill.key) },
    {
      value: stored,
      bytes: stored.bytes,
      budget: plan.budget,
      tags: plan.tags,
      jitter: 0,
      mark: markOfStored(stored),
      sameAs: (standing) => standing instanceof Stored && isSameTag(standing.plan.fields, plan.fields),
      ...(promised === undefined ? {} : { promised }),
      ...(shareId === undefined ? {} : { share: { id: shareId, bytes: bodyBytes } }),
    },
  )
}

/** Digest of what a client gets of a response, but for what its fields say; 0 for a part. */
export function markOfStored({ plan, body, part, shareId }: Stored): number {
  if (part !== undefined) return 0
  const from = markOfText(`${plan.status} ${plan.fields.get('location') ?? ''}`)
  if (shareId === undefined) return markOfBytes(body, from)
  const start = shareId.indexOf(':') + 1
  return markOfText(shareId.slice(start, start + DIGEST_CHARS), from)
}

function isSameTag(standing: Fields, fields: Fields): boolean {
  const tag = fields.first('etag')
  return tag !== undefined && tag === standing.first('etag')
}

/** Bytes that an index is charged with. */
export function indexBytes(index: VaryIndex): number {
  let bytes = INDEX_BYTES
  for (const set of index.sets) bytes += set.reduce((sum, name) => sum + textBytes(name), LIST_BYTES)
  for (const key of index.languages) bytes += textBytes(key)
  return bytes
}

function keepIndex(desk: Desk, fill: Fill, index: VaryIndex): Kept {
  return desk.engine.keep(
    { ...fill, key: ownText(fill.key) },
    {
      value: index,
      bytes: indexBytes(index),
      kind: 'vary',
      jitter: 0,
      budget: { freshMs: INDEX_MS, staleMs: INDEX_MS, onErrorMs: INDEX_MS },
    },
  )
}

/** The index with this set first; the same object when it stands there already. */
function withSet(index: VaryIndex, vary: readonly string[], language: string | undefined): VaryIndex {
  const same = (set: readonly string[]): boolean => set.length === vary.length && set.every((name, i) => name === vary[i])
  const known = language === undefined || index.languages.includes(language)
  if (known && index.sets[0] !== undefined && same(index.sets[0])) return index
  const sets = [vary, ...index.sets.filter((set) => !same(set))].slice(0, MAX_SETS)
  const languages = known ? index.languages : [language, ...index.languages].slice(0, MAX_LANGUAGES)
  return new VaryIndex(index.id, sets, languages)
}

function languageOf(desk: Desk, { plan }: Stored): boolean {
  return (
    desk.profile.byLanguage && plan.vary.length === 1 && plan.vary[0] === 'accept-language' && plan.fields.has('content-language')
  )
}
