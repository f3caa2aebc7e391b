/**
 * Question   what do several processes cost: a hit under a shared version word against a hit in a process's own memory, an
 *            invalidation that all must acknowledge, CPU per hit with and without workers?
 * Method     hits: one process, rounds interleaved, minima; invalidations: one after another over a kept connection; CPU: of all
 *            processes of the gateway from /proc, under `wrk` where that is installed
 * Left out   real machines with more cores than two; other work beside
 */
import { parseArgs } from 'node:util'
import { createCache } from '../../src/flow/cache.ts'
import { columns, describeMachine, machine, percentiles } from '../compare.ts'
import { describeLoad, keepResult } from '../rig/results.ts'
import { type Served, serve } from './served.ts'

const ROUNDS = 15
const HITS = 400_000
const KEYS = 10_000

/** One row of the result. */
type Row = readonly (string | number)[]

/** @returns the exit code */
export async function run(args: readonly string[]): Promise<number> {
  const options = {
    times: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '4' },
    help: { type: 'boolean' },
  } as const
  const { values } = parseArgs({ args: [...args], options })
  if (values.help === true) {
    process.stdout.write('npm run bench -- workers [--times 500] [--seconds 4]\n')
    return 0
  }
  const hits = await measureHits()
  const [invalidations, loads]: [Row[], Row[]] = [[], []]
  for (const workers of [1, 2, 4]) {
    const served = await serve(workers)
    try {
      invalidations.push(...(await measureInvalidations(served, Number(values.times))))
      if (workers <= 2) loads.push(await measureLoad(served, Number(values.seconds)))
    } finally {
      await served.stop()
    }
  }
  const text = [
    describeMachine(machine()),
    describeLoad(),
    '',
    columns([['hit, ns', 'min', 'over own memory'], ...hits]),
    '',
    columns([['invalidation, ms', 'workers', 'p50', 'p99', 'max'], ...invalidations]),
    '',
    columns([['hits under wrk, 64 connections', 'workers', 'requests/s', 'CPU µs each'], ...loads]),
    '',
  ].join('\n')
  process.stdout.write(
    `${text}\nkept in ${keepResult('workers', { text, data: { machine: machine(), hits, invalidations, loads } })}\n`,
  )
  return 0
}

/** A hit of this process's own memory; with a version word that other threads may raise; with 1 KiB copied out of shared memory. */
async function measureHits(): Promise<Row[]> {
  const cache = createCache()
  const keys = Array.from({ length: KEYS }, (_, i) => `http://a.test/api/products/${i}`)
  for (const key of keys) await cache.set(key, { id: key }, { budget: 600_000 })
  const order = Array.from({ length: HITS }, () => keys[Math.floor(Math.random() ** 3 * KEYS)] as string)
  const words = new Int32Array(new SharedArrayBuffer(4096))
  const shared = Buffer.from(new SharedArrayBuffer(1024 * 1024))
  const own = Buffer.alloc(1024)
  let seen = 0
  let found = 0
  const take = (key: string): void => {
    if (cache.peek(key) !== undefined) found += 1
  }
  const cases: Record<string, () => void> = {
    'own memory': () => {
      for (const key of order) take(key)
    },
    'own memory, shared version word (Atomics.load)': () => {
      for (const key of order) {
        const now = Atomics.load(words, 0)
        if (now !== seen) seen = now
        take(key)
      }
    },
    'own memory, a shared word per tag (3 tags)': () => {
      for (const key of order) {
        if (Atomics.load(words, 17) + Atomics.load(words, 333) + Atomics.load(words, 777) !== 0) seen += 1
        take(key)
      }
    },
    'and 1 KiB copied out of memory shared by threads': () => {
      for (const key of order) {
        take(key)
        own.set(shared.subarray((found & 1023) << 10, ((found & 1023) << 10) + 1024))
      }
    },
  }
  const best = new Map<string, number>()
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, work] of Object.entries(cases)) {
      const began = process.hrtime.bigint()
      work()
      const each = Number(process.hrtime.bigint() - began) / HITS
      best.set(name, Math.min(best.get(name) ?? Infinity, each))
    }
  }
  if (found === 0 || seen < 0) throw new Error('nothing was found')
  const base = best.get('own memory') as number
  return [...best].map(([name, ns]) => [name, ns.toFixed(1), `${(ns - base).toFixed(1)}`])
}

async function measureInvalidations(served: Served, times: number): Promise<Row[]> {
  const ways = {
    'POST /v1/invalidate': () => served.invalidate(),
    'POST through the gateway': () => served.write(),
    'GET of what is never stored': () => served.pass(),
  }
  const rows: Row[] = []
  for (const [name, once] of Object.entries(ways)) {
    for (let i = 0; i < times / 5; i += 1) await once()
    const samples: number[] = []
    for (let i = 0; i < times; i += 1) {
      const began = performance.now()
      await once()
      samples.push(performance.now() - began)
    }
    const { p50, p99, max } = percentiles(samples)
    rows.push([name, served.workers, p50.toFixed(2), p99.toFixed(2), max.toFixed(2)])
  }
  return rows
}

async function measureLoad(served: Served, seconds: number): Promise<Row> {
  const load = await served.load(seconds)
  return load === undefined
    ? ['wrk is not installed', served.workers, '–', '–']
    : ['1 KiB', served.workers, Math.round(load.perSecond), load.cpuUs.toFixed(1)]
}
