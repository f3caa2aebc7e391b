/**
 * One invalidation for all doors: what the log of this process names is forgotten at the Redis door, too.
 *
 * Floor 5, room server. Keys of the door stand in a namespace of the log. Tags and prefixes: no key of Redis has a tag; a
 * prefix that reaches into the namespace empties all of it.
 */
import type { Cache } from '../flow/cache.ts'
import type { Target } from '../model/log.ts'
import type { ForgetPort } from './resp-back.ts'

/** @param namespace of the door @returns a function that stops it */
export function followFence(cache: Cache, namespace: string, forget: ForgetPort): () => void {
  const view = cache.namespace(namespace)
  const { namespace: id } = view.locate(PROBE)
  const reaches = (target: Target): void => {
    const prefix = view.locate(PROBE).key.slice(0, -PROBE.length) // its version may have grown
    if (target.kind === 'key') {
      if (target.key.startsWith(prefix)) forget.key(target.key.slice(prefix.length))
    } else if (target.kind === 'all' || (target.kind === 'namespace' && target.namespace === id)) forget.all()
    else if (target.kind === 'prefix' && (prefix.startsWith(target.prefix) || target.prefix.startsWith(prefix))) forget.all()
  }
  return cache.engine.fence.onAppend(({ targets }) => {
    for (const target of targets) reaches(target)
  })
}

/** Any key: what stands before it is the namespace's prefix. */
const PROBE = 'k'
