/**
 * An entry as it stands in the second level: a versioned envelope around what a codec made of its value.
 *
 * Floor 1, room wire. `0xFC, version, flags`, then the content: plain, or sealed (wire/seal). Every version that was ever
 * written can be read for ever: test/contract/envelopes holds one of each kind. Reading throws FC_L2_ENVELOPE and nothing
 * else. Where it stands in the log and how old it is are not in it: the store compares them, see tier/remote.
 */
import type { Budget } from '../model/budget.ts'
import type { EntryKind } from '../model/entry.ts'
import { broken, ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import type { Seal } from './seal.ts'

/** What an envelope holds. */
export interface Envelope {
  /** The whole key: an entry found under another one is not believed. */
  readonly key: string
  /** Name of the namespace; '' is the default one. */
  readonly namespace: string
  readonly tags: readonly string[]
  readonly kind: EntryKind
  readonly budget: Budget
  /** Which codec made the payload, and can read it. */
  readonly codec: number
  readonly payload: Uint8Array
}

const MAGIC = 0xfc
const VERSION = 1
const SEALED = 1
const HEAD_BYTES = 3
const KINDS: readonly EntryKind[] = ['value', 'pass', 'vary']

/** @param seal seals the content; undefined: it is written as it is */
export function writeEnvelope(envelope: Envelope, seal?: Seal): Buffer {
  const { key, namespace, tags, kind, budget, codec, payload } = envelope
  const content = new ByteWriter()
    .text(key)
    .text(namespace)
    .texts(tags)
    .whole(KINDS.indexOf(kind))
    .number(budget.freshMs)
    .number(budget.staleMs)
    .number(budget.onErrorMs)
    .whole(codec)
    .block(payload)
    .finish()
  const head = Buffer.from([MAGIC, VERSION, seal === undefined ? 0 : SEALED])
  return Buffer.concat([head, ...(seal === undefined ? [content] : seal.close(content, bound(head, key)))])
}

/**
 * @param key under which it was found
 * @param seal opens sealed content; without one, sealed content cannot be read, and with one, nothing else is
 * @throws FC_L2_ENVELOPE
 */
export function readEnvelope(bytes: Uint8Array, key: string, seal?: Seal): Envelope {
  if (bytes.byteLength < HEAD_BYTES || bytes[0] !== MAGIC) throw broken('it is no envelope')
  if (bytes[1] !== VERSION) throw broken(`it is of version ${bytes[1]}; known: ${VERSION}`)
  const flags = bytes[2] as number
  if (flags > SEALED) throw broken('it has flags that are not known')
  const content = bytes.subarray(HEAD_BYTES)
  if (flags === SEALED) {
    if (seal === undefined) throw broken('it is encrypted, and there is no key here')
    return readContent(new ByteReader(seal.open(content, bound(bytes.subarray(0, HEAD_BYTES), key))), key)
  }
  if (seal !== undefined) throw broken('it is not encrypted')
  return readContent(new ByteReader(content), key)
}

function readContent(reader: ByteReader, expected: string): Envelope {
  const key = reader.text()
  if (key !== expected) throw broken('it belongs to another key')
  const namespace = reader.text()
  const tags = reader.texts()
  const kind = KINDS[reader.whole()]
  if (kind === undefined) throw broken('its kind is not known')
  const budget = { freshMs: reader.span(), staleMs: reader.span(), onErrorMs: reader.span() }
  const codec = reader.whole()
  const payload = reader.block()
  reader.end()
  return { key, namespace, tags, kind, budget, codec, payload }
}

/** Sealed content opens only under the key and head it was sealed for. */
function bound(head: Uint8Array, key: string): Buffer {
  return Buffer.concat([head, Buffer.from(key)])
}
