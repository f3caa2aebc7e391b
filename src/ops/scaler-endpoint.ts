/**
 * `GET /v1/scaler`: who leads, what was decided last and why, and what was done.
 *
 * Floor 4, room ops. `log` is what all leaders did, from the store; where it cannot be read, what this instance did.
 */
import { z } from 'zod'
import { type Endpoint, type EndpointText, jsonReply } from '../model/endpoint.ts'
import type { ControlPlane } from './control-plane.ts'
import type { Election } from './election.ts'
import type { ScalingAudit } from './scaling-audit.ts'

const SCALER_TEXT: EndpointText = {
  id: 'getScaler',
  summary: 'Who leads the instances, and what the scaler decided and did',
  answers: {
    200: {
      description: 'The state now; only where a scaler is configured.',
      content: {
        'application/json': z.strictObject({
          scaler: z.string(),
          dryRun: z.boolean(),
          leader: z.string().nullable(),
          self: z.boolean(),
          term: z.int().min(0),
          decision: z.looseObject({ desired: z.number(), wanted: z.number(), reason: z.string() }).nullable(),
          log: z.array(z.unknown()),
          complete: z.boolean(),
        }),
      },
    },
  },
}

export function createScalerEndpoint(parts: { control: ControlPlane; election: Election; audit: ScalingAudit }): Endpoint {
  return {
    method: 'GET',
    path: '/v1/scaler',
    about: SCALER_TEXT,
    handle: async () => {
      const { scaler, dryRun, leadership, decision } = parts.control.state
      const log = await parts.election.log().catch(() => undefined)
      return jsonReply(200, {
        ...{ scaler, dryRun, leader: leadership.leader ?? null, self: leadership.isSelf, term: leadership.term },
        ...{ decision: decision ?? null, log: log ?? parts.audit.records, complete: log !== undefined },
      })
    },
  }
}
