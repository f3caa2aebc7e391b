/**
 * Runs random schedules by the million on every core: drills of the synchronous cores, or whole processes and machines that share
 * a log, and a second level, in virtual time.
 *
 * Usage: npm run model -- [--schedules 1e8] [--seed 1] [--workers 2] [--whole] [--fleet NAME]
 * `--whole` runs whole nodes of every fleet, `--fleet` those of one; default: drills, some thirty times as many in the same time.
 * Prints what was done; ends at the first failure with its shortest form and its trace, exit code 1.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { type Exploration, explore } from '../src/sim/explore.ts'
import type { TrialOptions } from '../src/sim/trial-options.ts'
import { FLEETS } from '../test/model/systems/fleets.ts'
import { runDrills } from './model-drill.ts'

interface Part {
  readonly fleet: string
  readonly seed: number
  readonly schedules: number
}

const PART = 5000

if (isMainThread) process.exitCode = await main()
else {
  const { fleet, ...seeds } = workerData as Part
  const { text, counts, failed, schedules } = await explore({
    ...(FLEETS[fleet] as TrialOptions),
    ...seeds,
    stopAtFirst: true,
  })
  parentPort?.postMessage({ text, counts, failed, schedules }, [])
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      schedules: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '1' },
      workers: { type: 'string', default: String(availableParallelism()) },
      whole: { type: 'boolean', default: false },
      fleet: { type: 'string' },
    },
  })
  const [schedules, seed] = [Number(values.schedules), Number(values.seed)]
  if (!values.whole && values.fleet === undefined) return runDrills({ schedules, seed, workers: Number(values.workers) })
  const fleets = Object.keys(FLEETS).filter((name) => values.fleet === undefined || name === values.fleet)
  if (fleets.length === 0) {
    console.error(`no fleet is called ${values.fleet}; there are: ${Object.keys(FLEETS).join('; ')}`)
    return 2
  }
  const parts = divide(fleets, schedules, seed)
  const startedAt = performance.now()
  const total = { schedules: 0, reads: 0, cached: 0, writes: 0, loads: 0 }
  let hasFailed = false
  const work = async (): Promise<void> => {
    for (let part = parts.shift(); part !== undefined && !hasFailed; part = parts.shift()) {
      const found = await run(part)
      total.schedules += found.schedules
      for (const name of ['reads', 'cached', 'writes', 'loads'] as const) total[name] += found.counts[name]
      hasFailed ||= found.failed > 0
      if (found.failed > 0) console.log(`${part.fleet}:\n${found.text}`)
      const seconds = (performance.now() - startedAt) / 1000
      console.log(`${seconds.toFixed(0)} s: ${JSON.stringify(total)}, last ${part.fleet} from seed ${part.seed}`)
    }
  }
  await Promise.all(Array.from({ length: Number(values.workers) }, work))
  console.log(
    `${total.schedules} schedules from seed ${seed}, ${fleets.length} fleets: ${hasFailed ? 'a promise is broken' : '0 failed'}`,
  )
  return hasFailed ? 1 : 0
}

/** The same number for each fleet, in parts that take a few seconds. */
function divide(fleets: readonly string[], schedules: number, first: number): Part[] {
  const each = Math.ceil(schedules / fleets.length)
  const parts: Part[] = []
  for (let done = 0; done < each; done += PART) {
    for (const fleet of fleets) parts.push({ fleet, seed: first + done, schedules: Math.min(PART, each - done) })
  }
  return parts
}

function run(part: Part): Promise<Pick<Exploration, 'text' | 'counts' | 'failed' | 'schedules'>> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: part, resourceLimits: { maxYoungGenerationSizeMb: 64 } })
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}
