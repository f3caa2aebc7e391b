/**
 * What is stored, as bytes and back: one preserver for each kind of what doors store.
 *
 * Floor 3, room flow. The same codecs as the second level's.
 */
import type { Entry } from '../model/entry.ts'
import type { Engine } from './engine.ts'
import type { Decode, Encode } from './second-level.ts'
import { decodeValue, type Decoded, encodeReference, encodeValue } from './value-codec.ts'
import { isWrapped } from './value.ts'

/** One kind's codecs. */
export interface Preserver {
  readonly encode: Encode
  /** @returns undefined for a key that nothing of this kind stands under */
  decodeOf(key: string): Decode | undefined
}

/** Library values and contents. */
export function preserveValues(engine: Engine): Preserver {
  const { values: policy } = engine.settings
  return {
    encode: policy === 'reference' ? encodeReference : encodeValue,
    decodeOf: (key) => (codec, payload) => {
      const home = { policy, key, canonical: <B>(id: string, body: B): B => engine.canonical(id, body) }
      const decoded = decodeValue(home, codec, payload)
      if (decoded !== undefined && isWrapped(decoded.value)) engine.wrapping.any = true
      return decoded
    },
  }
}

/** @returns undefined for what no preserver takes */
export function encodeBy(preservers: readonly Preserver[], entry: Entry): ReturnType<Encode> {
  for (const { encode } of preservers) {
    const made = encode(entry.value, entry)
    if (made !== undefined) return made
  }
  return undefined
}

/** A decoder of whatever stands under a key. */
export function decoderOf(preservers: readonly Preserver[], key: string): Decode {
  return (codec, payload, storedAt): Decoded | undefined => {
    for (const preserver of preservers) {
      const decoded = preserver.decodeOf(key)?.(codec, payload, storedAt)
      if (decoded !== undefined) return decoded
    }
    return undefined
  }
}
