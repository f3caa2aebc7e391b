/**
 * Invalidations of the process's own log, heard by the Redis doors: one invalidation reaches every door.
 *
 * Floor 4, room resp. What a door keeps counts as standing in its namespace under the name of its Redis key. Replies bear no tags; a
 * prefix or a namespace names all of the door, because what is kept is found by hashes, not by names.
 */
import type { Target } from '../model/log.ts'
import type { Fence } from '../tier/fence.ts'
import type { Coherence } from './coherence.ts'
import { hashText } from './coherence-hash.ts'

/** `name:v1:key`, as a namespace's view writes its keys. */
const FULL = /^v\d+:/

/**
 * Follows the log from now on.
 *
 * @param namespace the door's; declared with this
 * @returns a function that stops it
 */
export function followLog(fence: Fence, coherence: Coherence, namespace: string): () => void {
  const id = fence.namespace(namespace)
  const own = `${namespace}:`
  const apply = (target: Target): void => {
    switch (target.kind) {
      case 'all':
        return coherence.invalidateAll()
      case 'namespace':
        return target.namespace === id ? coherence.invalidateAll() : undefined
      case 'prefix':
        return target.prefix.startsWith(own) || own.startsWith(target.prefix) ? coherence.invalidateAll() : undefined
      case 'key': {
        if (!target.key.startsWith(own)) return
        const version = FULL.exec(target.key.slice(own.length))
        if (version !== null) coherence.invalidate(hashText(target.key.slice(own.length + version[0].length)))
        return
      }
      case 'tag':
        return
      default:
        return target satisfies never
    }
  }
  return fence.onAppend(({ targets }) => {
    for (const target of targets) apply(target)
  })
}
