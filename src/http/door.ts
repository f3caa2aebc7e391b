/**
 * The HTTP door: a shared cache between a server and an origin, without either.
 *
 * Floor 4, room http. All state lives in the engine; a door has none of its own, so it can be replaced between two
 * requests.
 */
import type { BodySource, Reply, RequestHead } from '../model/exchange.ts'
import type { RequestView } from '../model/explain.ts'
import { createDesk, type DeskOptions } from './desk.ts'
import { explainRequest } from './explain.ts'
import type { Policies } from './policy.ts'
import type { ProfileName } from './profile.ts'
import { receive } from './receive.ts'
import { parseUrl, urlTargets } from './url.ts'
import type { Desk, DoorExchange } from './visit.ts'

/** Options of a door. */
export type HttpDoorOptions = DeskOptions

/** See the module's header. */
export interface HttpDoor {
  /**
   * @param head as admitted: end-to-end fields, authority normalized
   * @param body the request's content; undefined when there is none
   * @throws FC_ORIGIN_*, FC_FLIGHT_FULL, FC_REQUEST_*: the server answers them by their status
   */
  handle(head: RequestHead, body: BodySource | undefined, exchange: DoorExchange): Promise<Reply>
  /** What `recall` and its kin take. */
  readonly desk: Desk
  /** How a request is seen, for administration: its policy, its key. */
  explain(head: RequestHead): RequestView
  /** Resolved policies, for administration. */
  readonly policies: Policies
  readonly profile: ProfileName
  /** Stops resolving URLs for the engine. */
  close(): void
}

/** @throws FC_OPTION_* for bad routes or an unknown profile */
export function createHttpDoor(options: HttpDoorOptions): HttpDoor {
  const { engine, profile = 'safe' } = options
  const desk = createDesk(options)
  const { policies } = desk
  const forgetUrls = engine.onUrl((url) => urlTargets(desk, parseUrl(url)))
  return {
    desk,
    policies,
    profile,
    handle: (head, body, exchange) => receive(desk, { head, body }, exchange),
    explain: (head) => explainRequest(desk, head),
    close: () => {
      forgetUrls()
      desk.foresight?.close()
    },
  }
}
