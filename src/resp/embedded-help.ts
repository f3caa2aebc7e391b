/**
 * HELP of the commands that have subcommands: what is known here.
 *
 * Floor 4, room resp.
 */
import type { Call } from './embedded-call.ts'

/** Lists the subcommands of a container. */
export function help({ server, command, out }: Call): void {
  const container = command.name.split('|')[0] as string
  const row = server.runner?.catalog.get(container) as { readonly subcommands?: ReadonlyMap<string, unknown> } | undefined
  const names = [...(row?.subcommands?.keys() ?? [])].sort()
  const lines = [`${container.toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`]
  for (const name of names) lines.push(name.toUpperCase())
  out.array(lines.length)
  for (const line of lines) out.simple(line)
}
