/**
 * All processes of an instance as if they were one: sums of what they count, the best of what they explain.
 *
 * Floor 4, room ops. This process is one of them. Whoever does not answer in time is left out, and his last counts stand.
 */
import type { Engine } from '../flow/engine.ts'
import type { InvalidateInput, InvalidateResult } from '../flow/invalidate.ts'
import { ForecacheError } from '../model/errors.ts'
import type { EventName } from '../model/event.ts'
import type { Explainer, UrlExplanation } from './explain-endpoint.ts'
import type { Fleet } from './fleet.ts'
import type { FleetTotals } from './fleet-totals.ts'
import { ownUsage } from './own-usage.ts'
import type { StreamSource } from './stream.ts'
import { type ReadCounts, sumReads, watchReads } from './top.ts'
import { exposeWorkers } from './worker-metrics.ts'
import type { Usage, Whole, WholeStats } from './whole.ts'

/** What a fleet is spoken for with. */
export interface FleetParts {
  readonly engine: Engine
  readonly explainer: Explainer
  readonly fleet: Fleet
  readonly totals: FleetTotals
  /** Hears what happens in the workers. @returns how to stop */
  onEvent(name: EventName, listener: (payload: unknown) => void): () => void
}

/** What one worker holds, in an explanation of all. */
export interface WorkerExplanation extends UrlExplanation {
  readonly worker: string
}

/** An explanation of all. */
export type FleetExplanation = UrlExplanation & { readonly workers: readonly WorkerExplanation[] }

export function fleetWhole(parts: FleetParts): Whole {
  const { engine, fleet, totals } = parts
  return {
    stats: () => gather(parts),
    watch: async (windowMs) => {
      const [own, others] = await Promise.all([watchReads(engine, windowMs), fleet.ask({ what: 'top', windowMs })])
      return sumReads([own, ...others.map(({ answer }): ReadCounts => answer)])
    },
    explain: (query) => explainAll(parts, query),
    invalidate: (input) => invalidateAll(parts, input),
    violations: async () => (await fleet.ask({ what: 'audit' })).flatMap(({ answer }) => answer),
    large: async () => (await fleet.ask({ what: 'large' })).map(({ answer }) => answer),
    stream: streamSource(parts),
    expose: (registry, prefix) => exposeWorkers(registry, parts, prefix),
    usage: () => usageOf(parts),
    describe: () => {
      const sum = totals.sum()
      return { entries: sum.memory.size, bytes: sum.memory.bytes, workers: fleet.workers() }
    },
  }
}

/** Workers that have not told anything yet count as processes all the same. */
function usageOf({ fleet, totals }: FleetParts): Usage {
  const all = [ownUsage(), ...totals.usage()]
  return {
    cpuSeconds: all.reduce((sum, one) => sum + one.cpuSeconds, 0),
    residentBytes: all.reduce((sum, one) => sum + one.residentBytes, 0),
    loopDelayMs: Math.max(...all.map((one) => one.loopDelayMs)),
    processes: fleet.workers().filter(({ state }) => state === 'listening').length,
  }
}

async function gather({ fleet, totals }: FleetParts): Promise<WholeStats> {
  for (const { worker, answer } of await fleet.ask({ what: 'counts' })) totals.note(worker, answer)
  return totals.sum()
}

async function invalidateAll({ engine, fleet }: FleetParts, input: InvalidateInput): Promise<InvalidateResult> {
  if (input.dryRun !== true) return engine.invalidateEverywhere(input)
  const own = engine.invalidate(input)
  const others = await fleet.ask({ what: 'matches', input })
  const nodes = { expected: 1 + fleet.workers().length, acknowledged: 1 + others.length }
  return { ...own, nodes, matched: others.reduce((sum, { answer }) => sum + answer, own.matched) }
}

/** As the worker sees it that knows most; what each holds stands beside. @throws FC_API_QUERY */
async function explainAll({ explainer, fleet }: FleetParts, query: URLSearchParams): Promise<FleetExplanation> {
  const own = explainer.explain(query)
  const workers: WorkerExplanation[] = []
  for (const { worker, answer } of await fleet.ask({ what: 'explain', query: query.toString() })) {
    if ('refusal' in answer) throw new ForecacheError(answer.refusal.code, answer.refusal.detail)
    workers.push({ worker, ...answer.explanation })
  }
  const best = [own, ...workers].reduce((most, one) => (knowledge(one) > knowledge(most) ? one : most))
  return { ...best, workers }
}

function knowledge({ cached, entry, loading, lastDecision, reason }: UrlExplanation): number {
  if (cached) return 5
  if (entry !== undefined) return 4
  if (loading) return 3
  if (lastDecision !== undefined) return 2
  return reason === 'unknown' ? 0 : 1
}

/** Invalidations are heard once, from this process, which hears of all of them. */
function streamSource({ engine, totals, onEvent }: FleetParts): StreamSource {
  return {
    clock: engine.clock,
    on: (name, listener) => {
      const stops = [engine.events.on(name, listener)]
      if (name !== 'fence:append') stops.push(onEvent(name, listener))
      return () => {
        for (const stop of stops) stop()
      }
    },
    stats: () => totals.stats(),
  }
}
