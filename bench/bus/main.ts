/**
 * Question   how long until an invalidation is effective on all of five instances, and does it cost more where very many
 *            entries bear the tag?
 * Method     five processes on one Redis on the loopback, which carries the log, or a NATS beside it; one of them measures: `invalidate` called and resolved with every
 *            instance's acknowledgement; one after another, then several at once; a tag of ten entries and one of very many
 *            on two instances, stored anew before each
 * Left out   networks between machines; more cores than this machine has: five processes, Redis and the measuring share them
 */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Cache } from '../../src/flow/cache.ts'
import { columns, describeMachine, machine, percentiles } from '../compare.ts'
import { describeLoad, keepResult } from '../rig/results.ts'
import { startNats } from '../../test/support/nats-here.ts'
import { startRedis } from '../scenario/redis.ts'
import { hold, inSight, openCache, type Order, TAG } from './instance.ts'

const INSTANCES = 5
const MAX_BYTES = 1024 * 1024 * 1024
/** The list of members is sure after this. */
const SURE_MS = 1500
const AT_ONCE = 50

/** One row of the result. */
type Row = readonly (string | number)[]

/** @returns the exit code */
export async function run(args: readonly string[]): Promise<number> {
  const options = {
    times: { type: 'string', default: '2000' },
    entries: { type: 'string', default: '1000000' },
    log: { type: 'string', default: 'redis' },
    help: { type: 'boolean' },
  } as const
  const { values } = parseArgs({ args: [...args], options })
  if (values.help === true) {
    process.stdout.write('npm run bench -- bus [--times 2000] [--entries 1000000] [--log redis|nats]\n')
    return 0
  }
  if (values.log !== 'redis' && values.log !== 'nats') throw new Error(`--log: expected redis or nats, given ${values.log}`)
  const redis = await startRedis()
  const nats = values.log === 'nats' ? await startNats() : undefined
  const order: Order = { url: redis.url, natsUrl: nats?.url, maxBytes: MAX_BYTES }
  const children = await Promise.all(Array.from({ length: INSTANCES - 1 }, () => startChild(order)))
  const cache = openCache(order)
  try {
    await inSight(cache)
    await wait(SURE_MS)
    const single = await oneByOne(cache, Number(values.times))
    const many = await severalAtOnce(cache, Number(values.times))
    const sizes = [
      await sized(cache, children[0] as ChildProcess, 10),
      await sized(cache, children[0] as ChildProcess, Number(values.entries)),
    ]
    const text = [
      `the log in ${values.log}`,
      describeMachine(machine()),
      describeLoad(),
      '',
      columns([['effective on all of 5, ms', 'p50', 'p99', 'max'], single, many]),
      '',
      columns([['one tag of so many entries on two of them, ms', 'p50', 'max'], ...sizes]),
      '',
    ].join('\n')
    process.stdout.write(
      `${text}\nkept in ${keepResult('bus', { text, data: { machine: machine(), log: values.log, single, many, sizes } })}\n`,
    )
    return 0
  } finally {
    for (const child of children) child.disconnect()
    await cache.close()
    await nats?.stop()
    await redis.stop()
  }
}

async function startChild(order: Order): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'child.ts'))
  child.send(order)
  await answer(child)
  return child
}

function answer(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve) => child.once('message', resolve))
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** @throws Error when somebody has not acknowledged: then there is nothing to measure */
async function timed(cache: Cache): Promise<number> {
  const beganAt = performance.now()
  const { nodes } = await cache.invalidate({ tags: [TAG] })
  const ms = performance.now() - beganAt
  if (nodes.acknowledged !== INSTANCES) throw new Error(`${nodes.acknowledged} of ${nodes.expected} have acknowledged`)
  return ms
}

async function oneByOne(cache: Cache, times: number): Promise<Row> {
  const all: number[] = []
  for (let i = 0; i < times; i += 1) all.push(await timed(cache))
  return ['one after another', ...shown(all)]
}

async function severalAtOnce(cache: Cache, times: number): Promise<Row> {
  const all: number[] = []
  while (all.length < times) all.push(...(await Promise.all(Array.from({ length: AT_ONCE }, () => timed(cache)))))
  return [`${AT_ONCE} at once`, ...shown(all)]
}

async function sized(cache: Cache, child: ChildProcess, entries: number): Promise<Row> {
  const all: number[] = []
  for (let i = 0; i < 9; i += 1) {
    hold(cache, entries)
    child.send({ entries })
    await answer(child)
    await wait(200)
    all.push(await timed(cache))
  }
  const [p50, , max] = shown(all)
  return [entries, p50 as string, max as string]
}

function shown(all: readonly number[]): string[] {
  const { p50, p99, max } = percentiles(all)
  return [p50, p99, max].map((ms) => ms.toFixed(2))
}
