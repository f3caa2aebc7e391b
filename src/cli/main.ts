/**
 * The command line: what may be written, and which command it means.
 *
 * Floor 6, room cli. Exit codes: 0 done, 1 failed, 2 wrong usage. Commands are imported when they run, so `--help`
 * costs nothing of theirs.
 */
import { Command, CommanderError } from 'commander'
import { ForecacheError } from '../model/errors.ts'
import { readVersion } from '../server/version.ts'
import { addAdminCommands } from './admin-commands.ts'
import { addAdviceCommands } from './advice-commands.ts'
import type { Act, Io } from './io.ts'
import { addServeCommands } from './serve-commands.ts'

export { PROCESS_IO } from './io.ts'

const DONE = 0
const FAILED = 1
const USAGE = 2

/**
 * @param argv arguments without node and script
 * @returns the exit code; never rejects
 */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  let code = DONE
  const act: Act = async (run) => {
    code = await run()
  }
  try {
    await createProgram(io, act).parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    return explainFailure(error, io)
  }
}

function createProgram(io: Io, act: Act): Command {
  const program = new Command('forecache')
    .description('Answers API requests from memory, never older than the budget it promised.')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .showHelpAfterError('(add --help for what is known)')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text.trimEnd()), writeErr: (text) => io.err(text.trimEnd()) })
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong usage.')
  addServeCommands(program, io, act)
  addAdminCommands(program, io, act)
  addAdviceCommands(program, io, act)
  return program
}

function explainFailure(error: unknown, io: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? DONE : USAGE // commander has printed it
  io.err(`error: ${error instanceof Error ? error.message : String(error)}`)
  if (!(error instanceof ForecacheError) && error instanceof Error && process.env['FORECACHE_DEBUG'] !== undefined)
    io.err(error.stack ?? '')
  return error instanceof ForecacheError && error.code === 'FC_CLI_USAGE' ? USAGE : FAILED
}
