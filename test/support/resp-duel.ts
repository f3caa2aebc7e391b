/**
 * The same random commands to the real Redis and to the embedded mode, reply by reply.
 *
 * Usage for a long run: node test/support/resp-duel.ts [first seed] [seeds] [commands each] [group …]
 */
import { pathToFileURL } from 'node:url'
import { createRandom } from '../../src/model/random.ts'
import { startEmbedded } from './embedded-here.ts'
import { startOriginal } from './redis-here.ts'
import { compareExec, compareReplies } from './resp-compare.ts'
import { RespDice } from './resp-dice.ts'
import { RawResp, requestOf } from './resp-frames.ts'
import * as groups from './resp-templates.ts'

/** Where the two ways parted. */
export interface Difference {
  readonly seed: number
  readonly args: readonly string[]
  readonly text: string
  /** What was sent before, the last first. */
  readonly before: readonly (readonly string[])[]
}

export interface DuelWish {
  readonly real: number
  readonly ours: number
  readonly seed: number
  readonly commands: number
  readonly templates?: readonly (readonly groups.Template[])[]
}

const BATCH = 50
const SHOWN = Number(process.env['DUEL_SHOWN'] ?? 12)

/** One seed: both begin empty. @returns the first difference */
export async function duel({
  real,
  ours,
  seed,
  commands,
  templates = groups.ALL_TEMPLATES,
}: DuelWish): Promise<Difference | undefined> {
  const dice = new RespDice(createRandom(seed))
  const sides = await Promise.all([RawResp.open(real), RawResp.open(ours)])
  try {
    const history: string[][] = []
    const version = dice.one(['2', '3'])
    for (const side of sides) {
      await side.command('FLUSHALL')
      await side.command('HELLO', version)
    }
    let open: string[][] | undefined
    for (let sent = 0; sent < commands; sent += BATCH) {
      const batch = Array.from({ length: BATCH }, () => drawn(dice, templates)).filter((args) => isFit(args))
      const bytes = Buffer.concat(batch.map(requestOf))
      for (const side of sides) side.write(bytes)
      const [theirs, mine] = await Promise.all(sides.map((side) => side.takeMany(batch.length)))
      for (const [i, args] of batch.entries()) {
        const [a, b] = [theirs?.[i], mine?.[i]]
        if (a === undefined || b === undefined) throw new Error('a reply is missing')
        const name = args[0]?.toLowerCase()
        const text = name === 'exec' && open !== undefined ? compareExec(open, a, b) : compareReplies(args, a, b)
        if (text !== undefined) return { seed, args, text, before: history.slice(-SHOWN).reverse() }
        if (name === 'multi' && a.text === 'OK') open = []
        else if (name === 'exec' || name === 'discard') open = undefined
        else if (a.text === 'QUEUED') open?.push(args)
        history.push(args)
      }
    }
    return undefined
  } finally {
    for (const side of sides) side.close()
  }
}

function drawn(dice: RespDice, templates: readonly (readonly groups.Template[])[]): string[] {
  const args = dice.one(dice.one(templates))(dice)
  if (dice.chance(0.02)) args.splice(dice.below(args.length), 1)
  if (dice.chance(0.02)) args.splice(1 + dice.below(args.length), 0, dice.value())
  if (dice.chance(0.03)) args[0] = (args[0] ?? '').toLowerCase()
  return args
}

/** Commands that would end the duel or make the sides differ by what they are. */
function isFit(args: readonly string[]): boolean {
  const name = (args[0] ?? '').toLowerCase()
  if (args.length === 0 || name === '' || ['quit', 'hello', 'debug', 'shutdown', 'info', 'host:', 'post'].includes(name))
    return false
  return !(name === 'client' && ['reply', 'unblock'].includes((args[1] ?? '').toLowerCase()) && args.length > 2)
}

export function describeDifference({ seed, args, text, before }: Difference): string {
  const lines = before.map((row) => `  ${JSON.stringify(row).slice(0, 200)}`)
  return `seed ${seed}: ${JSON.stringify(args).slice(0, 400)}\n${text}\nbefore, the last first:\n${lines.join('\n')}`
}

async function main(): Promise<void> {
  const [first = '1', seeds = '100', commands = '2000', ...names] = process.argv.slice(2)
  const chosen = names.map((name) => (groups as unknown as Record<string, readonly groups.Template[]>)[name] ?? [])
  const [redis, embedded] = await Promise.all([startOriginal(), startEmbedded()])
  let differences = 0
  try {
    for (let seed = Number(first); seed < Number(first) + Number(seeds); seed += 1) {
      const wish = { real: redis.port, ours: embedded.port, seed, commands: Number(commands) }
      const found = await duel(chosen.length === 0 ? wish : { ...wish, templates: chosen })
      if (found !== undefined) {
        differences += 1
        console.log(describeDifference(found), '\n')
      }
    }
    console.log(`${seeds} seeds of ${commands} commands: ${differences} with a difference`)
  } finally {
    await Promise.all([redis.stop(), embedded.stop()])
  }
  process.exitCode = differences === 0 ? 0 : 1
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main()
