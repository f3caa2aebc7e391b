/**
 * What the embedded mode is put together from, by its options.
 *
 * Floor 4, room resp.
 */
import { basename, dirname, resolve } from 'node:path'
import { Keyspace } from '../keyspace/keyspace.ts'
import { type KeeperOptions, SnapshotKeeper } from '../keyspace/snapshot-keeper.ts'
import { type Clock, systemClock } from '../model/clock.ts'
import type { Random } from '../model/random.ts'
import { Server } from './embedded-server.ts'
import { Settings } from './embedded-settings.ts'

export interface EmbeddedOptions {
  readonly clock?: Clock
  readonly random?: Random
  /** Bytes that keys and values may take; 0: no limit. Default 0. */
  readonly maxBytes?: number
  /** When full: `noeviction` refuses writes, everything else makes room. Default `allkeys-lfu`. */
  readonly policy?: string
  /** Asked of every connection; '' asks nobody. */
  readonly password?: string
  /** Where the data is kept over a restart; absent: nowhere. */
  readonly snapshot?: KeeperOptions | undefined
}

const DATABASES = 16

/** The server's state, its data, and what keeps them. */
export function createParts(options: EmbeddedOptions): { readonly server: Server; readonly keeper: SnapshotKeeper | undefined } {
  const { clock = systemClock(), random = Math.random, maxBytes = 0 } = options
  const space = new Keyspace({ databases: DATABASES, random, maxBytes })
  const settings = new Settings()
  settings.put('maxmemory', String(maxBytes))
  settings.put('maxmemory-policy', options.policy ?? 'allkeys-lfu')
  settings.put('requirepass', options.password ?? '')
  space.evicts = settings.get('maxmemory-policy') !== 'noeviction'
  space.now = clock.wall()
  const keeper = options.snapshot && new SnapshotKeeper(space, clock, options.snapshot)
  if (keeper !== undefined) tellPlace(settings, keeper)
  return { server: new Server({ clock, random, space, settings, saver: keeper }), keeper }
}

/** What CONFIG GET says of snapshots. */
function tellPlace(settings: Settings, { path, intervalMs }: SnapshotKeeper): void {
  settings.put('dir', dirname(resolve(path)))
  settings.put('dbfilename', basename(path))
  settings.put('save', intervalMs === 0 ? '' : `${Math.max(1, Math.round(intervalMs / 1000))} 1`)
}
