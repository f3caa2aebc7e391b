/**
 * A request's content as JSON of a known shape.
 *
 * Floor 0, room model. Only `application/json` is taken, which a page of another site cannot send without asking first.
 */
import type { z } from 'zod'
import type { ApiRequest } from './endpoint.ts'
import { ForecacheError } from './errors.ts'

/**
 * @param schema strict: unknown names are refused
 * @param known names of the schema's first level, for the text of the error
 * @throws FC_API_BODY naming the first mistake
 */
export function parseJsonBody<S extends z.ZodType>(request: ApiRequest, schema: S, known: readonly string[]): z.output<S> {
  const type = request.fields.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') refuseBody(`expected content-type: application/json, given ${type ?? 'none'}`)
  const parsed = schema.safeParse(parseJson(request.body))
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0] as z.core.$ZodIssue
  const path = issue.path.map(String).join('.')
  if (issue.code !== 'unrecognized_keys') return refuseBody(`${path === '' ? '' : `${path}: `}${issue.message}`)
  const name = [path, issue.keys[0]].filter((part) => part !== '').join('.')
  return refuseBody(`${name}: unknown name; known here: ${known.join(', ')}`)
}

/** @throws FC_API_BODY */
export function refuseBody(reason: string): never {
  throw new ForecacheError('FC_API_BODY', { reason })
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (error) {
    return refuseBody(`expected JSON in UTF-8: ${(error as Error).message}`)
  }
}
