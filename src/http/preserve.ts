/**
 * Stored responses as bytes and back without a request: for what is read before anybody asks.
 *
 * Floor 4, room http. The route that decides what is of use is found by the URL that the key begins with.
 */
import type { Preserver } from '../flow/preserve.ts'
import { decodeStored, encodeStored } from './stored-codec.ts'
import { parseUrl } from './url.ts'
import type { Desk } from './visit.ts'

export function preserveStored(desk: Desk): Preserver {
  return {
    encode: encodeStored,
    decodeOf: (key) => {
      if (!key.startsWith('http://') && !key.startsWith('https://')) return undefined
      const blank = key.indexOf(' ')
      const { target } = parseUrl(blank < 0 ? key : key.slice(0, blank))
      const routed = desk.policies.match(/ QUERY:/.test(key) ? 'QUERY' : 'GET', target)
      return (codec, payload, storedAt) => decodeStored({ desk, routed }, { codec, payload, storedAt })
    },
  }
}
