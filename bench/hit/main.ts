/**
 * Question   what does a hit cost more where predictions are on?
 * Method     one process, four stores of 1,000 entries each: a library cache read by `peek`, `get` and `fetch`, and a gateway's lane
 *            from a known request to head and body; each without predictions, with refreshAhead, and the lane with
 *            prefetching too. Rounds alternate, and in each the order turns round; a ratio is the median of the rounds'
 *            ratios, shown with its quartiles. Keys by Zipf's law. Timers run between rounds, as they would between reads
 * Left out   sockets, and what refreshes themselves cost the origin: see `predict`
 */
import { parseArgs } from 'node:util'
import { createCache } from '../../src/flow/cache.ts'
import { createRandom } from '../../src/model/random.ts'
import { atMost, columns, describeMachine, type Goal, machine, quantile } from '../compare.ts'
import { describeGoals } from '../load/report.ts'
import { createLane, type LaneWay } from './lane.ts'

const HELP = `npm run bench -- hit [--rounds 41] [--hits 100000] [--json]
`
const MAX_RATIO = 1.1
const KEYS = 1000
const BUDGET = '1h'

/** So many hits. */
type Way = (hits: number) => void | Promise<void>

/** One way with predictions against the same without. */
interface Ratio {
  readonly name: string
  readonly offNs: number
  readonly onNs: number
  readonly ratio: number
  /** Quartiles of the rounds. */
  readonly low: number
  readonly high: number
}

/** @returns 0 when every ratio is kept, 1 when not, 2 on wrong usage */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '41' },
      hits: { type: 'string', default: '100000' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const [rounds, hits] = [Number(values.rounds), Number(values.hits)]
  if (values.help || !(rounds >= 1) || !(hits >= 1)) {
    process[values.help ? 'stdout' : 'stderr'].write(HELP)
    return values.help ? 0 : 2
  }
  const order = createOrder()
  const [off, on] = [await libraryWays(order, false), await libraryWays(order, true)]
  const lanes = { off: await laneWay(order, {}), ahead: await laneWay(order, { refreshAhead: true }) }
  const both = await laneWay(order, { refreshAhead: true, prefetch: true })
  const pairs: (readonly [name: string, off: Way, on: Way])[] = [
    ...(['peek', 'get', 'fetch'] as const).map((name) => [`${name}, refreshAhead`, off[name], on[name]] as const),
    ['lane, refreshAhead', lanes.off, lanes.ahead],
    ['lane, refreshAhead and prefetch', lanes.off, both],
  ]
  const ratios: Ratio[] = []
  for (const [name, without, with_] of pairs) ratios.push(await compare(name, { without, with: with_ }, { rounds, hits }))
  return show(ratios, values.json)
}

function show(ratios: readonly Ratio[], isJson: boolean): number {
  const goals: Goal[] = ratios.map(({ name, ratio }) => atMost(`${name}, with / without`, ratio, MAX_RATIO))
  const rows = ratios.map((one) => [
    one.name,
    ...[one.offNs, one.onNs].map((ns) => ns.toFixed(0)),
    ...[one.ratio, one.low, one.high].map((ratio) => ratio.toFixed(3)),
  ])
  const table = columns([['a hit', 'without ns', 'with ns', 'ratio', 'lower quartile', 'upper quartile'], ...rows])
  const at = machine()
  process.stdout.write(
    isJson
      ? `${JSON.stringify({ machine: at, ratios, goals }, undefined, 2)}\n`
      : `${describeMachine(at)}\n\n${table}\n\n${describeGoals(goals)}\n`,
  )
  return goals.every(({ isMet }) => isMet) ? 0 : 1
}

async function compare(
  name: string,
  ways: { readonly without: Way; readonly with: Way },
  { rounds, hits }: { readonly rounds: number; readonly hits: number },
): Promise<Ratio> {
  const times: { off: number; on: number }[] = []
  for (let round = -3; round < rounds; round += 1) {
    const isTurned = round % 2 !== 0
    const first = await time(isTurned ? ways.with : ways.without, hits)
    const second = await time(isTurned ? ways.without : ways.with, hits)
    if (round >= 0) times.push(isTurned ? { off: second, on: first } : { off: first, on: second })
  }
  const sorted = (read: (one: { off: number; on: number }) => number): number[] => times.map(read).sort((a, b) => a - b)
  const ratios = sorted(({ off, on }) => on / off)
  return {
    name,
    offNs: quantile(
      sorted(({ off }) => off),
      0.5,
    ),
    onNs: quantile(
      sorted(({ on }) => on),
      0.5,
    ),
    ratio: quantile(ratios, 0.5),
    low: quantile(ratios, 0.25),
    high: quantile(ratios, 0.75),
  }
}

/** @returns ns for each hit */
async function time(way: Way, hits: number): Promise<number> {
  await new Promise(setImmediate)
  const begun = process.hrtime.bigint()
  await way(hits)
  return Number(process.hrtime.bigint() - begun) / hits
}

/** Places of keys, by Zipf's law; the same for all. */
function createOrder(): Int32Array {
  const random = createRandom(6)
  return Int32Array.from({ length: 1 << 16 }, () => Math.min(KEYS - 1, Math.floor(KEYS ** random()) - 1))
}

async function libraryWays(order: Int32Array, refreshAhead: boolean): Promise<Record<'peek' | 'get' | 'fetch', Way>> {
  const cache = createCache({ budget: BUDGET, refreshAhead })
  const keys = Array.from({ length: KEYS }, (_, at) => `http://shop/api/products/${at}`)
  const load = (): { id: number } => ({ id: 1 })
  for (const key of keys) await cache.fetch(key, {}, load)
  const keyAt = (hit: number): string => keys[order[hit & (order.length - 1)] as number] as string
  return {
    peek: (hits) => {
      for (let hit = 0; hit < hits; hit += 1) if (cache.peek(keyAt(hit)) === undefined) throw new Error('a hit was expected')
    },
    get: async (hits) => {
      for (let hit = 0; hit < hits; hit += 1) await cache.get(keyAt(hit))
    },
    fetch: async (hits) => {
      for (let hit = 0; hit < hits; hit += 1) await cache.fetch(keyAt(hit), {}, load)
    },
  }
}

async function laneWay(order: Int32Array, wish: { readonly refreshAhead?: boolean; readonly prefetch?: boolean }): Promise<Way> {
  const lane: LaneWay = await createLane(KEYS, wish)
  return (hits) => {
    for (let hit = 0; hit < hits; hit += 1) lane(order[hit & (order.length - 1)] as number)
  }
}
