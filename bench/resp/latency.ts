/**
 * What one connection waits for an answer: through the front from memory and passed on, beside Redis here and half a
 * millisecond away; and how soon a right that was taken away is no longer answered from memory.
 */
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { columns, percentiles } from '../compare.ts'
import { CLIENT_CORE, startPinned } from '../rig/pinned.ts'
import { Asker } from './asker.ts'
import { type Peer, startFront } from './peers.ts'

const ONE_WAY_MS = 0.25
const QUESTIONS = 2000
const RIGHTS_ROUNDS = 10
const REFUSED_WITHIN_MS = 5000

/** @returns lines for people, and all samples */
export async function measureLatency(redis: Peer, rounds: number): Promise<{ readonly text: string; readonly data: object }> {
  const distance = startPinned({
    ...{ name: 'distance', core: CLIENT_CORE },
    command: [process.execPath, join(import.meta.dirname, 'distance.ts'), String(redis.port), String(ONE_WAY_MS)],
  })
  const farPort = Number(/"port":(\d+)/.exec(await distance.line((line) => line.includes('port')))?.[1])
  const near = await startFront(redis.port)
  const far = await startFront(farPort)
  try {
    const waits = await waitsOf({ redis: redis.port, far: farPort, nearFront: near.port, farFront: far.port }, rounds)
    const refusals = await refusalsOf(redis.port, near.port)
    return { text: `${describe(waits)}\n${describeRefusals(refusals)}`, data: { waits, refusals } }
  } finally {
    for (const one of [near, far, distance]) await one.stop()
  }
}

type Ports = Readonly<Record<'redis' | 'far' | 'nearFront' | 'farFront', number>>
type Waits = Record<'redisGet' | 'frontGet' | 'redisPass' | 'frontPass' | 'farGet' | 'farFrontGet', number[]>

/** Each in turn within every round: what the machine does meanwhile shall meet all. */
async function waitsOf(ports: Ports, rounds: number): Promise<Waits> {
  const [redis, far, nearFront, farFront] = await Promise.all(
    [ports.redis, ports.far, ports.nearFront, ports.farFront].map((port) => Asker.open(port)),
  )
  if (!redis || !far || !nearFront || !farFront) throw new Error('no connection')
  const waits: Waits = { redisGet: [], frontGet: [], redisPass: [], frontPass: [], farGet: [], farFrontGet: [] }
  await redis.ask('SET', 'latency', 'x'.repeat(64))
  for (const asker of [nearFront, farFront]) {
    await wait(500)
    await asker.time(['GET', 'latency'], QUESTIONS)
  }
  for (let round = 0; round < rounds; round += 1) {
    const get = ['GET', 'latency']
    // Never kept, and costs Redis what GET does.
    const pass = ['TTL', 'latency']
    waits.redisGet.push(...(await redis.time(get, QUESTIONS)))
    waits.frontGet.push(...(await nearFront.time(get, QUESTIONS)))
    waits.redisPass.push(...(await redis.time(pass, QUESTIONS)))
    waits.frontPass.push(...(await nearFront.time(pass, QUESTIONS)))
    waits.farGet.push(...(await far.time(get, QUESTIONS / 10)))
    waits.farFrontGet.push(...(await farFront.time(get, QUESTIONS)))
  }
  for (const asker of [redis, far, nearFront, farFront]) asker.close()
  return waits
}

function describe(waits: Waits): string {
  const { redisGet, frontGet, redisPass, frontPass, farGet, farFrontGet } = waits
  const p50 = (micros: readonly number[]): number => percentiles(micros).p50
  const row = (name: string, micros: readonly number[], said: string): string[] => {
    const { p50: middle, p99 } = percentiles(micros)
    return [name, middle.toFixed(1), p99.toFixed(1), said]
  }
  return columns([
    ['µs for one connection', 'p50', 'p99', ''],
    row('GET, Redis', redisGet, ''),
    row('GET, front, from memory', frontGet, `${(p50(frontGet) / p50(redisGet)).toFixed(2)} times Redis here (goal 1.25)`),
    row('TTL, Redis', redisPass, ''),
    row('TTL, front, passed on', frontPass, `${(p50(frontPass) - p50(redisPass)).toFixed(1)} µs more (goal 80)`),
    row(`GET, Redis ${ONE_WAY_MS * 2} ms away`, farGet, ''),
    row('GET, front before it', farFrontGet, `${(p50(farGet) / p50(farFrontGet)).toFixed(1)} times better (goal 8)`),
  ])
}

/** @returns ms from the change of rules to the first refusal, of each round */
async function refusalsOf(redisPort: number, frontPort: number): Promise<number[]> {
  const admin = await Asker.open(redisPort)
  const took: number[] = []
  for (let round = 0; round < RIGHTS_ROUNDS; round += 1) {
    await admin.ask('ACL', 'SETUSER', 'bench', 'on', '>bench', 'resetkeys', '~*', '+@all')
    const asker = await Asker.open(frontPort)
    await asker.ask('AUTH', 'bench', 'bench')
    for (let i = 0; i < 200; i += 1) await asker.ask('GET', 'latency')
    await wait(50 * round) // wherever the last look at the rules was
    await asker.ask('GET', 'latency')
    await admin.ask('ACL', 'SETUSER', 'bench', 'resetkeys', '~other:*')
    const began = performance.now()
    while (!(await asker.ask('GET', 'latency')).startsWith('-NOPERM')) {
      if (performance.now() - began > REFUSED_WITHIN_MS) throw new Error('a right that was taken away is still answered')
    }
    took.push(performance.now() - began)
    asker.close()
  }
  await admin.ask('ACL', 'DELUSER', 'bench')
  admin.close()
  return took
}

function describeRefusals(took: readonly number[]): string {
  const { p50, max } = percentiles(took)
  return `a right taken away is refused after ${p50.toFixed(0)} ms, at most ${max.toFixed(0)} of ${took.length} (goal 1000)`
}
