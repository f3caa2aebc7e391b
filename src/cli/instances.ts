/**
 * The instances of a fleet as a table, for whoever asks one of them.
 *
 * Floor 6, room cli.
 */
import type { InstanceFacts } from '../ops/instance.ts'
import { type ApiPlace, callApi } from './api.ts'
import { renderTable, showBytes, showMs, showShare } from './io.ts'

/** What `/v1/instances` says; facts of a registry are absent where there is none. */
export interface Instances {
  readonly instances: readonly (Partial<InstanceFacts> & { readonly id: string; readonly self: boolean })[]
  /** False: others may live. */
  readonly complete: boolean
}

/** @returns undefined where the administration does not say @throws FC_CLI_API */
export async function fetchInstances(place: ApiPlace): Promise<Instances | undefined> {
  const answer = (await callApi(place, '/v1/instances')) as Partial<Instances>
  return Array.isArray(answer.instances) ? { instances: answer.instances, complete: answer.complete !== false } : undefined
}

/** As text; none for an instance that is alone and always was. */
export function describeInstances(all: Instances | undefined): string[] {
  if (all === undefined) return []
  const rows = all.instances.filter(({ state }) => state !== undefined)
  const warning = all.complete ? [] : ['', 'the registry cannot be read: other instances may live']
  if (rows.length === 0) return warning
  const head = ['instance', 'address', 'state', 'processes', 'requests/s', 'CPU', 'loop delay', 'p99', 'resident', 'from cache']
  const cells = rows.map((one) => [
    one.self ? `${one.id} *` : one.id,
    one.address ?? '',
    one.state ?? '',
    one.processes ?? '',
    one.requestsPerSecond ?? '',
    showShare(one.cpu ?? 0),
    showMs(one.loopDelayMs ?? Number.NaN),
    showMs(one.p99Ms === undefined || one.p99Ms === 0 ? Number.NaN : one.p99Ms),
    showBytes(one.rssBytes ?? 0),
    showShare(one.hitRatio ?? 0),
  ])
  return ['', renderTable([head, ...cells]), ...warning]
}
