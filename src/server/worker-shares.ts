/**
 * One configuration for a whole instance, divided among its workers and their supervisor.
 *
 * Floor 5, room server. Pure. What is given for the instance is kept by the instance: a tenth of the memory is the
 * supervisor's (values of the native cache API), the rest and every bound on connections is divided equally among the
 * workers, rounded up where it counts connections.
 */
import { availableParallelism } from 'node:os'
import type { Config } from './config-schema.ts'
import { memoryOf } from './resp-memory.ts'

const SUPERVISOR_SHARE = 0.1

/** How many workers a configuration wants; 1 is a single process without supervisor. */
export function workerCount({ workers }: Pick<Config, 'workers'>): number {
  return workers === 'auto' ? availableParallelism() : workers
}

/** The supervisor's part. */
export function supervisorShare(config: Config): Config {
  const { memory } = config
  return { ...config, memory: { ...memory, maxBytes: Math.floor(memory.maxBytes * SUPERVISOR_SHARE) } }
}

/** One worker's part. */
export function workerShare(config: Config, workers: number): Config {
  const { memory, limits, origin } = config
  const part = (whole: number): number => Math.max(1, Math.ceil(whole / workers))
  // The Redis door is the supervisor's, and so is its memory.
  const taken = config.resp === undefined ? 0 : Math.min(memoryOf(config), memory.maxBytes / 2)
  const maxBytes = Math.floor((memory.maxBytes * (1 - SUPERVISOR_SHARE) - taken) / workers)
  return {
    ...config,
    memory: { ...memory, maxBytes, ...(memory.maxEntries !== undefined && { maxEntries: part(memory.maxEntries) }) },
    limits: { ...limits, connections: part(limits.connections) },
    origin: origin && { ...origin, connections: part(origin.connections), waiting: part(origin.waiting) },
  }
}
