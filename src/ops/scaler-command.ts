/**
 * A command: any program that can start and end instances.
 *
 * Floor 4, room ops. Run without a shell, with FORECACHE_SCALE_TO, _FROM, _TERM and _REASON in its environment; exit code 0:
 * done. What runs past its deadline is killed.
 */
import { spawn } from 'node:child_process'
import { z } from 'zod'
import { ForecacheError } from '../model/errors.ts'
import type { Scaler } from './scaler-port.ts'

/** Schema of `scaler.command`. */
export const COMMAND_SCALER = z
  .array(z.string())
  .min(1)
  .max(64)
  .meta({ description: 'A program and its arguments, run without a shell.' })

export function createCommandScaler(command: z.output<typeof COMMAND_SCALER>): Scaler {
  const [program = '', ...args] = command
  const name = `command ${program}`
  return {
    name,
    read: () => Promise.resolve({ desired: undefined }),
    scale({ desired, from, term, reason }, signal) {
      const order = { TO: desired, FROM: from, TERM: term, REASON: reason }
      const env = { ...process.env }
      for (const [key, value] of Object.entries(order)) env[`FORECACHE_SCALE_${key}`] = String(value)
      return new Promise((resolve, reject) => {
        const fail = (why: string): void => reject(new ForecacheError('FC_SCALER_FAILED', { name, reason: why }))
        const child = spawn(program, args, { env, stdio: 'ignore', signal, killSignal: 'SIGKILL' })
        child.once('error', (error) => fail(signal.aborted ? 'it took too long and was killed' : error.message))
        child.once('exit', (code, killed) => (code === 0 ? resolve() : fail(`it ended with ${code ?? killed}`)))
      })
    },
  }
}
