/**
 * All commands of the embedded mode.
 *
 * Floor 4, room resp.
 */
import type { Command, Handler } from './embedded-call.ts'
import { createCatalog } from './embedded-catalog.ts'
import { CONTAINERS } from './embedded-commands-containers.ts'
import { KEEPING } from './embedded-commands-keeping.ts'
import { SERVICE } from './embedded-commands-service.ts'
import { TEXTS } from './embedded-commands-texts.ts'

/** By name in lower case. */
export const COMMANDS: ReadonlyMap<string, Command> = createCatalog<Handler>([...TEXTS, ...CONTAINERS, ...SERVICE, ...KEEPING])
