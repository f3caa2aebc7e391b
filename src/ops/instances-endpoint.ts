/**
 * `GET /v1/instances`: this instance, and all others of its registry.
 *
 * Floor 4, room ops. This one is always told of, first; `complete` is false where the registry could not be read.
 */
import { hostname } from 'node:os'
import type { Engine } from '../flow/engine.ts'
import { type Endpoint, jsonReply } from '../model/endpoint.ts'
import type { InstanceFacts } from './instance.ts'
import { INSTANCES_TEXT } from './texts.ts'

/** This instance; more stands beside. */
export interface SelfView extends Readonly<Record<string, unknown>> {
  readonly id: string
}

/** @param startedAt ISO 8601 */
export function describeInstance(engine: Engine, startedAt: string): SelfView {
  return {
    id: engine.generation,
    self: true,
    host: hostname(),
    pid: process.pid,
    node: process.versions.node,
    startedAt,
    horizon: engine.fence.horizon,
    entries: engine.memory.size,
    bytes: engine.memory.bytes,
  }
}

/** @param list all that are registered @throws (rejects) where they cannot be had */
export function createInstancesEndpoint(self: () => SelfView, list?: () => Promise<readonly InstanceFacts[]>): Endpoint {
  return {
    method: 'GET',
    path: '/v1/instances',
    about: INSTANCES_TEXT,
    handle: async () => {
      const own = self()
      const all = list === undefined ? [] : await list().catch(() => undefined)
      const registered = all?.find(({ id }) => id === own.id)
      const others = (all ?? []).filter(({ id }) => id !== own.id).map((facts) => ({ ...facts, self: false }))
      return jsonReply(200, { instances: [{ ...registered, ...own }, ...others], complete: all !== undefined })
    },
  }
}
