/**
 * Question   what does a hit cost, a hit by a key just built, an insert that evicts, and the memory of an entry?
 * Method     every case in a process of its own, rounds of all cases interleaved; a round is the fastest of short slices;
 *            quoted is the minimum of the rounds, ratios are of minima; entries read by Zipf's law (exponent 1):
 *            1,000 (what the code costs, all of it in the core's cache) and 10,000 (the memory's latency with it);
 *            memory is heapUsed + external (which contains arrayBuffers) after two collections, 1,000,000 entries, keys and values made
 *            before, so that only bookkeeping is counted
 * Left out   real request handling, garbage collection under load, other heap sizes
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { atMost, columns, describeMachine, type Goal, machine, percentiles } from '../compare.ts'

const HELP = `npm run bench -- micro [--rounds 7] [--only hit,insert…] [--no-memory] [--json]
  --only       cases whose name contains one of these words
  --no-memory  leave out the memory of 1,000,000 entries
`

/** Cases by name; behind `@` the entries, else 10,000. */
const NAMES = [
  'map-hit@1000',
  'map-hit@10000',
  'lru-cache-hit@1000',
  'lru-cache-hit@10000',
  'lru-cache-ttl-size-hit@1000',
  'lru-cache-ttl-size-hit@10000',
  'memory-peek@1000',
  'memory-peek@10000',
  'cache-peek@1000',
  'cache-peek@10000',
  'map-fresh-key',
  'memory-fresh-key',
  'bentocache-get-or-set',
  'bentocache-get',
  'cacheable-get',
  'cache-fetch',
  'lru-cache-ttl-size-insert',
  'memory-insert',
]

/** Candidate, yardstick, largest ratio that reaches the goal. */
const RATIOS: readonly (readonly [string, string, number])[] = [
  ...[1000, 10_000].flatMap((entries) =>
    ['memory-peek', 'cache-peek'].flatMap((name): [string, string, number][] => [
      [`${name}@${entries}`, `map-hit@${entries}`, 1.6],
      [`${name}@${entries}`, `lru-cache-hit@${entries}`, 0.9],
      [`${name}@${entries}`, `lru-cache-ttl-size-hit@${entries}`, 0.5],
      [`${name}@${entries}`, 'bentocache-get-or-set', 1 / 50],
    ]),
  ),
  ['memory-fresh-key', 'map-fresh-key', 1.25],
  ['memory-insert', 'lru-cache-ttl-size-insert', 1.15],
]
const MAX_BOOKKEEPING_BYTES = 100
const PACKAGES = ['lru-cache', 'bentocache', 'cacheable']

const execute = promisify(execFile)

/** @returns 0 when every goal is reached, 1 when not, 2 on wrong usage */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      rounds: { type: 'string', default: '7' },
      only: { type: 'string', default: '' },
      memory: { type: 'boolean', default: true },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const rounds = Number(values.rounds)
  if (values.help || !Number.isInteger(rounds) || rounds < 1) {
    process[values.help ? 'stdout' : 'stderr'].write(HELP)
    return values.help ? 0 : 2
  }
  const words = values.only.split(',')
  const samples = await measure(
    NAMES.filter((name) => words.some((word) => name.includes(word))),
    rounds,
  )
  const bytes = values.memory ? await measureMemory() : []
  const goals = goalsOf(samples, bytes)
  process.stdout.write(values.json ? json(samples, bytes, goals) : report(samples, bytes, goals))
  return goals.every((goal) => goal.isMet) ? 0 : 1
}

type Samples = ReadonlyMap<string, readonly number[]>

/** Nanoseconds per operation, one sample a round. */
async function measure(names: readonly string[], rounds: number): Promise<Samples> {
  const samples = new Map(names.map((name) => [name, [] as number[]]))
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, list] of samples) list.push(Number(await child('child.ts', name)))
  }
  return samples
}

/** Bytes of bookkeeping per entry. */
async function measureMemory(): Promise<readonly { name: string; bytes: number }[]> {
  const measured = []
  for (const name of ['map', 'memory', 'lru-cache-ttl-size'])
    measured.push({ name, bytes: Number(await child('footprint.ts', name)) })
  return measured
}

async function child(script: string, name: string): Promise<string> {
  const { stdout } = await execute(process.execPath, ['--expose-gc', join(import.meta.dirname, script), ...name.split('@')])
  return stdout.trim()
}

function goalsOf(samples: Samples, bytes: readonly { name: string; bytes: number }[]): Goal[] {
  const best = (name: string): number => Math.min(...(samples.get(name) ?? []))
  const goals = RATIOS.filter(([candidate, yardstick]) => samples.has(candidate) && samples.has(yardstick)).map(
    ([candidate, yardstick, limit]) => atMost(`${candidate} / ${yardstick}`, best(candidate) / best(yardstick), limit),
  )
  const own = bytes.find((one) => one.name === 'memory')
  return own === undefined ? goals : [...goals, atMost('bookkeeping bytes per entry', own.bytes, MAX_BOOKKEEPING_BYTES)]
}

function report(samples: Samples, bytes: readonly { name: string; bytes: number }[], goals: readonly Goal[]): string {
  const times = [...samples].map(([name, list]) => {
    const { min, p50, max } = percentiles(list)
    return [name, min.toFixed(1), p50.toFixed(1), max.toFixed(1)]
  })
  const sizes = bytes.map((one) => [one.name, one.bytes.toFixed(1)])
  const limits = goals.map((goal) => [
    goal.name,
    goal.value.toFixed(3),
    `<= ${goal.limit}`,
    goal.isMet ? 'reached' : 'NOT REACHED',
  ])
  return [
    describeMachine(machine(PACKAGES)),
    'method    one process per case, rounds interleaved, minimum quoted; Zipf; @ entries, else 10,000',
    '',
    columns([['ns per operation', 'min', 'p50', 'max'], ...times]),
    ...(sizes.length === 0 ? [] : ['', columns([['bytes of bookkeeping per entry, 1,000,000 entries', ''], ...sizes])]),
    '',
    columns(limits),
    '',
  ].join('\n')
}

function json(samples: Samples, bytes: readonly { name: string; bytes: number }[], goals: readonly Goal[]): string {
  const nanoseconds = Object.fromEntries([...samples].map(([name, list]) => [name, { ...percentiles(list), rounds: list }]))
  return `${JSON.stringify({ machine: machine(PACKAGES), nanoseconds, bookkeepingBytes: bytes, goals }, null, 2)}\n`
}
