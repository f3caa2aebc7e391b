/**
 * `/livez` and `/readyz`: whether the process lives, and whether it wants requests.
 *
 * Floor 5, room server. Open without a key; they tell nothing but the state.
 */
import { z } from 'zod'
import { type Endpoint, type EndpointText, jsonReply } from '../model/endpoint.ts'
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

const LIVE_TEXT: EndpointText = {
  id: 'getLiveness',
  summary: 'Whether the process lives',
  answers: {
    200: { description: 'It does.', content: { 'application/json': z.strictObject({ status: z.literal('live') }) } },
  },
}
const READY_TEXT: EndpointText = {
  id: 'getReadiness',
  summary: 'Whether it wants requests',
  answers: {
    200: { description: 'It does.', content: { 'application/json': z.strictObject({ status: z.literal('ready') }) } },
    503: {
      description: 'It starts, or drains.',
      content: { 'application/json': z.strictObject({ status: z.enum(['starting', 'draining']) }) },
    },
  },
}

/** @param isServing whether somebody takes requests while the process is ready; default: always */
export function createHealth(isServing: () => boolean = () => true): Health {
  const shown = (): HealthState => (state === 'ready' && !isServing() ? 'starting' : state)
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
      { method: 'GET', path: '/livez', open: true, about: LIVE_TEXT, handle: () => jsonReply(200, { status: 'live' }) },
      {
        method: 'GET',
        path: '/readyz',
        open: true,
        about: READY_TEXT,
        handle: () => jsonReply(shown() === 'ready' ? 200 : 503, { status: shown() }),
      },
    ],
  }
}
