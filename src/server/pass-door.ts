/**
 * A door that stores nothing: every request goes to the origin and its answer straight to the client.
 *
 * Floor 5, room server. For tests of the proxy itself and for a gateway without a cache.
 */
import type { HttpDoor } from './receive.ts'
import { NO_CACHE } from './refuse.ts'

export function createPassDoor(): HttpDoor {
  return {
    async handle(head, body, { origin, signal, onInformational }) {
      const answer = await origin.send(head, body, { signal, onInformational })
      return { ...answer, outcome: NO_CACHE }
    },
  }
}
