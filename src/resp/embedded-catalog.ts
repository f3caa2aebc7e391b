/**
 * The commands known here: what Redis says of each, and who runs it.
 *
 * Floor 4, room resp. Built once; a command without somebody who runs it is unknown, as to a client.
 */
import { DATA_ROWS } from './embedded-rows-data.ts'
import { SERVER_ROWS } from './embedded-rows-server.ts'

/** One command or subcommand. `H` runs it. */
export interface CommandRow<H> {
  /** In lower case; a subcommand as `config|get`. */
  readonly name: string
  /** Arguments with the name; negative: at least as many. */
  readonly arity: number
  readonly flags: ReadonlySet<string>
  readonly isWrite: boolean
  readonly isRead: boolean
  readonly deniesMemory: boolean
  readonly firstKey: number
  readonly lastKey: number
  readonly keyStep: number
  readonly categories: readonly string[]
  readonly tips: readonly string[]
  /** Key specifications as in embedded-rows-*.ts. */
  readonly specs: readonly string[]
  readonly subcommands: ReadonlyMap<string, CommandRow<H>> | undefined
  readonly run: H
}

/** Who runs what, by name in lower case. */
export type Handlers<H> = Readonly<Record<string, H>>

/** Commands by name in lower case. @param groups handlers; a container's own is its fallback */
export function createCatalog<H>(groups: readonly Handlers<H>[]): ReadonlyMap<string, CommandRow<H>> {
  const handlers = new Map(groups.flatMap((group) => Object.entries(group)))
  const parsed = [...DATA_ROWS, ...SERVER_ROWS].map((row) => row.split('|'))
  const catalog = new Map<string, CommandRow<H>>()
  for (const cells of parsed) {
    const name = cells[0] as string
    const run = handlers.get(name)
    if (name.includes(' ') || run === undefined) continue
    const subcommands = new Map<string, CommandRow<H>>()
    for (const under of parsed) {
      const [container, sub] = (under[0] as string).split(' ') as [string, string?]
      const runSub = handlers.get(under[0] as string)
      if (container === name && sub !== undefined && runSub !== undefined) subcommands.set(sub, rowOf(under, runSub, undefined))
    }
    catalog.set(name, rowOf(cells, run, subcommands.size === 0 ? undefined : subcommands))
  }
  return catalog
}

function rowOf<H>(cells: readonly string[], run: H, subcommands: ReadonlyMap<string, CommandRow<H>> | undefined): CommandRow<H> {
  const [name, arity, flagText, keys, categories, tips, ...specs] = cells as [string, string, string, string, string, string]
  const flags = new Set(flagText.split(',').filter((flag) => flag !== ''))
  const [firstKey, lastKey, keyStep] = keys.split(' ').map(Number) as [number, number, number]
  return {
    name: name.replace(' ', '|'),
    arity: Number(arity),
    flags,
    isWrite: flags.has('write'),
    isRead: flags.has('readonly'),
    deniesMemory: flags.has('denyoom'),
    firstKey,
    lastKey,
    keyStep,
    categories: categories.split(',').filter((category) => category !== ''),
    tips: tips.split(';').filter((tip) => tip !== ''),
    specs: (specs as string[])
      .join('|')
      .split(';')
      .filter((spec) => spec !== ''),
    subcommands,
    run,
  }
}
