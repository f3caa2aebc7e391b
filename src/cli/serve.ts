/**
 * `forecache serve`: the flags as configuration, then the gateway until a signal ends it.
 *
 * Floor 6, room cli. Started by another process over an IPC channel (the demo does), it ends with that process.
 */
import { fileURLToPath } from 'node:url'
import { ForecacheError } from '../model/errors.ts'
import { runGateway } from '../server/lifecycle.ts'
import { showAddress } from './address.ts'
import type { Address } from './demo/port.ts'
import type { Io } from './io.ts'

const WORKER_SCRIPT = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './worker/main.ts' : './worker/main.js', import.meta.url),
)

/** Flags that serve and demo share; they beat the environment, which beats the file. */
export interface ServeFlags {
  readonly origin?: string
  readonly listen?: Address
  readonly api?: Address
  readonly memory?: string
  readonly l2?: string
  readonly profile?: 'safe' | 'conformance'
  readonly apiKey?: string[]
  readonly insecure?: boolean
  readonly workers?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly resp?: Address
  readonly upstream?: string
}

/** @returns the exit code, when it has drained @throws FC_CLI_USAGE, FC_LISTEN_*, FC_CONFIG_* */
export async function runServe(file: string | undefined, flags: ServeFlags, io: Io): Promise<number> {
  if (file === undefined && !namesDoor(flags)) {
    throw new ForecacheError('FC_CLI_USAGE', {
      reason:
        'serve: name the API to stand before with --origin URL, a Redis door with --resp HOST:PORT, or a configuration file',
    })
  }
  const end = (): boolean => process.kill(process.pid, 'SIGTERM')
  process.once('disconnect', end)
  try {
    const print = (line: string): void => io.out(line)
    return await runGateway({ file, flags: toOptions(flags), env: process.env, print, workerScript: WORKER_SCRIPT })
  } catch (error) {
    throw describeListenFailure(error)
  } finally {
    process.off('disconnect', end)
  }
}

/** Whether flags or environment say what to stand before. */
function namesDoor(flags: ServeFlags): boolean {
  const named = [
    flags.origin,
    flags.resp,
    flags.upstream,
    process.env['FORECACHE_ORIGIN_URL'],
    process.env['FORECACHE_RESP_UPSTREAM'],
  ]
  return named.some((one) => one !== undefined)
}

/** Flags by the path of the option they set; those not given are left out. */
function toOptions(flags: ServeFlags): Record<string, unknown> {
  const options = {
    'origin.url': flags.origin,
    listen: flags.listen && showAddress(flags.listen),
    'api.listen': flags.api && showAddress(flags.api),
    'api.keys': flags.apiKey,
    'api.insecure': flags.insecure,
    'memory.maxBytes': flags.memory,
    'l2.url': flags.l2,
    profile: flags.profile,
    workers: flags.workers,
    'resp.listen': flags.resp && showAddress(flags.resp),
    'resp.upstream': flags.upstream,
    'resp.insecure': flags.insecure === true && (flags.resp !== undefined || flags.upstream !== undefined) ? true : undefined,
    'tls.cert': flags.tlsCert,
    'tls.key': flags.tlsKey,
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function describeListenFailure(error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || error.syscall !== 'listen' || !('code' in error)) return error
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number }
  const given = `${address ?? 'the address'}:${port ?? ''}`
  const reason = code === 'EADDRINUSE' ? 'another process listens there already' : error.message
  return new ForecacheError('FC_LISTEN_FAILED', { given, reason }, { cause: error })
}
