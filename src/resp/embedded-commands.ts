/**
 * All commands of the embedded mode.
 *
 * Floor 4, room resp.
 */
import { STRING_COMMANDS } from './command-strings.ts'
import type { Command, Handler } from './embedded-call.ts'
import { createCatalog } from './embedded-catalog.ts'

/** By name in lower case. */
export const COMMANDS: ReadonlyMap<string, Command> = createCatalog<Handler>([STRING_COMMANDS])
