/**
 * Commands that run something here: serve, demo, check.
 *
 * Floor 6, room cli.
 */
import { type Command, Option } from 'commander'
import { checkSize, checkWorkers, gatherKey, parseAddress, parseOrigin, parsePositive } from './address.ts'
import type { Act, Io } from './io.ts'
import type { ServeFlags } from './serve.ts'

interface DemoFlags extends ServeFlags {
  readonly once?: boolean
  readonly load?: boolean
  readonly small?: boolean
  readonly seconds: number
  readonly json?: boolean
}

/** Adds the commands. */
export function addServeCommands(program: Command, io: Io, act: Act): void {
  withServeFlags(program.command('serve').argument('[file]', 'configuration, such as forecache.yaml'))
    .description('run the gateway before an API')
    .option('--l2 <url>', 'second level in Redis or Valkey, such as redis://127.0.0.1:6379')
    .option('--resp <host:port>', 'speak the protocol of Redis there, such as 127.0.0.1:6380', parseAddress)
    .option('--upstream <url>', 'the Redis behind that door, such as redis://127.0.0.1:6379; without it the data is kept here')
    .option('--tls-cert <file>', 'certificate and its chain, PEM: serve HTTPS and HTTP/2')
    .option('--tls-key <file>', 'its private key, PEM')
    .action((file: string | undefined, flags: ServeFlags) =>
      act(async () => (await import('./serve.ts')).runServe(file, flags, io)),
    )
  withServeFlags(program.command('demo'))
    .description('run a demo shop behind the gateway, measure it with and without; with --origin, serve your own API instead')
    .option('--once', 'end after the report')
    .option('--load', 'keep a small load running after the report')
    .option('--small', 'a small shop: starts faster, its queries are no longer slow')
    .option('--seconds <number>', 'length of the measured load', parsePositive, 6)
    .option('--json', 'print the report as JSON')
    .action((flags: DemoFlags) =>
      act(async () => {
        if (flags.origin !== undefined) return (await import('./serve.ts')).runServe(undefined, flags, io)
        const { once = false, load = false, small = false, json = false } = flags
        return (await import('./demo/demo.ts')).runDemo({ ...flags, once, load, small, json }, io)
      }),
    )
  program
    .command('check')
    .argument('<file>', 'configuration to check')
    .description('check a configuration, print the first mistake with line and column')
    .option('--json', 'print JSON')
    .action((file: string, flags: { json?: boolean }) =>
      act(async () => (await import('./check.ts')).runCheck(file, flags.json === true, io)),
    )
}

function withServeFlags(command: Command): Command {
  return command
    .option('--origin <url>', 'the API to stand before', parseOrigin)
    .option('--listen <host:port>', 'address of the gateway; port 0 takes a free one (default: 127.0.0.1:8080)', parseAddress)
    .option('--api <host:port>', 'address of administration and metrics (default: 127.0.0.1:8081)', parseAddress)
    .option('--memory <size>', 'memory for entries, such as 256MiB', checkSize)
    .addOption(new Option('--profile <name>', 'how RFC 9111 is read').choices(['safe', 'conformance']))
    .option('--workers <number>', 'processes that share the port; auto: one for each core (default: 1)', checkWorkers)
    .option('--api-key <key>', 'an API key of the administration; may be repeated', gatherKey)
    .option('--insecure', 'allow addresses beyond loopback without API keys')
}
