/**
 * What drills restate, held against the whole: the same schedules against caches with fetcher, second level and stream link, promises and
 * all. Where several things fall due in one moment, either may come first; all else has to be answered alike.
 */
import { describe, expect, it } from 'vitest'
import { Drill } from './drill/drill.ts'
import { DrillNode } from './drill/node.ts'
import { WholeNode } from './drill/whole.ts'

const FIRST_SEED = Number(process.env['FORECACHE_SEED'] ?? 1)
const SCHEDULES = Number(process.env['FORECACHE_WHOLE_DRILLS'] ?? 2000)
/** Of those in which nothing else fell due in the same moment. */
const ALIKE = 0.88

/** Promises settle, and what was put off with `setImmediate` has run. */
function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(() => void setImmediate(resolve)))
}

async function runWhole(whole: Drill, seed: number): Promise<readonly string[]> {
  const course = whole.course(seed)
  while (course.next().done !== true) await turn()
  return whole.world.violations
}

/** Every answer with its moment, its node and its version. */
function answersOf({ world }: Drill): string {
  const lines = world.lines ?? []
  return lines
    .filter((line) => line.includes(' answers '))
    .sort()
    .join('\n')
}

describe('whole machines in the schedules of drills', () => {
  it(`answer as drills do, and break no promise, in ${SCHEDULES} of them`, { timeout: 600_000 }, async () => {
    const cores = new Drill({ name: 'cores', create: (world, name) => new DrillNode(world, name) })
    const whole = new Drill({ name: 'whole', create: (world, name) => new WholeNode(world, name) })
    let alike = 0
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SCHEDULES; seed += 1) {
      for (const { world } of [cores, whole]) {
        world.lines = []
        world.isOrdered = true
      }
      const broken = [...cores.run(seed), ...(await runWhole(whole, seed))]
      expect(broken, `seed ${seed}`).toEqual([])
      if (answersOf(cores) === answersOf(whole)) alike += 1
    }
    const { reads, cached, writes } = whole.world.counts
    console.log(
      `whole: ${SCHEDULES} schedules, ${alike} alike in every answer; ${reads} reads, ${cached} cached, ${writes} writes`,
    )

    expect(alike / SCHEDULES).toBeGreaterThan(ALIKE)
    expect(cached / reads).toBeGreaterThan(0.15)
  })

  it('are caught, as drills are, when what was invalidated while it was read is stored', { timeout: 60_000 }, async () => {
    const whole = new Drill({
      name: 'whole',
      create: (world, name) =>
        new WholeNode(world, name, ({ cache }) => {
          cache.engine.fence.admits = () => true
        }),
    })
    let broken = 0
    for (let seed = 1; seed <= 40 && broken === 0; seed += 1) broken = (await runWhole(whole, seed)).length

    expect(broken).toBeGreaterThan(0)
  })
})
