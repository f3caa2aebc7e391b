/**
 * Commands that give advice: analyze a log or a running gateway, and advice from a running instance's own counters.
 *
 * Floor 6, room cli.
 */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { parseOrigin, parseSpan, parseUrl } from './address.ts'
import { type ApiFlags, place, withApi } from './admin-commands.ts'
import type { Act, Io } from './io.ts'

interface AnalyzeFlags {
  readonly url?: URL
  readonly apiKey?: string
  readonly for: number
  readonly format: 'auto' | 'combined' | 'json'
  readonly field?: Readonly<Record<string, string>>
  readonly origin: string
  readonly out?: string
  readonly html?: string
  readonly json?: boolean
}

/** Adds the commands. */
export function addAdviceCommands(program: Command, io: Io, act: Act): void {
  program
    .command('analyze')
    .argument('[log]', 'access log in the combined or common format or in JSON lines, plain, .gz or .zst; - reads standard input')
    .description('find from a log what decides answers, what memory and windows give, and write a configuration')
    .option('--url <url>', 'listen to a running gateway instead: address of its administration', parseUrl)
    .option('--api-key <key>', 'its API key (default: $FORECACHE_CLI_KEY)')
    .addOption(new Option('--for <duration>', 'how long to listen').argParser(parseSpan).default(60_000, '60s'))
    .addOption(new Option('--format <format>', 'format of the log').choices(['auto', 'combined', 'json']).default('auto'))
    .option(
      '--field <name=place>',
      'where a field stands in JSON, such as target=req.url or header.accept-language=lang; may be repeated',
      gatherField,
    )
    .option('--origin <url>', 'origin to write into the configuration', parseOrigin, 'http://127.0.0.1:3000')
    .option('--out <file>', 'write the configuration there')
    .option('--html <file>', 'write a page with curves there')
    .option('--json', 'print JSON')
    .action((log: string | undefined, flags: AnalyzeFlags) =>
      act(async () => {
        const { for: forMs, field: fields = {}, json = false, apiKey = process.env['FORECACHE_CLI_KEY'], ...rest } = flags
        return (await import('./analyze.ts')).runAnalyze({ ...rest, log, forMs, fields, json, apiKey }, io)
      }),
    )
  withApi(program.command('advice'))
    .description('print what a running forecache would have changed, from its own counters')
    .action((flags: ApiFlags) => act(async () => (await import('./advice.ts')).runAdvice(place(flags), io)))
}

function gatherField(text: string, former: Readonly<Record<string, string>> = {}): Record<string, string> {
  const equals = text.indexOf('=')
  if (equals < 1 || equals === text.length - 1) throw new InvalidArgumentError('Expected NAME=PLACE, such as target=req.url.')
  return { ...former, [text.slice(0, equals)]: text.slice(equals + 1) }
}
