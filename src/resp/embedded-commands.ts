/**
 * All commands of the embedded mode.
 *
 * Floor 4, room resp.
 */
import { BITFIELD_COMMANDS } from './command-bitfield.ts'
import { BIT_COMMANDS } from './command-bits.ts'
import { CLIENT_COMMANDS } from './command-client.ts'
import { COMMAND_COMMANDS } from './command-command.ts'
import { CONFIG_COMMANDS } from './command-config.ts'
import { CONNECTION_COMMANDS } from './command-connection.ts'
import { HASH_COMMANDS } from './command-hashes.ts'
import { INFO_COMMANDS } from './command-info.ts'
import { KEY_COMMANDS } from './command-keys.ts'
import { LIST_COMMANDS } from './command-lists.ts'
import { WAITING_LIST_COMMANDS } from './command-lists-waiting.ts'
import { PUBSUB_COMMANDS } from './command-pubsub.ts'
import { SCAN_COMMANDS } from './command-scan.ts'
import { SERVER_COMMANDS } from './command-server.ts'
import { SET_COMMANDS } from './command-sets.ts'
import { SORT_COMMANDS } from './command-sort.ts'
import { STRING_COMMANDS } from './command-strings.ts'
import { TRANSACTION_COMMANDS } from './command-transactions.ts'
import { ZSET_COMMANDS } from './command-zsets.ts'
import { ZSET_JOIN_COMMANDS } from './command-zsets-joined.ts'
import { ZSET_POP_COMMANDS } from './command-zsets-pop.ts'
import { ZSET_RANGE_COMMANDS } from './command-zsets-ranges.ts'
import type { Command, Handler } from './embedded-call.ts'
import { createCatalog } from './embedded-catalog.ts'

/** By name in lower case. */
export const COMMANDS: ReadonlyMap<string, Command> = createCatalog<Handler>([
  BITFIELD_COMMANDS,
  BIT_COMMANDS,
  CLIENT_COMMANDS,
  COMMAND_COMMANDS,
  CONFIG_COMMANDS,
  CONNECTION_COMMANDS,
  HASH_COMMANDS,
  INFO_COMMANDS,
  KEY_COMMANDS,
  LIST_COMMANDS,
  WAITING_LIST_COMMANDS,
  PUBSUB_COMMANDS,
  SCAN_COMMANDS,
  SERVER_COMMANDS,
  SET_COMMANDS,
  SORT_COMMANDS,
  STRING_COMMANDS,
  TRANSACTION_COMMANDS,
  ZSET_COMMANDS,
  ZSET_JOIN_COMMANDS,
  ZSET_POP_COMMANDS,
  ZSET_RANGE_COMMANDS,
])
