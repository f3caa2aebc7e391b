/**
 * Telling clients apart without knowing them: a digest of what names one, under a secret that no other process has.
 *
 * Floor 4, room http. What names a client is not kept, cannot be found out from the digest, and says nothing after a restart.
 */
import { createHmac, randomBytes } from 'node:crypto'
import type { ClientSource } from '../flow/prefetch-options.ts'
import { readCookie } from '../key/cookie.ts'
import type { Fields } from '../model/fields.ts'

/** @returns undefined for a request that names no client, or more than one */
export type ClientName = (fields: Fields) => string | undefined

const SECRET_BYTES = 32
const DIGEST_CHARS = 16

/** @param secret default: random */
export function createClientName(source: ClientSource, secret = randomBytes(SECRET_BYTES)): ClientName {
  const read = readerOf(source)
  return (fields) => {
    const name = read(fields)
    if (name === undefined || name === '') return undefined
    return createHmac('sha256', secret).update(name).digest('base64url').slice(0, DIGEST_CHARS)
  }
}

function readerOf(source: ClientSource): ClientName {
  if (source === 'address') return (fields) => fields.get('x-forwarded-for')
  if ('header' in source) {
    const name = source.header.toLowerCase()
    return (fields) => fields.get(name)
  }
  return (fields) => {
    const value = readCookie(fields, source.cookie)
    return typeof value === 'string' ? value : undefined
  }
}
