/**
 * `forecache/register`: `NODE_OPTIONS="--import forecache/register"` has an application's Redis reads answered from its own memory.
 *
 * Floor 6, room entry. No export; options in FORECACHE_*: docs/guide/redis-hook.md.
 */
import { register } from '../register/register.ts'

register()
