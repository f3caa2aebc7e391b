/**
 * One reading of the origin for a key, perhaps with others waiting for it.
 *
 * Floor 4, room http.
 */
import type { Fill } from '../flow/fill.ts'
import type { Lead } from '../flow/flight.ts'
import type { Reply } from '../model/exchange.ts'
import type { Forward } from '../rules/cache-status.ts'
import type { Sharing } from './sharing.ts'

/** See the module's header. */
export interface Errand {
  readonly fill: Fill
  /** The flight it leads; undefined when it is for one client alone. */
  readonly lead: Lead<Sharing> | undefined
  readonly forward: Forward
  /** Aborts the request to the origin. */
  readonly abort: AbortController
  /** A refresh behind a stale answer: nobody waits, the end is reached whatever happens to clients. */
  readonly background: boolean
}

/** What the one who asks the origin does. */
export type Run = (errand: Errand) => Promise<Reply>
