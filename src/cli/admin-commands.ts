/**
 * Commands that talk to something already running: purge, explain, stats, top, bench.
 *
 * Floor 6, room cli.
 */
import { type Command, Option } from 'commander'
import { gather, parsePositive, parseSpan, parseUrl } from './address.ts'
import type { Act, Io } from './io.ts'

const DEFAULT_API = 'http://127.0.0.1:8081'
/** Not FORECACHE_API_…: those set the gateway's own options. */
const KEY_VARIABLE = 'FORECACHE_CLI_KEY'

/** Flags of commands that talk to an administration. */
export interface ApiFlags {
  readonly api: URL
  readonly apiKey?: string
  readonly json?: boolean
}

interface PurgeFlags extends ApiFlags {
  readonly key?: string[]
  readonly tag?: string[]
  readonly url?: string[]
  readonly prefix?: string[]
  readonly namespace?: string[]
  readonly soft?: boolean
  readonly dryRun?: boolean
}

interface BenchFlags {
  readonly clients: number
  readonly duration: number
  readonly warm: boolean
  readonly header?: string[]
  readonly json?: boolean
}

/** Adds the commands. */
export function addAdminCommands(program: Command, io: Io, act: Act): void {
  addPurge(program, io, act)
  withApi(program.command('explain').argument('<url-or-key>', 'a URL or path as clients ask for it, or a key'))
    .description('say how a request would be answered, and why')
    .option('-H, --header <"name: value">', 'a header of the request to explain; may be repeated', gather)
    .action((subject: string, { header = [], ...flags }: ApiFlags & { header?: string[] }) =>
      act(async () => (await import('./explain.ts')).runExplain({ subject, header, ...place(flags) }, io)),
    )
  withApi(program.command('stats'))
    .description('print counters, rates and latencies of a running forecache')
    .action((flags: ApiFlags) => act(async () => (await import('./stats.ts')).runStats(place(flags), io)))
  withApi(program.command('top'))
    .description('print the keys read most at this moment, and all instances')
    .option('--seconds <number>', 'how long to count, 0.1 to 10', parsePositive, 1)
    .option('--limit <number>', 'keys to print', parsePositive, 20)
    .action((flags: ApiFlags & { seconds: number; limit: number }) =>
      act(async () => {
        const { seconds, limit } = flags
        return (await import('./top.ts')).runTop({ ...place(flags), seconds, limit }, io)
      }),
    )
  addBench(program, io, act)
}

function addPurge(program: Command, io: Io, act: Act): void {
  withApi(program.command('purge'))
    .description('invalidate entries of a running forecache')
    .option('--key <key>', 'one key; may be repeated, as all of these', gather)
    .option('--tag <tag>', 'everything tagged so, such as product:17', gather)
    .option('--url <url>', 'every variant of a URL or path', gather)
    .option('--prefix <prefix>', 'every key that begins so', gather)
    .option('--namespace <name>', 'a whole namespace', gather)
    .option('--soft', 'make stale instead of removing')
    .option('--dry-run', 'count, change nothing')
    .action((flags: PurgeFlags) =>
      act(async () =>
        (await import('./purge.ts')).runPurge(
          {
            ...place(flags),
            soft: flags.soft === true,
            dryRun: flags.dryRun === true,
            key: flags.key ?? [],
            tag: flags.tag ?? [],
            url: flags.url ?? [],
            prefix: flags.prefix ?? [],
            namespace: flags.namespace ?? [],
          },
          io,
        ),
      ),
    )
}

function addBench(program: Command, io: Io, act: Act): void {
  program
    .command('bench')
    .argument('<url>', 'what to ask for', parseUrl)
    .description('ask for one URL again and again, print percentiles and the shares of X-Cache')
    .option('-c, --clients <number>', 'clients, each with a connection of its own', parsePositive, 50)
    .addOption(new Option('-d, --duration <duration>', 'how long').argParser(parseSpan).default(10_000, '10s'))
    .option('-H, --header <"name: value">', 'a request header; may be repeated', gather)
    .option('--no-warm', 'count from the first request on')
    .option('--json', 'print JSON')
    .action((url: URL, flags: BenchFlags) =>
      act(async () => {
        const { parseHeaders, runBench } = await import('./bench.ts')
        const { clients, duration: durationMs, warm, json = false } = flags
        return runBench({ url, clients, durationMs, warm, headers: parseHeaders(flags.header ?? []), json }, io)
      }),
    )
}

/** Adds the flags of ApiFlags. */
export function withApi(command: Command): Command {
  return command
    .option('--api <url>', 'address of the administration', parseUrl, new URL(DEFAULT_API))
    .option('--api-key <key>', `its API key (default: $${KEY_VARIABLE})`)
    .option('--json', 'print JSON')
}

/** Where those flags lead. */
export function place({ api, apiKey, json = false }: ApiFlags): { api: string; apiKey?: string | undefined; json: boolean } {
  return { api: api.href, apiKey: apiKey ?? process.env[KEY_VARIABLE], json }
}
