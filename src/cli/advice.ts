/**
 * `forecache advice`: what a running instance would have changed, from its own counters.
 *
 * Floor 6, room cli.
 */
import type { Advice } from '../ops/advice.ts'
import { describeFinding } from './analyze-text.ts'
import { type ApiPlace, callApi } from './api.ts'
import { type Io, renderTable, showShare, showSpan } from './io.ts'

/** @returns the exit code @throws FC_CLI_API */
export async function runAdvice(wish: ApiPlace & { readonly json: boolean }, io: Io): Promise<number> {
  const advice = (await callApi(wish, '/v1/advice')) as Advice
  io.out(wish.json ? JSON.stringify(advice) : describeAdvice(advice))
  return 0
}

/** As text. */
export function describeAdvice({ routes, findings }: Advice): string {
  const head = ['route', 'requests', 'from cache', 'stale', 'passed', 'answers a load', 'unchanged', 'changes every', 'kept out']
  const rows = routes.map(({ route, requests, hitRatio, stale, passed, reuse, unchanged, changeEveryMs, demoted }) => [
    route,
    requests,
    showShare(hitRatio),
    showShare(stale),
    showShare(passed),
    reuse,
    unchanged === null ? '–' : showShare(unchanged),
    changeEveryMs === null ? '–' : showSpan(changeEveryMs),
    demoted,
  ])
  const found = findings.length === 0 ? ['nothing found that is wrong'] : findings.flatMap(describeFinding)
  return [renderTable([head, ...rows]), '', ...found].join('\n')
}
