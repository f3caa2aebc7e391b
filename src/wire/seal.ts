/**
 * Encryption at rest: AES-256-GCM with keys that can be changed while entries stand.
 *
 * Floor 1, room wire. `id length, id, nonce (12), tag (16), ciphertext`. The first key closes, every key opens: a new one is
 * put first, the old one is taken out when what it closed has passed its budget. A nonce is random: one key is good for
 * 2^32 entries (NIST SP 800-38D section 8.3).
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { ForecacheError } from '../model/errors.ts'
import { broken } from './byte-reader.ts'

/** See the module's header. */
export interface Seal {
  /** @param bound is not written, and must be the same when it is opened */
  close(content: Uint8Array, bound: Uint8Array): readonly Uint8Array[]
  /** @throws FC_L2_ENVELOPE */
  open(sealed: Uint8Array, bound: Uint8Array): Uint8Array
}

/** A key and the name it is known by. */
export interface SealKey {
  /** 1 to 32 letters, digits, `_ . -`. */
  readonly id: string
  /** 32 bytes as base64 or hex. */
  readonly secret: string
}

const ALGORITHM = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const ID = /^[A-Za-z0-9_.-]{1,32}$/

/** @param keys the first one closes @throws FC_OPTION_VALUE; secrets are not named */
export function createSeal(keys: readonly SealKey[], name = 'l2.encryption'): Seal {
  const known = new Map<string, KeyObject>()
  for (const { id, secret } of keys) {
    if (!ID.test(id)) throw refuse(name, 'a key needs an id of 1 to 32 letters, digits, _ . or -')
    if (known.has(id)) throw refuse(name, `the id ${id} stands twice`)
    known.set(id, createSecretKey(parseSecret(secret, `${name}.${id}`)))
  }
  const first = keys[0]
  if (first === undefined) throw refuse(name, 'expected at least one key')
  return new KeySeal(first.id, known)
}

class KeySeal implements Seal {
  readonly #id: Buffer
  readonly #key: KeyObject
  readonly #known: ReadonlyMap<string, KeyObject>

  constructor(id: string, known: ReadonlyMap<string, KeyObject>) {
    this.#id = Buffer.from([id.length, ...Buffer.from(id)])
    this.#key = known.get(id) as KeyObject
    this.#known = known
  }

  close(content: Uint8Array, bound: Uint8Array): readonly Uint8Array[] {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(ALGORITHM, this.#key, nonce, { authTagLength: TAG_BYTES })
    cipher.setAAD(bound)
    const text = cipher.update(content)
    cipher.final()
    return [this.#id, nonce, cipher.getAuthTag(), text]
  }

  open(sealed: Uint8Array, bound: Uint8Array): Uint8Array {
    const idEnd = 1 + (sealed[0] ?? 0)
    const textAt = idEnd + NONCE_BYTES + TAG_BYTES
    if (sealed.byteLength < textAt) throw broken('it ends too early')
    const id = Buffer.from(sealed.subarray(1, idEnd)).toString('latin1')
    const key = this.#known.get(id)
    if (key === undefined) throw broken('it was encrypted with a key that is not known here')
    const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(idEnd, idEnd + NONCE_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAAD(bound)
    decipher.setAuthTag(sealed.subarray(idEnd + NONCE_BYTES, textAt))
    try {
      const content = decipher.update(sealed.subarray(textAt))
      decipher.final()
      return content
    } catch {
      throw broken('it was changed, or stands under another key')
    }
  }
}

function parseSecret(text: string, name: string): Buffer {
  const bytes = /^[0-9a-fA-F]{64}$/.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64')
  if (bytes.byteLength !== KEY_BYTES) throw refuse(name, 'expected 32 bytes as base64 or hex: openssl rand -base64 32')
  return bytes
}

function refuse(name: string, reason: string): ForecacheError {
  return new ForecacheError('FC_OPTION_VALUE', { name, reason })
}
