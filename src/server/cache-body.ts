/**
 * The value of a batch item: exactly one of json, text and base64, as bytes of a type.
 *
 * Floor 5, room server. Pure.
 */
import { BYTES_TYPE, charsetOf, isJsonType } from '../flow/content.ts'
import { parseType } from './cache-settings.ts'
import type { BatchSet } from './cache-shapes.ts'
import type { Refuse } from './cache-wish.ts'

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** @throws what `refuse` makes */
export function bodyOf(item: BatchSet, refuse: Refuse): { readonly type: string; readonly body: Uint8Array } {
  const given = (['json', 'text', 'base64'] as const).filter((name) => item[name] !== undefined)
  if (given.length !== 1) throw refuse('value', 'give exactly one of json, text and base64')
  const type = item.type === undefined ? undefined : parseType(item.type, refuse)
  if (item.base64 !== undefined) {
    if (!BASE64.test(item.base64)) throw refuse('base64', 'expected padded base64 of the standard alphabet')
    return { type: type ?? BYTES_TYPE, body: Buffer.from(item.base64, 'base64') }
  }
  if (item.text !== undefined) {
    if (!item.text.isWellFormed()) throw refuse('text', 'it holds half a surrogate pair')
    if (type !== undefined && !['utf-8', undefined].includes(charsetOf(type))) throw refuse('type', 'text is stored as utf-8')
    return { type: type ?? 'text/plain; charset=utf-8', body: Buffer.from(item.text) }
  }
  if (type !== undefined && !isJsonType(type)) throw refuse('type', 'json needs a JSON type')
  return { type: type ?? 'application/json', body: Buffer.from(JSON.stringify(item.json)) }
}
