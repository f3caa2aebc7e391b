/**
 * Talks to the administration of a running forecache.
 *
 * Floor 6, room cli. One request, one deadline; what goes wrong becomes one sentence.
 */
import { request } from 'undici'
import { ForecacheError } from '../model/errors.ts'

/** Where the administration is. */
export interface ApiPlace {
  /** Base URL, such as `http://127.0.0.1:8081`. */
  readonly api: string
  /** Sent as `x-api-key`. */
  readonly apiKey?: string | undefined
}

const DEADLINE_MS = 10_000

/**
 * @param path path and query
 * @param body sent as JSON by POST; undefined: GET
 * @returns the parsed JSON answer
 * @throws FC_CLI_API when nobody answers, or with the code and text that the administration refused with
 */
export async function callApi(place: ApiPlace, path: string, body?: object): Promise<unknown> {
  const url = new URL(path, place.api).href
  const answer = await send(url, place, body)
  const parsed = parseJson(answer.text)
  if (answer.status < 400 && isProven(path, parsed)) return parsed
  throw new ForecacheError('FC_CLI_API', {
    url,
    reason: `answered ${answer.status}: ${refusal(parsed) ?? answer.text.slice(0, 200)}`,
  })
}

/** By what an answer is known to be the administration's, and not that of another server at this address. */
const PROOFS: Readonly<Record<string, string>> = {
  '/v1/stats': 'rates',
  '/v1/top': 'windowMs',
  '/v1/advice': 'findings',
  '/v1/explain': 'reason',
  '/v1/invalidate': 'token',
}

function isProven(path: string, parsed: unknown): boolean {
  const proof = PROOFS[path.split('?', 1)[0] as string]
  return typeof parsed === 'object' && parsed !== null && (proof === undefined || Object.hasOwn(parsed, proof))
}

async function send(url: string, place: ApiPlace, body: object | undefined): Promise<{ status: number; text: string }> {
  const headers = {
    accept: 'application/json',
    ...(place.apiKey !== undefined && { 'x-api-key': place.apiKey }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
  }
  try {
    const answer = await request(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      signal: AbortSignal.timeout(DEADLINE_MS),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return { status: answer.statusCode, text: await answer.body.text() }
  } catch (cause) {
    const why = cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : String(cause)
    const reason = `no answer (${why}); start \`forecache serve\`, or name its address with --api`
    throw new ForecacheError('FC_CLI_API', { url, reason }, { cause })
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function refusal(parsed: unknown): string | undefined {
  if (typeof parsed !== 'object' || parsed === null || !('error' in parsed)) return undefined
  const { error } = parsed
  if (typeof error !== 'object' || error === null || !('message' in error)) return undefined
  return String(error.message)
}
