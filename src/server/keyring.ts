/**
 * API keys, compared in constant time.
 *
 * Floor 5, room server. Only SHA-256 digests are kept. A given key is hashed once and compared with every digest, also
 * after a match, so that time tells neither which key matched, nor how much of one, nor how long any is.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import { ForecacheError } from '../model/errors.ts'
import type { Fields } from '../model/fields.ts'

const MAX_KEY_CHARS = 4096

/** See the module's header. */
export interface Keyring {
  readonly size: number
  /** Whether one of the keys was given; false when there are none. */
  admits(given: string | undefined): boolean
}

/**
 * @param keys keys as they are sent, or `sha256:` and the 64 hex digits of one's digest
 * @throws FC_OPTION_VALUE
 */
export function createKeyring(keys: readonly string[]): Keyring {
  const digests = keys.map(digestOf)
  return {
    size: digests.length,
    admits(given) {
      const digest = hash('sha256', (given ?? '').slice(0, MAX_KEY_CHARS), 'buffer')
      let matches = 0
      for (const known of digests) matches += Number(timingSafeEqual(known, digest))
      return matches > 0 && given !== undefined
    },
  }
}

/** The key of a request: `x-api-key`, else `Authorization: Bearer`. */
export function givenKey(fields: Fields): string | undefined {
  const key = fields.first('x-api-key')
  if (key !== undefined) return key
  return /^bearer +(\S+) *$/i.exec(fields.first('authorization') ?? '')?.[1]
}

function digestOf(key: string): Buffer {
  if (!key.startsWith('sha256:')) return hash('sha256', key, 'buffer')
  const hex = key.slice('sha256:'.length)
  if (!/^[0-9a-f]{64}$/i.test(hex)) {
    throw new ForecacheError('FC_OPTION_VALUE', { name: 'api.keys', reason: 'expected sha256: and 64 hex digits' })
  }
  return Buffer.from(hex, 'hex')
}
