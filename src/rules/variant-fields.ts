/**
 * The fields of a response in another coding than it came in, and what tells caches that there are several.
 *
 * Floor 1, room rules. Pure. RFC 9110 sections 8.4, 8.8.3.3, 12.5.5, 14.3; RFC 9530. What was said about the bytes that came
 * is not true of the bytes that were made, so it is left out.
 */
import type { Fields } from '../model/fields.ts'
import { isStrongTag } from './entity-tag.ts'
import { parseVary } from './vary.ts'
import { variantTag } from './variant-tag.ts'

/** Fields that are true of one sequence of bytes alone. */
const OF_THE_BYTES: readonly string[] = ['content-md5', 'content-digest', 'repr-digest', 'digest']

/** One coding of a response. */
export interface VariantOf {
  /** `identity` takes the coding off. */
  readonly coding: string
  /** Of its bytes, see variant-tag. */
  readonly mark: string
  readonly bytes: number
}

/** @param fields of the response as it came, Vary already there */
export function variantFields(fields: Fields, { coding, mark, bytes }: VariantOf): Fields {
  const made = fields.clone().set('content-length', String(bytes))
  for (const name of OF_THE_BYTES) made.delete(name)
  if (coding === 'identity') made.delete('content-encoding')
  else made.set('content-encoding', coding)
  const tag = fields.first('etag')
  if (tag !== undefined) made.set('etag', variantTag(tag, coding, mark))
  // Pieces of it can be put together by a strong tag alone.
  if (tag === undefined || !isStrongTag(tag)) made.set('accept-ranges', 'none')
  return made
}

/** Takes Accept-Encoding out of Vary again, in place: it was not the origin's word. */
export function unvaryByCoding(fields: Fields): Fields {
  const names = (fields.get('vary') ?? '').split(',').filter((name) => !/^\s*(?:accept-encoding)?\s*$/i.test(name))
  return names.length === 0 ? fields.delete('vary') : fields.set('vary', names.join(',').trim())
}

/** Adds Accept-Encoding to Vary, in place. */
export function varyByCoding(fields: Fields): Fields {
  const names = parseVary(fields)
  if (names === '*' || names.includes('accept-encoding')) return fields
  const value = fields.get('vary')
  return fields.set('vary', value === undefined || value.trim() === '' ? 'Accept-Encoding' : `${value}, Accept-Encoding`)
}
