/**
 * The commands of the embedded mode on keys, connections, messages and the server.
 *
 * Floor 4, room resp.
 */
import { ACL_COMMANDS } from './command-acl.ts'
import { CLIENT_COMMANDS } from './command-client.ts'
import { COMMAND_COMMANDS } from './command-command.ts'
import { CONFIG_COMMANDS } from './command-config.ts'
import { CONNECTION_COMMANDS } from './command-connection.ts'
import { INFO_COMMANDS } from './command-info.ts'
import { KEY_COMMANDS } from './command-keys.ts'
import { PUBSUB_COMMANDS } from './command-pubsub.ts'
import { SERVER_COMMANDS } from './command-server.ts'
import { TRANSACTION_COMMANDS } from './command-transactions.ts'
import type { Handler } from './embedded-call.ts'

/** Who runs what, by name. */
export const SERVICE: readonly Readonly<Record<string, Handler>>[] = [
  ACL_COMMANDS,
  CLIENT_COMMANDS,
  COMMAND_COMMANDS,
  CONFIG_COMMANDS,
  CONNECTION_COMMANDS,
  INFO_COMMANDS,
  KEY_COMMANDS,
  PUBSUB_COMMANDS,
  SERVER_COMMANDS,
  TRANSACTION_COMMANDS,
]
