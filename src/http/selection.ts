/**
 * What of a request selects a response, and what other codings may be made of it.
 *
 * Floor 4, room http. Pure. RFC 9111 section 4.1. Fields that the key covers select nothing.
 */
import type { Fields } from '../model/fields.ts'
import { varyByCoding } from '../rules/variant-fields.ts'
import { parseVary, selectingValues } from '../rules/vary.ts'
import { recodingOf } from './recoding.ts'
import type { Plan } from './stored.ts'
import type { Visit } from './visit.ts'

/** The part of a plan that is about selection. */
export type Selection = Pick<Plan, 'vary' | 'selecting' | 'recoding'>

/** @param response as received, and the Accept-Encoding it answers @returns undefined when nothing selects it: `Vary: *` */
export function selectionOf(
  { head, routed, desk }: Visit,
  response: { readonly status: number; readonly fields: Fields; readonly accept: string | undefined; readonly part: boolean },
): Selection | undefined {
  const names = parseVary(response.fields)
  if (names === '*') return undefined
  const { key, compress, maxBodyBytes } = routed.policy
  const { status, fields, accept, part } = response
  const recoding =
    compress === undefined || part || key?.covers.has('accept-encoding') === true
      ? undefined
      : recodingOf({
          status,
          fields,
          vary: names,
          settings: compress,
          maxBytes: maxBodyBytes,
          accept,
        })
  const vary = key === undefined ? names : names.filter((name) => !key.covers.has(name))
  return { vary, recoding, selecting: selectingValues(vary, head.fields, desk.profile.varyForm) }
}

/** Says in a response's fields, in place, that it comes in several codings, where it may. */
export function tellVary(fields: Fields, { recoding }: Pick<Plan, 'recoding'>): Fields {
  return recoding === undefined ? fields : varyByCoding(fields)
}
