/**
 * Question   how long after a load has ended are those answered who wait for it on other machines?
 * Method     five caches over one real Redis, each with its own connections and 20 callers; one load of 50 ms for each key;
 *            the time from the load's end to each caller's answer, callers of the loading machine left out
 * Left out   the network between machines, and processes of their own: all share one event loop, which makes it slower
 */
import { parseArgs } from 'node:util'
import { type Machine, openMachine } from '../../test/support/l2-here.ts'
import { startRedis } from '../../test/support/redis-here.ts'

const MACHINES = 5
const CALLERS = 20
const LOAD_MS = 50
const USAGE = 'npm run bench -- lease [--keys N]\n'

/** @returns exit code: 2 wrong usage, 1 a key was loaded more than once */
export async function run(args: readonly string[]): Promise<number> {
  const given = read(args)
  if (given === undefined || given.help) {
    process.stdout.write(USAGE)
    return given === undefined ? 2 : 0
  }
  const server = await startRedis()
  const machines = await Promise.all(Array.from({ length: MACHINES }, () => openMachine(server.url)))
  try {
    const waits: number[] = []
    let loads = 0
    for (let round = 0; round < given.keys; round += 1) loads += await wantOne(machines, `key ${round}`, waits)
    process.stdout.write(`${given.keys} keys, ${loads} loads, ${describe(waits)}\n`)
    return loads === given.keys ? 0 : 1
  } finally {
    await Promise.all(machines.map((machine) => machine.close()))
    await server.stop()
  }
}

function read(args: readonly string[]): { readonly keys: number; readonly help: boolean } | undefined {
  try {
    const options = { keys: { type: 'string', default: '100' }, help: { type: 'boolean', default: false } } as const
    const { values } = parseArgs({ args: [...args], options })
    const keys = Number(values.keys)
    return Number.isInteger(keys) && keys > 0 ? { keys, help: values.help } : undefined
  } catch {
    return undefined
  }
}

/** @returns loads it took; adds the waits of those who were answered by another machine */
async function wantOne(machines: readonly Machine[], key: string, waits: number[]): Promise<number> {
  let [loads, endedAt, loader] = [0, 0, -1]
  const load = async (machine: number): Promise<object> => {
    loads += 1
    loader = machine
    await new Promise((resolve) => setTimeout(resolve, LOAD_MS))
    endedAt = performance.now()
    return { key }
  }
  const answers = machines.flatMap(({ cache }, machine) =>
    Array.from({ length: CALLERS }, async () => {
      await cache.fetch(key, () => load(machine))
      return { machine, at: performance.now() }
    }),
  )
  for (const { machine, at } of await Promise.all(answers)) if (machine !== loader) waits.push(at - endedAt)
  return loads
}

function describe(waits: number[]): string {
  waits.sort((a, b) => a - b)
  const at = (share: number): string => `${(waits[Math.floor(share * (waits.length - 1))] ?? 0).toFixed(2)} ms`
  return `${waits.length} waiters: p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}, longest ${at(1)}`
}
