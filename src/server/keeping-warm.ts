/**
 * The warmth of a process as its configuration wants it.
 *
 * Floor 5, room server.
 */
import { hash } from 'node:crypto'
import type { Engine } from '../flow/engine.ts'
import type { Preserver } from '../flow/preserve.ts'
import type { Logger } from '../model/port.ts'
import { HotList } from '../ops/hot-list.ts'
import { createSeal, type Seal } from '../wire/seal.ts'
import type { Config } from './config-schema.ts'
import { HotFile } from './hot-file.ts'
import type { RegistryStore } from './registry-store.ts'
import { Warmth, type WarmthParts } from './warmth.ts'

/** What it works with. */
export interface KeepingParts {
  readonly engine: Engine
  readonly logger: Logger
  /** The configuration in force. */
  config(): Config
  /** Codecs of the door in force; undefined: there is none here. */
  readonly preserver: (() => Preserver) | undefined
  /** Undefined: nothing is told to other instances. */
  readonly store: Pick<RegistryStore, 'redis' | 'keys'> | undefined
  /** Id of this instance. */
  readonly id: string
  /** Added to the name of the snapshot's file; '' for a process alone. */
  readonly suffix: string
}

/** Lists of hot keys outlive a few missed ones. */
const HOT_LISTS = 6

/** @throws FC_OPTION_VALUE for a bad key */
export function keepWarm(config: Config, parts: KeepingParts): Warmth {
  const { engine, logger, preserver, store, id, suffix } = parts
  const { registry, snapshot, l2 } = config
  const seal = l2?.encryption === undefined ? undefined : createSeal(l2.encryption)
  return new Warmth({
    ...{ engine, logger, preserver },
    snapshot: snapshot && { ...snapshot, seal, file: snapshot.file + suffix, meaning: () => meaningOf(parts.config()) },
    own: isWarmed(config) ? snapshot && hotFileOf(snapshot, { engine, logger, seal, suffix }) : undefined,
    hot: store && hotOf({ redis: store.redis, keys: store.keys, id, seal }, registry),
  })
}

/** Digest of what says how keys and answers are made: another configuration's mean something else. */
export function meaningOf({ origin, profile, routes, compress, contexts, events }: Config): string {
  return hash('sha256', JSON.stringify([origin?.url, profile, routes, compress, contexts, events]), 'base64url')
}

function isWarmed({ warming, routes }: Config): boolean {
  return warming !== undefined || routes.some((route) => route.warming === true)
}

function hotFileOf(
  { file, deadline: deadlineMs }: NonNullable<Config['snapshot']>,
  { suffix, ...parts }: Pick<KeepingParts, 'engine' | 'logger' | 'suffix'> & { readonly seal: Seal | undefined },
): HotFile {
  return new HotFile({ ...parts, path: `${file}${suffix}.hot`, deadlineMs })
}

function hotOf(
  parts: Pick<RegistryStore, 'redis' | 'keys'> & { readonly id: string; readonly seal: Seal | undefined },
  settings: Config['registry'],
): WarmthParts['hot'] {
  const { redis, keys } = parts
  const deadlineMs = settings.heartbeat
  return {
    settings,
    list: new HotList({ ...parts, ttlMs: settings.hotEvery * HOT_LISTS }),
    // Its own too: a worker that follows a lost one finds what its fellows read.
    instances: async () => {
      const ids = await redis.call(['HKEYS', keys.instances], { key: keys.instances, deadlineMs })
      return Array.isArray(ids) ? ids.map(String) : []
    },
  }
}
