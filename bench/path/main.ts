/**
 * Question   how long does a hit take inside the process, from the parsed request to the bytes handed over?
 * Method     a process pinned to core 0 for every way and round; 100,000 answers of 1 KB are stored through the door, then
 *            at least 1,000,000 requests are timed one by one with performance.now(), whose own cost (two readings) is
 *            measured in the same process and contained in every figure. `lane`: what the gateway does with a request
 *            line and fields its connection has shown before: route, key, lookup, freshness, coding, counting, head
 *            brought up to date, head and body copied into the buffer that is written. `door`: what the full stack does
 *            instead, without `node:http` itself. Keys uniform (nothing stays in the core's caches) and by Zipf's law.
 *            Quoted are medians of the rounds
 * Left out   reading the socket and scanning its bytes, the write itself, other connections between two requests
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { atMost, columns, describeMachine, type Goal, machine } from '../compare.ts'
import { describeGoals, median } from '../load/report.ts'
import { SERVER_CORE, startPinned } from '../rig/pinned.ts'
import { describeLoad, keepResult } from '../rig/results.ts'

const HELP = `npm run bench -- path [--rounds 3] [--requests 1000000] [--keys 100000] [--only lane,door] [--quick] [--out folder] [--json]
`
const WAYS = ['lane', 'door']
const POPULARITIES = ['uniform', 'zipf']
const MEAN_US = 1.5
const P99_US = 3.7

/** Times in µs. */
interface Sample {
  readonly mean: number
  /** Mean without the slowest thousandth. */
  readonly trimmed: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly clockUs: number
}

interface Row {
  readonly way: string
  readonly popularity: string
  readonly samples: readonly Sample[]
}

/** @returns 0 when the limits are kept, 1 when not, 2 on wrong usage */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string' },
      requests: { type: 'string' },
      keys: { type: 'string' },
      only: { type: 'string', default: '' },
      quick: { type: 'boolean', default: false },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3))
  const requests = Number(values.requests ?? (values.quick ? 100_000 : 1_000_000))
  const keys = Number(values.keys ?? (values.quick ? 10_000 : 100_000))
  if (values.help || ![rounds, requests, keys].every((value) => value >= 1)) {
    process[values.help ? 'stdout' : 'stderr'].write(HELP)
    return values.help ? 0 : 2
  }
  const before = describeLoad()
  const ways = WAYS.filter((way) => values.only.split(',').some((word) => way.includes(word)))
  const rows = await measure(ways, { rounds, requests, keys })
  const goals = rows.filter((row) => row.way === 'lane').flatMap(goalsOf)
  const at = machine()
  const text = [
    describeMachine(at),
    before,
    `method     core ${SERVER_CORE}; ${rounds} rounds × ${requests} requests over ${keys} keys, each timed; see bench/path/main.ts`,
    '',
    table(rows),
    '',
    describeGoals(goals),
    '',
  ].join('\n')
  const data = { machine: at, load: before, rounds, requests, keys, rows, goals }
  const path = keepResult('path', { text, data }, values.out)
  process.stdout.write(values.json ? `${JSON.stringify(data, null, 2)}\n` : `${text}\nkept in ${path}\n`)
  return goals.every((goal) => goal.isMet) ? 0 : 1
}

async function measure(ways: readonly string[], wish: { rounds: number; requests: number; keys: number }): Promise<Row[]> {
  const rows = ways.flatMap((way) => POPULARITIES.map((popularity) => ({ way, popularity, samples: [] as Sample[] })))
  for (let round = 0; round < wish.rounds; round += 1) {
    for (const { way, popularity, samples } of rows) {
      const script = join(import.meta.dirname, 'child.ts')
      const numbers = [String(wish.requests), String(wish.keys)]
      const child = startPinned({
        name: `${way} ${popularity}`,
        core: SERVER_CORE,
        command: [process.execPath, script, way, popularity, ...numbers],
        deadlineMs: 60_000 + wish.requests / 10 + wish.keys,
      })
      samples.push(JSON.parse(await child.line((line) => line.startsWith('{'))) as Sample)
      await child.stop()
    }
  }
  return rows
}

const of = (row: Row, pick: (sample: Sample) => number): number => median(row.samples.map(pick))

function goalsOf(row: Row): Goal[] {
  return [
    atMost(
      `mean µs, ${row.way}, ${row.popularity}`,
      of(row, (one) => one.mean),
      MEAN_US,
    ),
    atMost(
      `p99 µs, ${row.way}, ${row.popularity}`,
      of(row, (one) => one.p99),
      P99_US,
    ),
  ]
}

function table(rows: readonly Row[]): string {
  const shown = rows.map((row) => [
    `${row.way}, ${row.popularity}`,
    ...(['mean', 'trimmed', 'p50', 'p99', 'p999', 'clockUs'] as const).map((name) => of(row, (one) => one[name]).toFixed(2)),
  ])
  return columns([['µs', 'mean', 'mean to p99.9', 'p50', 'p99', 'p99.9', 'of it the clock'], ...shown])
}
