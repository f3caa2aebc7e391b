/**
 * What a scenario is: a name, what it runs on, and what goes wrong.
 */
import type { Arena } from './arena.ts'
import type { Build } from './stand.ts'

/** See the module's header. */
export interface Scenario {
  /** Lower-case words with hyphens. */
  readonly name: string
  readonly text: string
  readonly build?: Partial<Omit<Build, 'root'>>
  /** Does harm while clients ask; what it leaves undone is undone behind it. */
  readonly run: (arena: Arena) => Promise<void>
  /** Why it cannot run here; undefined: it can. */
  readonly skip?: () => string | undefined
}

/** What a scenario runs on where it does not say. */
export const USUAL: Omit<Build, 'root'> = {
  store: 'single',
  bus: 'store',
  redisArgs: [],
  redisEnv: () => ({}),
  door: 'gateway',
  instances: 3,
  blind: 'budget',
  blindAfterMs: 500,
  budgetMs: 60_000,
  maxRecords: 65_536,
  l2: {},
  tokenShare: 0.15,
  readMs: 3000,
  patienceMs: 20_000,
  isApart: false,
  env: () => ({}),
}
