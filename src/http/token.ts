/**
 * Version tokens at the door: what a client has written is what he reads, on whichever instance he lands.
 *
 * Floor 4, room http. A route with `readYourWrites` reads the token of a request from the field `forecache-token`, or from a
 * cookie of that name where the route says `cookie`; answers to writes carry it the same way. What a token names is heard
 * within a deadline, or the request goes to the origin. The cookie is no secret: it says where the log was.
 */
import type { RequestHead, ResponseHead } from '../model/exchange.ts'
import type { Fields } from '../model/fields.ts'
import type { Policy } from './policy.ts'

/** Field and cookie. */
export const TOKEN_NAME = 'forecache-token'
/** What was stored before the write is past its budget by then, and a token that no instance can reach does no more harm. */
const COOKIE_SECONDS = 3600
const MAX_TOKEN_CHARS = 200
const COOKIE = new RegExp(`(?:^|;)[ \\t]*${TOKEN_NAME}=([^;\\s]*)`)

/** The token that a request bears, as its route reads it. */
export function tokenOf({ fields }: Pick<RequestHead, 'fields'>, { readYourWrites }: Policy): string | undefined {
  if (readYourWrites === false) return undefined
  return fields.get(TOKEN_NAME) ?? (readYourWrites === 'cookie' ? cookieToken(fields) : undefined)
}

/** Gives the client of a write its token. */
export function setToken(head: ResponseHead, { readYourWrites }: Policy, token: string): void {
  if (readYourWrites === false) return
  head.fields.set(TOKEN_NAME, token)
  if (readYourWrites === 'cookie')
    head.fields.append('set-cookie', `${TOKEN_NAME}=${token}; Path=/; Max-Age=${COOKIE_SECONDS}; HttpOnly; SameSite=Lax`)
}

function cookieToken(fields: Fields): string | undefined {
  const token = COOKIE.exec(fields.get('cookie') ?? '')?.[1]
  return token === undefined || token.length > MAX_TOKEN_CHARS ? undefined : token
}
