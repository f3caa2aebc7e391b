/**
 * What the fields of a reader of the native cache API say: whether he may ask, and what he takes.
 *
 * Floor 5, room server. Said once for fields that repeat.
 */
import { type ApiRoutes, checkCaller } from './api-match.ts'
import { API_LIMITS } from './api-request.ts'
import { admit } from './admit.ts'
import type { ReadWish } from './cache-read.ts'
import { readNamespace } from './cache-wish.ts'
import type { LanePeer } from './lane-desk.ts'

/** What the fields of a reader say. */
export interface Reader {
  readonly namespace: string
  readonly wish: ReadWish
}

const NO_QUERY: ReadonlyMap<string, string> = new Map()

/** @returns undefined for whoever is refused, and for what only the full stack understands */
export function readReader(raw: readonly string[], { scheme }: LanePeer, routes: ApiRoutes): Reader | undefined {
  try {
    const head = admit({ method: 'GET', url: '/', rawHeaders: raw as string[], httpVersion: '1.1' }, API_LIMITS, scheme)
    const { fields } = head
    if (fields.has('cache-control')) return undefined
    checkCaller(routes, head)
    const wish = {
      ifNoneMatch: fields.get('if-none-match'),
      acceptEncoding: fields.get('accept-encoding'),
      token: fields.first('forecache-token'),
    }
    return { namespace: readNamespace(NO_QUERY, fields), wish }
  } catch {
    return undefined // the full stack says what is wrong with it
  }
}
