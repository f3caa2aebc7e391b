/**
 * A client's own conditions on their way to the origin, which knows its own tags alone, and the origin's word on its way
 * back.
 *
 * Floor 4, room http. RFC 9110 sections 13.1.1, 13.1.2 and 13.1.5. If-Range stays as it is: the origin does not have the
 * bytes that the tag of a representation made here names, so its condition must fail there.
 */
import { chooseCoding } from '../key/encoding.ts'
import type { ResponseHead } from '../model/exchange.ts'
import type { Fields } from '../model/fields.ts'
import { clientTag, originMatch, originNoneMatch } from '../rules/variant-tag.ts'
import type { Plan } from './stored.ts'
import type { Visit } from './visit.ts'

/** The request's fields, conditions of the client's included. */
export function clientFields({ head: { fields }, desk }: Visit): Fields {
  const [match, noneMatch] = [fields.get('if-match'), fields.get('if-none-match')]
  if (!desk.recodes || (match === undefined && noneMatch === undefined)) return fields
  const asked = fields.clone()
  if (match !== undefined) asked.set('if-match', originMatch(match))
  if (noneMatch !== undefined) asked.set('if-none-match', originNoneMatch(noneMatch))
  return asked
}

/** The answer to them: a 304 names what the client has by the tag that he has it by. */
export function answerForClient({ head: { fields }, desk }: Visit, head: ResponseHead): ResponseHead {
  const list = head.status === 304 && desk.recodes ? fields.get('if-none-match') : undefined
  const tag = list === undefined ? undefined : head.fields.first('etag')
  const known = list === undefined || tag === undefined ? undefined : clientTag(list, tag)
  return known === undefined ? head : { ...head, fields: head.fields.clone().set('etag', known) }
}

/**
 * Asks, in place, for the coding that stands, where it stands for clients of every coding: of another one a 304 would not
 * speak. A client who does not take it asks for what he takes.
 */
export function askForCoding(fields: Fields, { recoding }: Plan): Fields {
  if (recoding === undefined || !recoding.wide) return fields
  const accepted = chooseCoding<string>(fields.get('accept-encoding'), [recoding.coding]) !== undefined
  return accepted ? fields.set('accept-encoding', recoding.coding) : fields
}
