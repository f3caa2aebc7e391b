/**
 * The commands of the embedded mode on strings, their bits and what is counted in them, and scripts.
 *
 * Floor 4, room resp.
 */
import { BITFIELD_COMMANDS } from './command-bitfield.ts'
import { BIT_COMMANDS } from './command-bits.ts'
import { FUNCTION_COMMANDS } from './command-functions.ts'
import { HYPERLOGLOG_COMMANDS } from './command-hyperloglog.ts'
import { SCRIPT_COMMANDS } from './command-scripts.ts'
import { STRING_COMMANDS } from './command-strings.ts'
import type { Handler } from './embedded-call.ts'

/** Who runs what, by name. */
export const TEXTS: readonly Readonly<Record<string, Handler>>[] = [
  BITFIELD_COMMANDS,
  BIT_COMMANDS,
  FUNCTION_COMMANDS,
  HYPERLOGLOG_COMMANDS,
  SCRIPT_COMMANDS,
  STRING_COMMANDS,
]
