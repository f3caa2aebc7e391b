/**
 * Beginning a load, where no other process has it under way or done already.
 *
 * Floor 3, room flow. Without leases it begins at once.
 */
import type { Entry } from '../model/entry.ts'
import { awaitLease, type Stand } from './await-lease.ts'
import type { Call } from './call.ts'
import type { Engine } from './engine.ts'
import type { Fill, FillTarget } from './fill.ts'
import { type Loaded, type Loading, startLoad } from './load.ts'
import type { Load } from './loader.ts'
import type { Together } from './together.ts'

/** What is to be loaded. */
export interface LoadJob<T> {
  readonly call: Call
  readonly load: Load<T>
  readonly target: FillTarget
  /** Looks in the second level; whether what is there is as fresh as this caller wants it. */
  look(): Promise<boolean>
  /** Those that it is loaded together with. */
  readonly together?: Together | undefined
}

/** @param fill opened already; another is opened where another process was waited for @returns what that one loaded, or a load */
export function loadAcross<T>(engine: Engine, fill: Fill, job: LoadJob<T>): Loading | Promise<Loading | Loaded> {
  const { call, load } = job
  const isShared = engine.leases !== undefined && fill.shared !== undefined && call.hardMs > (engine.second?.deadlineMs ?? 0)
  return isShared ? loadShared(engine, fill, job) : startLoad(engine, fill, { call, load })
}

async function loadShared<T>(engine: Engine, given: Fill, job: LoadJob<T>): Promise<Loading | Loaded> {
  const { key } = given
  const { release, isFound, hasWaited } = await standOf(engine, given, job)
  const entry = isFound ? engine.memory.look(key) : undefined
  if (entry !== undefined) return loadedElsewhere(entry)
  const fill = hasWaited ? engine.begin(key, job.target) : given
  const loading = startLoad(engine, fill, job)
  // The others are told when the second level has it, or that there is nothing.
  loading.done.then(
    ({ kept }) => release?.(kept === 'kept' ? 'stored' : 'alone'),
    () => release?.('failed'),
  )
  return loading
}

async function standOf<T>(engine: Engine, fill: Fill, job: LoadJob<T>): Promise<Stand> {
  const wish = { fill, look: () => job.look() }
  if (job.together !== undefined) return job.together.enter(wish)
  const [stand] = await awaitLease(engine, [wish])
  return stand as Stand
}

/** As if this process had loaded it. */
function loadedElsewhere({ value: held, tags, storedAt: startedAt }: Entry): Loaded {
  return { held, tags, kept: 'kept', renewed: false, startedAt }
}
