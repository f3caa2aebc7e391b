/** Prints docs/reference/testing.md from src/sim/trial-options.ts. */
import { FAULTS } from '../../src/sim/schedule.ts'
import { TRIAL_OPTIONS } from '../../src/sim/trial-options.ts'
import { printSchema } from './schema.ts'
import { code, table } from './table.ts'

const NAMES: readonly (readonly [name: string, what: string])[] = [
  ['explore(options)', 'runs schedules by seed; resolves to `{schedules, failed, perMille, broken, counts, failure, text}`'],
  ['replay(options, what)', 'runs one again, by its seed or as a failure has it; resolves to `{violations, world, trace}`'],
  ['createWorld(options)', '`{seed, nodes, skewMs, isTraced}`: a world without schedules, for tests step by step'],
  ['checkHistory(world, limits, promises)', 'judges a history; what `explore` does at the end'],
  ['FAULTS', FAULTS.map(code).join(', ')],
  ['NoAnswer', 'rejects a question over the network whose answer did not come in time'],
  [
    'createVirtualClock(startMs)',
    'a clock that moves when told to: `advance(ms)`, `advanceAsync(ms)`, `stepWall(ms)`, `pending`',
  ],
  ['createRandom(seed)', 'numbers in [0, 1), the same for the same seed'],
  ['settle(turns)', 'lets every promise settle that can'],
]

/** @returns the page */
export function printTesting(): string {
  const names = table(
    ['name', 'what it is'],
    NAMES.map(([name, what]) => [code(name), what]),
  )
  return printSchema(TRIAL_OPTIONS, {
    title: '`forecache/testing`',
    intro: `See docs/guide/testing.md.\n\n${names}\n\n## Options of \`explore\` and \`replay\`\n\nChecked once; unknown names are refused.`,
  })
}
