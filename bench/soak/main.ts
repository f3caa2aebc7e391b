/**
 * `npm run soak`: the gateway under churn for as long as wanted. Does its memory stay where it was told, does it answer
 * every request, does it leak?
 *
 * Exit code 0 when every check holds, 1 when one does not.
 */
import { parsePlan, type SoakPlan, USAGE } from './plan.ts'
import { runSoak } from './run.ts'
import { type Check, judgeSoak, type Seen } from './verdict.ts'

const MIB = 1024 * 1024

/** @returns the exit code */
export async function run(args: readonly string[]): Promise<number> {
  const plan = parsePlan(args)
  if (plan === undefined) {
    process.stdout.write(`${USAGE}\n`)
    return 0
  }
  if (!plan.json) process.stdout.write(describe(plan))
  const everySeconds = Math.max(1, Math.round(plan.seconds / 30))
  let told = 0
  const seen = await runSoak(plan, (sample, endings) => {
    told += 1
    if (plan.json || told % everySeconds !== 0) return
    const { at, rssBytes, entryBytes, effectiveBytes, ledgerBytes, loopP99Ms, loopMaxMs, files } = sample
    const cells = [
      `${at.toFixed(0)} s`,
      ...[rssBytes, entryBytes, effectiveBytes, ledgerBytes].map((bytes) => (bytes / MIB).toFixed(1)),
      ...[loopP99Ms, loopMaxMs].map((ms) => ms.toFixed(0)),
      ...[files, endings.asked, endings.hits, endings.failed, endings.cut, endings.unanswered].map(String),
    ]
    process.stdout.write(`${row(cells)}\n`)
  })
  const checks = judgeSoak(seen)
  process.stdout.write(plan.json ? `${JSON.stringify({ ...seen, checks })}\n` : conclude(seen, checks))
  return checks.every(({ held }) => held) ? 0 : 1
}

const HEAD = [
  'at',
  'rss',
  'entries',
  'effective',
  'ledger',
  'p99 ms',
  'max ms',
  'files',
  'asked',
  'hits',
  '5xx',
  'cut',
  'unansw.',
]

function describe(plan: SoakPlan): string {
  const { seconds, memoryBytes, rate, clients, keys } = plan
  return `${seconds} s, limit ${memoryBytes / MIB} MiB, about ${rate} requests/s from ${clients} clients, ${keys} keys; sizes in MiB\n${row(HEAD)}\n`
}

function row(cells: readonly string[]): string {
  return cells.map((cell) => cell.padStart(9)).join(' ')
}

function conclude({ baseBytes, endings, origin }: Seen, checks: readonly Check[]): string {
  const lines = checks.map(({ name, wanted, now, held }) => `${held ? 'held  ' : 'MISSED'}  ${name}: ${now} (${wanted})`)
  const facts = `base ${(baseBytes / MIB).toFixed(1)} MiB; clients ${JSON.stringify(endings)}; origin ${JSON.stringify(origin)}`
  return `\n${facts}\n${lines.join('\n')}\n`
}
