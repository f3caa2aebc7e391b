/**
 * API keys, compared in constant time.
 *
 * Floor 5, room server. Only SHA-256 digests are kept. A given key, or the empty text where none was given, is hashed once
 * and its digest compared with every digest, also after a match: time tells neither which key matched, nor how much of one,
 * nor how long any is; it depends on the given key's own length and on the number of keys alone. Synchronous, about 0.3 µs
 * with one key and 0.05 µs for each further one (a digest as text, written into one buffer, is had in a third of the time
 * of a digest as a buffer).
 */
import { hash, timingSafeEqual } from 'node:crypto'
import { ForecacheError } from '../model/errors.ts'
import type { Fields } from '../model/fields.ts'

const MAX_KEY_CHARS = 4096
const DIGEST_BYTES = 32
/** What a field of a request can carry in one word; anything else could never be sent. */
const SENDABLE = /^[\x21-\x7e]{1,4096}$/

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
  const digest = Buffer.alloc(DIGEST_BYTES)
  return {
    size: digests.length,
    admits(given) {
      digest.write(hash('sha256', (given ?? '').slice(0, MAX_KEY_CHARS), 'binary'), 'latin1')
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
  if (!key.startsWith('sha256:')) {
    if (!SENDABLE.test(key)) {
      const reason = `expected 1 to ${MAX_KEY_CHARS} visible ASCII characters: no other key can be sent`
      throw new ForecacheError('FC_OPTION_VALUE', { name: 'api.keys', reason })
    }
    return hash('sha256', key, 'buffer')
  }
  const hex = key.slice('sha256:'.length)
  if (!/^[0-9a-f]{64}$/i.test(hex)) {
    throw new ForecacheError('FC_OPTION_VALUE', { name: 'api.keys', reason: 'expected sha256: and 64 hex digits' })
  }
  return Buffer.from(hex, 'hex')
}
