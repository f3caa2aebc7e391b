/**
 * The commands of the embedded mode on hashes, lists, sets and sorted sets.
 *
 * Floor 4, room resp.
 */
import { HASH_COMMANDS } from './command-hashes.ts'
import { LIST_COMMANDS } from './command-lists.ts'
import { WAITING_LIST_COMMANDS } from './command-lists-waiting.ts'
import { SCAN_COMMANDS } from './command-scan.ts'
import { SET_COMMANDS } from './command-sets.ts'
import { SORT_COMMANDS } from './command-sort.ts'
import { ZSET_COMMANDS } from './command-zsets.ts'
import { ZSET_JOIN_COMMANDS } from './command-zsets-joined.ts'
import { ZSET_POP_COMMANDS } from './command-zsets-pop.ts'
import { ZSET_RANGE_COMMANDS } from './command-zsets-ranges.ts'
import type { Handler } from './embedded-call.ts'

/** Who runs what, by name. */
export const CONTAINERS: readonly Readonly<Record<string, Handler>>[] = [
  HASH_COMMANDS,
  LIST_COMMANDS,
  WAITING_LIST_COMMANDS,
  SCAN_COMMANDS,
  SET_COMMANDS,
  SORT_COMMANDS,
  ZSET_COMMANDS,
  ZSET_JOIN_COMMANDS,
  ZSET_POP_COMMANDS,
  ZSET_RANGE_COMMANDS,
]
