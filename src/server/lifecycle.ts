/**
 * The gateway as a process: start, ready line, reload, drain, end.
 *
 * Floor 5, room server. SIGTERM or SIGINT drains, a second one ends at once; SIGHUP or a change of the file reloads. A
 * configuration that is wrong changes nothing: the running one stays and the mistake is logged with its place. An error
 * that nobody caught leaves the process in an unknown state: it drains and ends with 1.
 */
import { pino } from 'pino'
import { systemClock } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import { type ConfigSources, readConfig } from './config.ts'
import { watchFile } from './config-watch.ts'
import { createGateway, type Gateway, type GatewayAddress } from './gateway.ts'
import type { ListenAddress } from './listener.ts'
import { watchMemory } from './resident.ts'
import { Supervisor } from './supervisor.ts'
import { workerCount } from './worker-shares.ts'

/** A gateway, alone or with workers. */
type Served = Pick<Gateway, 'cache' | 'listen' | 'reload' | 'close' | 'kill'>

/** What a gateway process is started with. */
export interface ProcessOptions {
  /** Configuration file. */
  readonly file?: string | undefined
  /** Values by path that beat environment and file, such as `{'origin.url': …}`. */
  readonly flags?: ConfigSources['flags']
  readonly env: NonNullable<ConfigSources['env']>
  /** Writes the ready line. */
  readonly print: (line: string) => void
  /** Script of a worker process; without it there is one process, whatever the configuration says. */
  readonly workerScript?: string
}

/**
 * Runs until a signal ends it.
 *
 * @returns the exit code: 0 after a drain, 1 after a fault or a forced end
 * @throws FC_CONFIG_*, FC_OPTION_*, FC_LISTEN_EXPOSED, or what the system says of an address
 */
export async function runGateway(options: ProcessOptions): Promise<number> {
  const read = (): ReturnType<typeof readConfig> =>
    readConfig(options.file, { env: options.env, ...(options.flags && { flags: options.flags }) })
  const config = read()
  const logger = pino({ level: config.log.level, base: null }, pino.destination({ fd: 2, sync: true }))
  const { workerScript: script } = options
  const gateway: Served =
    script !== undefined && config.origin !== undefined && workerCount(config) > 1
      ? new Supervisor(config, { logger, script })
      : createGateway(config, logger)
  const address = await gateway.listen()
  watchMemory(gateway.cache.engine)
  const reload = (): void => {
    void reloadFrom(gateway, read, logger)
  }
  const stopWatching =
    options.file === undefined ? () => {} : watchFile(options.file, { clock: systemClock(), logger, onChange: reload })
  const ended = untilEnd(gateway, logger, reload)
  options.print(readyLine(address))
  const code = await ended
  stopWatching()
  return code
}

/** `{"msg":"ready","listen":"127.0.0.1:8080","api":"127.0.0.1:8081","resp":null}` */
export function readyLine(address: GatewayAddress): string {
  const listen = isOpen(address.listen) ? shown(address.listen) : null
  return JSON.stringify({
    msg: 'ready',
    listen,
    api: shown(address.api),
    resp: address.resp === undefined ? null : shown(address.resp),
  })
}

/** Without an origin there is no HTTP front. */
function isOpen({ port }: ListenAddress): boolean {
  return port > 0
}

function shown({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

async function reloadFrom(gateway: Served, read: () => ReturnType<typeof readConfig>, logger: pino.Logger): Promise<void> {
  try {
    const config = read()
    const { applied, restart } = await gateway.reload(config)
    logger.level = config.log.level
    if (restart.length > 0) logger.warn({ restart }, 'these sections differ and take a restart')
    if (applied.length > 0) logger.info({ applied }, 'configuration reloaded')
  } catch (error) {
    const reason = error instanceof ForecacheError ? error.message : String(error)
    logger.error({ reason }, 'configuration refused; the running one stays')
  }
}

/** Waits for the end: a signal or a fault, then the drain. */
function untilEnd(gateway: Served, logger: pino.Logger, reload: () => void): Promise<number> {
  return new Promise((resolve) => {
    let ending = false
    const finish = (code: number): void => {
      for (const [name, listener] of listeners) process.off(name, listener)
      resolve(code)
    }
    const end = (code: number): void => {
      if (ending) {
        gateway.kill()
        finish(1)
        return
      }
      ending = true
      void gateway.close().then(
        () => finish(code),
        (error: unknown) => {
          logger.error({ err: error }, 'the gateway did not close in order')
          finish(1)
        },
      )
    }
    const onSignal = (signal: unknown): void => {
      logger.info({ signal }, ending ? 'ending at once' : 'draining')
      end(0)
    }
    const onFault = (error: unknown): void => {
      logger.error({ err: error }, 'an error that nobody caught; draining')
      end(1)
    }
    const onRejection = (error: unknown): void => logger.error({ err: error }, 'a rejection that nobody handled')
    const listeners: [string, (...given: unknown[]) => void][] = [
      ['SIGTERM', onSignal],
      ['SIGINT', onSignal],
      ['SIGHUP', reload],
      ['uncaughtException', onFault],
      ['unhandledRejection', onRejection],
    ]
    for (const [name, listener] of listeners) process.on(name, listener)
  })
}
