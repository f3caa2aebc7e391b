/**
 * Question   is anybody shown by the Redis doors what he must not be, over many operations and mishaps?
 * Method     eleven clients over front, hook, library, API and directly before one real Redis, mishaps of the
 *            tracking connections now and then (slow, silent, cut, server frozen); every reading checked against a ledger of versions
 * Left out   network between machines: all share one event loop, so that the ledger knows what was before what
 */
import { parseArgs } from 'node:util'
import { runDoors } from '../../test/support/doors-run.ts'

const USAGE = 'npm run bench -- doors [--operations N] [--seed N]\n'

/** @returns exit code: 2 wrong usage, 1 somebody was shown what he must not be */
export async function run(args: readonly string[]): Promise<number> {
  const given = read(args)
  if (given === undefined || given.help) {
    process.stdout.write(USAGE)
    return given === undefined ? 2 : 0
  }
  const { operations, seed } = given
  const outcome = await runDoors({ operations, seed, mishapEveryMs: 700 })
  const { reads, writes, mishaps, hits, worstStaleMs, seconds, faults } = outcome
  process.stdout.write(
    `seed ${seed}: ${reads} readings, ${writes} writes, ${mishaps} mishaps in ${seconds.toFixed(0)} s; ` +
      `${hits.front} + ${hits.hook} answered from memory by front and hook, at most ${worstStaleMs.toFixed(1)} ms late; ` +
      `${faults.length} faults\n`,
  )
  for (const fault of faults) process.stdout.write(`  ${fault}\n`)
  return faults.length === 0 ? 0 : 1
}

interface Given {
  readonly operations: number
  readonly seed: number
  readonly help: boolean
}

function read(args: readonly string[]): Given | undefined {
  try {
    const options = {
      operations: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    } as const
    const { values } = parseArgs({ args: [...args], options })
    const [operations, seed] = [Number(values.operations), Number(values.seed)]
    return operations > 0 && Number.isInteger(seed) ? { operations, seed, help: values.help } : undefined
  } catch {
    return undefined
  }
}
