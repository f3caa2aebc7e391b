/**
 * Administration: the endpoints that the api server mounts, over one engine.
 *
 * Floor 4, room ops. Keys and methods are the server's business; what a handler gets is allowed and complete.
 */
import type { Endpoint } from '../model/endpoint.ts'
import { createAdviceEndpoint, LargeAnswers, sumLarge } from './advice.ts'
import { createAuditEndpoint } from './audit-endpoint.ts'
import { createExplainEndpoint, createExplainer, type Explainer, type ExplainerParts } from './explain-endpoint.ts'
import type { InstanceFacts } from './instance.ts'
import { createInstancesEndpoint, describeInstance, type SelfView } from './instances-endpoint.ts'
import { createInvalidateEndpoint } from './invalidate.ts'
import { createMetricsEndpoint, type PrometheusOptions } from './metrics-endpoint.ts'
import { createStatsEndpoint } from './stats.ts'
import { Streams } from './stream.ts'
import { createTopEndpoint } from './top.ts'
import { engineWhole, type Whole } from './whole.ts'

/** What administration works on. */
export interface AdminParts extends ExplainerParts {
  readonly metrics?: PrometheusOptions
  /** Adds metrics to those of the engine. */
  readonly expose?: Whole['expose'] | undefined
  /** Instances that share a registry, this one among them; undefined: there is none. @throws (rejects) FC_L2_* */
  readonly instances?: (() => Promise<readonly InstanceFacts[]>) | undefined
  /** What is spoken for; default: the engine alone. */
  readonly whole?: (explainer: Explainer) => Whole
}

/** The endpoints, and how to let go of what they listen to. */
export interface Admin {
  readonly endpoints: readonly Endpoint[]
  /** What is spoken for. */
  readonly whole: Whole
  /** When it began, ISO 8601. */
  readonly startedAt: string
  close(): void
}

/** Begins to remember what happens to keys, and returns the endpoints. */
export function createAdmin(parts: AdminParts): Admin {
  const { engine } = parts
  const explainer = createExplainer(parts)
  const whole = parts.whole?.(explainer) ?? engineWhole(engine, explainer)
  const streams = new Streams(whole.stream)
  const large = new LargeAnswers(engine.events)
  const startedAt = new Date(engine.clock.wall()).toISOString()
  const describeSelf = (): SelfView => ({ ...describeInstance(engine, startedAt), ...whole.describe() })
  return {
    whole,
    startedAt,
    endpoints: [
      createInvalidateEndpoint(whole, parts.authority ?? (() => undefined)),
      createStatsEndpoint(() => whole.stats()),
      createExplainEndpoint((query) => whole.explain(query)),
      createAuditEndpoint(whole, engine),
      createAdviceEndpoint(
        () => whole.stats(),
        async () => sumLarge([large.counts(), ...(await whole.large())]),
      ),
      createTopEndpoint((windowMs) => whole.watch(windowMs)),
      createInstancesEndpoint(describeSelf, parts.instances),
      streams.endpoint,
      createMetricsEndpoint(whole, engine, parts),
    ],
    close: () => {
      explainer.close()
      large.close()
      streams.close()
    },
  }
}
