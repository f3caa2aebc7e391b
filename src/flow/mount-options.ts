/**
 * Options of how a cache and the Redis hook of the same process share values.
 *
 * Floor 3, room flow.
 */
import { z } from 'zod'

/** Namespace of the keys of a Redis where nothing else is said. */
export const DEFAULT_HOOK_NAMESPACE = 'redis'

export const REDIS_SHARED = z.union([
  z.literal(false),
  z.strictObject({
    namespace: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{1,128}$/, { error: 'expected 1 to 128 letters, digits, _ . or -' })
      .optional()
      .meta({
        shown: "the hook's: FORECACHE_NAMESPACE, or redis",
        description: 'Namespace in which the keys of the hook stand.',
      }),
    server: z.string().min(1).optional().meta({
      shown: 'the only one',
      description:
        "Which server, where the application's clients talk to several, as `stats().upstreams` of `forecache/redis` names it.",
    }),
    database: z.number().int().min(0).max(65_535).default(0).meta({ description: 'Which database of it.' }),
  }),
])

/** Resolved. */
export type RedisWish = Exclude<z.output<typeof REDIS_SHARED>, false>
