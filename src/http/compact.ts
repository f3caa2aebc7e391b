/**
 * Header fields as they are kept: names and usual values once for all entries, all else in memory of its own.
 *
 * Floor 4, room http. Half of what a small answer's fields would take is the same for every entry. Costs about 1 µs where
 * an answer is stored, nothing where it is read. `heldBytes` is what V8 holds for the result, see docs/decisions/011.
 */
import { Fields } from '../model/fields.ts'
import { Interned, ownText } from '../model/intern.ts'

/** Fields whose values are the same for many answers. */
const USUAL: ReadonlySet<string> = new Set([
  'accept-ranges',
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-expose-headers',
  'cache-control',
  'cdn-cache-control',
  'content-encoding',
  'content-language',
  'content-security-policy',
  'content-type',
  'date',
  'permissions-policy',
  'referrer-policy',
  'server',
  'strict-transport-security',
  'vary',
  'via',
  'x-content-type-options',
  'x-frame-options',
  'x-powered-by',
])

/** The object, its list's header and the private slot. */
const LIST_BYTES = 80
/** Two places of the list. */
const LINE_BYTES = 16

const names = new Interned()
const values = new Interned()

/** The same fields, to be kept. */
export function compactFields(fields: Fields): Fields {
  const raw = fields.raw()
  const kept: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const value = raw[i + 1] as string
    kept.push(names.of(raw[i] as string), USUAL.has(raw[i] as string) ? values.of(value) : ownText(value))
  }
  return Fields.ofLower(kept)
}

/** Bytes that compacted fields take. */
export function heldBytes(fields: Fields): number {
  let bytes = LIST_BYTES
  const raw = fields.raw()
  for (let i = 0; i < raw.length; i += 2)
    bytes += LINE_BYTES + (USUAL.has(raw[i] as string) ? 0 : textBytes(raw[i + 1] as string))
  return bytes
}

/** Bytes of a text of one byte per character: header, characters, padding. */
export function textBytes(text: string): number {
  return (text.length + 23) & ~7
}
