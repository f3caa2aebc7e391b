/**
 * Beginning a load, where no other process has it under way or done already.
 *
 * Floor 3, room flow. Without leases it begins at once.
 */
import type { Entry } from '../model/entry.ts'
import type { Lease } from '../tier/lease.ts'
import type { LeaseOutcome } from '../tier/lease-store.ts'
import { awaitLease } from './await-lease.ts'
import type { Call } from './call.ts'
import type { Engine } from './engine.ts'
import type { Fill, FillTarget } from './fill.ts'
import { type Loaded, type Loading, startLoad } from './load.ts'
import type { Load } from './loader.ts'

/** What is to be loaded. */
export interface LoadJob<T> {
  readonly call: Call
  readonly load: Load<T>
  readonly target: FillTarget
  /** Looks in the second level; whether what is there is as fresh as this caller wants it. */
  look(): Promise<boolean>
}

/** @param fill opened already; another is opened where another process was waited for @returns what that one loaded, or a load */
export function loadAcross<T>(engine: Engine, fill: Fill, job: LoadJob<T>): Loading | Promise<Loading | Loaded> {
  const { call, load } = job
  const isShared = engine.leases !== undefined && fill.shared !== undefined && call.hardMs > (engine.second?.deadlineMs ?? 0)
  return isShared ? loadShared(engine, fill, job) : startLoad(engine, fill, { call, load })
}

async function loadShared<T>(engine: Engine, given: Fill, job: LoadJob<T>): Promise<Loading | Loaded> {
  const { key } = given
  const { lease, isFound, hasWaited } = await awaitLease(engine, given, () => job.look())
  const entry = isFound ? engine.memory.look(key) : undefined
  if (entry !== undefined) return loadedElsewhere(entry)
  const fill = hasWaited ? engine.begin(key, job.target) : given
  const loading = startLoad(engine, fill, job)
  if (lease !== undefined) letGo(engine, lease, { key, loading })
  return loading
}

/** As if this process had loaded it. */
function loadedElsewhere({ value: held, tags, storedAt: startedAt }: Entry): Loaded {
  return { held, tags, kept: 'kept', renewed: false, startedAt }
}

/** The others are told when the second level has it, or that there is nothing. */
function letGo(engine: Engine, lease: Lease, { key, loading }: { readonly key: string; readonly loading: Loading }): void {
  const end = (outcome: LeaseOutcome): void => engine.leases?.release(lease, key, outcome)
  loading.done.then(
    ({ kept }) => end(kept === 'kept' ? 'stored' : 'alone'),
    () => end('failed'),
  )
}
