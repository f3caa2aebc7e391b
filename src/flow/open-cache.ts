/**
 * What all views of one cache share, made over an engine.
 *
 * Floor 3, room flow.
 */
import type { Engine } from './engine.ts'
import { Fetcher } from './fetch.ts'
import { Mounts } from './mounts.ts'
import { openEngine } from './open-log.ts'
import type { CacheOptions } from './options.ts'

/** See the module's header. */
export interface CacheCore {
  readonly engine: Engine
  readonly fetcher: Fetcher
  /** Current version of each namespace. */
  readonly versions: Map<string, number>
  /** Namespaces whose values stand elsewhere. */
  readonly mounts: Mounts
}

/** @throws FC_OPTION_* naming the first bad option */
export function openCore(options: CacheOptions): CacheCore {
  return coreOver(openEngine(options))
}

/** Over an engine that was made by hand. */
export function coreOver(engine: Engine): CacheCore {
  const versions = new Map<string, number>()
  return { engine, fetcher: new Fetcher(engine), versions, mounts: new Mounts(engine, versions) }
}
