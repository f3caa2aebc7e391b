/**
 * One invalidation for all doors: what the log of an engine names is forgotten where a mounted namespace's values stand, too.
 *
 * Floor 3, room flow. Synchronous, within the append: when an invalidation returns, nobody is told from memory what it names,
 * through whichever door. A Redis knows nothing that is stale, so what is softened goes as well.
 */
import type { Target } from '../model/log.ts'
import type { Fence } from '../tier/fence.ts'
import type { MountView } from './mount-view.ts'

/** What is followed. */
export interface MountFence {
  readonly fence: Fence
  readonly name: string
  /** What stands before its keys in the log; its version may grow. */
  prefix(): string
  /** Undefined: there is nothing to forget. */
  view(): Pick<MountView, 'forgetKey' | 'forgetPrefix' | 'forgetTag' | 'forgetAll'> | undefined
}

/** @returns a function that stops it */
export function followFence({ fence, name, prefix, view }: MountFence): () => void {
  const id = fence.namespace(name)
  const reaches = (target: Target): void => {
    const there = view()
    if (there === undefined) return
    const before = prefix()
    switch (target.kind) {
      case 'key':
        if (target.key.startsWith(before)) there.forgetKey(target.key.slice(before.length))
        return
      case 'tag':
        return there.forgetTag(target.tag)
      case 'prefix':
        if (before.startsWith(target.prefix)) there.forgetAll()
        else if (target.prefix.startsWith(before)) there.forgetPrefix(target.prefix.slice(before.length))
        return
      case 'namespace':
        if (target.namespace === id) there.forgetAll()
        return
      case 'all':
        return there.forgetAll()
      default:
        return target satisfies never
    }
  }
  return fence.onAppend(({ targets }) => {
    for (const target of targets) reaches(target)
  })
}
