/**
 * `/livez` and `/readyz`: whether the process lives, and whether it wants requests.
 *
 * Floor 5, room server. Open without a key; they tell nothing but the state.
 */
import { type Endpoint, jsonReply } from '../model/endpoint.ts'
import { ForecacheError } from '../model/errors.ts'

/** State of the process. */
export type HealthState = 'starting' | 'ready' | 'draining'

/** See the module's header. */
export interface Health {
  readonly state: HealthState
  readonly endpoints: readonly Endpoint[]
  set(state: HealthState): void
  /** @throws FC_CACHE_CLOSED once draining has begun */
  assertOpen(): void
}

export function createHealth(): Health {
  let state: HealthState = 'starting'
  return {
    get state() {
      return state
    },
    set(next) {
      state = next
    },
    assertOpen() {
      if (state === 'draining') throw new ForecacheError('FC_CACHE_CLOSED')
    },
    endpoints: [
      { method: 'GET', path: '/livez', open: true, handle: () => jsonReply(200, { status: 'live' }) },
      { method: 'GET', path: '/readyz', open: true, handle: () => jsonReply(state === 'ready' ? 200 : 503, { status: state }) },
    ],
  }
}
