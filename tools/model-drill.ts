/**
 * Drills by the hundred million: the synchronous cores of what runs on several machines, in schedules of single steps.
 *
 * Used by tools/model.ts. Each worker keeps its nodes and goes from part to part; what was done is printed as it comes, and a
 * violation with its seed, its shortest form and its trace.
 */
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { Drill, drill } from '../test/model/drill/drill.ts'
import { DrillNode } from '../test/model/drill/node.ts'
import type { Counts } from '../test/model/drill/member.ts'

interface Part {
  readonly seed: number
  readonly schedules: number
}

interface Done {
  readonly run: number
  readonly failed: number
  readonly counts: Counts
  readonly text: string | undefined
}

const PART = 20_000
/** Schedules between two turns of the event loop: what promises there are settle. */
const TURN = 500
const TOLD_EVERY_MS = 30_000

if (!isMainThread) {
  const nodes = new Drill({ name: 'forecache', create: (world, name) => new DrillNode(world, name) })
  parentPort?.on('message', async (part: Part) => parentPort?.postMessage(await work(nodes, part), []))
}

async function work(nodes: Drill, { seed, schedules }: Part): Promise<Done> {
  let [run, failed] = [0, 0]
  let text: string | undefined
  const before = { ...nodes.world.counts }
  while (run < schedules && failed === 0) {
    const found = drill(nodes, { seed: seed + run, schedules: Math.min(TURN, schedules - run), stopAtFirst: true })
    run += found.run
    failed += found.failed
    if (found.firstSeed !== undefined) {
      const { drawnSteps, steps, violations, trace } = nodes.explain(found.firstSeed)
      text = `seed ${found.firstSeed}, ${drawnSteps} steps made ${steps.length}:\n${trace}\n${violations.join('\n')}`
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  const counts = Object.fromEntries(
    Object.entries(nodes.world.counts).map(([name, count]) => [name, count - before[name as keyof Counts]]),
  )
  return { run, failed, counts: counts as unknown as Counts, text }
}

/** @returns the exit code */
export async function runDrills(given: {
  readonly schedules: number
  readonly seed: number
  readonly workers: number
}): Promise<number> {
  const { schedules, seed, workers } = given
  const startedAt = performance.now()
  const total: Record<string, number> = {}
  let [begun, done, failed, toldAt] = [0, 0, 0, startedAt]
  const tell = (): void => {
    const seconds = (performance.now() - startedAt) / 1000
    const rate = (seconds * 1e6 * workers) / Math.max(1, done)
    console.log(`${seconds.toFixed(0)} s: ${done} drills, ${failed} failed, ${rate.toFixed(0)} µs each, ${JSON.stringify(total)}`)
  }
  const next = (): Part | undefined => {
    const part = { seed: seed + begun, schedules: Math.min(PART, schedules - begun) }
    begun += Math.max(0, part.schedules)
    return part.schedules > 0 && failed === 0 ? part : undefined
  }
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), { resourceLimits: { maxYoungGenerationSizeMb: 64 } })
      const send = (): void => {
        const part = next()
        if (part === undefined) void worker.terminate().then(() => resolve())
        else worker.postMessage(part, [])
      }
      worker.on('error', reject)
      worker.on('message', ({ run, failed: broken, counts, text }: Done) => {
        done += run
        failed += broken
        for (const [name, count] of Object.entries(counts)) total[name] = (total[name] ?? 0) + count
        if (text !== undefined) console.log(text)
        if (performance.now() - toldAt > TOLD_EVERY_MS) {
          toldAt = performance.now()
          tell()
        }
        send()
      })
      send()
    })
  console.log(`drills from seed ${seed}, ${schedules} of them, ${workers} workers`)
  await Promise.all(Array.from({ length: workers }, one))
  tell()
  console.log(`${done} drills from seed ${seed}: ${failed === 0 ? '0 failed' : 'a promise is broken'}`)
  return failed === 0 ? 0 : 1
}
