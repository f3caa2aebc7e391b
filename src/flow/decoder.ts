/**
 * Reading library values and contents from the second level into an engine's memory.
 *
 * Floor 3, room flow.
 */
import type { Engine } from './engine.ts'
import type { Decode } from './second-level.ts'
import { isWrapped } from './value.ts'
import { decodeValue } from './value-codec.ts'

/** What `SecondLevel.pull` reads a key's value with. */
export function decoderOf(engine: Engine, key: string): Decode {
  const home = { policy: engine.settings.values, key, canonical: <T>(id: string, body: T): T => engine.canonical(id, body) }
  return (codec, payload) => {
    const decoded = decodeValue(home, codec, payload)
    if (decoded !== undefined && isWrapped(decoded.value)) engine.wrapping.any = true
    return decoded
  }
}
