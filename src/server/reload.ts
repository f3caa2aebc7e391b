/**
 * What another configuration changes in a running process, and what has to wait for a restart.
 *
 * Floor 5, room server. Pure.
 */
import { changedSections } from './config-change.ts'
import type { Config } from './config-schema.ts'

/** What a reload did. */
export interface ReloadResult {
  /** Sections that differ and are in force now. */
  readonly applied: readonly string[]
  /** Sections that differ and wait for a restart. */
  readonly restart: readonly string[]
}

/** What a reload is about to do. */
export interface ReloadPlan extends ReloadResult {
  /** The configuration that will be in force: sections that wait for a restart are as before. */
  readonly next: Config
  /** What is stored was keyed, judged or asked for under rules that no longer hold. */
  readonly changesMeaning: boolean
  readonly changesOrigin: boolean
}

/** Sections that are fixed while the process runs. */
const FIXED: readonly string[] = [
  'listen',
  'api.listen',
  'api.insecure',
  'cacheApi',
  'memory',
  'contexts',
  'events',
  'limits',
  'metrics',
  'lane',
  'workers',
]

/** Sections that say what a stored answer means: where it came from, under which key it stands, for how long. */
const MEANING: readonly string[] = ['origin', 'profile', 'routes']

export function planReload(current: Config, config: Config): ReloadPlan {
  const changed = changedSections(current, config)
  const restart = changed.filter((section) => FIXED.includes(section))
  const applied = changed.filter((section) => !FIXED.includes(section))
  const next = { ...config, api: { ...current.api, keys: config.api.keys } }
  for (const section of restart)
    if (section in next && !section.includes('.')) Object.assign(next, { [section]: current[section as keyof Config] })
  return {
    applied,
    restart,
    next,
    changesMeaning: applied.some((section) => MEANING.includes(section)),
    changesOrigin: changed.includes('origin'),
  }
}
