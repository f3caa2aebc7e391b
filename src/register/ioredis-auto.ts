/**
 * Autopipelining of ioredis: commands that the application has sent and that its client has yet to write.
 *
 * Floor 5, room register. A reading behind such a write must not be answered from memory, though the write has not set out.
 * Each waiting command is looked at once.
 */
import type { IoCommand, IoRedis } from './ioredis-shape.ts'
import type { Lane } from './lane.ts'

interface Seen {
  count: number
  /** Something among them is more than a reading. */
  hasMore: boolean
}

interface AutoPipeline {
  readonly _queue?: readonly IoCommand[]
}

const seen = new WeakMap<AutoPipeline, Seen>()

/** Whether a reading has to go behind what waits to be written. */
export function isBehindQueued(redis: IoRedis, lane: Lane): boolean {
  if (redis.options.enableAutoPipelining !== true) return false
  const waiting = redis['_autoPipelines']
  if (!(waiting instanceof Map)) return true
  for (const pipeline of (waiting as Map<unknown, AutoPipeline>).values()) if (hasMore(pipeline, lane)) return true
  return false
}

function hasMore(pipeline: AutoPipeline, lane: Lane): boolean {
  const queue = pipeline._queue
  const { upstream } = lane
  if (!Array.isArray(queue) || upstream === undefined) return true
  let known = seen.get(pipeline)
  if (known === undefined) {
    known = { count: 0, hasMore: false }
    seen.set(pipeline, known)
  }
  for (; known.count < queue.length && !known.hasMore; known.count += 1) {
    const { name, args } = queue[known.count] as IoCommand
    const { kind } = upstream.commands.read([name, ...args] as string[])
    known.hasMore = kind !== 'read' && kind !== 'tell' && kind !== 'pass'
  }
  return known.hasMore
}
