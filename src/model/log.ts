/**
 * The words of invalidation: targets and records of the ordered log.
 *
 * Floor 0, room model.
 */
import type { Position } from './entry.ts'

/** What an invalidation names. `namespace` is the fence's small integer of a namespace. */
export type Target =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'namespace'; readonly namespace: number }
  | { readonly kind: 'all' }

/** One invalidation in the log. */
export interface LogRecord {
  readonly position: Position
  /** `clock.wall()`, epoch ms; for people, never compared. */
  readonly at: number
  /** `clock.now()` of this process. */
  readonly steadyAt: number
  readonly targets: readonly Target[]
  /** Soft: what it names becomes stale instead of going away. */
  readonly soft: boolean
  /** Who asked: `library`, `api`, `gateway`, `event:user.updated` … */
  readonly source: string
}

/** How the fence judges a reading against the log. */
export type Standing = 'current' | 'soft' | 'dead'

/**
 * A target as one word: `tag product:17`.
 *
 * @param nameOf the name of a namespace's small integer
 */
export function textOfTarget(target: Target, nameOf: (id: number) => string): string {
  switch (target.kind) {
    case 'key':
      return `key ${target.key}`
    case 'tag':
      return `tag ${target.tag}`
    case 'prefix':
      return `prefix ${target.prefix}`
    case 'namespace':
      return `namespace ${nameOf(target.namespace)}`
    case 'all':
      return 'all'
    default:
      return target satisfies never
  }
}
