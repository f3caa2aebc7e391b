/**
 * The commands of the embedded mode that take values out and back in.
 *
 * Floor 4, room resp.
 */
import { DUMP_COMMANDS } from './command-dump.ts'
import { SAVE_COMMANDS } from './command-save.ts'
import type { Handler } from './embedded-call.ts'

/** Who runs what, by name. */
export const KEEPING: readonly Readonly<Record<string, Handler>>[] = [DUMP_COMMANDS, SAVE_COMMANDS]
