/**
 * `forecache top`: the keys read most at this moment, and how all instances do.
 *
 * Floor 6, room cli. Reads are counted at the instance that is asked, for as long as the command waits.
 */
import type { Top } from '../ops/top.ts'
import { type ApiPlace, callApi } from './api.ts'
import { describeInstances, fetchInstances } from './instances.ts'
import { type Io, renderTable, showShare } from './io.ts'

/** Options of the command. */
export interface TopWish extends ApiPlace {
  readonly json: boolean
  /** Counts for so long. */
  readonly seconds: number
  /** Keys shown. */
  readonly limit: number
}

/** @returns the exit code @throws FC_CLI_API */
export async function runTop(wish: TopWish, io: Io): Promise<number> {
  const [top, instances] = await Promise.all([
    callApi(wish, `/v1/top?seconds=${wish.seconds}&limit=${wish.limit}`) as Promise<Top>,
    fetchInstances(wish),
  ])
  if (wish.json) io.out(JSON.stringify({ ...top, ...instances }))
  else io.out([describeTop(top), ...describeInstances(instances)].join('\n'))
  return 0
}

/** As text. */
export function describeTop({ reads, windowMs, errorReads, keys }: Top): string {
  const head = `${reads} reads in ${(windowMs / 1000).toFixed(1)} s`
  if (keys.length === 0) return head
  const rows = keys.map(({ key, perSecond, share }) => [perSecond, showShare(share), key])
  const doubt = errorReads > 0 ? [`counts are at most ${errorReads} reads too low`] : []
  return [head, '', renderTable([['reads/s', 'share', 'key'], ...rows]), ...doubt].join('\n')
}
