/**
 * `POST /v1/invalidate`: takes what to invalidate as JSON, answers the version token and what was reached.
 *
 * Floor 4, room ops. Strict: unknown names, wrong types and lists above their limits are refused before anything is done.
 */
import { z } from 'zod'
import type { InvalidateInput } from '../flow/invalidate.ts'
import { type ApiRequest, type Endpoint, jsonReply } from '../model/endpoint.ts'
import { ForecacheError } from '../model/errors.ts'
import { parseJsonBody, refuseBody } from '../model/json-body.ts'
import { INVALIDATE_TEXT } from './texts.ts'
import type { Whole } from './whole.ts'

/** Largest body, bytes. */
export const MAX_INVALIDATE_BYTES = 4 * 1024 * 1024

const MAX_KEY_CHARS = 16_384
const MAX_TAG_CHARS = 1024
const MAX_ITEMS = 10_000
/** Each costs a comparison whenever an entry is checked, and a look at every key when it is counted. */
const MAX_PREFIXES = 100

const text = (max: number): z.ZodString => z.string().min(1).max(max)
const tag = text(MAX_TAG_CHARS).regex(/^\S+$/, 'expected a tag without white space')
const scalar = z.union([z.string().max(MAX_TAG_CHARS), z.number(), z.boolean(), z.null()])

/** The body. */
export const INVALIDATE_BODY = z
  .strictObject({
    keys: z.array(text(MAX_KEY_CHARS)).max(MAX_ITEMS),
    tags: z.array(tag).max(MAX_ITEMS),
    urls: z.array(text(MAX_KEY_CHARS)).max(MAX_ITEMS),
    prefixes: z.array(text(MAX_KEY_CHARS)).max(MAX_PREFIXES),
    namespaces: z.array(text(128)).max(MAX_PREFIXES),
    events: z.array(z.looseObject({ type: text(256) }).catchall(z.union([scalar, z.array(scalar).max(1000)]))).max(MAX_ITEMS),
    soft: z.boolean(),
    dryRun: z.boolean(),
  })
  .partial()

const LISTS = ['keys', 'tags', 'urls', 'prefixes', 'namespaces', 'events'] as const

/** @param authority `host:port` of URLs that are paths alone @returns the endpoint */
export function createInvalidateEndpoint(whole: Pick<Whole, 'invalidate'>, authority: () => string | undefined): Endpoint {
  return {
    method: 'POST',
    path: '/v1/invalidate',
    maxBodyBytes: MAX_INVALIDATE_BYTES,
    about: { ...INVALIDATE_TEXT, body: { 'application/json': INVALIDATE_BODY } },
    handle: async (request) => {
      const given = parseInvalidate(request)
      const host = authority()
      const urls = given.urls?.map((url) => (url.startsWith('/') && host !== undefined ? `http://${host}${url}` : url))
      const input = urls === undefined ? given : { ...given, urls }
      return jsonReply(200, await asBodyError(() => whole.invalidate({ ...input, source: 'api' })))
    },
  }
}

/** @throws FC_API_BODY */
function parseInvalidate(request: ApiRequest): InvalidateInput {
  const input = parseJsonBody(request, INVALIDATE_BODY, [...LISTS, 'soft', 'dryRun']) as InvalidateInput
  if (LISTS.every((name) => (input[name]?.length ?? 0) === 0))
    refuseBody(`nothing named; give at least one of ${LISTS.join(', ')}`)
  return input
}

/** What the engine refuses in the input is the client's fault here. */
async function asBodyError<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof ForecacheError) || error.status !== 500) throw error
    return refuseBody(error.message.slice(error.code.length + 2))
  }
}
