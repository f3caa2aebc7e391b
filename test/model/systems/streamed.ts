/**
 * forecache on several machines: engines of the library joined by the log in the store.
 */
import { type Cache, cacheOver } from '../../../src/flow/cache.ts'
import { Engine } from '../../../src/flow/engine.ts'
import { resolveSettings } from '../../../src/flow/options.ts'
import type { SharedLog } from '../../../src/flow/shared-log.ts'
import type { BlindPolicy } from '../../../src/model/link.ts'
import { checkHistory } from '../../../src/sim/promises.ts'
import type { SimNode } from '../../../src/sim/node.ts'
import { type FaultName, FAULTS } from '../../../src/sim/schedule.ts'
import type { Instance, TrialOptions } from '../../../src/sim/trial-options.ts'
import type { World } from '../../../src/sim/world.ts'
import { StreamLink } from '../../../src/tier/stream-link.ts'
import { SimLog } from '../../support/sim-log.ts'
import { addSecondLevel } from './second-level.ts'

const BLIND_MS = 250
const ACK_MS = 320
const MEMBER_TTL_MS = 1000
/** What a read may take on its way beyond the bound: a question, and the answer to it. */
const SLACK_MS = 10
const BUDGET_MS = 1200

/** Everything there is. */
export const FLEET_FAULTS: readonly FaultName[] = [...FAULTS]

/** What schedules are made of, and what is promised in them; the same for forecache and for what it is compared with. */
export const FLEET_PLAN = {
  faults: [...FAULTS],
  ...{ nodes: 3, keys: 2, steps: 14, gap: 40, longest: 800, warmUp: 30, tokenShare: 0.3 },
  ...{ follow: 30, blindAfter: BLIND_MS + SLACK_MS, budget: BUDGET_MS, deadline: 3000 },
} satisfies Partial<TrialOptions>

/** Resolved once: checking options is no part of what is tried, and dear. */
const SETTINGS = resolveSettings({ memory: { maxBytes: '64KiB' } })

/** What may be broken on purpose, to prove that the judge sees it. */
export type Sabotage =
  | 'the fence admits every fill'
  | 'silence is trusted for ever'
  | 'another log is taken for the same'
  | 'tokens are believed'
  | 'what stands behind is believed'

/** How it runs. */
export interface StreamedOptions {
  readonly policy: Exclude<BlindPolicy, 'strict' | 'fail'>
  readonly sabotage?: Sabotage
  /** With a second level; default: the log alone. */
  readonly hasSecond?: boolean
}

/** A cache on a node's clock. */
export function cacheOn({ clock, random }: SimNode): Cache {
  const engine = new Engine({ ...SETTINGS, clock, random })
  return cacheOver(engine)
}

/** How a cache answers the clients of a simulation. */
export function instanceOf(cache: Cache, node: SimNode): Instance {
  return {
    read: (key, { token }) => {
      const options = { tags: [`t:${key}`], budget: BUDGET_MS, ...(token === undefined ? {} : { token }) }
      return cache.fetch(key, options, () => node.load(key))
    },
    invalidate: (key, version) => cache.invalidate(version % 2 === 0 ? { keys: [key] } : { tags: [`t:${key}`] }),
    stop: () => {},
  }
}

/** One instance by itself: its log is its own. */
export function singly(node: SimNode): Instance {
  return instanceOf(cacheOn(node), node)
}

/** A trial of it: every fault there is. */
export function streamed({ policy, sabotage, hasSecond = false }: StreamedOptions): TrialOptions {
  return {
    start(node) {
      const cache = cacheOn(node)
      const { clock } = node
      const store = new SimLog(node, MEMBER_TTL_MS)
      const link = new StreamLink({ clock, store, blindAfterMs: BLIND_MS, ackMs: ACK_MS })
      const shared = cache.engine.join(link, policy)
      if (hasSecond) addSecondLevel(cache, node)
      breakPart(cache, shared, sabotage)
      return instanceOf(cache, node)
    },
    ...FLEET_PLAN,
    ...(policy === 'miss' ? { check: goneOnceAnswered } : {}),
  }
}

/** Who may not serve while blind is blind by the time at which a writer is answered, whoever has heard. */
function goneOnceAnswered({ history: { reads, writes }, origin }: World): string[] {
  const limits = { followMs: 0, blindAfterMs: 0, servesBlind: false, budgetMs: 0, deadlineMs: 0 }
  return checkHistory({ history: { reads, writes, troubles: [] }, origin }, limits, ['P3']).map(({ text }) => text)
}

function breakPart(cache: Cache, shared: SharedLog, sabotage: Sabotage | undefined): void {
  switch (sabotage) {
    case undefined:
      return
    case 'the fence admits every fill':
      cache.engine.fence.admits = () => true
      cache.engine.fence.standing = () => 'current'
      return
    case 'silence is trusted for ever': {
      shared.doubt = () => {}
      const prove = shared.prove.bind(shared)
      const blind = shared.blind.bind(shared)
      let hasSeen = false
      shared.prove = () => {
        hasSeen = true
        prove(Number.POSITIVE_INFINITY)
      }
      shared.blind = () => hasSeen || blind()
      return
    }
    case 'another log is taken for the same':
      shared.renew = () => {}
      return
    case 'what stands behind is believed':
      // Two rules stand against it: by the log's places, and by what was heard since the entry was read.
      shared.standing = () => 'current'
      cache.engine.fence.horizonAt = () => cache.engine.fence.horizon
      return
    case 'tokens are believed':
      cache.engine.catchUp = async () => true
      return
    default:
      return sabotage satisfies never
  }
}
