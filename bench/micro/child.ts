/**
 * One round of one case, alone in this process: warms up, times slices, prints the fastest one's nanoseconds per operation.
 *
 * Slices are short (some 10 ms) so that on a shared machine at least one of them is left alone.
 */
import { CASES } from './cases.ts'

const SLICES = 12

const one = CASES.get(process.argv[2] ?? '')
if (one === undefined) throw new Error(`unknown case; known: ${[...CASES.keys()].join(', ')}`)
const loop = await one.prepare()
const count = Math.ceil(one.perRound / SLICES)
for (let i = 0; i < SLICES / 2; i += 1) {
  one.refill?.(count)
  await loop(count)
}
let best = Number.POSITIVE_INFINITY
for (let i = 0; i < SLICES; i += 1) {
  one.refill?.(count)
  const start = process.hrtime.bigint()
  await loop(count)
  best = Math.min(best, Number(process.hrtime.bigint() - start) / count)
}
process.stdout.write(`${best}\n`)
process.exit(0)
